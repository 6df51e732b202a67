"""Large output arrays in memory that was used before. Fresh memory costs more than the arithmetic: the system zeroes each page.

The memory of an array goes back to a store when the array and all its views are gone.
"""

from __future__ import annotations

import ctypes
import math
import weakref
from contextlib import suppress
from typing import Any

import numpy as np

from ..recording import state as recorded
from ..recording.memory import aligned

# From this size on (bytes) memory may come from the system in fresh pages; smaller pieces the C library keeps and uses again.
# The store keeps no more than KEPT, which is room for the large outputs of some layers of a training step. (In half of it, two
# outputs of 128 MiB and a layer's statistics have no room: each step would begin with new memory, and a norm take half as long
# again.)
LARGE, KEPT = 2**20, 2**29
PAGE = 2**12  # bytes; memory that begins with a page begins with a cache line, so kernels can write whole lines past the cache

_store: dict[int, list[np.ndarray]] = {}  # size in bytes -> memory that waits to be used again
_kept = 0  # bytes in the store


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """A row-major array, whose numbers are whatever was there.

    >>> empty((2, 3), np.float32).shape
    (2, 3)
    """
    small = 8 * math.prod(shape) < LARGE  # most are, and a number has at most 8 bytes
    array = np.empty(shape, dtype) if small else _empty(shape, dtype)
    return array if recorded.tape is None else recorded.tape.made(array)


def _empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE:
        return np.empty(shape, dtype)
    global _kept
    waiting = _store.get(size)
    if waiting:
        memory = waiting.pop()
        _kept -= size
    else:
        try:
            memory = aligned(size, PAGE)
        except MemoryError:  # what waits here is of other sizes
            _clear()
            memory = aligned(size, PAGE)
    owner = (ctypes.c_char * size).from_buffer(memory)  # the array and its views keep it alive
    weakref.finalize(owner, _give_back, memory).atexit = False
    return np.frombuffer(owner, dtype).reshape(shape)


def _give_back(memory: np.ndarray) -> None:
    global _kept
    if _kept + memory.nbytes > KEPT:
        _clear()  # its sizes may be of a batch that never comes again
    if memory.nbytes <= KEPT:
        _store.setdefault(memory.nbytes, []).append(memory)
        _kept += memory.nbytes


def kept() -> int:
    """How many bytes wait to be used again, at most 512 MiB.

    >>> kept() >= 0
    True
    """
    return _kept


def empty_cache() -> None:
    """Give what waits to be used again back to the system, also what the C library keeps.

    >>> empty_cache()
    >>> kept()
    0
    """
    _clear()
    with suppress(AttributeError, OSError, TypeError):  # not each C library can do it
        ctypes.CDLL(None).malloc_trim(0)


def _clear() -> None:
    global _kept
    _store.clear()
    _kept = 0
