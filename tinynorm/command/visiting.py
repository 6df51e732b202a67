"""What surrounds somebody's code while it runs: its imports, its prints and warnings; and all put back afterwards."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from ..gradcheck.problem.problem import random_state_kept
from .loading import OURS, package_of

KEPT = 10  # different lines


class Heard(io.RawIOBase):
    """The different lines that somebody's code printed or warned of: a check calls it a thousand times.

    `stream` stands for `sys.stdout`. It stays open from visit to visit, since a logger may have kept it.
    """

    def __init__(self) -> None:
        self.lines: dict[str, None] = {}
        self.more = 0
        self.warned: set[tuple] = set()
        self.rest = b""  # of a line whose end is still to come
        self.stream = io.TextIOWrapper(self, encoding="utf-8", errors="replace", write_through=True)  # type: ignore[type-var]

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        *lines, self.rest = (self.rest + bytes(data)).split(b"\n")
        for line in lines:
            self.line(line.decode(errors="replace").rstrip("\r"))
        return len(data)

    def line(self, text: str) -> None:
        if text not in self.lines:
            self.more += len(self.lines) >= KEPT
            if len(self.lines) < KEPT:
                self.lines[text] = None

    def warning(self, message: Any, kind: type, file: str, line: int, *_: Any) -> None:
        """In the place of `warnings.showwarning`; what our own arithmetic warns of is no matter of theirs."""
        if not file.startswith(OURS + os.sep) and (file, line, kind) not in self.warned:
            self.warned.add((file, line, kind))
            self.line(f"{os.path.basename(file)}:{line}: {kind.__name__}: {message}")

    def retell(self, path: Path, file: TextIO) -> None:
        """Print them once."""
        if self.lines:
            print(f"printed by {path} (each line once):", *(f"  {line}" for line in self.lines), sep="\n", file=file)
        if self.more:
            print(f"  ... and {self.more:,} more", file=file)


@contextmanager
def visiting(path: Path, heard: Heard) -> Iterator[None]:
    """Within, somebody's code runs as `python FILE` would run it, except that its prints go to `heard`."""
    search, arguments, directory, stdin = list(sys.path), sys.argv, os.getcwd(), sys.stdin
    sys.path[:0] = dict.fromkeys([str(path.resolve().parent), package_of(path)[0]])
    sys.argv, sys.stdin = [str(path)], io.StringIO()
    try:
        with redirect_stdout(heard.stream), warnings.catch_warnings(), random_state_kept(), np.errstate(all="ignore"):
            warnings.resetwarnings()  # to Python's own
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", kind)
            warnings.showwarning = heard.warning  # type: ignore[assignment]
            yield
    finally:
        if heard.rest:
            heard.write(b"\n")
        sys.argv, sys.stdin, sys.path[:] = arguments, stdin, search
        with suppress(OSError):
            os.chdir(directory)
