"""The formulas of large normalisation layers, block by block: what a block's next line reads is then still in the cache.

A block is some of the samples (along the first axis). Where a group lies within a sample, each block is done by itself.
BatchNorm's groups go through all samples: its sums are added up over the blocks first. The lines are those of
`normalization_formula`, written into memory that is used again for each block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import zeros
from ..kernels.buffers import empty
from .common import mean_over, size_along, sum_over
from .normalization_formula import LARGE_GROUP, Axes

# A block of so many numbers, with what is computed of it, stays in a cache of 2 MiB. From LARGE numbers on that is faster than
# whole arrays. (Measured: blocks of half the size cost a tenth more, blocks of a tenth the size cost twice as much.)
BLOCK, LARGE = 2**16, 2**18


def fits(x: Any) -> bool:
    """Whether a large array is to be taken in blocks: one that is row-major, and NumPy's."""
    return isinstance(x, np.ndarray) and x.flags.c_contiguous and x.dtype.char in "fd" and len(x) > 1


def _blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    """Slices of the first axis."""
    step = _rows(shape)
    return (slice(i, i + step) for i in range(0, shape[0], step))


def _rows(shape: tuple[int, ...]) -> int:
    return max(1, BLOCK // max(math.prod(shape[1:]), 1))


def _scratch(x: np.ndarray) -> np.ndarray:
    """Memory for a block."""
    return empty((_rows(x.shape), *x.shape[1:]), x.dtype)


def _of_groups(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _joined(x: np.ndarray, axes: Axes, affine: tuple[int, ...]) -> tuple[np.ndarray, Axes]:
    """Join the leading axes that are no group's and have no γ of their own: (x, the axes of a group)."""
    n = min(axes[0], x.ndim - len(affine))
    return (x, axes) if n < 2 else (x.reshape(-1, *x.shape[n:]), tuple(a - n + 1 for a in axes))


# ---- forward -----------------------------------------------------------------------------------------------------------


def standardize_in_blocks(x: np.ndarray, axes: Axes, eps: float, affine: tuple[int, ...], centred: bool) -> tuple:
    """(x̂, rstd, μ, v), as `standardize` and, if not `centred`, `standardize_uncentred` give them."""
    if 0 in axes:
        return _standardize_over_samples(x, axes, eps)
    rows, within = _joined(x, axes, affine)
    m, groups = size_along(rows.shape, within), _of_groups(rows.shape, within)
    x_hat, squares, (rstd, mu, var) = empty(rows.shape, x.dtype), _scratch(rows), empty((3, *groups), x.dtype)
    for b in _blocks(rows.shape):
        c = x_hat[b]
        if centred:
            first = rows[b][tuple(slice(1) if i in within else slice(None) for i in range(rows.ndim))]
            start = first if m > LARGE_GROUP else mean_over(rows[b], within)  # any number near the mean: it is centred again
            np.subtract(rows[b], start, out=c)
            rest = sum_over(c, within) / m
            c -= rest
            mu[b] = start + rest
        else:
            c[...] = rows[b]
        var[b] = mean_over(np.multiply(c, c, out=squares[: len(c)]), within)
        rstd[b] = 1 / np.sqrt(var[b] + eps)
        c *= rstd[b]
    shape = _of_groups(x.shape, axes)
    return x_hat.reshape(x.shape), rstd.reshape(shape), mu.reshape(shape) if centred else None, var.reshape(shape)


def _standardize_over_samples(x: np.ndarray, axes: Axes, eps: float) -> tuple:
    """With c = x - μ, where μ is rounded: v = mean(c²) - mean(c)², in which nothing cancels, as mean(c) is small."""
    m, mu = size_along(x.shape, axes), mean_over(x, axes)
    scratch, (s, q) = _scratch(x), zeros((2, *mu.shape), x, np.float64)
    for b in _blocks(x.shape):
        c = np.subtract(x[b], mu, out=scratch[: len(x[b])])
        s += sum_over(c, axes)
        q += sum_over(np.multiply(c, c, out=c), axes)
    rest = (s / m).astype(x.dtype)
    var = (q / m - (s / m) ** 2).astype(x.dtype)
    rstd, x_hat = 1 / np.sqrt(var + eps), empty(x.shape, x.dtype)
    for b in _blocks(x.shape):
        c = np.subtract(x[b], mu, out=x_hat[b])
        c -= rest
        c *= rstd
    return x_hat, rstd, mu + rest, var


def scale_and_shift_in_blocks(x_hat: np.ndarray, gamma: Any, beta: Any) -> np.ndarray:
    """y = γ x̂ + β."""
    y = empty(x_hat.shape, x_hat.dtype)
    for b in _blocks(y.shape):
        np.multiply(x_hat[b], 1 if gamma is None else gamma, out=y[b])
        if beta is not None:
            y[b] += beta
    return y


# ---- backward ----------------------------------------------------------------------------------------------------------


def project_in_blocks(
    dy: np.ndarray, x_hat: Any, rstd: Any, gamma: Any, axes: Axes, affine: tuple[int, ...], centred: bool
) -> tuple[Any, Any, Any]:
    """(dx, dγ, dβ) of groups in which γ differs; dγ and dβ are sums over all that γ repeats along."""
    rows, within = _joined(dy, axes, affine)
    x_hat, rstd = x_hat.reshape(rows.shape), rstd.reshape(_of_groups(rows.shape, within))
    before = rows.ndim - len(affine)
    repeated = (*range(before), *(before + a for a, n in enumerate(affine) if n == 1))
    dx, scratch = empty(rows.shape, dy.dtype), _scratch(rows)
    dgamma, dbeta = zeros((2, *(1,) * before, *affine), dy, np.float64)
    for b in _blocks(rows.shape):
        g, products = np.multiply(rows[b], 1 if gamma is None else gamma, out=dx[b]), scratch[: len(rows[b])]
        if affine:
            dbeta += sum_over(rows[b], repeated)
            dgamma += sum_over(np.multiply(rows[b], x_hat[b], out=products), repeated)
        mean_g_x_hat = mean_over(np.multiply(g, x_hat[b], out=products), within)
        if centred:
            g -= mean_over(g, within)
        g -= np.multiply(x_hat[b], mean_g_x_hat, out=products)
        g *= rstd[b]
    return dx.reshape(dy.shape), dgamma.reshape(affine), dbeta.reshape(affine)


def project_channel_in_blocks(dy: np.ndarray, x_hat: Any, scale: Any, axes: Axes, m: int) -> tuple[Any, Any, Any]:
    """(dx, dγ, dβ) of groups with a single γ, as `project_channel` gives them."""
    if 0 in axes:
        return _project_channel_over_samples(dy, x_hat, scale, axes, m)
    dgamma, dbeta = empty((2, *_of_groups(dy.shape, axes)), dy.dtype)
    scratch, dx = _scratch(dy), empty(dy.shape, dy.dtype)
    for b in _blocks(dy.shape):
        dbeta[b] = sum_over(dy[b], axes)
        u, products = np.subtract(dy[b], dbeta[b] / m, out=dx[b]), scratch[: len(dy[b])]
        dgamma[b] = sum_over(np.multiply(u, x_hat[b], out=products), axes)
        if scale is not None:
            u -= np.multiply(x_hat[b], dgamma[b] / m, out=products)
            u *= scale[b]
    return None if scale is None else dx, dgamma, dbeta


def _project_channel_over_samples(dy: np.ndarray, x_hat: Any, scale: Any, axes: Axes, m: int) -> tuple[Any, Any, Any]:
    dbeta, scratch = sum_over(dy, axes), _scratch(dy)
    mean, total = dbeta / m, zeros(dbeta.shape, dy, np.float64)
    for b in _blocks(dy.shape):
        u = np.subtract(dy[b], mean, out=scratch[: len(dy[b])])
        total += sum_over(np.multiply(u, x_hat[b], out=u), axes)
    dgamma = total.astype(dy.dtype)
    if scale is None:
        return None, dgamma, dbeta
    dx, slope = empty(dy.shape, dy.dtype), dgamma / m
    for b in _blocks(dy.shape):
        u = np.subtract(dy[b], mean, out=dx[b])
        u -= np.multiply(x_hat[b], slope, out=scratch[: len(u)])
        u *= scale
    return dx, dgamma, dbeta
