"""Run the statements of a file one after the other, so that one that raises, or takes long, can be left out."""

from __future__ import annotations
import __future__ as future

import ast
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from threading import current_thread, main_thread
from typing import Any

import numpy as np

from ..run_code import attempt
from ..unfinished import LEFT_OUT
from .old_ways import OneNumber
from .stand_ins import ONE_NUMBER, one_number, stand_in_for

DEFINED = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SETTING = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.With, ast.Try)
# Calls that a constant may be made of; any other may be a long computation, or a test.
MAKERS = ["bool", "dict", "enumerate", "float", "int", "len", "list", "range", "set", "sorted", "str", "tuple", "zip"]
# What a notebook calls beside its definitions.
CALLED = ("_run_beside_", "_written_beside_")
# Seconds that a loop, a call or an assignment may take. One that takes longer trains, mostly; a table is made in less.
LONGEST = 10


class TakesLong(Exception):
    """A statement was broken off."""


def run_statements(
    body: list[ast.stmt], where: str, names: dict[str, Any], missing: list[str], definitions_only: bool = False
) -> Iterator[tuple[ast.stmt, BaseException | None]]:
    """Run statements. Yield each that raises, with its exception, and each that is left out, as it defines nothing, with None.

    After one that raises and should have defined something, only definitions are run. Modules that are not installed are
    added to `missing`.
    """
    for statement in body:
        if definitions_only and not _defines(statement):
            yield statement, None
            continue
        error = _run(statement, where, names, missing)
        if error is not None and not _taken_from_twin(statement, where, names):
            yield statement, error
            definitions_only = definitions_only or isinstance(statement, SETTING)


def _run(statement: ast.stmt, where: str, names: dict[str, Any], missing: list[str]) -> BaseException | None:
    names.setdefault(ONE_NUMBER, one_number)
    module, flags = ast.Module([OneNumber().visit(deepcopy(statement))], []), 0
    while True:
        with _limited(LONGEST if isinstance(statement, ast.Expr | ast.For | ast.While | ast.Assign) else 0):
            _, error = attempt(exec, compile(module, where, "exec", flags, dont_inherit=True), names)
        if isinstance(error, NameError) and isinstance(statement, DEFINED) and not flags:
            flags = future.annotations.compiler_flag  # it may stand in an annotation: of __future__, and of Python from 3.14
            continue
        stood_for = stand_in_for(error)
        if not stood_for:
            return error
        missing.append(stood_for)
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            names.setdefault("np", np)  # as from a course's layers
            names.setdefault(LEFT_OUT, {})["*"] = f"which may come from {stood_for}; that is neither installed nor beside it"


def _taken_from_twin(statement: ast.stmt, where: str, names: dict[str, Any]) -> bool:
    """Take a class that may be made only once, as one of a registry, from the module of this file that its package imports."""
    twins = [m for m in list(sys.modules.values()) if getattr(m, "__file__", "") == where and vars(m) is not names]
    if not isinstance(statement, ast.ClassDef) or not twins or not hasattr(twins[0], statement.name):
        return False
    names[statement.name] = found = getattr(twins[0], statement.name)
    found.__module__ = names["__name__"]
    return True


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
