"""Sums and means over axes. The error of a float32 sum of 2·10^7 numbers is at most 2e-6 times the sum of |x|, in any layout.

If numbers are added one after another into one float32, each addition rounds the sum. The larger the sum, the more digits of
the next number are lost: the sum of 10^6 numbers 0.1 is off by 1 %. So this module adds only the numbers of one block one after
another. Then it adds the sums of the blocks, again in blocks, and so on. The order of all additions is fixed, so the same
numbers always give the same sum.

On the CPU the inner loop is a matrix-vector product of BLAS with a vector of ones. It is several times as fast as NumPy's sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from ..backend import copy, namespace
from .buffers import empty

# The sizes of a block: how many rows of a matrix, and how many numbers of one row. BLAS adds four rows of a matrix at a time to
# its sum, so a block of 128 rows takes 32 additions. Along a row BLAS keeps at least 8 partial sums, so a block of 512 numbers
# takes at most 64 additions. The worst case is a sum of equal numbers, because their rounding errors may all have the same
# sign. Each is at most 2^-24 of the sum so far, which is on average half of the block's sum: 64 of them make at most 2e-6.
# (tests/kernels/test_sums.py checks this case, for blocks of blocks too.)
ROWS, ROW = 128, 512

# The same two sizes for the sums of other libraries. These libraries add contiguous numbers as a tree (on the GPU with 512
# threads), and all other numbers one after another.
ROWS_ELSEWHERE, ROW_ELSEWHERE = 64, 16384

Shape = tuple[int, ...]
Run = tuple[int, int, int]  # (outer, n, inner): outer · inner sums of n numbers each, which are `inner` numbers apart
Total = Callable[[np.ndarray], np.ndarray]  # sums some axes of a row-major array


@lru_cache(maxsize=512)
def _runs(shape: Shape, axes: Shape) -> tuple[tuple[Run, ...], Shape]:
    """Merge neighbouring axes of the sum into runs, from the last to the first; also return the shape of the result.

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


@lru_cache(maxsize=1024)  # each has at most ROW numbers
def _weights(n: int, value: float, dtype: np.dtype) -> np.ndarray:
    return np.full(n, value, dtype)


@lru_cache(maxsize=512)  # every training step has the same shapes
def plan(shape: Shape, axes: Shape, dtype: np.dtype, mean: bool) -> Total | None:
    """A function that sums a row-major array; None if the array is empty or is neither float32 nor float64.

    It takes a step for each level of blocks. For a mean, each step divides by a power of 2 that is at least the number of terms
    in its largest block, so that no sum overflows and nothing is rounded. The result is divided by what is left of n: the mean
    of whole numbers is as exact as sum / n, as in PyTorch.
    """
    if dtype.char not in "fd" or 0 in shape:
        return None
    steps: list[Total] = []
    left = 1.0  # n / the powers of 2
    runs, kept = _runs(shape, axes)
    for outer, n, inner in runs:
        left *= n
        while n > 1:
            add, size, shape_after = _step(outer, n, inner)
            count = size * 2 if add is _folded and n % size else size  # how many numbers the largest block may have
            power = 2.0 ** (count - 1).bit_length()
            w = _weights(size, 1 / power if mean else 1.0, dtype)
            last = (outer, n, inner) == runs[-1] and shape_after[1] == 1
            steps.append(add((outer, n, inner), w, kept if last else shape_after))
            left /= power
            outer, n, inner = shape_after
    if not steps:
        return lambda x: x.reshape(kept).copy()
    total = steps[0] if len(steps) == 1 else lambda x: reduce(lambda y, step: step(y), steps, x).reshape(kept)
    if not mean or left == 1:
        return total
    divisor = np.asarray(left, dtype)
    return lambda x: np.divide(y := total(x), divisor, out=y)


def _step(outer: int, n: int, inner: int) -> tuple[Callable[..., Total], int, Run]:
    """How to add blocks along the middle axis of (outer, n, inner): (function, size of a block, shape of the result)."""
    if inner > 1:
        return (_columns, n, (outer, 1, inner)) if n <= ROWS else (_folded, ROWS, (outer, n // ROWS, inner))
    if n <= ROW:
        return _rows, n, (outer, 1, 1)
    size = next((k for k in range(ROW, ROW // 8, -1) if n % k == 0), 0)
    if size:  # each row splits into equal pieces: a matrix with shorter rows
        return _rows, size, (outer, n // size, 1)
    if outer <= n // ROW:
        return _folded, ROWS, (outer, n // ROWS, 1)
    return _pieces, ROW, (1, -(-n // ROW), outer)


def _rows(shape: Run, w: np.ndarray, after: Shape) -> Total:
    n = len(w)
    return lambda x: ((x if x.ndim == 2 and x.shape[1] == n else x.reshape(-1, n)) @ w).reshape(after)


def _columns(shape: Run, w: np.ndarray, after: Shape) -> Total:
    matrices = shape if shape[0] > 1 else shape[1:]
    return lambda x: (w @ (x if x.shape == matrices else x.reshape(matrices))).reshape(after)


def _folded(shape: Run, w: np.ndarray, after: Shape) -> Total:
    """With k = n // ROWS, add to each of the first k rows the rows that are k, 2k, 3k … below it.

    The last n - k · ROWS rows, fewer than a block, are added to the first row.
    """
    outer, n, inner = shape
    k, rest = divmod(n, ROWS)

    def add(x: np.ndarray) -> np.ndarray:
        x = x.reshape(shape)
        head = x[:, : k * ROWS].reshape(outer, ROWS, k * inner)
        y = (w @ (head if outer > 1 else head[0])).reshape(outer, k, inner)
        if rest:
            y[:, 0] += w[:rest] @ x[:, k * ROWS :]
        return y.reshape(after)

    return add


def _pieces(shape: Run, w: np.ndarray, after: Shape) -> Total:
    """For many rows that do not split into equal pieces: sum the first piece of every row, then the second piece, …"""
    outer, n, _ = shape

    def add(x: np.ndarray) -> np.ndarray:
        x = x.reshape(outer, n)
        y = empty((-(-n // ROW), outer), x.dtype)
        for j, sums in enumerate(y):
            piece = x[:, j * ROW : (j + 1) * ROW]
            np.matmul(piece, w[: piece.shape[1]], out=sums)
        return y.reshape(after)

    return add


def sum_of_any_layout(x: np.ndarray, axes: Shape, mean: bool) -> np.ndarray:
    """The sum or mean of an array that is not row-major and that `plan` has a function for.

    Along an axis of stride 0 one number repeats, so the sum is a product. The other axes are sorted by their strides. If the
    array then still has gaps in memory, it is copied.
    """
    times = 1
    for i in axes:
        if x.strides[i] == 0:
            times *= x.shape[i]
            x = x[(*(slice(None),) * i, slice(1))]
    order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
    x = x.transpose(order)
    x = x if x.flags.c_contiguous else x.copy()
    total = plan(x.shape, tuple(k for k, i in enumerate(order) if i in axes), x.dtype, mean)
    assert total is not None
    y = total(x)
    if times > 1 and not mean:
        y *= times
    return y.transpose(np.argsort(order))


def blocked_sum(x: Any, axes: tuple[int, ...]) -> Any:
    """The sum over `axes`, which stay with length 1, for an array of any library: the library's `sum` adds each block."""
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
    """The size of a block: how many numbers the library's own `sum` may add."""
    tree = inner == 1 and getattr(getattr(x, "flags", None), "c_contiguous", False)
    return ROW_ELSEWHERE if tree else ROWS_ELSEWHERE


def _blocks(xp: Any, x: Any) -> Any:
    """Sum the middle axis in blocks: (outer, n, inner) → (outer, inner)."""
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
