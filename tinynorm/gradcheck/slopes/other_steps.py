"""Before a gradient is called wrong: may it be the measurement that is?

Where f goes up in stairs of its own rounding, swings within the steps, or levels off beyond them, differences agree with each
other and not with the derivative. Other steps show it.
"""

from __future__ import annotations

import numpy as np

from .differences import Outputs, Slope, central_differences
from .measure import SAFETY, Measure

WIDER = 8  # ladders, where larger steps are asked whether they know better
NEARER = 0.3  # of the distance between two claims: a third one is nearer to the one
FINER, RUNGS, IN_A_ROW = 10**0.5, 25, 4  # smaller steps: one's ratio to the next, how many, and how many have to agree
CLOSELY = 1e-3  # of the claim, and much nearer to it than to the measured slope
HALVINGS = 60  # until the place where f moves is known
SMALLEST = 1e-290  # step


def mistaken(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope, step: float) -> bool:
    """Whether a measured slope along `v` is to be mistrusted, rather than the claimed one."""
    return (
        contradicted(measure, i, v, slope, step)
        or told_by_larger_steps(measure, i, v, claimed, slope, step)
        or told_by_smaller_steps(measure, i, v, claimed, slope, step)
        or below_a_stair(measure, i, v, claimed, slope)
    )


def contradicted(measure: Measure, i: int, v: np.ndarray, slope: Slope, step: float) -> bool:
    """Whether differences over steps smaller than `step` are further from a measured slope than their rounding explains.

    Where the steps were small enough, smaller ones agree; where f swings within them, or is flat beyond, they do not.
    """
    smallest = max(min(1e-8 * measure.scale_along(i, v), step / 1e4), SMALLEST)
    steps = np.geomspace(max(step / 16, smallest), smallest, 5)
    D = central_differences(measure.along(i, v), steps)
    noise = Outputs(measure.u, measure.sigma, measure.constant_range(i, v)).rounding_error(D, steps)
    apart = np.abs(D @ measure.u - slope.value)
    return bool(np.any(apart > SAFETY * (noise + slope.error) + 0.5 * np.abs(slope.value)))


def told_by_larger_steps(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope, step: float) -> bool:
    """Whether a claimed derivative much larger than the measured one is what larger steps measure.

    So it is where f goes up in stairs finer than `step`, which its last digits do not tell: x (1 + erf(x)) at x = -7.
    """
    if abs(claimed) < 2 * abs(slope.value):
        return False
    start = max(64 * step, SMALLEST)
    for top in np.geomspace(start, max(0.1 * measure.scale_along(i, v), start), WIDER):
        wider = measure.slope(i, v, top)
        if max(wider.error, abs(wider.value - claimed)) < NEARER * abs(claimed - slope.value):
            return True
    return False


def told_by_smaller_steps(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope, step: float) -> bool:
    """Whether the claimed derivative is what several smaller steps measure, well above the last digit of f.

    So it is where a kink was taken for a stair, and the steps were made too large for that: min(x, 1e5) beside 1e5.
    """
    agreed, close = 0, min(CLOSELY * abs(claimed), NEARER / 10 * abs(claimed - float(slope.value)))
    for h in step / FINER ** np.arange(1, RUNGS):
        if not SMALLEST < h < np.inf:
            return False
        D = central_differences(measure.along(i, v), np.array([h]))[0]
        noise = float(np.sum(np.abs(measure.u * measure.y)[D != 0])) * measure.eps / h
        agrees = abs(float(D @ measure.u) - claimed) <= close and noise <= close
        agreed = agreed + 1 if agrees or (claimed == 0 and not np.any(D)) else 0
        if agreed >= IN_A_ROW:
            return True
    return False


def below_a_stair(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope) -> bool:
    """Whether f does not move at all, and where it moves first it jumps by more than the claimed derivative would have brought.

    So it is with log(1 + exp(x)) at x = -40, where exp(x) is less than the last digit of 1. At a kink there is no jump.
    """
    if slope.value != 0 or claimed == 0:
        return False
    f, y = measure.along(i, v), measure.y

    def jump(h: float) -> float:
        return max(float(np.abs((f(t) - y) @ measure.u)) for t in (h, -h))

    low = high = max(1e-9 * measure.scale_along(i, v), SMALLEST)
    while jump(high) == 0:
        low, high = high, 2 * high
        if not high < 1e6 * measure.scale_along(i, v):
            return False
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if jump(middle) != 0 else (middle, high)
    return abs(claimed) * high <= SAFETY * jump(high)
