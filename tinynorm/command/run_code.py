"""The surroundings of the user's code while it runs: `sys.path`, its prints and warnings, and its exceptions."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from importlib.machinery import PathFinder
from math import inf
from pathlib import Path
from sysconfig import get_path
from typing import Any, TextIO

import numpy as np

from ..gradcheck.problem.problem import random_state_kept
from ..gradcheck.report.text import wrapped

OUR_CODE = str(Path(__file__).parents[1]) + os.sep  # the directory of tinynorm
STANDARD = get_path("stdlib") + os.sep  # that of Python's own modules
# Lines of the user's prints that are shown. A check calls forward a thousand times. Ten lines show what a debug print prints
# and leave the report on the screen.
SHOWN_LINES = 10
# Characters of a line of prints, and of the message of an exception, that are shown; more would be an array on one line.
SHOWN_CHARACTERS = 500
# Frames of a traceback that are shown. A call chain of six functions is shown whole; an endless recursion has a thousand.
SHOWN_FRAMES = 6
# The highest limit of recursion. Python has 1000; a file that raises it by far fills the memory where a recursion is endless.
DEEPEST = 10_000


def is_the_users(module: Any) -> bool:
    """Whether a module is a file of the user's, and no installed package."""
    file = getattr(module, "__file__", None) or ""
    installed = any(folder in file for folder in ("site-packages", "dist-packages"))
    return bool(file) and not installed and not file.startswith((OUR_CODE, STANDARD))


class UserError(Exception):
    """Something in the user's file does not work. The user sees the message in place of a traceback of tinynorm."""


class LimitReached(UserError):
    """A file takes more than it may have."""


class NothingToCheck(UserError):
    """A file has no pairs, and nothing that looks like a layer."""


def whole_number(text: str, least: int = 0) -> int:
    """A seed, or a limit, on the command line."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected a whole number, {least} or more, got {text!r}")
    return int(text)


class Prints(io.RawIOBase):
    """Collects the different lines that the user's code prints and warns of.

    `stream` replaces `sys.stdout`. It stays open between two runs of the user's code, since a logger may keep it.
    """

    def __init__(self, megabytes: float = inf) -> None:
        self.lines: list[str] = []
        self.not_shown = 0
        self.remarks: list[str] = []  # what the checker says of the file, before any result
        self.warned: set[tuple] = set()
        self.unfinished = b""  # a line whose end is not printed yet
        self.megabytes, self.written = megabytes, 0
        self.stream = io.TextIOWrapper(self, encoding="utf-8", errors="replace", write_through=True)  # type: ignore[type-var]

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Stay open, also where the user's code closes `sys.stdout`."""

    def write(self, data: Any) -> int:
        self.written += len(data)
        if self.written > self.megabytes * 2**20:
            raise LimitReached(f"it prints more than {self.megabytes} MB; --output MB allows more")
        *lines, self.unfinished = (self.unfinished + bytes(data)).split(b"\n")
        for line in lines:
            self._add(line.decode(errors="replace").rstrip("\r"))
        self.unfinished = self.unfinished[:SHOWN_CHARACTERS]
        return len(data)

    def _add(self, line: str) -> None:
        line = line[:SHOWN_CHARACTERS]
        if line in self.lines:
            return
        if len(self.lines) < SHOWN_LINES:
            self.lines.append(line)
        else:
            self.not_shown += 1

    def warning(self, message: Any, kind: type, file: str, line: int, *_: Any) -> None:
        """Replace `warnings.showwarning`: add each place in the user's code once, and nothing from tinynorm's code."""
        if not file.startswith(OUR_CODE) and (file, line, kind) not in self.warned:
            self.warned.add((file, line, kind))
            self._add(f"{os.path.basename(file)}:{line}: {kind.__name__}: {message}")

    def as_dict(self) -> dict[str, Any]:
        return {"lines": self.lines, "not_shown": self.not_shown, "remarks": self.remarks}

    def take(self, printed: dict[str, Any]) -> None:
        """Take over what another process has collected until now."""
        self.remarks = printed.get("remarks", self.remarks)
        self.not_shown = max(self.not_shown, printed.get("not_shown", 0))
        for line in printed.get("lines", ()):
            self._add(line)

    def show(self, path: Path, file: TextIO) -> None:
        for remark in self.remarks:
            print(wrapped(remark), file=file)
        if self.lines:
            print(f"printed by {path} (each line once):", *(f"  {line}" for line in self.lines), sep="\n", file=file)
        if self.not_shown:
            print(f"  ... and {self.not_shown:,} more", file=file)


@contextmanager
def running(path: Path, prints: Prints) -> Iterator[None]:
    """Inside, the user's code runs as `python FILE` runs it, but its prints go to `prints`. Afterwards, all is put back."""
    search, arguments, directory, stdin = list(sys.path), sys.argv, os.getcwd(), sys.stdin
    folder, home = path.resolve().parent, package_of(path)[0]
    own_name = (folder / f"{folder.name}.py").exists()  # in the folder wbnn a file wbnn.py: `import wbnn` means the folder
    sys.path[:0] = dict.fromkeys([home, str(folder)] if own_name else [str(folder), home])
    sys.argv, sys.stdin = [str(path)], io.StringIO()
    by_folder = _ByFolder(path.resolve().parent)
    sys.meta_path.append(by_folder)
    sys.setrecursionlimit(min(sys.getrecursionlimit(), DEEPEST))
    try:
        with redirect_stdout(prints.stream), warnings.catch_warnings(), random_state_kept():
            warnings.resetwarnings()  # to the filters that Python starts with:
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", kind)
            warnings.showwarning = prints.warning  # type: ignore[assignment]
            yield
    finally:
        if prints.unfinished:
            prints.write(b"\n")
        with suppress(ValueError):  # the file has removed it
            sys.meta_path.remove(by_folder)
        sys.argv, sys.stdin, sys.path[:] = arguments, stdin, search
        with suppress(OSError):
            os.chdir(directory)


class _ByFolder:
    """Finds what nothing else found.

    ``cs231n.layers``, for a file in a folder cs231n that is no package; ``hw3.hw3.layers``, for one in hw3/hw3; and a module in
    one of the two folders above, which a file that is run from its own folder means by ``sys.path.append(os.pardir)``.
    """

    def __init__(self, folder: Path) -> None:
        self.folders = [folder, *folder.parents]

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        named = [home.parent for home in self.folders if home.name == name]
        homes = [str(home) for home in named or self.folders[1:3]]
        spec = None if path is not None else PathFinder.find_spec(name, homes)
        if spec is not None:
            sys.path += homes
        return spec


def package_of(path: Path) -> tuple[str, str]:
    """Return (the directory that imports start from, the dotted name of the file's package or "")."""
    home, names = path.resolve().parent, []
    while (home / "__init__.py").exists() and home.name.isidentifier():
        names.append(home.name)
        home = home.parent
    return str(home), ".".join(reversed(names))


def attempt(function: Callable, *arguments: Any, **keywords: Any) -> tuple[Any, BaseException | None]:
    """Call a function that runs the user's code. Return (its result, None), or (None, its exception: SystemExit too)."""
    try:
        with np.errstate(all="ignore"):
            return function(*arguments, **keywords), None
    except (KeyboardInterrupt, UserError):
        raise
    except MemoryError as error:
        raise LimitReached(f"it asks for more memory than it may have ({error}); --memory MB allows more") from error
    except BaseException as error:
        return None, error


def own_traceback(error: BaseException, path: Path) -> str:
    """Return the traceback of an exception, without the frames of tinynorm and of the libraries."""
    lines = []
    for frame in own_frames(error, path):
        file = str(path) if Path(frame.filename) == path.resolve() else os.path.relpath(frame.filename, path.resolve().parent)
        lines.append(f"  {file}:{frame.lineno}, in {frame.name}\n    {frame.line}")
    if len(lines) > SHOWN_FRAMES:
        half = SHOWN_FRAMES // 2
        lines = [*lines[:half], "  ...", *lines[-half:]]
    return "\n".join([*lines, f"  {message_of(error)}"])


def message_of(error: BaseException) -> str:
    """Return the exception and what it says, which may be a whole array: of that the beginning."""
    says = str(error) if len(str(error)) <= SHOWN_CHARACTERS else f"{str(error)[:SHOWN_CHARACTERS]} ..."
    return f"{type(error).__name__}: {says}" if says else type(error).__name__


def own_frames(error: BaseException, path: Path) -> list[traceback.FrameSummary]:
    """Return the frames of an exception that are in the user's file or in a file beside it."""
    home = str(path.resolve().parent) + os.sep
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(home) and "site-packages" not in frame.filename and not frame.filename.startswith(OUR_CODE)
    ]
