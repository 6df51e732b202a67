"""Run the user's Python file as a module; explain why where that does not work."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ..gradcheck.report.text import wrapped
from .load_notebook import run_definitions
from .run_code import Prints, UserError, attempt, own_traceback, package_of, running


def load(path: Path, prints: Prints) -> dict[str, Any]:
    """Run a file and return its names. Raise UserError where it cannot be read, has a syntax error, or raises an exception."""
    with running(path, prints):
        source, where = _read(path), str(path.resolve())  # an absolute path: the file may change the directory
        module = ModuleType(module_name(path))
        module.__file__, module.__package__ = str(path), package_of(path)[1]
        sys.modules[module.__name__] = module  # dataclasses and pickle look for it there
        if path.suffix == ".ipynb":
            _run_notebook(path, source, module.__dict__)
        else:
            _run(path, source, where, module.__dict__)
        return dict(module.__dict__)


def _run(path: Path, source: bytes, where: str, names: dict[str, Any]) -> None:
    try:
        code = compile(source, where, "exec", dont_inherit=True)
    except SyntaxError as wrong:
        raise UserError(_syntax_error(path, wrong)) from None
    except ValueError as wrong:
        raise UserError(f"{path}: cannot be read: {wrong}") from None
    linecache.checkcache(where)  # or a traceback shows the lines of an older file
    _, error = attempt(exec, code, names)
    if error is not None:
        raise UserError(f"{path}: it raises when it is imported{_hint(error)}\n{own_traceback(error, path)}")


def _run_notebook(path: Path, source: bytes, names: dict[str, Any]) -> None:
    """Run its definitions, and the files that it runs; say what was left out."""

    def run_beside(file: str) -> None:
        other = path.resolve().parent / file
        if other.suffix == ".ipynb":
            _run_notebook(other, _read(other), names)
        else:
            _run(other, _read(other), str(other), names)

    for text in run_definitions(path, source, names, run_beside):
        print(wrapped(text), file=sys.stderr)


def module_name(path: Path) -> str:
    return f"_checked_{path.stem}"


def _read(path: Path) -> bytes:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    if source[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UserError(f"{path}: cannot be read: it is UTF-16; save it as UTF-8")
    return source


def _syntax_error(path: Path, error: SyntaxError) -> str:
    if error.lineno is None or "(unicode error)" in error.msg:
        return f"{path}: cannot be read: {error.msg.removeprefix('(unicode error) ')}; save it as UTF-8"
    line = (error.text or "").rstrip("\r\n")
    indent = "".join("\t" if c == "\t" else " " for c in line[: (error.offset or 1) - 1])
    return f"{path}:{error.lineno}: syntax error: {error.msg}\n  {line}\n  {indent}^"


def _hint(error: BaseException) -> str:
    if isinstance(error, ImportError) and "relative import" in str(error):
        return ": it is no part of a package; put an empty __init__.py beside it, or import without the dot"
    return ": it asks for something to be typed in, and there is nobody" if isinstance(error, EOFError) else ""
