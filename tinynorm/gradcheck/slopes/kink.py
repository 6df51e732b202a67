"""Kinks: where the slopes on the two sides differ, every value between them is a valid subgradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .differences import Outputs, Slope, halved_steps, norm, richardson
from .measure import SAFETY, Measure

RUNGS_DOWN = 24
CLEAR = 100.0  # times the rounding, that a gap between two slopes has to be
TINIEST = 1e-290  # step


@dataclass
class Examined:
    """One element, looked at closely: its central slope; and where it lies on a kink, the interval of its subgradients."""

    slope: Slope
    step: float  # with which it was measured
    interval: tuple[float, float] | None
    allowed: float  # beyond the interval
    alone: bool = True  # whether it moves one output only, which no other element moves

    def accepts(self, g: float, rtol: float) -> bool:
        """Whether `g` is a subgradient."""
        if self.interval is None:
            return False
        low, high = self.interval
        return low - self.allowed - rtol * abs(low) <= g <= high + self.allowed + rtol * abs(high)


def examine(measure: Measure, i: int, j: int) -> Examined:
    """Element `j` (flat) of input `i`, with steps of its own, from both sides together and from each side alone."""
    v = np.zeros(measure.point[i].shape)
    v.flat[j] = 1.0
    still = measure.constant_range(i, v)
    found = measure.best_step(i, v, still)
    top = 8 * found.step
    slope = measure.slope(i, v, top, still)
    if not found.agrees_with(float(slope.value), SAFETY * float(slope.error)):  # other than what all smaller steps say
        slope.error = np.asarray(np.inf)
    f, steps = measure.along(i, v), halved_steps(top, RUNGS_DOWN)
    f0 = f(0.0)
    right = np.stack([(f(h) - f0) / h for h in steps])
    left = np.stack([(f0 - f(-h)) / h for h in steps])
    moved = np.any((left != 0) | (right != 0), axis=0)
    u, sigma = measure.u[moved], measure.sigma[moved]
    sides = [_each(D[:, moved], steps, sigma) for D in (left, right)]
    gap = np.abs(sides[0].value - sides[1].value)
    error = sides[0].error + sides[1].error
    kinked = (gap > SAFETY * error) & (gap > 1e-6 * np.maximum(np.abs(sides[0].value), np.abs(sides[1].value)))
    if np.any(kinked):
        kinked &= ~_bends(f, f0, moved, gap, sigma, steps[-1])
    if not np.any(kinked):
        return Examined(slope, found.step, None, 0.0)
    both = np.stack([u * side.value for side in sides])
    middle = np.mean(both, axis=0)
    low = np.sum(np.where(kinked, np.min(both, axis=0), middle))
    high = np.sum(np.where(kinked, np.max(both, axis=0), middle))
    alone = np.sum(moved) == 1 and not np.any(_moved_by_others(measure, i, v, found.step)[moved])
    return Examined(slope, found.step, (float(low), float(high)), SAFETY * float(norm(u * error)), bool(alone))


def _moved_by_others(measure: Measure, i: int, v: np.ndarray, h: float) -> np.ndarray:
    """Which outputs the other elements of the input move."""
    others = np.where(v == 0, measure.rng.choice([-1.0, 1.0], v.shape), 0.0)
    return measure.along(i, others)(h) != measure.y


def _bends(
    f: Callable[[float], np.ndarray], f0: np.ndarray, moved: np.ndarray, gap: np.ndarray, sigma: np.ndarray, h: float
) -> np.ndarray:
    """Which of the outputs `moved` are smooth after all: seen from near enough, the slopes on the two sides are the same.

    From the step `h` down, as far as the rounding allows, until the gap between the slopes has halved.
    """
    bends = np.zeros(gap.shape, dtype=bool)
    while True:
        h /= 8
        seen = CLEAR * sigma / h < gap
        if not np.any(seen) or h < TINIEST:
            return bends
        bends |= seen & (np.abs(f(h) - 2 * f0 + f(-h))[moved] / h < 0.5 * gap)


def _each(D: np.ndarray, steps: np.ndarray, sigma: np.ndarray) -> Slope:
    """The one-sided derivative of each output by itself, from (rungs, outputs) differences."""
    return richardson(D.T[..., None], steps, Outputs(np.ones(1), sigma[:, None, None]), power=1)
