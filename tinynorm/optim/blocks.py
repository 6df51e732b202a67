"""Run an optimiser's formula on many arrays. The formula reads and writes each array several times.

A large array is cut into blocks, so that each block stays in the cache. Small arrays are copied together into one array, so
that they share the fixed cost of each NumPy call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from .. import backend
from ..backend import Array

BLOCK = 65536  # elements: five float32 arrays of this size fit in the caches, and few calls are needed
SMALL = 2048  # elements: up to this size, copying an array costs less than a dozen calls on it

# formula(theta, g, *state, s, d) changes all its arguments in place except g; s and d are scratch arrays. If it cannot handle
# the numbers (Adam: a square overflows), it returns True and has changed only the scratch arrays.
Formula = Callable[..., bool | None]
Undone = tuple[int, Any]  # a task for which the formula returned True: its number, and the index of the rows


class Blocks:
    """Runs formulas, and keeps their scratch arrays for the next call.

    Examples
    --------
    >>> def descend(theta, g, s, d):
    ...     theta -= np.multiply(g, 0.5, out=s)
    >>> theta, g = np.ones(3), np.ones(3)
    >>> Blocks().run(descend, [(theta, g)])
    []
    >>> theta
    array([0.5, 0.5, 0.5])
    """

    def __init__(self) -> None:
        self._scratch: dict[tuple, tuple[Array, Array]] = {}
        self._flat: dict[tuple, list[tuple[Array, list[Array]]]] = {}

    def __reduce__(self) -> tuple:
        """Leave out the scratch arrays when copying or pickling. (A copy of a view is no longer a view.)"""
        return Blocks, ()

    def run(self, formula: Formula, tasks: Iterable[tuple[Array, ...]]) -> list[Undone]:
        """Call the formula on each task ``(theta, g, *state)``.

        The arrays of a task have the same shape. All tasks have the same dtype and device. If theta and g are float16, the
        formula gets them as float32, which is also the dtype of the state; theta is rounded to float16 once, at the end.

        Returns
        -------
        list of (int, index)
            The tasks for which the formula returned True, with the index of the rows that it left unchanged.
        """
        small, undone = [], []
        for number, arrays in enumerate(tasks):
            if arrays[0].size <= SMALL and _has_out(backend.namespace(arrays[0])):
                small.append((number, arrays))
                continue
            undone += [(number, rows) for rows, part in _cut(arrays) if self._call(formula, part)]
        while small:
            bundle, small = small[: BLOCK // SMALL], small[BLOCK // SMALL :]
            if self._run_together(formula, [arrays for _, arrays in bundle]):
                undone += [(number, ...) for number, _ in bundle]
        return undone

    def _call(self, formula: Formula, arrays: tuple[Array, ...]) -> bool:
        theta = arrays[0]
        if not backend.is_half(theta):
            return bool(formula(*arrays, *self._scratch_like(theta)))
        wide = [backend.astype(x, backend.float32) for x in arrays]  # the state is float32 already
        undone = bool(formula(*wide, *self._scratch_like(wide[0])))
        if not undone:
            theta[...] = backend.astype(wide[0], theta.dtype)
        return undone

    def _run_together(self, formula: Formula, bundle: list[tuple[Array, ...]]) -> bool:
        """Call the formula once for several small tasks: copy them into flat arrays, and copy the changed arrays back."""
        if len(bundle) == 1:
            return self._call(formula, bundle[0])
        kinds = list(zip(*bundle, strict=True))  # all theta, all g, all arrays of each state entry
        together = self._flat_like(kinds)
        for arrays, (_, views) in zip(kinds, together, strict=True):
            for x, view in zip(arrays, views, strict=True):
                view[...] = x
        flat = [x for x, _ in together]
        if formula(*flat, *self._scratch_like(flat[0])):
            return True
        for kind, (arrays, (_, views)) in enumerate(zip(kinds, together, strict=True)):
            if kind != 1:  # the formula does not change g
                for x, view in zip(arrays, views, strict=True):
                    x[...] = view
        return False

    def _scratch_like(self, x: Array) -> tuple[Array, Array]:
        key = (x.shape, x.dtype, place_of(x))
        pair = self._scratch.get(key)
        if pair is None:
            xp = backend.namespace(x)
            pair = self._scratch[key] = (xp.empty_like(x), xp.empty_like(x))
        return pair

    def _flat_like(self, kinds: list[tuple[Array, ...]]) -> list[tuple[Array, list[Array]]]:
        """For each kind, a flat array and its views in the shapes of the tasks."""
        x = kinds[0][0]
        shapes = tuple(y.shape for y in kinds[0])
        key = (len(kinds), shapes, x.dtype, place_of(x))
        flat = self._flat.get(key)
        if flat is None:
            xp, ends = backend.namespace(x), np.cumsum([y.size for y in kinds[0]]).tolist()
            arrays = [xp.empty(ends[-1], work_dtype(x)) for _ in kinds]
            starts = [0, *ends[:-1]]
            flat = self._flat[key] = [
                (a, [a[i:j].reshape(shape) for i, j, shape in zip(starts, ends, shapes, strict=True)]) for a in arrays
            ]
        return flat


def _cut(arrays: tuple[Array, ...]) -> Iterator[tuple[Any, tuple[Array, ...]]]:
    """Cut the arrays into blocks of rows with about BLOCK elements; yield (index of the rows, the blocks).

    A GPU array stays whole, because a call on a GPU is expensive and its cache is shared.
    """
    x = arrays[0]
    if x.size <= BLOCK or not isinstance(x, np.ndarray):
        yield ..., arrays
        return
    n = max(1, BLOCK * x.shape[0] // x.size)
    for i in range(0, x.shape[0], n):
        rows = slice(i, i + n)
        yield rows, tuple(a[rows] for a in arrays)


def share_memory(arrays: list[Array]) -> bool:
    """Whether some of the arrays lie in the same memory: then one is changed after the other, each in place."""
    if not arrays or not _has_out(backend.namespace(arrays[0])):
        return False
    if isinstance(arrays[0], np.ndarray):
        bounds = sorted(np.lib.array_utils.byte_bounds(a) for a in arrays if a.size)
    else:
        bounds = sorted((backend.address(a), backend.address(a) + a.nbytes) for a in arrays if a.size)
    return any(begin < end for (_, end), (begin, _) in pairwise(bounds))


def work_dtype(theta: Array) -> Any:
    """The dtype of a parameter's state and of the step's arithmetic: float32 for float16, else the parameter's dtype."""
    return backend.float32 if backend.is_half(theta) else theta.dtype


# ---- functions that differ between NumPy, CuPy and the array API standard -------------------------------------------------


def _has_out(xp: Any) -> bool:
    return hasattr(xp, "ndarray")  # NumPy and CuPy


def place_of(x: Array) -> str:
    """The array's device as a dictionary key. (CuPy's device objects have no hash.)"""
    return "" if isinstance(x, np.ndarray) else str(backend.device_of(x))


@cache
def with_out(xp: Any) -> Any:
    """The functions of the namespace with NumPy's ``out=``, which the array API standard does not have."""
    return xp if _has_out(xp) else _WithOut(xp)


class _WithOut:
    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def __getattr__(self, name: str) -> Callable[..., Array]:
        function = getattr(self.xp, name)

        def into(*args: Any, out: Array) -> Array:
            out[...] = function(*args)
            return out

        return into


def scalars(theta: Array, *values: float) -> list[Any]:
    """The numbers in the form that is fastest with `theta`: a Python float doubles the time of a small NumPy call."""
    if not isinstance(theta, np.ndarray):
        return list(values)
    dtype = work_dtype(theta)
    return [np.asarray(v, dtype) for v in values]
