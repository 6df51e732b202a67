"""The memory of a recorded step: what is read for the last time leaves its place to what is written later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .array import root


def shared(calls: list[Callable], own: dict[int, np.ndarray], kept: set[int]) -> list[Callable]:
    """The same calls, on arrays that share memory where their times do not overlap.

    Parameters
    ----------
    calls : list of callable
        Partials, whose arguments are arrays, and lists, tuples, dicts and partials of them.
    own : dict
        id -> the memory that may move. Each is written by a call before another one reads it.
    kept : set of int
        The ids of those that must not, as somebody else holds them.
    """
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    kept = set(kept)
    for i, call in enumerate(calls):
        for x in _held(call):
            if isinstance(x, np.ndarray):
                first.setdefault(id(root(x)), i)
                last[id(root(x))] = i
            else:
                kept.add(id(root(x._array)))  # a tensor
    movable = {k: a for k, a in own.items() if k in first and k not in kept and a.nbytes and a.ravel("K").base is not None}
    begin, end = defaultdict(list), defaultdict(list)
    for k in movable:
        begin[first[k]].append(k)
        end[last[k]].append(k)
    free: defaultdict[int, list[np.ndarray]] = defaultdict(list)  # size in bytes -> memory that nobody reads any more
    places: dict[int, np.ndarray] = {}
    for i in range(len(calls)):
        for k in begin[i]:
            size = movable[k].nbytes
            places[k] = free[size].pop() if free[size] else movable[k]
        for k in end[i]:
            free[movable[k].nbytes].append(places[k])
    return [_moved(call, places) for call in calls]


def _held(x: Any) -> Iterator[Any]:
    """The arrays and tensors in a call."""
    if isinstance(x, np.ndarray) or hasattr(x, "_array"):
        yield x
    elif isinstance(x, partial):
        yield from _held((x.func, x.args, x.keywords))
    elif isinstance(x, dict):
        yield from _held(tuple(x.values()))
    elif isinstance(x, (tuple, list)):
        for part in x:
            yield from _held(part)
    elif isinstance(getattr(x, "__self__", None), np.ndarray):  # a method of an array
        yield x.__self__


def _moved(x: Any, places: dict[int, np.ndarray]) -> Any:
    """The call, or a part of it, with arrays at their new places."""
    if isinstance(x, np.ndarray):
        old = root(x)
        new = places.get(id(old), old)
        if new is old:
            return x
        offset = x.ctypes.data - old.ctypes.data
        return np.ndarray(x.shape, x.dtype, new.ravel("K").view(np.uint8), offset, x.strides)
    if isinstance(x, partial):
        return partial(_moved(x.func, places), *_moved(x.args, places), **_moved(x.keywords, places))
    if isinstance(x, dict):
        return {k: _moved(v, places) for k, v in x.items()}
    if type(x) in (tuple, list):
        return type(x)(_moved(part, places) for part in x)
    mine = getattr(x, "__self__", None)
    return getattr(_moved(mine, places), x.__name__) if isinstance(mine, np.ndarray) else x
