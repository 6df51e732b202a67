"""Run the user's Python file as a module; explain why where that does not work."""

from __future__ import annotations

import ast
import linecache
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import GENERATORS
from ..run_code import Prints, UserError, attempt, own_traceback, running
from .imports import package_for
from .load_notebook import not_installed, run_definitions, run_statements
from .stand_ins import OLD_NAMES, removed_afterwards, stand_in_for


def load(path: Path, prints: Prints) -> dict[str, Any]:
    """Run a file and return its names. Raise UserError where it cannot be read, has a syntax error, or raises an exception."""
    with running(path, prints), removed_afterwards():
        source, where = _read(path), str(path.resolve())  # an absolute path: the file may change the directory
        module = ModuleType(module_name(path))
        module.__file__, module.__package__ = str(path), package_for(path)
        sys.modules[module.__name__] = module  # dataclasses and pickle look for it there
        if path.suffix == ".ipynb":
            _run_notebook(path, source, module.__dict__, prints.remarks)
        else:
            _run(path, source, where, module.__dict__, prints.remarks)
        made = [value for value in module.__dict__.values() if isinstance(value, np.random.Generator | np.random.RandomState)]
        GENERATORS[:] = made
        return dict(module.__dict__)


def _run(path: Path, source: bytes, where: str, names: dict[str, Any], remarks: list[str]) -> None:
    """Run a file. Where a statement raises, go on with the definitions after it; remark what was left out."""
    try:
        tree, old = _parse(source, where)
        endless = [statement for statement in tree.body if _has_no_end(statement)]
        tree.body = [statement for statement in tree.body if statement not in endless]
        code = compile(tree, where, "exec", dont_inherit=True)
    except SyntaxError as wrong:
        raise UserError(_syntax_error(path, wrong)) from None
    except ValueError as wrong:
        raise UserError(f"{path}: cannot be read: {wrong}") from None
    if old:
        remarks.append(f"{path}:{old}: it is written for Python 2: its print statements were left out, and `/` is Python 3's")
        names.update(OLD_NAMES)
    remarks += [f"{path}:{loop.lineno}: left out, as it has no end: {ast.unparse(loop).splitlines()[0]}" for loop in endless]
    linecache.checkcache(where)  # or a traceback shows the lines of an older file
    before = dict(names)
    missing = []
    _, error = attempt(exec, code, names)
    while stand_in_for(error):
        missing.append(error.name)  # type: ignore[union-attr]
        names.clear()
        names.update(before)
        _, error = attempt(exec, code, names)
    if missing:
        remarks.append(not_installed(path, missing))
    if error is None:
        return
    frames = traceback.extract_tb(error.__traceback__)
    on_purpose = not isinstance(error, Exception) and not any(Path(frame.filename).name == "argparse.py" for frame in frames)
    if on_purpose or _number_of_definitions(tree) < 2:  # two definitions are the least that can be checked
        raise UserError(f"{path}: it raises when it is imported{_hint(error)}\n{own_traceback(error, path)}")
    line = next((frame.lineno or 0 for frame in frames if frame.filename == where), 0)
    text = linecache.getline(where, line).strip()
    remarks.append(f"{path}:{line}: left out, as it raises: {text} ({type(error).__name__}: {error}){_hint(error)}")
    raised, without_use = run_statements([statement for statement in tree.body if statement.lineno > line], where, names, [])
    if raised or without_use:
        lines = ", ".join(map(str, sorted([number for number, _ in raised] + without_use)))
        remarks.append(f"{path}: left out after that, as it raises or defines nothing: line {lines}")


def _parse(source: bytes, where: str) -> tuple[ast.Module, int]:
    """Return (the tree, 0); of a file for Python 2, the tree without its print statements and the line of the first."""
    first = 0
    while True:
        try:
            return ast.parse(source, where), first
        except SyntaxError as wrong:
            if "call to 'print'" not in wrong.msg or not wrong.lineno:
                raise
            lines, first, end = source.splitlines(keepends=True), first or wrong.lineno, wrong.lineno
            while b"".join(lines[wrong.lineno - 1 : end]).count(b"(") > b"".join(lines[wrong.lineno - 1 : end]).count(b")"):
                end += 1
            instead = lines[wrong.lineno - 1].partition(b"print")[0] + b"pass\n"
            source = b"".join([*lines[: wrong.lineno - 1], instead, *[b"\n"] * (end - wrong.lineno), *lines[end:]])


def _has_no_end(statement: ast.stmt) -> bool:
    """Whether it is a loop that ends with the program only, as one that trains for ever."""
    always = isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant) and bool(statement.test.value)
    return always and not any(isinstance(node, ast.Break | ast.Raise) for node in ast.walk(statement))


def _number_of_definitions(tree: ast.Module) -> int:
    """How many functions and methods there are."""
    return sum(isinstance(node, ast.FunctionDef) for node in ast.walk(tree))


def _run_notebook(path: Path, source: bytes, names: dict[str, Any], remarks: list[str]) -> None:
    """Run its definitions, and the files that it runs; remark what was left out."""

    def run_beside(file: str) -> None:
        other = path.resolve().parent / file
        if not other.exists():
            raise FileNotFoundError(f"there is no {file} beside it")
        if other.suffix == ".ipynb":
            _run_notebook(other, _read(other), names, remarks)
        else:
            _run(other, _read(other), str(other), names, remarks)

    remarks += run_definitions(path, source, names, run_beside)


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
    return ": it asks for something to be typed in, and there is nobody" if isinstance(error, EOFError) else ""
