"""The forward of a gradient that has none, as the file uses it: what it computes from the parameters just before.

So it is with ``compute_gradients(X, Y, probs)`` after ``probs = softmax(X @ W + b)``: in a training loop, or at module level.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import re
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from ..read.read_code import beside, multiplies, parsed
from .about import About, known_of
from .kinds import PARAMETERS, kind_of

# Words in the names of functions that make data, and no outputs.
MAKES_DATA = re.compile("load|batch|generat|make|sampl|shuffl|split|read|init|normal|encod|hot|augment|create|random", re.I)


def used_forward(backward: Callable) -> Callable | None:
    """Return a function of the data and the parameters, which returns what a gradient's caller computes for it; None if none.

    Where it is the result of one call it is no news.
    """
    known, nodes = getattr(backward, "__globals__", {}), ast.walk(parsed(beside(backward)) or ast.Pass())
    blocks = [block for node in nodes for block in (getattr(node, "body", 0), getattr(node, "orelse", 0)) if block]
    for block in [block for block in blocks if isinstance(block, list)]:
        for i, statement in enumerate(block):
            calls = _calls(statement, backward.__name__) if not hasattr(statement, "body") else []
            made = _made(calls[0], block[:i], backward, known) if calls else None
            if made:
                return made
    return None


def _calls(statement: ast.AST, name: str) -> list[ast.Call]:
    return [n for n in ast.walk(statement) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == name]


def _made(call: ast.Call, before: list[ast.stmt], backward: Callable, known: dict[str, Any]) -> Callable | None:
    """Return the function that makes the arguments of a call, of the statements before it."""
    handed = [*zip(inspect.signature(backward).parameters, call.args, strict=False)]
    handed += [(k.arg, k.value) for k in call.keywords if k.arg]
    title = {value.id: name for name, value in handed if isinstance(value, ast.Name)}
    inline = [(name, value) for name, value in handed if not isinstance(value, ast.Name) and _computes(value, known)]
    needed = {*title, *(n for _, value in inline for n in _names(value, known))}
    body = [(name, value) for name, value in inline]
    for statement in [s for s in before[::-1] if isinstance(s, ast.Assign)]:
        targets = {n.id for e in statement.targets for n in ast.walk(e) if isinstance(n, ast.Name)}
        if targets & needed and _computes(statement.value, known):
            body.insert(0, (ast.unparse(statement.targets[0]), statement.value))
            needed = (needed - targets) | {*_names(statement.value, known)}
    made = {word for target, _ in body for word in re.findall(r"\w+", target)}
    free = dict.fromkeys(n for _, value in body for n in _names(value, known) if n not in made)
    results = [name for name, value in handed if name in dict(inline) or getattr(value, "id", "") in made]
    one = body[0][1] if len(body) == 1 else None
    alone = isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and not any(_computes(e, known) for e in one.args)
    if not results or not free or alone:
        return None
    lines = [f"{target} = {ast.unparse(value)}" for target, value in body] + [f"return {', '.join(results)}"]
    return _compiled([*free], lines, title, backward)


def _compiled(free: list[str], lines: list[str], title: dict[str, str], backward: Callable) -> Callable:
    """Return a function of these lines, in the file, with the names that backward has for what it is given."""

    def renamed(text: str) -> str:
        return re.sub(r"(?<![\w.])[^\W\d]\w*(?!\w)", lambda word: title.get(word[0], word[0]), text)

    text = renamed(f"def forward({', '.join(free)}):\n    " + "\n    ".join(lines) + "\n")
    file = f"<as {backward.__code__.co_filename} uses {backward.__name__}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    made: dict[str, Any] = {}
    exec(compile(text, file, "exec"), made)
    function = FunctionType(made["forward"].__code__, backward.__globals__, "forward")
    return known_of(function, About(renamed("; ".join(lines[:-1]))))


def _computes(value: ast.expr, known: dict[str, Any]) -> bool:
    """Whether an expression has a product of matrices, or calls functions of the file that make no data."""
    nodes = list(ast.walk(value))
    called = [n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    own = [name for name in called if inspect.isfunction(known.get(name))]
    return bool(own or multiplies(value)) and not any(MAKES_DATA.search(name) for name in own)


def _names(value: ast.expr, known: dict[str, Any]) -> Iterator[str]:
    """Yield the names that an expression reads, but for functions, modules, and numbers that are no parameters."""
    for node in ast.walk(value):
        if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
            there = known.get(node.id)
            if there is None or isinstance(there, np.ndarray) or kind_of(node.id) in PARAMETERS:
                yield node.id
