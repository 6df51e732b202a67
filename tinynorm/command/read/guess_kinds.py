"""Guess what an argument is whose name tells nothing, by its use in the code and its place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from inspect import unwrap
from typing import Any, TypeGuard

import numpy as np

from .read_code import calls_of, code_of, inside

ACTIVATIONS = ("relu", "sigmoid")  # one of them is what `else` is for, where the code names one only


def guess(function: Callable, name: str, place: int) -> str:
    """Return the kind of an argument: "x" for the first, "one of relu | tanh" for a word, "function", any array or number.

    It is "nothing" where the code does not use it, and "object" where the code calls a method of it that arrays do not have.
    """
    words, code = words_meant(function, name), code_of(function)
    if words:
        return f"one of {' | '.join(words)}"
    if any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in inside(code or ast.Pass())
    ):
        return "function"
    methods = _methods(function, name)
    if code is not None and methods is None:
        return "nothing"
    if methods and not any(hasattr(np.ndarray, method) for method in methods):
        return "object"
    return "x" if place == 0 else f"any {name}"


def _methods(function: Callable, name: str, depth: int = 2) -> set[str] | None:
    """Return what is taken of an argument as ``name.method``, here or in what is called; None where it is not used at all."""
    nodes = list(ast.walk(code_of(function) or ast.Pass()))
    if not any(isinstance(node, ast.Name) and node.id == name for node in nodes):
        return None
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == name}
    for called, handed in calls_of(function, nodes) if depth else ():
        for taken in [taken for taken, value in handed.items() if value == name]:
            found |= _methods(called, taken, depth - 1) or set()
    return found


def words_compared(function: Callable, name: str = "") -> list[str]:
    """Return the words that a function compares an argument with, or anything: relu, tanh of ``if activation == "relu"``."""
    nodes = inside(code_of(function) or ast.Pass())
    return list(dict.fromkeys(word for node in nodes for word in _words(node, name)))


def words_meant(function: Callable, name: str) -> list[str]:
    """Return these words; of an activation where there is one only, with what `else` is for too."""
    found = [*words_compared(function, name), *_keys_taken(function, name)]
    names = {node.id for node in inside(code_of(function) or ast.Pass()) if isinstance(node, ast.Name)}
    if len(found) != 1 or "act" not in name or "softmax" in names:
        return found
    return list(dict.fromkeys([*found, *ACTIVATIONS]))


def _keys_taken(function: Callable, name: str) -> Iterator[str]:
    """Yield the words that an argument chooses from a table of the file: relu, tanh of ``ACTIVATIONS[activation]``."""
    known = getattr(unwrap(function), "__globals__", {})
    for node in inside(code_of(function) or ast.Pass()):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and getattr(node.slice, "id", "") == name:
            table = known.get(node.value.id)
            yield from (key for key in (table if isinstance(table, dict) else {}) if isinstance(key, str))


def _words(node: ast.AST, name: str) -> Iterator[str]:
    if isinstance(node, ast.Compare) and _is(node.left, name):
        yield from (e.value for other in node.comparators for e in ast.walk(other) if _is_word(e))
    if isinstance(node, ast.Match) and _is(node.subject, name):
        yield from (e.value for case in node.cases for e in ast.walk(case.pattern) if _is_word(e))


def _is(node: ast.AST, name: str) -> bool:
    """Whether an expression is the name, or name.lower(); "" for any."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return not name or (isinstance(node, ast.Name) and node.id == name)


def _is_word(node: ast.AST) -> TypeGuard[Any]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
