"""Whether other step sizes contradict a measured derivative, before the claimed one is called wrong.

Differences with steps of one size can agree with each other and not with the derivative: where f oscillates within the steps,
becomes constant beyond them, or changes by less than its rounding error.
"""

from __future__ import annotations

from itertools import takewhile

import numpy as np

from .differences import Outputs, Slope, central_differences
from .measure import SAFETY, Measure

# The smallest normal number, so that no step is 0.
TINY = float(np.finfo(float).tiny)
# The number of larger steps that are tried, evenly spaced on a logarithmic scale. Each costs ten evaluations.
LARGER_STEPS = 8
# A larger step confirms the claimed derivative if its result differs from it by less than this fraction of the difference
# between claimed and measured. It cannot be much closer: where such steps are needed, small changes of f are mostly rounding.
NEARER = 0.3
# The number of smaller steps that are tried: 24 of them reach 12 digits below the step, to the last digits of the point.
SMALLER_STEPS = 24
# The ratio of neighbouring smaller steps: two steps for each decimal digit.
RATIO = 10**0.5
# The number of smaller steps in succession that have to confirm the claimed derivative. Two or three may agree by chance.
IN_SUCCESSION = 4
# How close the result of a smaller step has to be to the claimed derivative, relative to it. It cannot be much closer,
# because a difference with a single step is not extrapolated.
CLOSE = 1e-3


def contradicted_by_other_steps(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope, step: float) -> bool:
    """Whether the slope measured along `v` with `step` is doubtful, so that the claimed derivative may be right."""
    return (
        _smaller_steps_disagree(measure, i, v, slope, step)
        or _larger_steps_confirm(measure, i, v, claimed, slope, step)
        or _smaller_steps_confirm(measure, i, v, claimed, slope, step)
        or _hidden_by_rounding(measure, i, v, claimed, slope)
    )


def _smaller_steps_disagree(measure: Measure, i: int, v: np.ndarray, slope: Slope, step: float) -> bool:
    """Whether smaller steps measure another slope: one that differs by more than the errors and half of the slope.

    If the step was small enough, smaller ones agree. They disagree if f oscillates within the step, or is constant beyond.
    """
    smallest = max(min(1e-8 * measure.scale_along(i, v), step / 1e4), TINY)
    steps = np.geomspace(max(step / 16, smallest), smallest, 5)
    D = central_differences(measure.along(i, v), steps)
    noise = Outputs(measure.u, measure.sigma, measure.constant_range(i, v)).rounding_error(D, steps)
    change = np.abs(D @ measure.u - slope.value)
    return bool(np.any(change > SAFETY * (noise + slope.error) + 0.5 * np.abs(slope.value)))


def _larger_steps_confirm(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope, step: float) -> bool:
    """Whether the claimed derivative is much larger than the measured one, and larger steps measure the claimed one.

    The function x (1 + erf(x)) at x = -7 is an example: its rounding error is a staircase whose steps are longer than `step`.
    """
    if abs(claimed) < 2 * abs(slope.value):
        return False
    start = max(64 * step, TINY)
    end = max(0.1 * measure.scale_along(i, v), start)
    for top in np.geomspace(start, end, LARGER_STEPS if end > start else 1):
        larger = measure.slope(i, v, top)
        if max(larger.error, abs(larger.value - claimed)) < NEARER * abs(claimed - slope.value):
            return True
    return False


def _smaller_steps_confirm(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope, step: float) -> bool:
    """Whether several smaller steps in succession measure the claimed derivative, each with a small enough rounding error.

    The function min(x, 1e5) near x = 1e5 is an example: its kink looks like rounding, which leads to too large steps.
    """
    close = min(CLOSE * abs(claimed), NEARER / 10 * abs(claimed - float(slope.value)))
    steps = step / RATIO ** np.arange(1, SMALLER_STEPS + 1)
    steps = steps[(steps > TINY) & (steps < np.inf)]

    def confirms(k: int) -> bool:
        D = central_differences(measure.along(i, v), steps[k : k + 1])[0]
        noise = float(np.sum(np.abs(measure.u * measure.y)[D != 0])) * measure.eps / steps[k]
        agrees = abs(float(D @ measure.u) - claimed) <= close and noise <= close
        return agrees or (claimed == 0 and not np.any(D))

    more = IN_SUCCESSION - 1
    for k in range(more, len(steps), IN_SUCCESSION):  # one of these is among any so many in succession
        if confirms(k):
            before = sum(1 for _ in takewhile(confirms, range(k - 1, k - 1 - more, -1)))
            after = sum(1 for _ in takewhile(confirms, range(k + 1, min(k + 1 + more - before, len(steps)))))
            if before + after >= more:
                return True
    return False


def _hidden_by_rounding(measure: Measure, i: int, v: np.ndarray, claimed: float, slope: Slope) -> bool:
    """Whether f is constant near the point only because rounding hides its slope.

    Then, at the first distance where f changes, it jumps by at least 1 / SAFETY of what the claimed derivative predicts there.
    The function log(1 + exp(x)) at x = -40 is an example: exp(x) is less than the last digit of 1. A kink has no jump.
    """
    if slope.value != 0 or claimed == 0:
        return False
    f, y = measure.along(i, v), measure.y

    def change(h: float) -> float:
        return max(float(np.abs((f(t) - y) @ measure.u)) for t in (h, -h))

    low = high = max(1e-9 * measure.scale_along(i, v), TINY)
    while change(high) == 0:
        low, high = high, 2 * high
        if not high < 1e6 * measure.scale_along(i, v):
            return False
    for _ in range(60):  # bisection to the last digit of the place where f changes
        middle = (low + high) / 2
        low, high = (low, middle) if change(middle) != 0 else (middle, high)
    return abs(claimed) * high <= SAFETY * change(high)
