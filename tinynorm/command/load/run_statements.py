"""Run the statements of a file one after the other, so that one that raises, or takes long, can be left out."""

from __future__ import annotations

import ast
import linecache
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

from ..run_code import attempt
from .stand_ins import stand_in_for

DEFINED = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Calls that a constant may be made of; any other may be a long computation, or a test.
MAKERS = ["bool", "dict", "enumerate", "float", "int", "len", "list", "range", "set", "sorted", "str", "tuple", "zip"]
# What a notebook calls beside its definitions.
CALLED = ("_run_beside_", "_written_beside_")
# Seconds that a loop, a call or an assignment may take. One that takes longer trains, mostly; a table is made in less.
LONGEST = 10


class TakesLong(Exception):
    """A statement was broken off."""


def run_statement(statement: ast.stmt, where: str, names: dict[str, Any], missing: list[str]) -> BaseException | None:
    """Run a statement; return what it raises. Modules that are not installed are added to `missing`."""
    code = compile(ast.Module([statement], []), where, "exec", dont_inherit=True)
    while True:
        with _limited(LONGEST if isinstance(statement, ast.Expr | ast.For | ast.While | ast.Assign) else 0):
            _, error = attempt(exec, code, names)
        if not stand_in_for(error):
            return error
        missing.append(error.name)  # type: ignore[union-attr]


def run_statements(
    body: list[ast.stmt], where: str, names: dict[str, Any], missing: list[str]
) -> tuple[list[tuple[int, str]], list[int]]:
    """Run what defines something. Return (the lines of what raises, with a text each; the lines of what defines nothing)."""
    raised, tests = [], []
    for statement in body:
        if not _defines(statement):
            tests += [] if isinstance(statement, ast.Pass) else [statement.lineno]
            continue
        error = run_statement(statement, where, names, missing)
        if error is not None:
            line = linecache.getline(where, statement.lineno).strip()
            raised.append((statement.lineno, f"left out: {line} ({type(error).__name__}: {error})"))
    return raised, tests


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Inside, what takes longer is broken off; where the system has no such timer, nothing is."""
    if not seconds or not hasattr(signal, "setitimer") or current_thread() is not main_thread():
        yield
        return

    def ends(*_: Any) -> None:
        raise TakesLong(f"it takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, ends)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _defines(statement: ast.stmt) -> bool:
    """Whether it is an import, a function, a class or a constant, or changes where imports are looked for."""
    if isinstance(statement, DEFINED):
        return True
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return all(_is_quick(node) for node in ast.walk(statement) if isinstance(node, ast.Call))
    if isinstance(statement, ast.Try):
        return all(_defines(part) or isinstance(part, ast.Pass) for part in statement.body)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = ast.unparse(statement.value.func)
        return called in CALLED or called.startswith("sys.path.")
    return False


def _is_quick(call: ast.Call) -> bool:
    """Whether it makes a constant: ``float("inf")``, ``np.sqrt(2)``, or reads a text."""
    called = ast.unparse(call.func)
    of_numpy = called.startswith(("np.", "numpy.", "math."))
    return called in MAKERS or called.startswith("open") or (of_numpy and "load" not in called)
