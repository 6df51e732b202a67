"""Run the user's Python file as a module; explain why where that does not work."""

from __future__ import annotations

import ast
import linecache
import sys
import traceback
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import GENERATORS
from ..run_code import Prints, UserError, message_of, own_traceback, running
from ..unfinished import LEFT_OUT
from .in_double import read_in_double
from .load_notebook import not_installed, run_definitions
from .old_ways import modules_in_python_3, package_for, parse
from .run_statements import TakesLong, run_statements
from .stand_ins import OLD_NAMES, open_or_stand_in, removed_afterwards


def load(path: Path, prints: Prints) -> dict[str, Any]:
    """Run a file and return its names. Raise UserError where it cannot be read, has a syntax error, or raises an exception."""
    with running(path, prints), removed_afterwards(), modules_in_python_3():
        source, module, before = _read(path), ModuleType(module_name(path)), {*sys.modules}
        module.__file__, module.__package__ = str(path), package_for(path)
        sys.modules[module.__name__] = module  # dataclasses and pickle look for it there
        names = module.__dict__
        names["open"] = opened = open_or_stand_in(lambda says: prints.remarks.append(f"{path}: {says}"))
        _run_file(path, source, names, prints.remarks)
        if names.get("open") is opened:
            del names["open"]
        _replace_twin(module)
        if read_in_double(names, before):
            prints.remarks.append(f"{path}: its float32 is read as float64, so that all digits are checked")
        defaults = [x for f in names.values() if isinstance(f, FunctionType) for x in f.__defaults__ or ()]
        held = [*names.values(), *defaults]
        GENERATORS[:] = [value for value in held if isinstance(value, np.random.Generator | np.random.RandomState)]
        return dict(names)


def _replace_twin(module: ModuleType) -> None:
    """Let the files of a package use the classes and functions of this module, where they have imported its file as their own.

    Of a class Tensor there would be two else, and what one file makes would be no Tensor for the other.
    """
    known, where = [*sys.modules.values()], str(Path(str(module.__file__)).resolve())
    for twin in [other for other in known if other is not module and getattr(other, "__file__", "") == where]:
        package = twin.__name__.partition(".")[0]
        for held in [vars(other) for other in known if other.__name__.partition(".")[0] == package]:
            made = {name: x for name, x in held.items() if getattr(x, "__module__", "") == twin.__name__}
            own = {name: vars(module).get(getattr(x, "__name__", "")) for name, x in made.items()}
            held.update({name: x for name, x in own.items() if x is not None})


def _run_file(path: Path, source: bytes, names: dict[str, Any], remarks: list[str]) -> None:
    """Run a file, or the definitions of a notebook and the files that it runs; remark what was left out."""

    def run_beside(file: str) -> None:
        other = path.resolve().parent / file
        if not other.exists():
            raise FileNotFoundError(f"there is no {file} beside it")
        _run_file(other, _read(other), names, remarks)

    if path.suffix == ".ipynb":
        remarks += run_definitions(path, source, names, run_beside)
    else:
        _run(path, source, str(path.resolve()), names, remarks)  # an absolute path: the file may change the directory


def _run(path: Path, source: bytes, where: str, names: dict[str, Any], remarks: list[str]) -> None:
    """Run a Python file. Where a statement raises, go on after it."""
    try:
        tree, old = parse(source, where)
        endless = [statement for statement in tree.body if _has_no_end(statement)]
        tree.body = [statement for statement in tree.body if statement not in endless]
        compile(tree, where, "exec", dont_inherit=True)
    except SyntaxError as wrong:
        raise UserError(_syntax_error(path, wrong)) from None
    except ValueError as wrong:
        raise UserError(f"{path}: cannot be read: {wrong}") from None
    if old:
        told = "its print statements were left out, and `/` divides as there"
        remarks.append(f"{path}:{old}: it is written for Python 2: {told}")
        names.update(OLD_NAMES)
    remarks += [f"{path}:{loop.lineno}: left out, as it has no end: {ast.unparse(loop).splitlines()[0]}" for loop in endless]
    tree.body += _set_when_run(tree)
    linecache.checkcache(where)  # or a traceback shows the lines of an older file
    names["__doc__"] = ast.get_docstring(tree)
    missing: list[str] = []
    left_out: list[int] = []
    why = ""
    for statement, error in run_statements(tree.body, where, names, missing):
        if error is not None and not left_out:
            remarks.append(_left_out(path, tree, statement, where, error))
            why = f"for line {statement.lineno} raises {message_of(error)}"
        says = f"which line {statement.lineno} would set; it was left out, {why}"
        unset = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        names.setdefault(LEFT_OUT, {}).update({node.id: says for node in unset})
        left_out += [] if isinstance(statement, ast.Pass) else [statement.lineno]
    remarks += [not_installed(path, missing)] if missing else []
    if left_out[1:]:
        lines = ", ".join(map(str, sorted({*left_out[1:]})))
        remarks.append(f"{path}: left out after that, as it raises or defines nothing: line {lines}")


def _set_when_run(tree: ast.Module) -> list[ast.stmt]:
    """Return the plain numbers and words that a file sets where it is run as a program, as a rate that its classes read."""
    guards = [node for node in tree.body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    found = [node for guard in guards for node in guard.body if isinstance(node, ast.Assign)]
    return [node for node in found if isinstance(node.value, ast.Constant) and isinstance(node.targets[0], ast.Name)]


def _left_out(path: Path, tree: ast.Module, statement: ast.stmt, where: str, error: BaseException) -> str:
    """Return what to say of the first statement that raises; raise UserError where that was to end the file."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno or 0 for frame in frames if frame.filename == where), statement.lineno)
    asks = any(Path(frame.filename).name == "argparse.py" for frame in frames)
    asks = asks or (isinstance(error, SystemExit) and isinstance(statement, ast.If))  # if len(sys.argv) < 3
    if not (isinstance(error, Exception) or asks) or not _may_be_checked(tree):
        raise UserError(f"{path}: it raises when it is imported{_hint(error)}\n{own_traceback(error, path)}")
    if isinstance(error, TakesLong):
        return f"{path}:{statement.lineno}: left out, as {error}: {ast.unparse(statement).splitlines()[0]}"
    text = linecache.getline(where, line).strip()
    return f"{path}:{line}: left out, as it raises: {text} ({type(error).__name__}: {error}){_hint(error)}"


def _has_no_end(statement: ast.stmt) -> bool:
    """Whether it is a loop that ends with the program only, as one that trains for ever."""
    always = isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant) and bool(statement.test.value)
    return always and not any(isinstance(node, ast.Break | ast.Raise) for node in ast.walk(statement))


def _may_be_checked(tree: ast.Module) -> bool:
    """Whether there are two functions or methods, one that returns several values, as a loss with its gradients, or a loop.

    In that something is subtracted, as it is where a network learns.
    """
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    several = any(isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) for node in ast.walk(tree))
    loops = [loop for loop in ast.walk(tree) if isinstance(loop, ast.For | ast.While)]
    learns = any(isinstance(getattr(node, "op", None), ast.Sub) for loop in loops for node in ast.walk(loop))
    return len(functions) > 1 or several or learns


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
