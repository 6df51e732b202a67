"""The memory of a recorded step: what is read for the last time leaves its place to what is written later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .array import root

# From this size on (bytes) an input is not copied. To make the calls that read it anew takes some 20 us, as long as to copy
# 256 KiB; with 1 MiB it is worth it on any machine.
LARGE = 2**20


class Inputs:
    """What a recorded step is given. A small array is copied to its place; a large one is handed to the calls that read it.

    Attributes
    ----------
    copied : set of int
        The ids of the memory that small inputs are copied to.
    """

    def __init__(self, places: list[np.ndarray], calls: list[Callable], fixed: set[int]) -> None:
        """`places` are the inputs when the step was recorded; those whose memory is `fixed` are held by somebody else."""
        movable = [x for x in places if x.nbytes >= LARGE and x.flags.c_contiguous and root(x) is x and id(x) not in fixed]
        large = {id(x): np.empty_like(x) for x in movable}
        self.places = [large.get(id(x), x) for x in places]  # those of large inputs are never used, and take no memory
        self.copied = {id(x) for x in places if id(x) not in large}
        self.calls = calls
        self.readers = [(i, moved(c, large)) for i, c in enumerate(calls) if any(id(x) in large for x in _memory(c))]
        self.leave()

    def take(self, arrays: list[np.ndarray]) -> None:
        """Let the calls have these arrays, of the same shapes, dtypes and strides."""
        handed = {}
        for place, array in zip(self.places, arrays, strict=True):
            if id(place) in self.copied:
                np.copyto(place, array)
            else:
                handed[id(place)] = array
        for i, call in self.readers:
            self.calls[i] = moved(call, handed)

    def leave(self) -> None:
        """Let go of them."""
        for i, call in self.readers:
            self.calls[i] = call


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
    return [moved(call, places) for call in calls]


def _memory(call: Callable) -> list[np.ndarray]:
    """The memory that a call is handed."""
    return [root(x) for x in _held(call) if isinstance(x, np.ndarray)]


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


def moved(x: Any, places: dict[int, np.ndarray]) -> Any:
    """The call, or a part of it, with arrays at their new places, which are given by the id of the memory that they leave."""
    if isinstance(x, np.ndarray):
        old = root(x)
        new = places.get(id(old), old)
        if new is old:
            return x
        offset = x.ctypes.data - old.ctypes.data
        return np.ndarray(x.shape, x.dtype, new.ravel("K").view(np.uint8), offset, x.strides)
    if isinstance(x, partial):
        return partial(moved(x.func, places), *moved(x.args, places), **moved(x.keywords, places))
    if isinstance(x, dict):
        return {k: moved(v, places) for k, v in x.items()}
    if type(x) in (tuple, list):
        return type(x)(moved(part, places) for part in x)
    mine = getattr(x, "__self__", None)
    return getattr(moved(mine, places), x.__name__) if isinstance(mine, np.ndarray) else x
