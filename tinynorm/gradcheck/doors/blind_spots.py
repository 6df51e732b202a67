"""Warnings about what a check cannot see: if it would have passed a wrong gradient too, the report says so."""

from __future__ import annotations

from math import prod

import numpy as np

from ..report.evidence import Recognised
from ..report.report import InputReport
from ..slopes.measure import Measure

CENTRED = ("LayerNorm", "BatchNorm", "GroupNorm", "InstanceNorm")  # these layers subtract the mean of each group
SMALL_GROUPS = {
    2: "groups of m = 2: two standardised numbers are always -1 and 1, so dx is only of the order of eps and almost "
    "any dx would pass; use groups of m >= 4",
    3: "groups of m = 3: the mean and x_hat terms leave dx one direction only; use m >= 4 to see each term by itself",
}
NO_DEPENDENCE = "the output does not change with"


def small_groups(recognised: Recognised | None) -> list[str]:
    """The warning about a normalisation over so few numbers that its gradient says little."""
    m = recognised.symbols.get("m") if recognised is not None and recognised.layer in CENTRED else None
    return [SMALL_GROUPS[m]] if m in SMALL_GROUPS else []


def constant_cotangent(u: np.ndarray, recognised: Recognised | None, names: list[str], flat: list[InputReport]) -> str | None:
    """The warning about a cotangent of equal numbers, if sum(y) does not depend on x of the recognised layer, as measured.

    This is so behind softmax, and behind a centring normalisation if gamma is the same for all numbers of a group.
    """
    if recognised is None or u.size < 2 or np.ptp(u) > 1e-6 * np.max(np.abs(u)):
        return None
    x = names[recognised.roles["x"]]
    if x not in [found.name for found in flat]:
        return None
    return (
        f"the cotangent is constant, which is a loss of sum(y): the sum of {recognised.layer}'s output does not depend on {x}, "
        f"so d{x} = 0 would pass. Leave cotangent out, and a random one with both signs is drawn"
    )


def no_dependence(name: str, by_the_loss: bool) -> str:
    """The warning about an input with which the output does not change, perhaps because of the loss."""
    reason = (
        "a loss of sum(y) or mean(y) behind softmax or a centring normalisation, or of sum(y²) behind any normalisation, is "
        "constant or nearly so: use a random weight, (w * y).sum()"
        if by_the_loss
        else "a gradient of zero would pass"
    )
    return f"{NO_DEPENDENCE} {name} at this point, to within rounding: {reason}"


def mostly_flat(flat: list[InputReport], inputs: list[InputReport]) -> bool:
    """Whether a loss does not change with most elements of its inputs. A bias before a BatchNorm alone is no reason to warn."""
    return 2 * sum(prod(found.shape) for found in flat) > sum(prod(found.shape) for found in inputs)


def constant_inputs(measure: Measure) -> list[int]:
    """The inputs whose elements are equal but for the sign, as gamma = 1 and beta = 0: such inputs hide wrong terms.

    An input of a single element is one of them only if it is 0, 1 or -1.
    """
    return [i for i, x in enumerate(measure.point) if _constant(np.abs(x))]


def _constant(a: np.ndarray) -> bool:
    if a.size == 1:
        return float(a.flat[0]) in (0.0, 1.0)
    return a.size > 1 and float(np.ptp(a)) <= 1e-6 * float(np.max(a))
