"""Arguments that hold several parameters: a dict that is read as params["W1"], ``W, b = params``, ``for W, b in layers``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..functions.kinds import PARAMETERS, kind_of
from .read_code import calls_of, code_of, inside

DEPTH = 3  # calls that an argument is followed into: a network's pass, a layer's, a step's
LAYERS = 2  # of a network whose parameters are W1, b1, W2 ... up to any number: the fewest that have a layer before another
LISTS = ("weights", "biases", "ws", "bs", "thetas")  # names of arguments that are lists where they are read by a number


@dataclass(frozen=True)
class Packed:
    """The names of the parameters in an argument, and what it is: a dict, a tuple, a list, or a list with a tuple per layer."""

    names: tuple[str, ...]
    form: str = "dict"
    each: int = 1  # the parameters of a layer

    def build(self, given: dict[str, Any]) -> Any:
        """Return the argument, of these parameters."""
        values = [given[name] for name in self.names]
        if self.form == "dict":
            return dict(zip(self.names, values, strict=True))
        if self.form == "layers":
            return [tuple(values[i : i + self.each]) for i in range(0, len(values), self.each)]
        return tuple(values) if self.form == "tuple" else values


def packed_of(function: Callable) -> dict[str, Packed]:
    """Return the arguments that hold parameters, judged by how they are read, here or in what is called."""
    code = code_of(function)
    if code is None:
        return {}
    arguments = [a.arg for a in code.args.posonlyargs + code.args.args + code.args.kwonlyargs]
    found = {}
    for name in arguments:
        read = list(_read(function, name, DEPTH))
        form, each, _ = read[0] if read else ("", 1, "")
        keys = tuple(dict.fromkeys(key for other, _, key in read if other == form and key not in arguments))
        if any(kind_of(key) in PARAMETERS for key in keys):
            found[name] = Packed(keys, form, each)
    return found


def _read(function: Callable, name: str, depth: int) -> Iterator[tuple[str, int, str]]:
    """Yield (form, number of parameters of a layer, key) for each parameter that is read of an argument."""
    code = code_of(function)
    nodes = list(inside(code)) if code else []
    words: dict[str, list[ast.expr]] = {}
    for node in nodes:  # for key in ("W1", "b1")
        if isinstance(node, ast.comprehension | ast.For) and isinstance(node.target, ast.Name):
            words[node.target.id] = node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List) else []
    for node in nodes:
        if isinstance(node, ast.comprehension | ast.For):
            yield from _looped(node.target, node.iter, name)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == name:
            parts = [e for target in node.targets if isinstance(target, ast.Tuple) for e in target.elts]
            yield from (("tuple", 1, e.id) for e in parts if isinstance(e, ast.Name))
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
            told = words.get(node.slice.id, []) if isinstance(node.slice, ast.Name) else [node.slice]
            yield from (("dict", 1, key) for part in told for key in _key(part))
            if name.lower() in LISTS and not isinstance(node.slice, ast.Slice | ast.Tuple):
                yield from (("list", 1, f"{name[0]}{layer}") for layer in range(1, LAYERS + 1))
    for called, handed in calls_of(function, nodes) if depth else ():
        for argument in [argument for argument, value in handed.items() if value == name]:
            yield from _read(called, argument, depth - 1)


def _looped(target: ast.expr, over: ast.expr, name: str) -> Iterator[tuple[str, int, str]]:
    """Yield what a loop reads: ``for W, b in layers``, or ``for W, b in zip(weights, biases)``."""
    while isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in ("enumerate", "reversed", "list"):
        target = target.elts[-1] if over.func.id == "enumerate" and isinstance(target, ast.Tuple) else target
        over = over.args[0]
    parts = [e.id for e in getattr(target, "elts", []) if isinstance(e, ast.Name)]
    if isinstance(over, ast.Name) and over.id == name:
        layers = range(1, LAYERS + 1) if len(parts) == LAYERS else [""]  # of W1, b1, W2, b2 one pair is two layers already
        yield from (("layers", len(parts), f"{part}{layer}") for layer in layers for part in parts)
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "zip":
        zipped = [e.id if isinstance(e, ast.Name) else "" for e in over.args]
        data = any(kind_of(other) in ("x", "target") for other in zipped)  # zip(y_true, y_pred)
        if name in zipped and len(parts) == len(zipped) and not data:
            yield from (("list", 1, f"{parts[zipped.index(name)]}{layer}") for layer in range(1, LAYERS + 1))


def _key(node: ast.expr) -> Iterator[str]:
    start = node.left if isinstance(node, ast.BinOp) else node.values[0] if isinstance(node, ast.JoinedStr) else None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(start, ast.Constant) and isinstance(start.value, str):
        yield from (f"{start.value}{layer}" for layer in range(1, LAYERS + 1))
