"""Kinks: points where the slopes on the two sides differ. There, every value between the two slopes is a valid subgradient.

`measure_element` looks at one element from both sides. Large inputs are measured along random directions: outputs with a kink
are left out of these, and some elements at kinks are measured one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .differences import Outputs, Slope, halved_steps, norm, richardson
from .measure import SAFETY, Measure

# The number of steps, each half of the one before, for a one-sided slope. The first is the largest useful step for a
# smooth function, but far too large if another kink is near; the last is nearly 10 million times smaller. Each step costs two
# evaluations.
ONE_SIDED_STEPS = 24
# A gap between two slopes is visible if it is this many times its rounding error. As long as the gap is visible, smaller steps
# can show that it closes: then it is a sharp bend and no kink. With a smaller factor, rounding could look like a gap that
# closes.
VISIBLE = 100.0
# The elements at kinks that are measured one by one: so many at random, and so many that look wrong.
# Each costs about a hundred evaluations.
CANDIDATES = 4


def indicator(shape: tuple[int, ...], index: int | np.ndarray) -> np.ndarray:
    """The direction that moves the elements `index` (flat) and no others."""
    v = np.zeros(shape)
    v.flat[index] = 1.0
    return v


def random_direction(rng: np.random.Generator, sizes: np.ndarray) -> np.ndarray:
    """Random signs, and between 0.5 and 1.5 of each size."""
    return rng.choice([-1.0, 1.0], sizes.shape) * rng.uniform(0.5, 1.5, sizes.shape) * sizes


# ---- one element ---------------------------------------------------------------------------------------------------------


@dataclass
class ElementSlope:
    """The derivative by one element; at a kink, the interval of its subgradients too."""

    slope: Slope  # from central differences
    step: float  # with which it was measured
    interval: tuple[float, float] | None = None
    error: float = 0.0  # of the ends of the interval
    separate: bool = True  # the element moves a single output, which no other element moves

    def is_subgradient(self, g: float, rtol: float) -> bool:
        if self.interval is None:
            return False
        low, high = self.interval
        return low - self.error - rtol * abs(low) <= g <= high + self.error + rtol * abs(high)


def measure_element(measure: Measure, i: int, j: int) -> ElementSlope:
    """Measure element `j` (flat) of input `i` with a step of its own: from both sides together, and from each side."""
    v = indicator(measure.point[i].shape, j)
    constant_range = measure.constant_range(i, v)
    best = measure.best_step(i, v, constant_range)
    top = 8 * best.step
    slope = measure.slope(i, v, top, constant_range)
    f, steps = measure.along(i, v), halved_steps(top, ONE_SIDED_STEPS)
    f0 = f(0.0)
    right = np.stack([(f(h) - f0) / h for h in steps])
    left = np.stack([(f0 - f(-h)) / h for h in steps])
    moved = np.any((left != 0) | (right != 0), axis=0)
    u, sigma = measure.u[moved], measure.sigma[moved]
    each = Outputs(np.ones(1), sigma[:, None, None])  # each output by itself
    sides = [richardson(D[:, moved].T[..., None], steps, each, power=1) for D in (left, right)]
    values, error = np.stack([side.value for side in sides]), sides[0].error + sides[1].error
    gap = np.abs(values[0] - values[1])
    kinked = (gap > SAFETY * error) & (gap > 1e-6 * np.max(np.abs(values), axis=0))
    if np.any(kinked):
        kinked &= ~_is_smooth(f, f0, moved, gap, sigma, steps[-1])
    if not np.any(kinked):
        return ElementSlope(slope, best.step)
    low, high = (np.sum(np.where(kinked, end(u * values, axis=0), np.mean(u * values, axis=0))) for end in (np.min, np.max))
    separate = np.sum(moved) == 1 and not np.any(_moved_by_others(measure, i, v, best.step)[moved])
    return ElementSlope(slope, best.step, (float(low), float(high)), SAFETY * float(norm(u * error)), bool(separate))


def _is_smooth(
    f: Callable[[float], np.ndarray], f0: np.ndarray, moved: np.ndarray, gap: np.ndarray, sigma: np.ndarray, h: float
) -> np.ndarray:
    """Which of the outputs `moved` have no kink but a sharp bend: for small enough steps, the gap between the slopes closes.

    The steps become smaller from `h` down to where rounding hides the gap. An output is smooth if its gap falls below half of
    `gap`.
    """
    smooth = np.zeros(gap.shape, dtype=bool)
    while True:
        h /= 8
        visible = VISIBLE * sigma / h < gap
        if not np.any(visible) or h < 1e-290:  # smaller steps lose digits
            return smooth
        smooth |= visible & (np.abs(f(h) - 2 * f0 + f(-h))[moved] / h < 0.5 * gap)


def _moved_by_others(measure: Measure, i: int, v: np.ndarray, h: float) -> np.ndarray:
    """Which outputs change with the elements of input `i` that `v` does not move."""
    others = np.where(v == 0, measure.rng.choice([-1.0, 1.0], v.shape), 0.0)
    return measure.along(i, others)(h) != measure.y


# ---- outputs of a large function -----------------------------------------------------------------------------------------


def _step(measure: Measure, i: int) -> float:
    return float(np.max(measure.step_of(i))) / 64


def without_kinked_outputs(measure: Measure, i: int) -> tuple[Measure, np.ndarray]:
    """The same measurement with a cotangent of 0 for the outputs that have a kink at the point, and the indices of these.

    An output has a kink if its slopes on the two sides differ, and the difference stays nearly the same when the step is
    halved. If all outputs have one, none is left out.
    """
    steps = measure.step_of(i)
    f, f0, h = measure.along(i, random_direction(measure.rng, steps / np.max(steps))), measure.y, _step(measure, i)
    wide, gap = ((f(t) - 2 * f0 + f(-t)) / t for t in (h, h / 2))
    with np.errstate(all="ignore"):
        kinked = (np.abs(gap) > 40 * measure.sigma / h) & (np.abs(wide - gap) < 0.1 * np.abs(gap))
        kinked &= np.abs(gap) > 1e-4 * np.abs((f(h) - f(-h)) / (2 * h))
    which = np.flatnonzero(kinked)
    if which.size in (0, kinked.size):
        return measure, which[:0]
    return Measure(measure.problem, measure.point, np.where(kinked, 0.0, measure.u), measure.rng), which


def suspicious_elements(measure: Measure, i: int, kinked: np.ndarray) -> np.ndarray:
    """A few random elements at kinks, to be measured one by one. Element k of the input is taken to belong to output k.

    There are none if the input does not have as many elements as the output. If each element at a kink moves its own output
    only, add those whose claimed derivative lies furthest from the subgradients.
    """
    claimed = measure.claimed[i]
    if not kinked.size or claimed is None or measure.y.size != claimed.size:
        return kinked[:0]
    some = measure.rng.choice(kinked, size=min(CANDIDATES, kinked.size), replace=False)
    if not _is_elementwise(measure, i, kinked):
        return some
    low, high, error = _one_sided_slopes(measure, i, kinked)
    g = claimed.ravel()[kinked] / measure.u[kinked]
    beyond = np.maximum(low - g, g - high) - error
    worst = kinked[np.argsort(-np.where(np.isfinite(beyond), beyond, np.inf))]
    return np.union1d(some, worst[: min(CANDIDATES, int(np.sum(~(beyond <= 0))))])


def _is_elementwise(measure: Measure, i: int, kinked: np.ndarray) -> bool:
    """Whether each of these elements moves its own output only. Random halves of them are moved; no other output may change."""
    for _ in range(3):
        moved = kinked[measure.rng.random(kinked.size) < 0.5]
        change = measure.along(i, indicator(measure.point[i].shape, moved))(_step(measure, i)) != measure.y
        change[moved] = False
        if np.any(change):
            return False
    return True


def _one_sided_slopes(measure: Measure, i: int, kinked: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each element: the lower of its two one-sided slopes, the higher, and their error."""
    f, h = measure.along(i, indicator(measure.point[i].shape, kinked)), _step(measure, i)
    sides = []
    for step in (h, -h):
        far, near = ((f(t)[kinked] - measure.y[kinked]) / t for t in (step, step / 2))
        sides.append(2 * near - far)
    low, high = np.minimum(*sides), np.maximum(*sides)
    return low, high, SAFETY * 40 * measure.sigma[kinked] / h + 1e-4 * (high - low)
