"""Squares that stay in a dtype's range: what may overflow is first divided by a power of two, which changes no digit."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from .. import backend
from .common import namespace

# The smallest variance that keeps all its digits: every square c² that is at least eps σ² is then a normal number. (Smaller
# numbers are subnormal and have fewer digits.)
LEAST_VAR = {t: float(np.finfo(t).tiny / np.finfo(t).eps) for t in (backend.float32, backend.float64)}


def power_of_two(x: Any, dims: tuple[int, ...], least: float = 0.0) -> Any:
    """For each group, a power of two near its largest |x| (or near `least`, if that is larger).

    After x is divided by this number, its squares fit the dtype; and dividing by a power of two changes no digit. For a group
    of zeros the number is 1 (or near `least`). If a group has inf or NaN, the number is also finite: the division keeps inf and
    NaN.
    """
    xp = namespace(x)
    largest = xp.max(xp.abs(x), axis=dims, keepdims=True)
    if least:
        largest = xp.where(largest > least, largest, least)
    usable = (largest > 0) & xp.isfinite(largest)
    exponent = xp.floor(xp.log2(xp.where(usable, largest, 1.0)))
    return 2.0 ** xp.minimum(exponent, _largest_exponent(xp, x.dtype))  # log2 may round up to an exponent that is too large


@cache
def _largest_exponent(xp: Any, dtype: Any) -> float:
    return math.frexp(float(xp.finfo(dtype).max))[1] - 1.0
