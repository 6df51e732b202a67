"""The derivatives of a Problem at one point, by elements and along directions, and how far a claimed one may be off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np

from ..problem.problem import Point, Problem
from .differences import (
    AMPLIFIED,
    CLEAR,
    LEVELS,
    SAFETY,
    SAMPLES,
    Outputs,
    Slope,
    StepChoice,
    central_differences,
    choose_step,
    halved_steps,
    norm,
    perturbed,
    richardson,
    rounding_errors,
    typical_sizes,
)

# For each constant, a check in tests/gradcheck/constants_slopes_measure.py fails if it is halved or doubled, and says why.

# Smaller derivatives count as zero: numbers of this size may have been lost inside f, where they were squared.
UNDERFLOW = 1e-60
# The largest step that the search for a step tries, in units of the size of the point. The larger the step, the more exact
# is the difference of a linear function; but each factor of 8 costs two evaluations.
LARGEST_STEP = 4096.0
# An output that changes by at most this many times its rounding error, however far an input goes, does not depend on it. The
# largest of many rounding errors is about this many times the typical one.
CONSTANT = 4.0
# If all outputs are chaotic, and the norm of gradient * x of an input is at most this many times their rounding error, they say
# nothing about this input. The norm is over many elements, each with a rounding error of its own.
ONLY_ROUNDING = 100.0
# The distances, in units of the size of an input, at which an output is evaluated to see whether it depends on the input.
NEARBY = (0.5, -0.5, 1.0, -1.0, 2.0, -2.0)


class Measure:
    """The derivatives of <u, f> at one point: those that backward claims, and those that finite differences measure.

    Attributes
    ----------
    y : array (outputs)
        f at the point.
    u : array (outputs)
        The cotangent.
    claimed : list of array or None
        The gradients that backward returned.
    sigma : array (outputs)
        The rounding error of each output.
    scatter : list of array
        The rounding error of the claimed gradients.
    steps : dict of array
        For an input, once it is measured: the best step for each element.
    """

    def __init__(
        self, problem: Problem, point: Point, u: np.ndarray, rng: np.random.Generator, dtype: np.dtype | None = None
    ) -> None:
        """`dtype` is the one that f rounds to, if that is coarser than the one it is run in."""
        self.problem, self.point, self.u, self.rng = problem, point, u, rng
        self.y = problem(point)
        self.claimed = problem.gradients(point, u)
        self.rounded = dtype is not None
        self.eps = float(np.finfo(problem.dtype if dtype is None else dtype).eps)
        self.output_size = typical_sizes(self._outputs_at, point, self.y, rng)
        self.sigma = rounding_errors(self._outputs_at, point, self.y, self.output_size, self.eps, rng)
        # the last digits of the inputs decide a chaotic output, so it has no slope to measure
        self.chaotic = self.sigma > 1e-3 * (self.output_size + norm(self.y) / np.sqrt(max(self.y.size, 1)))
        self.scatter = self._gradient_scatter()
        self.steps: dict[int, np.ndarray] = {}
        self._changes: dict[int, np.ndarray] = {}  # for an input: how far each output changes with it

    def _gradient_scatter(self) -> list[np.ndarray]:
        squares = [np.zeros_like(x) for x in self.point]
        for _ in range(SAMPLES):
            near, u = perturbed(self.point, self.eps, self.rng), perturbed([self.u], self.eps, self.rng)[0]
            for s, g, g0 in zip(squares, self.problem.gradients(near, u), self.claimed, strict=True):
                if g is not None and g0 is not None and g.shape == s.shape == g0.shape:
                    s += np.nan_to_num((g - g0) ** 2, nan=0.0, posinf=0.0)
        scatter = [np.sqrt(s / SAMPLES) for s in squares]
        for s, g in zip(scatter, self.claimed, strict=True):
            if g is not None and g.shape == s.shape:
                s += 2 * self.eps * np.abs(g)
        return scatter

    # -- along a direction ---------------------------------------------------------------------------------------------

    def _outputs_at(self, point: Point) -> np.ndarray:
        """f; NaN where it fails, as outside its domain."""
        try:
            y = self.problem(point)
        except Exception:
            return np.full_like(self.y, np.nan)
        return y if y.shape == self.y.shape else np.full_like(self.y, np.nan)

    def along(self, i: int, v: np.ndarray) -> Callable[[float], np.ndarray]:
        """The outputs as a function of the distance along `v` in input `i`."""
        return lambda t: self._outputs_at([*self.point[:i], self.point[i] + t * v, *self.point[i + 1 :]])

    def tangent(self, i: int, v: np.ndarray, instead: dict[int, np.ndarray]) -> np.ndarray:
        """The derivatives of all outputs along `v` in input `i`, at the point with other values `instead` of some inputs.

        It is right to about 1e-10 where no kink is nearer than 1e-5 of the largest input.
        """
        point = [instead.get(k, x) for k, x in enumerate(self.point)]
        h = 1e-5 * (float(np.max(np.abs(point[i]), initial=0.0)) or 1.0)
        near = [[*point[:i], point[i] + t * v, *point[i + 1 :]] for t in (h, -h, h / 2, -h / 2)]
        a, b, c, d = (self._outputs_at(p) for p in near)
        return (8 * (c - d) - (a - b)) / (6 * h)  # extrapolated once (Richardson)

    def slope(self, i: int, v: np.ndarray, h: float, constant_range: np.ndarray | None = None) -> Slope:
        """The derivative of <u, f> along `v`, from the steps h, h/2, h/4 ..."""
        steps, scale = halved_steps(h), self.scale_along(i, v)
        D = central_differences(self.along(i, v), steps)
        slope = richardson(D, steps, Outputs(self.u, self.sigma, constant_range, scale))
        return self._with_hidden_error(slope, D, i, scale)

    def _with_hidden_error(self, slope: Slope, D: np.ndarray, i: int, scale: np.ndarray | float) -> Slope:
        """Add the error that no step shows: it is infinite where a chaotic output changes.

        If an output changes by less than CLEAR rounding errors while the input moves by up to twice its size, its slope cannot
        be seen. It may be as large as that change divided by the size of the point along the direction.
        """
        moved = np.any(D != 0, axis=-2)
        change = self._largest_change(i)
        faint = np.where(change < CLEAR * self.sigma, change, 0.0)
        hidden = norm(np.where(moved, self.u * faint, 0.0)) / scale
        chaotic = np.any(moved & self.chaotic, axis=-1)
        return Slope(slope.value, np.where(chaotic, np.inf, np.hypot(slope.error, hidden)))

    def _largest_change(self, i: int) -> np.ndarray:
        """The largest change of each output when input `i` moves by half its size, its size and twice its size.

        It moves forwards and backwards, along one direction of random signs.
        """
        if i not in self._changes:
            f = self.along(i, self._own_size(i) * self.rng.choice([-1.0, 1.0], self.point[i].shape))
            changes = np.max([np.abs(f(t) - self.y) for t in NEARBY], axis=0)
            self._changes[i] = np.where(np.isfinite(changes), changes, np.inf)
        return self._changes[i]

    def _own_size(self, i: int) -> np.ndarray:
        """The size of each element of input `i`; of one that is 0, the size of the largest, or 1."""
        x = np.abs(self.point[i])
        return np.where(x != 0, x, float(np.max(x, initial=0.0)) or 1.0)

    def scale_along(self, i: int, v: np.ndarray) -> float:
        """The size of the point along `v`: |x| / |v|; where x is 0, the size of the other elements, or 1."""
        x = self.point[i]
        own = float(np.max(np.abs(x[v != 0] / v[v != 0]), initial=0.0))
        return own or float(np.max(np.abs(x), initial=0.0)) or 1.0

    def constant_range(self, i: int, v: np.ndarray) -> np.ndarray:
        """The distance along `v` over which each output is taken to be constant: 1e6 times the size of the point.

        It is 0 for an output that changes nearby, across zero or that far away.
        """
        f, scale = self.along(i, v), self.scale_along(i, v)
        wide = max(scale, float(np.max(np.abs(self.point[i]))) / float(np.max(np.abs(v))))
        far = 1e6 * wide
        constant = np.ones(self.y.shape, dtype=bool)
        for t in sorted({t * s for s in (scale, wide) for t in NEARBY} | {far, -far}):
            constant &= f(t) == self.y
            if not np.any(constant):
                break
        return np.where(constant, far, 0.0)

    def best_step(self, i: int, v: np.ndarray, constant_range: np.ndarray | None = None) -> StepChoice:
        """The step at which differences along `v` are most exact.

        The search starts again from far smaller steps if f varies faster than the first ones resolve.
        """
        f, scale = self.along(i, v), self.scale_along(i, v)
        outputs = Outputs(self.u, self.sigma, constant_range, scale)
        for first in (1e-8, 1e-12):
            found = choose_step(f, first * min(scale, 1.0), LARGEST_STEP * max(scale, 1.0), outputs)
            if np.isfinite(found.error):
                break
        return found

    # -- element by element --------------------------------------------------------------------------------------------

    def step_of(self, i: int) -> np.ndarray:
        """A step for each element of input `i`: one for all, or in proportion to the elements, whichever is more exact."""
        if i not in self.steps:
            x = self.point[i]
            signs = self.rng.choice([-1.0, 1.0], x.shape)
            typical = float(np.sqrt(np.mean(x**2))) if x.size else 1.0
            sizes = np.where(x != 0, np.abs(x), typical or 1.0)
            one = self.best_step(i, signs)
            steps = np.full(x.shape, one.step)
            low, high = np.quantile(sizes, [0.1, 0.99]) if x.size else (1.0, 1.0)
            if high > 200 * low:
                in_proportion = self.best_step(i, signs * sizes)
                if in_proportion.relative_error < one.relative_error:
                    steps = in_proportion.step * sizes
            self.steps[i] = steps
        return self.steps[i]

    def elements(self, i: int, index: np.ndarray) -> Iterator[tuple[Slope, np.ndarray]]:
        """The derivatives by the elements `index` (flat) of input `i`, and which of these seem to lie on a kink.

        First from three of the five steps, as far as memory allows, then from all. That two differences of the first three are
        nearly equal may be chance: these derivatives count only where backward claims the same.
        """
        steps = halved_steps(8 * self.step_of(i).ravel()[index])  # (elements, levels)
        x = np.abs(self.point[i].ravel())
        scale = np.maximum(x, float(np.sqrt(np.mean(x**2))) or 1.0)[index]
        together = max(1, 4_000_000 // (LEVELS * self.y.size + 1))  # differences of 32 MB at once
        if len(index) <= together:
            D, second = self._differences(i, index, steps[:, 1:4])
            yield self._of_three(i, D, steps[:, 1:4], scale), self._kinked(D[:, -1], second[:, -2:], steps[:, 2:4])
            ends, change = self._differences(i, index, steps[:, [0, *range(4, LEVELS)]])
            D, second = np.concatenate([ends[:, :1], D, ends[:, 1:]], 1), np.concatenate([second, change[:, 1:]], 1)
            yield self._of_all(i, D, second, steps, scale)
            return
        parts = [slice(start, start + together) for start in range(0, len(index), together)]
        found = [self._of_all(i, *self._differences(i, index[p], steps[p]), steps[p], scale[p]) for p in parts]
        slope = Slope(np.concatenate([s.value for s, _ in found]), np.concatenate([s.error for s, _ in found]))
        yield slope, np.concatenate([kinked for _, kinked in found])

    def _of_all(
        self, i: int, D: np.ndarray, second: np.ndarray, steps: np.ndarray, scale: np.ndarray
    ) -> tuple[Slope, np.ndarray]:
        """The derivatives from all steps, and which of the elements seem to lie on a kink."""
        slope = self._with_hidden_error(richardson(D, steps, Outputs(self.u, self.sigma, scale=scale)), D, i, scale)
        return slope, self._kinked(D[:, -1], second[:, -2:], steps[:, -2:])

    def _of_three(self, i: int, D: np.ndarray, steps: np.ndarray, scale: np.ndarray) -> Slope:
        """The derivatives from three steps: extrapolated twice, with the error that they have where they are extrapolated once.

        Of two that are extrapolated once, from h and from h/2, the second has an error of a 16th of that of the first.
        """
        a, b = ((4 * D[:, k + 1] - D[:, k]) / 3 for k in (0, 1))
        error = (b - a) / 15
        noise = AMPLIFIED * Outputs(self.u, self.sigma, scale=scale).rounding_error(D, steps)[:, -1]
        return self._with_hidden_error(Slope((b + error) @ self.u, norm(self.u * error) + noise), D, i, scale)

    def _differences(self, i: int, index: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first and the second differences (elements, levels, outputs) by the elements `index` (flat) of input `i`."""
        found = [self._element_differences(i, j, h) for j, h in zip(index, steps, strict=True)]
        D, second = (np.stack(arrays) for arrays in zip(*found, strict=True))
        return D, second

    def _element_differences(self, i: int, j: int, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = self.point[i].copy()
        moved = [*self.point[:i], x, *self.point[i + 1 :]]
        x0, flat = x.flat[j], x.reshape(-1)
        D, second = np.empty((2, len(steps), self.y.size))
        for k, h in enumerate(steps):
            above, below = x0 + h, x0 - h  # these are rounded, so their distance is not 2h
            flat[j] = above
            y_above = self._outputs_at(moved)
            flat[j] = below
            y_below = self._outputs_at(moved)
            D[k], second[k] = (y_above - y_below) / (above - below), y_above - 2 * self.y + y_below
        return D, second

    def _kinked(self, D: np.ndarray, second: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Whether the slopes on the two sides differ clearly, and by as much when the step is halved."""
        gap = norm(self.u * second) / steps
        noise = norm(np.where(D != 0, self.u * self.sigma, 0.0)) / steps[:, -1]
        return (gap[:, 1] > 0.75 * gap[:, 0]) & (gap[:, 1] > 100 * noise + 1e-3 * norm(self.u * D))

    # -- judgement -----------------------------------------------------------------------------------------------------

    def allowed(self, i: int, index: np.ndarray, slope: Slope, atol: float, rtol: float) -> np.ndarray:
        """How far the claimed derivatives may be from the measured ones."""
        return SAFETY * (slope.error + self.scatter[i].ravel()[index]) + rtol * np.abs(slope.value) + atol + UNDERFLOW

    def uncancelled_size(self, i: int) -> float:
        """The size of a derivative by an element of input `i` where no terms cancel: |u| |f| / |x|."""
        largest = float(np.max(np.abs(self.point[i]), initial=0.0)) or 1.0
        return float(norm(self.u * self.output_size)) / largest

    def is_constant(self, i: int, claimed: np.ndarray, measured: np.ndarray) -> bool:
        """Whether the gradient by input `i` is claimed to be 0, and f does not depend on the input.

        It does not if all that was measured is 0, or if f changes by rounding only, however far the input goes. An f that
        changes by less than its rounding near the point, and by more further away, depends on it.
        """
        if not np.any(claimed) and not np.any(measured):
            return True
        g, scatter = self.claimed[i], self.scatter[i]
        zero = g is None or np.all(np.abs(g) <= SAFETY * (scatter + np.mean(scatter)))
        return bool(zero) and bool(np.all(self._largest_change(i) <= CONSTANT * self.sigma))

    def is_only_rounding(self, i: int) -> bool:
        """Whether all outputs are chaotic, and the part that the claimed gradient gives input `i` in them is only rounding."""
        part = float(norm((self.claimed[i] * self.point[i]).ravel()))
        return bool(np.all(self.chaotic)) and part <= ONLY_ROUNDING * float(norm(self.u * self.sigma))

    @cached_property
    def gradient_sizes_elsewhere(self) -> list[float]:
        """The size of the claimed gradient by each input at other points, where its terms may not cancel or saturate."""
        points = [[x * s * self.rng.standard_normal(x.shape) for x in self.point] for s in (1.0, 0.1, 0.01)]
        return [max(sizes) for sizes in zip(*[self._gradient_sizes(point) for point in points], strict=True)]

    def _gradient_sizes(self, point: Point) -> list[float]:
        try:
            gradients = self.problem.gradients(point, self.u)
        except Exception:  # the point may lie outside the domain of backward
            return [0.0] * len(point)
        return [0.0 if g is None else float(np.max(np.abs(g), initial=0.0, where=np.isfinite(g))) for g in gradients]
