"""Guess what an argument is whose name tells nothing, by its use in the code and its place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

from .read_code import code_of, inside

ACTIVATIONS = ("relu", "sigmoid")  # one of them is what `else` is for, where the code names one only


def guess(function: Callable, name: str, place: int) -> str:
    """Return the kind of an argument: "x" for the first, "one of relu | tanh" for a word, "function", any array or number."""
    words, code = words_meant(function, name), code_of(function)
    if words:
        return f"one of {' | '.join(words)}"
    if any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in inside(code or ast.Pass())
    ):
        return "function"
    return "x" if place == 0 else f"any {name}"


def words_compared(function: Callable, name: str = "") -> list[str]:
    """Return the words that a function compares an argument with, or anything: relu, tanh of ``if activation == "relu"``."""
    nodes = inside(code_of(function) or ast.Pass())
    return list(dict.fromkeys(word for node in nodes for word in _words(node, name)))


def words_meant(function: Callable, name: str) -> list[str]:
    """Return these words; of an activation where there is one only, with what `else` is for too."""
    found = words_compared(function, name)
    names = {node.id for node in inside(code_of(function) or ast.Pass()) if isinstance(node, ast.Name)}
    if len(found) != 1 or "act" not in name or "softmax" in names:
        return found
    return list(dict.fromkeys([*found, *ACTIVATIONS]))


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
