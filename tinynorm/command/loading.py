"""Somebody's Python file, run as a module; what is said where that does not work."""

from __future__ import annotations

import linecache
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

OURS = str(Path(__file__).parents[1])  # the directory of this package
SHOWN = 6  # frames of a traceback


class Explained(Exception):
    """What a user is told, in place of a traceback of ours."""


def load(path: Path) -> dict[str, Any]:
    """Run a file, and return its names. Call it within `visit.visiting`, which looks after `sys.path`.

    Raises
    ------
    Explained
        It cannot be read, is no Python, or raises.
    """
    source = _read(path)
    module = ModuleType(module_name(path))
    module.__file__, module.__package__ = str(path), package_of(path)[1]
    sys.modules[module.__name__] = module  # where dataclasses and pickle look for it
    where = str(path.resolve())  # for the lines of tracebacks, also after os.chdir
    try:
        code = compile(source, where, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise Explained(_syntax_error(path, error)) from None
    except ValueError as error:
        raise Explained(f"{path}: cannot be read: {error}") from None
    linecache.checkcache(where)
    try:
        exec(code, module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: the file's own
        raise Explained(f"{path}: it raises when it is imported{_hint(error)}\n{own_frames(error, path)}") from None
    return module.__dict__


def _read(path: Path) -> bytes:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise Explained(f"{path}: cannot be read: {error.strerror or error}") from None
    if path.suffix == ".ipynb":
        raise Explained(
            f"{path}: a notebook, not a Python file; export it (`jupyter nbconvert --to script {path.name}`), or check in a "
            "cell of it: print(tinynorm.gradcheck.check_backward(forward, backward, inputs))"
        )
    if source[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Explained(f"{path}: cannot be read: it is UTF-16; save it as UTF-8")
    return source


def module_name(path: Path) -> str:
    return f"_checked_{path.stem}"


def package_of(path: Path) -> tuple[str, str]:
    """(the directory that imports start from, the name of the package that the file is in, "" for none)."""
    home, names = path.resolve().parent, []
    while (home / "__init__.py").exists() and home.name.isidentifier():
        names.append(home.name)
        home = home.parent
    return str(home), ".".join(reversed(names))


def _syntax_error(path: Path, error: SyntaxError) -> str:
    if error.lineno is None or "(unicode error)" in error.msg:
        return f"{path}: cannot be read: {error.msg.removeprefix('(unicode error) ')}; save it as UTF-8"
    line = (error.text or "").rstrip("\r\n")
    caret = "".join("\t" if c == "\t" else " " for c in line[: (error.offset or 1) - 1]) + "^"
    return f"{path}:{error.lineno}: syntax error: {error.msg}\n  {line}\n  {caret}"


def _hint(error: BaseException) -> str:
    if isinstance(error, ImportError) and "relative import" in str(error):
        return ": it is no part of a package; put an empty __init__.py beside it, or import without the dot"
    if isinstance(error, EOFError):
        return ": it asks for something to be typed in, and there is nobody"
    return ""


def own_frames(error: BaseException, path: Path) -> str:
    """The traceback of somebody's error: the lines of that file and its neighbours, without ours and the libraries'."""
    home = path.resolve().parent
    lines = []
    for frame in theirs(error, path):
        file = str(path) if Path(frame.filename) == path.resolve() else os.path.relpath(frame.filename, home)
        lines.append(f"  {file}:{frame.lineno}, in {frame.name}\n    {frame.line}")
    if len(lines) > SHOWN:
        lines = [*lines[: SHOWN // 2], "  ...", *lines[-(SHOWN // 2) :]]
    return "\n".join([*lines, f"  {type(error).__name__}: {error}" if str(error) else f"  {type(error).__name__}"])


def theirs(error: BaseException, path: Path) -> list[traceback.FrameSummary]:
    """The frames of an error that are in the file or beside it."""
    home = str(path.resolve().parent) + os.sep
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(home)
        and "site-packages" not in frame.filename
        and not frame.filename.startswith(OURS + os.sep)
    ]
