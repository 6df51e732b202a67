"""Which step suits a function: up a wide and coarse ladder, from rounding to truncation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .difference import rounding, size

RATIO = 8.0  # of a step to the one before
AGREE = 3.0  # two measurements agree where they are no further apart than this many times their doubts
WORSE = 30.0  # times the least doubt, or the rounding: the steps are clearly too large
TOO_LARGE = 8.0  # times the rounding: a change that is none


@dataclass
class Climb:
    """The best step, and what the steps that were tried agree on: the derivative is `value` ± `error`, between low and high."""

    step: float
    value: float = 0.0
    error: float = np.inf
    low: float = -np.inf
    high: float = np.inf

    @property
    def relative(self) -> float:
        return self.error / abs(self.value) if self.value else 1.0 if np.isfinite(self.error) else np.inf

    def contains(self, value: float, error: float) -> bool:
        """Whether another measurement is one that all of these agree with."""
        return bool(abs(value - np.clip(value, self.low, self.high)) <= AGREE * error)

    def learn(self, value: float, error: float) -> None:
        self.low, self.high = max(self.low, value - AGREE * error), min(self.high, value + AGREE * error)


def climb(
    f: Callable[[float], np.ndarray],
    h: float,
    top: float,
    u: np.ndarray,
    sigma: np.ndarray,
    still: np.ndarray | None = None,
    reach: float = np.inf,
) -> Climb:
    """From the step `h` up to `top`, or until the steps are clearly too large.

    That is where the doubt grows, or where what is measured is not what all smaller steps agree on (Lepski 1990). It never
    looks further: far outside, a function that levels off looks exact again. The error is infinite where already the first
    steps disagree, and not by rounding: f moves faster than they do.
    """
    first, change = h, np.inf
    quiet = False  # once differences agreed to within their rounding, there were steps small enough
    found = Climb(h)
    D: list[np.ndarray] = []
    T: list[np.ndarray] = []
    while h <= top:
        D.append((f(h) - f(-h)) / (2 * h))
        if len(D) > 1:
            T.append((RATIO**2 * D[-2] - D[-1]) / (RATIO**2 - 1))
        if len(T) > 1:
            before, change = change, float(size(u * (T[-2] - T[-1])))
            steps = np.array([h / RATIO**2, h / RATIO, h])
            noise = float(rounding(np.stack(D[-3:]), steps, u, sigma, still, reach)[1])
            quiet = quiet or change <= TOO_LARGE * noise
            if not quiet and change > 0.1 * float(size(u * T[-2])):
                return Climb(first)
            value, doubt = float(T[-2] @ u), max(change, before / RATIO if np.isfinite(before) else 0.0) + noise
            if doubt > WORSE * found.error or not found.contains(value, doubt):
                break
            if doubt < found.error:
                found.step, found.value, found.error = h / RATIO, value, doubt
            if change > WORSE * noise:
                break
            found.learn(value, doubt)
            del D[:-3], T[:-2]
        h *= RATIO
    return found
