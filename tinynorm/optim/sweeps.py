"""Sweeps: a step of many parameters by one call of a kernel, from the table of their memory that `kernels.updates` takes."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..backend import Array
from ..kernels.halves import run

# From this number of elements on, two threads do a sweep: it takes some 0.6 ns for each, and to wake a thread takes 80 us.
WORTH = 2**18

# what the columns of a table are: where the kernel left off, where a part of a parameter begins and ends, and ids of arrays
LEFT, START, STOP, THETA, G = range(5)


class Sweeps:
    """The memory of some parameters, in one table or, where they are large, in two halves.

    Parameters
    ----------
    held : dict
        The number of a parameter -> (theta, *state): row-major NumPy arrays, all of one dtype.
    halves : bool
        Whether there may be two. (Not for parameters that share memory.)
    """

    def __init__(self, held: dict[int, tuple[Array, ...]], halves: bool = True) -> None:
        self.held = held  # the tables only have their ids
        parts = _parts({number: theta.size for number, (theta, *_) in held.items()}, halves)
        self.numbers = [[number for number, *_ in half] for half in parts]
        self.tables = [np.array([self._row(*part) for part in half], np.int64) for half in parts]

    def _row(self, number: int, start: int, stop: int) -> list[int]:
        theta, *state = map(id, self.held[number])
        return [stop, start, stop, theta, 0, *state]

    def run(self, kernel: Any, grads: list[Array], settings: Array) -> list[tuple[int, slice]]:
        """Let a kernel do the step: (the number of a parameter, the part of its memory) for what it left undone."""
        ids = [*map(id, grads)]
        for numbers, table in zip(self.numbers, self.tables, strict=True):
            table[:, G] = [ids[number] for number in numbers]
        left = list[bool]()

        def sweep(table: Array) -> None:
            left.append(kernel(table, settings))

        run([partial(sweep, table) for table in self.tables])
        if not any(left):
            return []
        rows = [row for both in zip(self.numbers, self.tables, strict=True) for row in zip(*both, strict=True)]
        return [(number, slice(row[LEFT], row[STOP])) for number, row in rows if row[LEFT] < row[STOP]]


def _parts(sizes: dict[int, int], halves: bool) -> list[list[tuple[int, int, int]]]:
    """(number, start, stop) for all memory: of each half if it is large, else in one."""
    total = sum(sizes.values())
    first, second, rest = [], [], total // 2 if halves and total >= WORTH else total
    for number, n in sizes.items():
        cut = min(rest, n)
        rest -= cut
        first += [(number, 0, cut)] if cut else []
        second += [(number, cut, n)] if cut < n else []
    return [half for half in (first, second) if half]
