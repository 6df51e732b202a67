"""Finite differences along one direction: Richardson extrapolation, the choice of the step, and the rounding error.

The central differences of f at x along v are, for a smooth f,

    D(h) = (f(x + h v) - f(x - h v)) / 2h = f' + a h² + b h⁴ + ...

They are measured for the steps h, h/2, h/4 ... and extrapolated to h = 0 (Richardson 1911): T₀ = D, and

    T_{j+1}(h) = (4^{j+1} T_j(h) - T_j(2h)) / (4^{j+1} - 1)

removes one more power of h². Two errors remain: the truncation error, which shows in the change from one step to the next, and
the rounding error of f, which grows as 1/h. The T_j(h) form a table. Its entry for which the sum of both errors is smallest is
the result, and this sum is the error of the result.

Each output of f is extrapolated by itself; the cotangent u weights the outputs only at the end. The errors of the outputs add
as a root of squares, whatever the signs in u: changes that cancel by chance in <u, f> do not make the estimate too small.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..problem.problem import Point

# For each constant, a check in tests/gradcheck/constants_slopes_measure.py fails if it is halved or doubled, and says why
# (COLUMNS and LINEAR: only if halved).

# A difference is real if it is more than this many times its estimated error. The estimate is rough: the largest error of
# many may be several times the typical one.
SAFETY = 8.0
# A difference is clearly large if it is more than this many times its estimated error: larger than SAFETY, because the search
# for a step should not end by chance.
CLEAR = 30.0
# The number of steps h, h/2, h/4 ... of an extrapolation. Five steps give three entries of T₂, which has lost h² and h⁴, and so
# the two changes that the estimate of its error needs. Each further step costs two evaluations, and its rounding error is twice
# as large.
LEVELS = 5
# The number of columns T₀, T₁ ... of the table in which the result is looked for. Of five steps, only these columns have
# three entries or more, and so the two changes that the estimate of the error needs.
COLUMNS = 3
# The rounding error of an entry of the table, in units of that of one difference. The extrapolations multiply it by
# (4 + 1) / 3, (16 + 1) / 15, (64 + 1) / 63 ..., which is below 2 in all. (For one-sided differences, which are given the same
# factor, it may be 3 * 5 / 3 = 5.)
AMPLIFIED = 2.0
# An output that does not change is taken to be linear up to this distance, in units of the size of the point. That it does not
# change further away says nothing about its slope at the point: it may be curved.
LINEAR = 0.25
# The ratio of neighbouring steps where a wide range of steps is searched: nearly one decimal digit.
RATIO = 8.0
# The number of random samples from which a rounding error or a size is estimated. Two often underestimate it; each costs an
# evaluation.
SAMPLES = 4
# The number of steps, each RATIO times the one before, with which the rounding of intermediate results is looked for. They
# reach from the last digit of x to about 1e-4 of x.
ROUNDING_STEPS = 13

Function = Callable[[Point], np.ndarray]


@dataclass
class Slope:
    """Numerical derivatives and their errors: one number each, or an array of them."""

    value: np.ndarray
    error: np.ndarray


def norm(a: np.ndarray) -> np.ndarray:
    """The Euclidean norm along the last axis, without overflow; infinity for NaN."""
    squares = np.einsum("...i,...i->...", a, a)
    if np.all((squares > 1e-280) & (squares < np.inf)):  # no square was lost below the smallest number
        return np.sqrt(squares)
    largest = np.max(np.abs(a), axis=-1, initial=0.0)
    divisor = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    found = divisor * np.sqrt(np.sum(np.square(a / divisor[..., None]), axis=-1))
    return np.where(np.isfinite(found), found, np.inf)


# ---- differences and their extrapolation ---------------------------------------------------------------------------------


@dataclass
class Outputs:
    """The weights of the outputs of f, and what is known about their rounding errors along a direction."""

    u: np.ndarray  # the cotangent
    sigma: np.ndarray  # the rounding error of each output
    constant_range: np.ndarray | None = None  # the distance over which each output is constant; 0 where nothing is known
    scale: float | np.ndarray = np.inf  # the size of the point along the direction

    def rounding_error(self, D: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The rounding error in the differences D (..., levels, outputs) of <u, f>, for each step (..., levels).

        An output that changes over a step h has the error sigma / h. An output that does not change over a distance has a slope
        of at most sigma / distance, if f is linear over this distance. If no step changes the output, the distance is
        `constant_range` where that is known, else the largest step, but at most `LINEAR` times the scale. If only some steps
        change the output, the distance for each of the others is this step, with the same limit.
        """
        zero, noise, leading = D == 0, self.u * self.sigma, tuple(range(D.ndim - 1))
        known = np.zeros(D.shape[-1]) if self.constant_range is None else self.constant_range
        linear = LINEAR * np.asarray(self.scale)[..., None]
        flat = np.minimum(np.max(steps, axis=-1, keepdims=True), linear)
        # most outputs change over every step or over none: those need no array of (..., levels, outputs)
        some, never = np.any(zero, axis=leading), np.all(zero, axis=leading)
        bound = never & (known > 0)
        changing = norm(noise[..., ~some]) / steps
        constant = np.hypot(norm(noise[..., never & ~bound]) / flat, norm(noise[..., bound] / known[bound]))
        mixed = some & ~never
        if not np.any(mixed):
            return np.hypot(changing, constant)
        zero = zero[..., mixed]
        never = np.all(zero, axis=-2, keepdims=True)
        distance = np.where(zero, np.minimum(steps, linear)[..., None], steps[..., None])  # (..., levels, mixed)
        distance = np.where(never, flat[..., None], distance)
        distance = np.where(never & (known[mixed] > 0), known[mixed], distance)
        return norm(np.stack(np.broadcast_arrays(changing, constant, norm(noise[..., mixed] / distance)), axis=-1))


def halved_steps(h: float | np.ndarray, levels: int | None = None) -> np.ndarray:
    """The steps h, h/2, h/4 ...: (..., levels)."""
    return np.asarray(h, dtype=float)[..., None] / 2.0 ** np.arange(levels or LEVELS)


def central_differences(f: Callable[[float], np.ndarray], steps: np.ndarray) -> np.ndarray:
    """D(h) for each step: (levels, outputs). f maps the distance along the direction to the outputs."""
    return np.stack([(f(h) - f(-h)) / (2 * h) for h in steps])


def richardson(D: np.ndarray, steps: np.ndarray, outputs: Outputs, power: int = 2) -> Slope:
    """<u, f'> and its error, extrapolated from the differences D (..., levels, outputs).

    The steps (..., levels) are halved from one to the next. The error of D is a series in h² for central differences (power 2),
    in h for one-sided ones (power 1).
    """
    noise = AMPLIFIED * outputs.rounding_error(D, steps)
    value, error = np.zeros(D.shape[:-2]), np.full(D.shape[:-2], np.inf)
    moving = np.any(D != 0, axis=tuple(range(D.ndim - 1)))
    T, u = (D, outputs.u) if np.all(moving) else (D[..., moving], outputs.u[moving])
    for j in range(COLUMNS):
        weight = 2.0 ** (power * (j + 1))
        change = norm(u * (T[..., 1:, :] - T[..., :-1, :]))  # (..., entries - 1): from each entry to the next
        if change.shape[-1] < 2:
            break
        # a small change may be chance: halving the step makes the change smaller by the factor `weight`, and no more
        errors = np.maximum(change[..., 1:], change[..., :-1] / weight) + noise[..., j + 2 :]
        values = T[..., 2:, :] @ u
        k = np.argmin(errors, axis=-1, keepdims=True)
        least = np.take_along_axis(errors, k, -1)[..., 0]
        better = least < error
        value = np.where(better, np.take_along_axis(values, k, -1)[..., 0], value)
        error = np.where(better, least, error)
        T = (weight * T[..., 1:, :] - T[..., :-1, :]) / (weight - 1)
    return Slope(value, error)


# ---- the choice of the step ----------------------------------------------------------------------------------------------


@dataclass
class StepChoice:
    """The best step, and the derivative that it measures."""

    step: float
    value: float = 0.0
    error: float = np.inf

    @property
    def relative_error(self) -> float:
        return self.error / abs(self.value) if self.value else 1.0 if np.isfinite(self.error) else np.inf


def choose_step(f: Callable[[float], np.ndarray], first: float, largest: float, outputs: Outputs) -> StepChoice:
    """The step with the smallest error, of first, 8 first, 64 first ... up to `largest`.

    The search ends where the truncation error is clearly larger than the rounding error, or the sum of both is clearly larger
    than the smallest so far. It looks no further, because a function that becomes constant far away looks exact there. The
    error is infinite if neighbouring steps differ by more than a tenth of the derivative before any two have agreed to within
    rounding: f varies faster than these steps resolve.
    """
    h, change, u = first, np.inf, outputs.u
    resolved = False  # whether neighbouring steps have agreed to within rounding: then the steps are small enough
    found = StepChoice(first)
    D: deque[np.ndarray] = deque(maxlen=3)
    T: deque[np.ndarray] = deque(maxlen=2)  # D, extrapolated once
    while h <= largest:
        D.append((f(h) - f(-h)) / (2 * h))
        if len(D) > 1:
            T.append((RATIO**2 * D[-2] - D[-1]) / (RATIO**2 - 1))
        if len(T) > 1:
            before, change = change, float(norm(u * (T[0] - T[1])))
            noise = float(outputs.rounding_error(np.stack(D), np.array([h / RATIO**2, h / RATIO, h]))[1])
            resolved = resolved or change <= SAFETY * noise
            if not resolved and change > 0.1 * float(norm(u * T[0])):
                return StepChoice(first)
            value, error = float(T[0] @ u), max(change, before / RATIO if np.isfinite(before) else 0.0) + noise
            if error > CLEAR * found.error or not np.isfinite(value):  # f may not be defined there, or h is 0
                break
            if error < found.error:
                found = StepChoice(h / RATIO, value, error)
            if change > CLEAR * noise:
                break
        h *= RATIO
    return found


# ---- the rounding error of a function ------------------------------------------------------------------------------------


def signs(point: Point, rng: np.random.Generator) -> Point:
    """A random sign for each element; 0 for labels (zeros and ones) beside other inputs, for f may ask whether y == 1."""
    labels = [bool(np.all((x == 0) | (x == 1))) for x in point]
    return [
        np.zeros(x.shape) if label and not all(labels) else rng.choice([-1.0, 1.0], x.shape)
        for x, label in zip(point, labels, strict=True)
    ]


def perturbed(point: Point, eps: float, rng: np.random.Generator) -> Point:
    """The point with its last digits changed at random."""
    return [x * (1 + 2 * eps * sign) for x, sign in zip(point, signs(point, rng), strict=True)]


def typical_sizes(f: Function, point: Point, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """|y|. An output of 0 may be the sum of large terms that cancel: its size is the largest |f| at a few random points."""
    sizes = np.abs(y)
    for _ in range(SAMPLES if np.any(y == 0) else 0):
        there = np.abs(f([x * rng.standard_normal(x.shape) for x in point]))
        sizes = np.where((y == 0) & np.isfinite(there), np.fmax(sizes, there), sizes)
    return sizes


def rounding_errors(
    f: Function, point: Point, y: np.ndarray, sizes: np.ndarray, eps: float, rng: np.random.Generator
) -> np.ndarray:
    """The rounding error of each output: its last digit, its scatter, and the rounding of intermediate results.

    The scatter is what changes when the last digits of the inputs change. It shows what cancels inside f.
    """
    squares = [np.nan_to_num((f(perturbed(point, eps, rng)) - y) ** 2, nan=0.0, posinf=0.0) for _ in range(SAMPLES)]
    return np.maximum(np.sqrt(np.mean(squares, axis=0)) + eps * sizes, _intermediate_rounding(f, point, y, eps, rng))


def _intermediate_rounding(f: Function, point: Point, y: np.ndarray, eps: float, rng: np.random.Generator) -> np.ndarray:
    """The rounding of intermediate results, which may not show when only the last digits of the inputs change.

    In sin(1e3 + x²), for example, the sum 1e3 + x² then often rounds to the same number.

    For growing steps, the second difference of a smooth f grows as the square of the step, at a kink as the step. As long as it
    grows less, it is rounding. A second difference above 1e-3 of the output is too large for that.
    """
    v = [x * sign for x, sign in zip(point, signs(point, rng), strict=True)]
    found, before = np.zeros_like(y), np.zeros_like(y)
    grew, smooth = np.zeros(y.shape, dtype=bool), np.zeros(y.shape, dtype=bool)
    for step in 4 * eps * RATIO ** np.arange(ROUNDING_STEPS):
        ahead, behind = (f([x + t * d for x, d in zip(point, v, strict=True)]) for t in (step, -step))
        change = np.abs(ahead - 2 * y + behind)
        grows = ~(change <= RATIO / 2 * before)
        rounding = ~grows & ~smooth & (before < 1e-3 * np.abs(y))
        found = np.where(rounding, np.maximum(found, before), found)
        smooth |= grows & grew  # from two growths in succession on, the change is that of f
        grew, before = grows, change
    return found
