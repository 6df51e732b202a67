"""Sums and means over axes, right to 2e-6 of the terms' size in float32 for 2·10^7 numbers, along any axis of any layout.

Numbers that are added one after another into one float32 lose digits, the more the longer the sum has grown: a column of
10^6 times 0.1 comes out 1 % off. So no more than a block is added up in a row here; the blocks' sums are then added up in
blocks themselves, and so on. All is one fixed order, so the same numbers always give the same sum.

On the CPU the inner loop is BLAS's matrix-vector product with a vector of ones, several times as fast as NumPy's reductions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from ..backend import copy, namespace

# How many numbers are added in a row. BLAS adds four rows of a matrix at a time to its sum, so a block of rows is 32
# additions; along a row it has at least 8 sums going at once, so a block is at most 64. Each addition of like numbers costs
# up to 2^-26 of the sum: 1e-6 in all. (Held by tests/kernels/test_sums.py, worst case: equal numbers.)
ROWS, ROW = 128, 512

# For other libraries' sums. What is contiguous they add up as a tree (on the GPU with 512 threads), other numbers in a row.
ROWS_ELSEWHERE, ROW_ELSEWHERE = 64, 16384

Shape = tuple[int, ...]
Run = tuple[int, int, int]  # (outer, n, inner): n numbers are added, `inner` apart, for each of outer · inner sums
Step = Callable[[np.ndarray], np.ndarray]


@lru_cache(maxsize=512)
def _runs(shape: Shape, axes: Shape) -> tuple[tuple[Run, ...], Shape]:
    """Neighbouring axes that are added up as one, from the last to the first; and the shape of the result.

    >>> _runs((2, 3, 4, 5), (0, 2, 3))
    (((6, 20, 1), (1, 2, 3)), (1, 3, 1, 1))
    """
    runs, kept, inner = [], list(shape), 1
    i = len(shape) - 1
    while i >= 0:
        n = 1
        while i >= 0 and i in axes:
            n, kept[i] = n * shape[i], 1
            i -= 1
        if n > 1:
            runs.append((math.prod(shape[: i + 1]), n, inner))
        if i >= 0:
            inner *= shape[i]
            i -= 1
    return tuple(runs), tuple(kept)


@lru_cache(maxsize=1024)  # none has more than ROW numbers
def _weights(n: int, value: float, dtype: np.dtype) -> np.ndarray:
    return np.full(n, value, dtype)


@lru_cache(maxsize=512)  # shapes recur, step after step
def _plan(shape: Shape, axes: Shape, dtype: np.dtype, mean: bool) -> tuple[list[Step], Shape, float] | None:
    """The steps that add up a row-major array; the shape of the result; and what it is to be multiplied by. None if unsuited.

    For a mean, each step divides by what its fullest block counts, so that no sum overflows; emptier blocks leave a factor.
    """
    if dtype.char not in "fd" or 0 in shape:
        return None
    steps: list[Step] = []
    factor = 1.0
    runs, kept = _runs(shape, axes)
    for outer, n, inner in runs:
        factor /= n
        while n > 1:
            add, size, shape_after = _step(outer, n, inner)
            count = size * 2 if add is _folded and n % size else size  # the numbers in the fullest block
            w = _weights(size, 1 / count if mean else 1.0, dtype)
            steps.append(add((outer, n, inner), w))
            factor *= count
            outer, n, inner = shape_after
    return steps, kept, factor if mean and abs(factor - 1) > 1e-12 else 1.0


def _step(outer: int, n: int, inner: int) -> tuple[Callable[..., Step], int, Run]:
    """How to add along the middle axis of (outer, n, inner) in blocks, their size, and the shape that this leaves."""
    if inner > 1:
        return (_columns, n, (outer, 1, inner)) if n <= ROWS else (_folded, ROWS, (outer, n // ROWS, inner))
    if n <= ROW:
        return _rows, n, (outer, 1, 1)
    size = next((k for k in range(ROW, ROW // 8, -1) if n % k == 0), 0)
    if size:  # rows fall into equal pieces, which are rows again
        return _rows, size, (outer, n // size, 1)
    if outer <= n // ROW:
        return _folded, ROWS, (outer, n // ROWS, 1)
    return _pieces, ROW, (1, -(-n // ROW), outer)


def _rows(shape: Run, w: np.ndarray) -> Step:
    n = len(w)
    return lambda x: (x if x.ndim == 2 and x.shape[1] == n else x.reshape(-1, n)) @ w


def _columns(shape: Run, w: np.ndarray) -> Step:
    matrices = shape if shape[0] > 1 else shape[1:]
    return lambda x: w @ (x if x.shape == matrices else x.reshape(matrices))


def _folded(shape: Run, w: np.ndarray) -> Step:
    """With k = n / ROWS, to each of the first k rows add those k, 2k, 3k … below it; to the first, also what is left over."""
    outer, n, inner = shape
    k, rest = divmod(n, ROWS)

    def add(x: np.ndarray) -> np.ndarray:
        x = x.reshape(shape)
        head = x[:, : k * ROWS].reshape(outer, ROWS, k * inner)
        y = (w @ (head if outer > 1 else head[0])).reshape(outer, k, inner)
        if rest:
            y[:, 0] += w[:rest] @ x[:, k * ROWS :]
        return y

    return add


def _pieces(shape: Run, w: np.ndarray) -> Step:
    """Many rows of an awkward length: the first pieces of all, then the second pieces …"""
    outer, n, _ = shape

    def add(x: np.ndarray) -> np.ndarray:
        x = x.reshape(outer, n)
        y = np.empty((-(-n // ROW), outer), x.dtype)
        for j, sums in enumerate(y):
            piece = x[:, j * ROW : (j + 1) * ROW]
            np.matmul(piece, w[: piece.shape[1]], out=sums)
        return y

    return add


def blas_sum(x: np.ndarray, axes: tuple[int, ...], mean: bool = False) -> np.ndarray | None:
    """The sum (mean) over `axes`, kept with length 1; None for what is empty or neither float32 nor float64."""
    plan = _plan(x.shape, axes, x.dtype, mean)
    if plan is None:
        return None
    if not x.flags.c_contiguous:
        return _sum_of_any_layout(x, axes, mean)
    steps, kept, factor = plan
    if not steps:
        return x.reshape(kept).copy()
    for step in steps:
        x = step(x)
    if factor != 1:
        x *= factor
    return x.reshape(kept)


def _sum_of_any_layout(x: np.ndarray, axes: tuple[int, ...], mean: bool) -> np.ndarray:
    """Repetitions of one number are a product; the other axes are put in memory's order, and copied if gaps remain."""
    times = 1
    for i in axes:
        if x.strides[i] == 0:
            times *= x.shape[i]
            x = x[(*(slice(None),) * i, slice(1))]
    order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
    y = blas_sum(np.ascontiguousarray(x.transpose(order)), tuple(k for k, i in enumerate(order) if i in axes), mean)
    assert y is not None
    if times > 1 and not mean:
        y *= times
    return y.transpose(np.argsort(order))


def blocked_sum(x: Any, axes: tuple[int, ...]) -> Any:
    """The sum over `axes`, kept with length 1, of an array of any library: its own sums, over blocks."""
    xp = namespace(x)
    runs, kept = _runs(tuple(x.shape), axes)
    if 0 in x.shape or (len(runs) == 1 and runs[0][1] <= _block(x, runs[0][2])):
        return xp.sum(x, axis=axes, keepdims=True)
    if not runs:
        return xp.reshape(copy(x), kept)
    for run in runs:
        x = _blocks(xp, xp.reshape(x, run))
    return xp.reshape(x, kept)


def _block(x: Any, inner: int) -> int:
    """How many numbers the library's own sum may add up."""
    tree = inner == 1 and getattr(getattr(x, "flags", None), "c_contiguous", False)
    return ROW_ELSEWHERE if tree else ROWS_ELSEWHERE


def _blocks(xp: Any, x: Any) -> Any:
    """(outer, n, inner) → (outer, inner)."""
    while True:
        outer, n, inner = x.shape
        if inner == 1:
            x = xp.reshape(x, (outer, n))  # CuPy's fastest sums are along the last axis
        size = _block(x, inner)
        if n <= size:
            return xp.sum(x, axis=1)
        k, rest = divmod(n, size)
        head = x[:, : k * size, ...]
        if inner > 1:
            y = xp.sum(xp.reshape(head, (outer, size, k * inner)), axis=1)
        elif size == ROW_ELSEWHERE:
            y = xp.sum(xp.reshape(head, (outer, k, size)), axis=2)
        else:
            y = xp.sum(xp.reshape(head, (outer, size, k)), axis=1)
        y = xp.reshape(y, (outer, k, inner))
        if rest:
            y = xp.concat((y, xp.reshape(xp.sum(x[:, k * size :, ...], axis=1), (outer, 1, inner))), axis=1)
        x = y
