"""The memory of a recorded step: what is read for the last time leaves its place to what is written later.

While a step is recorded, its calls hold no memory of the step's own: in each array's stead there is a `Place`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .array import root


class Place(NamedTuple):
    """Where an array lies, in memory that is not there yet."""

    number: int  # of the memory
    size: int  # of the memory, in bytes
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype
    strides: tuple[int, ...]

    def within(self, memory: np.ndarray) -> np.ndarray:
        return np.ndarray(self.shape, self.dtype, memory, self.offset, self.strides)


def place_of(array: np.ndarray, number: int) -> Place:
    """The place of an array, if its memory has this number."""
    memory = root(array)
    return Place(number, memory.nbytes, array.ctypes.data - memory.ctypes.data, array.shape, array.dtype, array.strides)


def mapped(function: Callable[[Any], Any], x: Any) -> Any:
    """A call, or a part of it, with what the function makes of each array and each place."""
    if isinstance(x, (np.ndarray, Place)):
        return function(x)
    if isinstance(x, partial):
        return partial(mapped(function, x.func), *mapped(function, x.args), **mapped(function, x.keywords))
    if isinstance(x, dict):
        return {k: mapped(function, v) for k, v in x.items()}
    if type(x) in (tuple, list):
        return type(x)([mapped(function, part) for part in x])
    return x


def memory_of(call: Callable) -> set[int]:
    """What stands for the memory that the call is handed: numbers of what is to come, and ids of what is there."""
    found: set[int] = set()
    mapped(lambda x: found.add(x.number if isinstance(x, Place) else -id(root(x))), call)
    return found


def within(memory: dict[int, np.ndarray], call: Callable) -> Callable:
    """The call with arrays in the place of places, where the memory is there."""
    return mapped(lambda x: x.within(memory[x.number]) if isinstance(x, Place) and x.number in memory else x, call)


def as_bytes(x: np.ndarray) -> np.ndarray:
    """The memory of an array without gaps."""
    return x.ravel("K").view(np.uint8)


def shared(calls: list[Callable], memory: dict[int, np.ndarray], later: set[int]) -> list[Callable]:
    """The calls with memory, which is shared where the times of what is in it do not overlap.

    Parameters
    ----------
    calls : list of callable
        Partials, whose arguments are arrays, places, and lists, tuples, dicts and partials of them.
    memory : dict
        number -> memory that is there, in bytes.
    later : set of int
        The numbers of memory that the calls get later.
    """
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    sizes: dict[int, int] = {}

    def note(i: int, x: Any) -> None:
        if isinstance(x, Place) and x.number not in memory and x.number not in later:
            first.setdefault(x.number, i)
            last[x.number], sizes[x.number] = i, x.size

    for i, call in enumerate(calls):
        mapped(partial(note, i), call)
    begin, end = defaultdict(list), defaultdict(list)
    for number in first:
        begin[first[number]].append(number)
        end[last[number]].append(number)
    free: defaultdict[int, list[np.ndarray]] = defaultdict(list)  # size in bytes -> memory that nobody reads any more
    memory = dict(memory)
    for i in range(len(calls)):
        for number in begin[i]:
            waiting = free[sizes[number]]
            memory[number] = waiting.pop() if waiting else aligned(sizes[number], LINE)
        for number in end[i]:
            free[sizes[number]].append(memory[number])
    return [within(memory, call) for call in calls]


# A matrix product takes up to two fifths longer where the pieces of its result that BLAS adds to lie across two cache lines.
LINE = 64  # bytes


def aligned(size: int, step: int) -> np.ndarray:
    """Memory of `size` bytes whose address is a multiple of `step`."""
    memory = np.empty(size + step, np.uint8)
    gap = -memory.ctypes.data % step
    return memory[gap : gap + size]


# From this size on (bytes) an input is not copied. To make two calls that read it anew takes 5 us, as long as to copy 64 KiB.
LARGE = 2**16


class Inputs:
    """What a recorded step is given. A small array is copied; a large one is handed to the calls that read it."""

    def __init__(self, numbers: list[int], copies: list[np.ndarray | None]) -> None:
        """`numbers` are those of the inputs' memory in the calls; `copies` has the memory of small ones."""
        self.numbers, self.copies = numbers, copies
        self.later = {number for number, x in zip(numbers, copies, strict=True) if x is None}

    def of(self, calls: list[Callable]) -> None:
        """Take care of these calls."""
        self.calls = calls
        self.readers = [(i, call, _handing(call)) for i, call in enumerate(calls) if not self.later.isdisjoint(memory_of(call))]

    def take(self, arrays: list[np.ndarray]) -> None:
        """Let the calls have these arrays, of the same shapes, dtypes and strides."""
        handed = {}
        for number, mine, array in zip(self.numbers, self.copies, arrays, strict=True):
            if mine is None:
                handed[number] = array
            else:
                np.copyto(mine, array)
        for i, _, handing in self.readers:
            self.calls[i] = handing(handed)

    def leave(self) -> None:
        """Let go of them."""
        for i, call, _ in self.readers:
            self.calls[i] = call


def _handing(call: Any) -> Callable[[dict[int, np.ndarray]], Callable]:
    """The function that makes the call anew with memory: `within`, or a faster one where all places are among its arguments."""
    places = [k for k, x in enumerate(call.args) if isinstance(x, Place)] if isinstance(call, partial) else []
    found: list[Place] = []
    mapped(lambda x: found.append(x) if isinstance(x, Place) else None, call)

    def hand(memory: dict[int, np.ndarray]) -> Callable:
        args = [*call.args]
        for k in places:
            args[k] = args[k].within(memory[args[k].number])
        return partial(call.func, *args, **call.keywords)

    return hand if len(found) == len(places) else lambda memory: within(memory, call)
