"""Normalisation by kernels: they compute what the formula does, in fewer sweeps over memory.

Which family of kernels fits depends on where the numbers of a group lie in memory, in a row-major array:

=========  =========================================  ====================================================
family     a group is                                 layers
=========  =========================================  ====================================================
rows       numbers one after another; γ differs       LayerNorm, RMSNorm, GroupNorm of (N, C)
columns    a column of a matrix; one γ                BatchNorm of (N, C)
slabs      channels of a sample; one γ for each       BatchNorm, InstanceNorm and GroupNorm of (N, C, *)
=========  =========================================  ====================================================
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..backend import Array
from ..kernels.buffers import empty
from ..kernels.halves import WORTH, run
from ..kernels.select import family
from .common import reshaped
from .scaling import LEAST_VAR

# Columns wake the second thread twice, once for each sweep. (Measured: with it 2^18 numbers take three quarters longer, 2^19 a
# fifth longer, 2^20 a fifth less, 2^22 two fifths less.)
COLUMNS_WORTH = 2**20

OF_NO_PART = np.empty((0, 0, 0))  # the sums of a first sweep that the kernel does itself

LEAST = {dtype: v**0.5 for dtype, v in LEAST_VAR.items()}  # the least variance + ε that is safe: see `squares_fit`


def standardize_by_kernel(
    layout: Any, eps: float, centred: bool, given: tuple[Array, ...], relu: bool, x: Any, gamma: Any, beta: Any
) -> tuple[Any, Any]:
    """(y, the statistics); with `relu`, (max(y, 0), ...). (y, None) if a variance is not safe: then y is not to be used.

    The statistics (5, groups) are of each group the mean in two parts, as hi and lo rstd (lo is what hi rounds away), then rstd
    and v. The last row says at the first group of each part whether its variances are safe. μ and v may be `given`.
    """
    kernel, shape = family(layout.family).standardize, layout.in_kernel
    y, statistics = empty(x.shape, x.dtype), empty((5, layout.groups), x.dtype)
    if given:
        statistics[0], statistics[3] = given
    affine = _affine(layout, gamma, 1, x.dtype), _affine(layout, beta, 0, x.dtype)
    columns = layout.family == "columns"
    how = (centred,) if layout.family == "rows" else (*layout.slabs, bool(given))
    settings = float(eps), LEAST[x.dtype] - eps, *how, relu
    x = reshaped(x, shape)
    sums = (_first_sweep(layout, 2, "sum_moments", () if given else (x,)),) if columns else ()
    run([partial(kernel, *part, x, *affine, *settings, *sums, reshaped(y, shape), statistics) for part in layout.parts])
    safe = all(statistics[4, start : start + 1] for start, _ in layout.parts[: 1 if columns else None])
    return y, statistics if safe else None


def project_by_kernel(
    layout: Any, centred: bool, given: bool, dy: Any, x: Any, y: Any, gamma: Any, statistics: Array
) -> tuple[Array, Array, Array]:
    """(dx, dγ, dβ); the numbers of the last two are in order, in some shape. Behind a ReLU, y is its output; else None.

    With `given`, μ and v are constants.
    """
    kernels, shape, parts = family(layout.family), layout.in_kernel, layout.parts
    kernel = kernels.project_by_constants if given else kernels.project
    dy = dy if dy.flags.carray else dy.copy()
    x, affine = reshaped(x, shape), _affine(layout, gamma, 1, x.dtype)
    dx, sums = empty(dy.shape, x.dtype), empty((len(parts), 2, *affine.shape), x.dtype)
    settings = *((centred,) if layout.family == "rows" else layout.slabs), y is not None
    arrays = reshaped(dy, shape), x, x if y is None else reshaped(y, shape)
    together = layout.family == "columns" and not given  # then each part has the sums of all, else its own
    before = (_first_sweep(layout, 3, "sum_products", (*arrays, statistics, y is not None)),) if together else ()
    arrays = *arrays, affine, statistics, *settings, *before, reshaped(dx, shape)
    run([partial(kernel, *part, *arrays, sums[i]) for i, part in enumerate(parts)])
    dgamma, dbeta = sums[0] + sums[1] if len(parts) > 1 and not together else sums[0]
    if layout.repeats > 1:
        dgamma, dbeta = (d.reshape(-1, layout.repeats).sum(1) for d in (dgamma, dbeta))
    return dx, dgamma, dbeta


def _first_sweep(layout: Any, count: int, name: str, arrays: tuple) -> Array:
    """So many sums of each column, of each part of the rows; of no part, if there is only one, which the kernel sums itself."""
    parts = layout.parts
    if len(parts) == 1 or not arrays:
        return OF_NO_PART
    sums, kernel = empty((len(parts), count, layout.groups), np.float64), getattr(family(layout.family), name)
    run([partial(kernel, *part, *arrays, sums[i]) for i, part in enumerate(parts)])
    return sums


def parts_of(family: str, groups: int, size: int) -> list[tuple[int, int]]:
    """From which group to which each call of a kernel goes, or of columns from which row: two halves if that is worth it."""
    worth, count = (WORTH, groups) if family != "columns" else (COLUMNS_WORTH, size // max(groups, 1))
    return [(0, count)] if size < worth or count == 1 else [(0, count // 2), (count // 2, count)]


def _affine(layout: Any, gamma: Any, value: float, dtype: Any) -> Array:
    """γ or β in the kernel's shape, (C) or (G, D), repeated along the positions of D; `value` where there is none."""
    shape = layout.affine_in_kernel
    if gamma is None:
        return np.full(shape, value, dtype)
    return reshaped(gamma if layout.repeats == 1 else np.repeat(gamma.reshape(-1), layout.repeats), shape)
