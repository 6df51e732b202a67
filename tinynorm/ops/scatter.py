"""Scatter-add: add all numbers that go to the same place. This is the backward of every op that reads by an index.

If a million equal float32 numbers are added one after another, the sum is off by 1 %. With atomic additions on a GPU, the sum
also depends on their order. Here the error is at most 2e-6 for 2e7 numbers, and the sum is always the same: the host adds in
float64 or in pairs, and the GPU adds in pairs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..recording import whole

# At most this many numbers are added one after another in float32: 31 rounding errors of 6e-8 are less than 2e-6.
# (tests/ops/test_scatter.py checks this.)
FEW = 32


def rows_named(xp: Any, shape: tuple[int, ...], index: Any) -> tuple[Any, int]:
    """(the number of the row that each entry of the index selects, the size of a row).

    If the index consists only of integer arrays, they index the first dimensions, and a row has the remaining dimensions. For
    every other index, a row is one element.

    >>> rows_named(np, (3, 2), (np.array([0, -1]),))
    (array([0, 2]), 2)
    >>> rows_named(np, (3, 2), (slice(None), np.array([1])))
    (array([[1],
           [3],
           [5]]), 1)
    """
    parts = index if isinstance(index, tuple) else (index,)
    if all(backend.is_array(part) and not backend.is_bool(part) for part in parts):
        row = None
        for n, part in zip(shape, parts, strict=False):
            at = backend.astype(part, xp.int64)
            if xp is not np or (at.size and at.min() < 0):  # (on a GPU the host would have to wait)
                at = xp.where(at < 0, at + n, at)
            row = at if row is None else row * n + at
        return row, math.prod(shape[len(parts) :])
    like = next(part for part in parts if backend.is_array(part))
    return xp.reshape(xp.arange(math.prod(shape), **backend.on_device_of(like)), shape)[index], 1


@whole
def add_rows(out: np.ndarray, index: tuple, g: np.ndarray) -> np.ndarray:
    """Add `g` to `out`, which is all zeros, at an index that may select an element more than once; on the host."""
    if math.prod(part.size for part in index if backend.is_array(part)) <= FEW:
        np.add.at(out, index, g)
        return out
    row, inner = rows_named(np, out.shape, index)
    row, n = row.ravel(), row.size
    short, dense = inner < 16, out.size <= 16 * inner * n
    if not (short and dense) and _most(row) <= FEW:
        np.add.at(out, index, g)
    elif short:  # np.bincount adds in float64
        element = row if inner == 1 else (row[:, None] * inner + np.arange(inner)).ravel()
        out[...] = np.bincount(element, g.ravel(), out.size).reshape(out.shape)
    else:
        row, sums = _sums_of_runs(row, g.reshape(n, inner))
        out.reshape(-1, inner)[row] = sums
    return out


def _most(row: np.ndarray) -> int:
    """An upper bound on how often one row is selected. (Rows with the same remainder are counted together.)"""
    return int(np.bincount(row % (4 * row.size)).max())


def _sums_of_runs(row: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the number of each selected row, once; the sum of its entries in g). NumPy's reduceat adds the entries in pairs."""
    order = np.argsort(row, kind="stable")
    row = row[order]
    starts = np.flatnonzero(np.concatenate([[True], row[1:] != row[:-1]]))
    return row[starts], np.add.reduceat(g[order], starts, axis=0)


def add_rows_in_pairs(xp: Any, out: Any, index: Any, g: Any) -> Any:
    """As `add_rows`, but on a GPU. There are no atomic additions, so the order of the additions is always the same.

    First, sort the rows of g by their goal, so that the rows with the same goal form a run. Then add to each row the row 1, 2,
    4, … places behind it, if that has the same goal: now the first row of every run holds the sum of the run. Last, search the
    run of each place of `out`.
    """
    goal, inner = rows_named(xp, out.shape, index)
    goal = xp.reshape(goal, (-1,))
    n, reach = goal.shape[0], 1
    if n == 0 or not out.size:
        return out
    order = backend.stable_argsort(goal)
    goal, g = xp.take(goal, order, axis=0), xp.take(xp.reshape(g, (n, inner)), order, axis=0)
    while reach < n and bool(xp.any(goal[reach:] == goal[:-reach])):
        same = xp.reshape(goal[reach:] == goal[:-reach], (-1, 1))
        g = xp.concat((g[:-reach, :] + xp.where(same, g[reach:, :], 0.0), g[-reach:, :]))
        reach *= 2
    places = xp.arange(out.size // inner, **backend.on_device_of(g))
    run = xp.searchsorted(goal, places)
    run = xp.where(run < n, run, 0)
    hit = xp.reshape(xp.take(goal, run, axis=0) == places, (-1, 1))
    return xp.reshape(xp.where(hit, xp.take(g, run, axis=0), 0.0), out.shape)


def last_written(xp: Any, shape: tuple[int, ...], index: Any) -> tuple[Any, Any]:
    """For each entry of the index: (the last entry that writes to the same place, whether it is this entry). Both are flat.

    >>> last_written(np, (3,), (np.array([1, 1, 0]),))
    (array([1, 1, 2]), array([False,  True,  True]))
    """
    row, _ = rows_named(xp, shape, index)
    row = xp.reshape(row, (-1,))
    order = backend.stable_argsort(row)
    last = xp.take(order, xp.searchsorted(xp.take(row, order, axis=0), row, side="right") - 1, axis=0)
    return last, last == xp.arange(row.shape[0], **backend.on_device_of(row))
