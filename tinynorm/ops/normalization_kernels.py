"""Normalisation by kernels: they compute what the formula does, in fewer sweeps over memory.

Which family of kernels fits depends on where the numbers of a group lie in memory, in a row-major array:

=========  =========================================  ==========================
family     a group is                                 layers
=========  =========================================  ==========================
rows       numbers one after another; γ differs       LayerNorm, RMSNorm, GroupNorm
columns    a column of a matrix; one γ                BatchNorm of (N, C)
slabs      pieces of a channel; one γ                 BatchNorm and InstanceNorm of (N, C, *)
=========  =========================================  ==========================
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..backend import zeros
from ..kernels.buffers import empty
from ..kernels.halves import WORTH, run
from ..kernels.select import family

# Half of the columns takes more than half of the time of all. (Measured: with two threads 2^18 numbers take a third longer,
# 2^19 a tenth longer, 2^20 a seventh less, 2^22 two fifths less.)
COLUMNS_WORTH = 2**20


class Statistics(NamedTuple):
    """Of each group: the mean in two parts (lo is what hi rounds away), rstd and v."""

    hi: np.ndarray
    lo: np.ndarray
    rstd: np.ndarray
    var: np.ndarray


def standardize_by_kernel(layout: Any, eps: float, centred: bool, x: Any, gamma: Any, beta: Any) -> tuple[Any, Statistics]:
    """(y, the statistics)."""
    kernel, shape = family(layout.family).standardize, layout.in_kernel
    y, statistics = empty(x.shape, x.dtype), Statistics(*zeros((4, layout.groups), x))
    affine = _affine(layout, gamma, 1, x.dtype), _affine(layout, beta, 0, x.dtype)
    settings = (float(eps), centred) if layout.family == "rows" else (float(eps),)
    arrays = x.reshape(shape), *affine, *settings, y.reshape(shape), *statistics
    run([partial(kernel, *part, *arrays) for part in _parts(layout, x.size)])
    return y, statistics


def project_by_kernel(layout: Any, centred: bool, dy: Any, x: Any, gamma: Any, statistics: Statistics) -> tuple[Any, Any, Any]:
    """(dx, dγ, dβ); the last two in float64, in the shape in which γ broadcasts."""
    kernel, shape = family(layout.family).project, layout.in_kernel
    dy = dy if dy.flags.carray else dy.copy()
    affine, parts = _affine(layout, gamma, 1, x.dtype), _parts(layout, x.size)
    dx, sums = empty(x.shape, x.dtype), [zeros((2, *affine.shape), x, np.float64) for _ in parts]
    settings = (centred,) if layout.family == "rows" else ()
    arrays = dy.reshape(shape), x.reshape(shape), affine, *statistics[:3], *settings, dx.reshape(shape)
    run([partial(kernel, *part, *arrays, *s) for part, s in zip(parts, sums, strict=True)])
    repeats = affine.size // max(math.prod(layout.affine), 1)
    dgamma, dbeta = sum(sums[1:], sums[0])
    return dx, *((d.reshape(-1, repeats).sum(1) if repeats > 1 else d).reshape(layout.affine) for d in (dgamma, dbeta))


def _parts(layout: Any, size: int) -> list[tuple[int, ...]]:
    """From which group to which each call of a kernel goes: two halves if that is worth it."""
    n, worth = layout.groups, WORTH if layout.family != "columns" else COLUMNS_WORTH
    return [(0, n)] if size < worth or n == 1 else [(0, n // 2), (n // 2, n)]


def _affine(layout: Any, gamma: Any, value: float, dtype: Any) -> np.ndarray:
    """γ or β in the kernel's shape, (C) or (G, D), repeated along the positions of D; `value` where there is none."""
    shape = layout.affine_in_kernel
    if gamma is None:
        return np.full(shape, value, dtype)
    if gamma.size == math.prod(shape):
        return gamma.reshape(shape)
    return np.repeat(gamma.reshape(-1), math.prod(shape) // gamma.size).reshape(shape)
