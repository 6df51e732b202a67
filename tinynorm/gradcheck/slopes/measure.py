"""Measuring derivatives of a Problem: how exact it is, which steps suit it, element by element, or along a dense direction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..problem.problem import Point, Problem
from .difference import RUNGS, Slope, central, extrapolate, ladder, size
from .rounding import CHAOTIC, JITTERS, jittered, rounding_of, typical_size
from .steps import Climb, climb

SAFETY = 8.0  # an estimated error is taken this many times before a difference counts as wrong
UNDERFLOW = 1e-60  # smaller derivatives are zero: f may have lost them
FAR = 1e6  # times the size of an input: what does not move there either does not depend on it
ABOUT = (0.5, -0.5, 1.0, -1.0, 2.0, -2.0)  # sizes of an input: nearby, and across zero
FARTHEST = 4096.0  # steps, in units of the point's size
CONSTANT = 4.0  # times its rounding at most goes an output that does not depend on an input
FAINT = 30.0  # times its rounding, that an output has to go for its slope to be measured
DROWNED = 100.0  # times the rounding of the output: no more than rounding
CHUNK = 4_000_000  # numbers held at once while elements are measured


class Measure:
    """One point, one cotangent: what is needed to tell whether a claimed derivative is right.

    Attributes
    ----------
    y : array (outputs)
        f at the point.
    u : array (outputs)
        The cotangent.
    claimed : list of array or None
        The gradients that backward returned.
    sigma : array (outputs)
        The rounding of each output.
    scatter : list of array
        The same for the claimed gradients.
    """

    def __init__(self, problem: Problem, point: Point, u: np.ndarray, rng: np.random.Generator) -> None:
        self.problem, self.point, self.u, self.rng = problem, point, u, rng
        self.y = problem(point)
        self.claimed = problem.gradients(point, u)
        self.eps = float(np.finfo(problem.dtype).eps)
        self.size = typical_size(self._try, point, self.y, rng)
        self.sigma = rounding_of(self._try, point, self.y, self.size, self.eps, rng)
        # where the last digits of the inputs decide an output, there is no slope to measure
        self.chaotic = self.sigma > CHAOTIC * (self.size + size(self.y) / np.sqrt(max(self.y.size, 1)))
        self.scatter = self._scatter()
        self.steps: dict[int, np.ndarray] = {}  # input -> the best step for each of its elements
        self.largest: list[float] | None = None  # the gradients at other points
        self.moves: dict[int, np.ndarray] = {}  # input -> how far each output goes with it

    def _scatter(self) -> list[np.ndarray]:
        scatter = [np.zeros_like(x) for x in self.point]
        for _ in range(JITTERS):
            near, u = jittered(self.point, self.eps, self.rng), jittered([self.u], self.eps, self.rng)[0]
            for s, g, g0 in zip(scatter, self.problem.gradients(near, u), self.claimed, strict=True):
                if g is not None and g0 is not None and g.shape == s.shape == g0.shape:
                    s += np.nan_to_num((g - g0) ** 2, nan=0.0, posinf=0.0)
        scatter = [np.sqrt(s / JITTERS) for s in scatter]
        for s, g in zip(scatter, self.claimed, strict=True):
            if g is not None and g.shape == s.shape:
                s += 2 * self.eps * np.abs(g)
        return scatter

    # -- along a direction ---------------------------------------------------------------------------------------------

    def along(self, i: int, v: np.ndarray) -> Callable[[float], np.ndarray]:
        """The outputs as a function of the distance along `v` in input `i`; NaN where f does not go there."""

        def f(t: float) -> np.ndarray:
            moved = list(self.point)
            moved[i] = self.point[i] + t * v
            return self._try(moved)

        return f

    def _try(self, point: Point) -> np.ndarray:
        try:
            y = self.problem(point)
        except Exception:  # as of a domain left behind: at the point itself it runs
            return np.full_like(self.y, np.nan)
        return y if y.shape == self.y.shape else np.full_like(self.y, np.nan)

    def slope(self, i: int, v: np.ndarray, top: float, still: np.ndarray | None = None) -> Slope:
        """<u, df/dt> along `v`, from a ladder that starts at the step `top`."""
        steps = ladder(top)
        D = central(self.along(i, v), steps)
        reach = self.reach(i, v)
        return self._tamed(extrapolate(D, steps, self.u, self.sigma, still=still, reach=reach), D, i, reach)

    def _tamed(self, slope: Slope, D: np.ndarray, i: int, reach: np.ndarray | float) -> Slope:
        """The error is infinite where a chaotic output has moved.

        And where one has that goes nowhere by more than a few roundings, however far the input, no step tells its slope: it
        may be as large as what it goes, over the size of the input.
        """
        moved = np.any(D != 0, axis=-2)
        wild = np.any(moved & self.chaotic, axis=-1)
        drowned = size(np.where(moved, self.u * self._drowned_moves(i), 0.0)) / reach
        return Slope(slope.value, np.where(wild, np.inf, np.hypot(slope.error, drowned)))

    def _drowned_moves(self, i: int) -> np.ndarray:
        """How far outputs go with input `i`, over its own size and twice that; 0 for those that show above their rounding."""
        if i not in self.moves:
            x = self.point[i]
            far = np.where(x != 0, np.abs(x), float(np.max(np.abs(x), initial=0.0)) or 1.0)
            f = self.along(i, far * self.rng.choice([-1.0, 1.0], x.shape))
            moves = np.max([np.abs(f(t) - self.y) for t in ABOUT], axis=0)
            self.moves[i] = np.where(np.isfinite(moves), moves, np.inf)
        return np.where(self.moves[i] < FAINT * self.sigma, self.moves[i], 0.0)

    def reach(self, i: int, v: np.ndarray) -> float:
        """The distance along `v` over which the point itself lies: |x| / |v|, or where x is 0 the size of the others."""
        x = self.point[i]
        own = float(np.max(np.abs(x[v != 0] / v[v != 0]), initial=0.0))
        return own or float(np.max(np.abs(x), initial=0.0)) or 1.0

    def stands_still(self, i: int, v: np.ndarray) -> np.ndarray:
        """How far each output is known not to move along `v`: nearby, across zero, far away; 0 for one that does."""
        f, reach = self.along(i, v), self.reach(i, v)
        wide = max(reach, float(np.max(np.abs(self.point[i]))) / float(np.max(np.abs(v))))
        places = {t * r for r in (reach, wide) for t in ABOUT} | {FAR * wide, -FAR * wide}
        return np.where(np.all([f(t) == self.y for t in places], axis=0), FAR * wide, 0.0)

    def best_step(self, i: int, v: np.ndarray, still: np.ndarray | None = None) -> Climb:
        """The step at which differences along `v` are most exact.

        Where the smallest steps do not see rounding but a function that is not smooth there, a far smaller start is tried.
        """
        f, reach = self.along(i, v), self.reach(i, v)
        for start in (1e-8, 1e-12):
            found = climb(f, start * min(reach, 1.0), FARTHEST * max(reach, 1.0), self.u, self.sigma, still, reach)
            if np.isfinite(found.error):
                break
        return found

    # -- element by element --------------------------------------------------------------------------------------------

    def step_of(self, i: int) -> np.ndarray:
        """A step for each element of input `i`: one for all, or in proportion to the elements, whichever measures better."""
        if i not in self.steps:
            x = self.point[i]
            signs = self.rng.choice([-1.0, 1.0], x.shape)
            size_ = np.abs(x)
            typical = float(np.sqrt(np.mean(x**2))) if x.size else 1.0
            relative = np.where(size_ > 0, size_, typical or 1.0)
            one = self.best_step(i, signs)
            steps = np.full(x.shape, one.step)
            low, high = np.quantile(relative, [0.1, 0.99]) if x.size else (1.0, 1.0)
            if high > 200 * low:
                in_proportion = self.best_step(i, signs * relative)
                if in_proportion.relative < one.relative:
                    steps = in_proportion.step * relative
            self.steps[i] = steps
        return self.steps[i]

    def elements(self, i: int, index: np.ndarray) -> tuple[Slope, np.ndarray]:
        """The derivatives by the elements `index` (flat) of input `i`, and which of them look as if they lay on a kink."""
        steps = ladder(8 * self.step_of(i).ravel()[index])  # (elements, rungs)
        x = np.abs(self.point[i].ravel())
        reach = np.maximum(x, float(np.sqrt(np.mean(x**2))) or 1.0)[index]
        together = max(1, CHUNK // (RUNGS * self.y.size + 1))
        parts, kinked = [], []
        for start in range(0, len(index), together):
            some = slice(start, start + together)
            found = [self._element_differences(i, j, h) for j, h in zip(index[some], steps[some], strict=True)]
            D, bend = (np.stack(arrays) for arrays in zip(*found, strict=True))
            slope = extrapolate(D, steps[some], self.u, self.sigma, reach=reach[some])
            parts.append(self._tamed(slope, D, i, reach[some]))
            kinked.append(self._bent(D[:, -1], bend, steps[some]))
        slope = Slope(np.concatenate([p.value for p in parts]), np.concatenate([p.error for p in parts]))
        return slope, np.concatenate(kinked)

    def _element_differences(self, i: int, j: int, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The first differences by element `j`, and for the last two steps the second ones: (rungs, outputs), (2, outputs)."""
        x = self.point[i].copy()
        moved = [*self.point[:i], x, *self.point[i + 1 :]]
        x0, flat = x.flat[j], x.reshape(-1)
        D, bend = np.empty((len(steps), self.y.size)), np.empty((2, self.y.size))
        for k, h in enumerate(steps):
            above, below = x0 + h, x0 - h  # as rounded: the distance is theirs
            flat[j] = above
            y_above = self._try(moved)
            flat[j] = below
            y_below = self._try(moved)
            D[k] = (y_above - y_below) / (above - below)
            if k >= len(steps) - 2:
                bend[k - len(steps)] = y_above - 2 * self.y + y_below
        return D, bend

    def _bent(self, D: np.ndarray, bend: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Whether the slopes on the two sides differ, and not by less when the step is halved."""
        gap = size(self.u * bend) / steps[:, -2:]
        noise = size(np.where(D != 0, self.u * self.sigma, 0.0)) / steps[:, -1]
        return (gap[:, 1] > 0.75 * gap[:, 0]) & (gap[:, 1] > 100 * noise + 1e-3 * size(self.u * D))

    def flat(self, i: int, G: np.ndarray, N: np.ndarray) -> bool:
        """Whether zero is claimed for input `i`, and f does not move with it: by no bit nearby, or only by rounding anywhere.

        Not so where f moves, by less than its rounding near the point and by more than that further off.
        """
        if not np.any(G) and not np.any(N):
            return True
        claimed, scatter = self.claimed[i], self.scatter[i]
        zero = claimed is None or np.all(np.abs(claimed) <= SAFETY * (scatter + np.mean(scatter)))
        return bool(zero) and self.constant(i)

    def constant(self, i: int) -> bool:
        """Whether f changes by no more than its rounding when input `i` goes as far as it is large, and twice as far."""
        self._drowned_moves(i)
        return bool(np.all(self.moves[i] <= CONSTANT * self.sigma))

    def drowned(self, i: int) -> bool:
        """Whether the output is nothing but rounding, and input `i` claims no larger a part in it."""
        moved = float(size((self.claimed[i] * self.point[i]).ravel()))
        return bool(np.all(self.chaotic)) and moved <= DROWNED * float(size(self.u * self.sigma))

    def elsewhere(self, i: int) -> float:
        """How large the claimed gradients of input `i` get at other points: what cancels in them here, or has saturated."""
        if self.largest is None:
            points = [[x * s * self.rng.standard_normal(x.shape) for x in self.point] for s in (1.0, 0.1, 0.01)]
            found = [self._largest(point) for point in points]
            self.largest = [max(sizes) for sizes in zip(*found, strict=True)]
        return self.largest[i]

    def _largest(self, point: Point) -> list[float]:
        try:
            grads = self.problem.gradients(point, self.u)
        except Exception:  # backward may not go there
            return [0.0] * len(point)
        return [0.0 if g is None else float(np.max(np.abs(g), initial=0.0, where=np.isfinite(g))) for g in grads]

    # -- judgement -----------------------------------------------------------------------------------------------------

    def allowed(self, i: int, index: np.ndarray, slope: Slope, atol: float, rtol: float) -> np.ndarray:
        """How far the claimed derivatives may be from the measured ones."""
        return SAFETY * (slope.error + self.scatter[i].ravel()[index]) + rtol * np.abs(slope.value) + atol + UNDERFLOW

    def natural(self, i: int) -> float:
        """The size that a derivative by an element of input `i` has where nothing cancels."""
        largest = float(np.max(np.abs(self.point[i]), initial=0.0)) or 1.0
        return float(size(self.u * self.size)) / largest
