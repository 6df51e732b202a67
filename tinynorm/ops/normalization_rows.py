"""Normalisation of rows by a kernel: it computes what the formula does, in fewer sweeps over memory.

The kernel stands in for the formula where the numbers of a group lie one after another: LayerNorm, RMSNorm and GroupNorm of a
row-major array of float32 or float64.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..kernels.select import family


class Statistics(NamedTuple):
    """Of each row: the mean in two parts (lo is what hi rounds away), rstd and v."""

    hi: np.ndarray
    lo: np.ndarray
    rstd: np.ndarray
    var: np.ndarray


def standardize_rows(
    kernel: Any, layout: Any, eps: float, centred: bool, x: Any, gamma: Any, beta: Any
) -> tuple[Any, Statistics]:
    """(y, the statistics)."""
    N, _, D = layout.rows
    y, statistics = np.empty_like(x), Statistics(*np.zeros((4, N), x.dtype))
    affine = _expanded(layout, gamma, 1, x.dtype), _expanded(layout, beta, 0, x.dtype)
    kernel.standardize(x.reshape(N, D), *affine, eps, centred, y.reshape(N, D), *statistics)
    return y, statistics


def project_rows(layout: Any, centred: bool, dy: Any, x: Any, gamma: Any, statistics: Statistics) -> tuple[Any, Any, Any]:
    """(dx, dγ, dβ); the last two in float64, in the shape in which γ broadcasts."""
    N, G, D = layout.rows
    dx, (dgamma, dbeta) = np.empty_like(x), np.zeros((2, G, D))
    dy = dy if dy.flags.carray else dy.copy()
    arrays = dy.reshape(N, D), x.reshape(N, D), _expanded(layout, gamma, 1, x.dtype)
    family("rows").project(*arrays, *statistics[:3], centred, dx.reshape(N, D), dgamma, dbeta)
    repeats = G * D // layout.C
    return dx, *((d.reshape(-1, repeats).sum(1) if repeats > 1 else d).reshape(layout.affine) for d in (dgamma, dbeta))


def _expanded(layout: Any, gamma: Any, value: float, dtype: Any) -> np.ndarray:
    """γ or β as (G, D), repeated along the positions; `value` where there is none."""
    _, G, D = layout.rows
    if gamma is None:
        return np.full((G, D), value, dtype)
    if gamma.size == G * D:
        return gamma.reshape(G, D)
    return np.broadcast_to(gamma.reshape(layout.C, 1), (layout.C, G * D // layout.C)).reshape(G, D)
