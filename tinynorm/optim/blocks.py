"""Running a formula of many passes over many arrays: large ones cut, so that each part stays in the cache; small ones put
together, so that a call's fixed cost is paid once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np

from .. import backend
from ..backend import Array

BLOCK = 65536  # elements: five float32 arrays of so many stay in the caches, and calls are few
SMALL = 2048  # elements up to which copying an array costs less than a dozen calls on it

Formula = Callable[..., None]  # formula(theta, g, *state, s, d) changes all in place but g; s and d are scratch


class Blocks:
    """Runs formulas, and keeps the scratch arrays for them.

    Examples
    --------
    >>> def descend(theta, g, s, d):
    ...     theta -= np.multiply(g, 0.5, out=s)
    >>> theta, g = np.ones(3), np.ones(3)
    >>> Blocks().run(descend, [(theta, g)])
    >>> theta
    array([0.5, 0.5, 0.5])
    """

    def __init__(self) -> None:
        self._scratch: dict[tuple, tuple[Array, Array]] = {}
        self._flat: dict[tuple, list[tuple[Array, list[Array]]]] = {}

    def run(self, formula: Formula, tasks: Iterable[tuple[Array, ...]]) -> None:
        """Call the formula on each task ``(theta, g, *state)``, arrays of one shape; all tasks are of one dtype and device."""
        small = []
        for arrays in tasks:
            if arrays[0].size <= SMALL and _has_out(backend.namespace(arrays[0])):
                small.append(arrays)
                continue
            for part in _cut(arrays):
                formula(*part, *self._scratch_like(part[0]))
        while small:
            bundle, small = small[: BLOCK // SMALL], small[BLOCK // SMALL :]
            self._run_together(formula, bundle)

    def _run_together(self, formula: Formula, bundle: list[tuple[Array, ...]]) -> None:
        """One call for several small tasks: copied behind one another, and what the formula changed copied back."""
        if len(bundle) == 1:
            formula(*bundle[0], *self._scratch_like(bundle[0][0]))
            return
        kinds = list(zip(*bundle, strict=True))  # all theta, all g, all of each state
        together = self._flat_like(kinds)
        for arrays, (_, views) in zip(kinds, together, strict=True):
            for x, view in zip(arrays, views, strict=True):
                view[...] = x
        flat = [x for x, _ in together]
        formula(*flat, *self._scratch_like(flat[0]))
        for kind, (arrays, (_, views)) in enumerate(zip(kinds, together, strict=True)):
            if kind != 1:  # g is not changed
                for x, view in zip(arrays, views, strict=True):
                    x[...] = view

    def _scratch_like(self, x: Array) -> tuple[Array, Array]:
        key = (x.shape, x.dtype, place_of(x))
        pair = self._scratch.get(key)
        if pair is None:
            xp = backend.namespace(x)
            pair = self._scratch[key] = (xp.empty_like(x), xp.empty_like(x))
        return pair

    def _flat_like(self, kinds: list[tuple[Array, ...]]) -> list[tuple[Array, list[Array]]]:
        """For each kind a flat array, and views of it in the shapes of the bundle's tasks."""
        x = kinds[0][0]
        shapes = tuple(y.shape for y in kinds[0])
        key = (len(kinds), shapes, x.dtype, place_of(x))
        flat = self._flat.get(key)
        if flat is None:
            xp, ends = backend.namespace(x), np.cumsum([y.size for y in kinds[0]]).tolist()
            arrays = [xp.empty(ends[-1], x.dtype) for _ in kinds]
            starts = [0, *ends[:-1]]
            flat = self._flat[key] = [
                (a, [a[i:j].reshape(shape) for i, j, shape in zip(starts, ends, shapes, strict=True)]) for a in arrays
            ]
        return flat


def _cut(arrays: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    """Rows of some BLOCK elements at a time; on the GPU, where a call is dear and the cache shared, everything at once."""
    x = arrays[0]
    if x.size <= BLOCK or not isinstance(x, np.ndarray):
        yield arrays
        return
    rows = max(1, BLOCK * x.shape[0] // x.size)
    for i in range(0, x.shape[0], rows):
        yield tuple(a[i : i + rows] for a in arrays)


# ---- what the namespaces do not share ------------------------------------------------------------------------------------


def _has_out(xp: Any) -> bool:
    return hasattr(xp, "ndarray")  # NumPy and CuPy


def place_of(x: Array) -> str:
    """The array's device as a key. (CuPy's own have no hash.)"""
    return "" if isinstance(x, np.ndarray) else str(backend.device_of(x))


@cache
def with_out(xp: Any) -> Any:
    """The namespace's functions with NumPy's ``out=``, which the array standard has not."""
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
    """The numbers in the form in which they meet `theta` fastest: a Python float doubles the time of NumPy's small calls."""
    return [np.asarray(v, theta.dtype) for v in values] if isinstance(theta, np.ndarray) else list(values)
