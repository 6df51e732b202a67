"""Arguments that hold several parameters: a dict that is read as params["W1"], ``W, b = params``, ``for W, b in layers``;

and a vector of all, as in ``theta1 = np.reshape(params[:h * (n + 1)], (h, n + 1))``, with the sizes beside it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..functions.kinds import PARAMETERS, kind_of
from .read_code import arguments_of, followed, nodes_of, parameters, prefixes_of

DEPTH = 3  # calls that an argument is followed into: a network's pass, a layer's, a step's
LAYERS = 3  # of a network whose parameters are W1, b1, W2 ... up to any number: the fewest that have one that is in between
DICTS = ("params", "parameters", "weights")  # names of arguments that are dicts of parameters, whatever these are called
LISTS = ("weights", "biases", "ws", "bs", "thetas")  # names of arguments that are lists where they are read by a number

# What an argument is the size of, by its name: of x, of the layer between, or of the output and its targets.
SIZES = {
    "features": re.compile("input|feature|^(n|num|d)_?(x|in|feat|inputs?)$|^(d|in)_(in|dim|size)$", re.I),
    "rows": re.compile("movies|rows|items|samples|examples", re.I),
    "hidden": re.compile("hidden|^(n|num)_?h$", re.I),
    "classes": re.compile("label|class|vocab|output|users|cols|columns|^(n|num)_?(y|out)$", re.I),
}
NO_FIT = re.compile(r"cannot reshape array of size (\d+) into shape \(([\d,]+)\)")


@dataclass(frozen=True)
class Packed:
    """The names of the parameters in an argument, and what it is: a dict, an object, a tuple, a list, or a list of tuples."""

    names: tuple[str, ...]
    form: str = "dict"
    each: int = 1  # the parameters of a layer

    def build(self, given: dict[str, Any]) -> Any:
        """Return the argument, of these parameters."""
        values = [given[name] for name in self.names]
        if self.form in ("dict", "object"):
            entries = dict(zip(self.names, values, strict=True))
            return entries if self.form == "dict" else SimpleNamespace(**entries)
        if self.form == "layers":
            return [tuple(values[i : i + self.each]) for i in range(0, len(values), self.each)]
        # A list in place of a tuple too, where forward does not ask for one: a backward may change its entries.
        return tuple(values) if self.form == "tuple only" else values


def packed_of(function: Callable) -> dict[str, Packed]:
    """Return the arguments that hold parameters, judged by how they are read, here or in what is called."""
    found, arguments = {}, arguments_of(function)
    for name in arguments:
        read = [part for code, here in followed(function, name, DEPTH) for part in _read(code, here)]
        form, each, _ = read[0] if read else ("", 1, "")
        keys = tuple(dict.fromkeys(key for other, _, key in read if other == form and key not in arguments))
        known = any(kind_of(part) in PARAMETERS for key in keys for part in (key, key.rpartition("_")[2]))  # W_f, attn_Wq
        if (known and "class" not in name) or (
            name in DICTS and form == "dict" and any(key[:1] in "WwVvUu" for key in keys)
        ):  # W_att
            found[name] = Packed(keys, form, each)
    return found


def _read(function: Callable, name: str) -> Iterator[tuple[str, int, str]]:
    """Yield (form, number of parameters of a layer, key) for each parameter that is read of an argument."""
    nodes = nodes_of(function)
    words: dict[str, list[ast.expr]] = {}
    prefixes = prefixes_of(function)
    for node in nodes:  # for key in ("W1", "b1")
        if isinstance(node, ast.comprehension | ast.For) and isinstance(node.target, ast.Name):
            words[node.target.id] = node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List) else []
    yield from (("list", 1, f"{name[0]}{number + 1}") for number in _numbers_read(nodes, name))
    for node in nodes:
        if isinstance(node, ast.comprehension | ast.For):
            yield from _looped(node.target, node.iter, name)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == name != "self":  # params.W
            own = [n for n in nodes if isinstance(n, ast.Attribute) and n.attr == node.attr and isinstance(n.ctx, ast.Store)]
            yield from [("object", 1, node.attr)] if not own and not hasattr(np.ndarray, node.attr) else []
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == name:
            parts = [e for target in node.targets if isinstance(target, ast.Tuple) for e in target.elts]
            yield from (("tuple", 1, e.id) for e in parts if isinstance(e, ast.Name))
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
            told = words.get(node.slice.id, []) if isinstance(node.slice, ast.Name) else [node.slice]
            yield from (("dict", 1, key) for part in told for key in _key(part, prefixes))
            if name.lower() in LISTS and not isinstance(node.slice, ast.Slice | ast.Tuple):
                yield from (("list", 1, f"{name[0]}{layer}") for layer in range(1, LAYERS + 1))


def _numbers_read(nodes: list[ast.AST], name: str) -> list[int]:
    """Return 0, 1 ... of the layers whose parameters are read as W[0], W[1] ..., where such are factors of matrix products.

    Then b[0], b[1] beside them are those of biases; of a vector these are elements.
    """
    read: dict[str, set[int]] = {}
    for node in nodes:
        number = getattr(node.slice, "value", None) if isinstance(node, ast.Subscript) else None
        if isinstance(number, int) and isinstance(node.value, ast.Name):  # type: ignore[attr-defined]
            read.setdefault(node.value.id, set()).add(number)  # type: ignore[attr-defined]
    products = [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult)]
    calls = [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "attr", "") in ("dot", "matmul")]
    factors = [part for n in products for part in (n.left, n.right)] + [part for n in calls for part in n.args]
    owners = {ast.unparse(part).removesuffix(".T").removesuffix("[0]") for part in factors}
    numbers = read.get(name, set())
    lists = {other for other in owners & read.keys() if read[other] == numbers}
    whole = len(numbers) > 1 and numbers == {*range(len(numbers))}
    return sorted(numbers) if whole and lists and kind_of(name) in PARAMETERS else []


def _looped(target: ast.expr, over: ast.expr, name: str) -> Iterator[tuple[str, int, str]]:
    """Yield what a loop reads: ``for W, b in layers``, or ``for W, b in zip(weights, biases)``."""
    while isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id in ("enumerate", "reversed", "list"):
        target = target.elts[-1] if over.func.id == "enumerate" and isinstance(target, ast.Tuple) else target
        over = over.args[0]
    while isinstance(over, ast.Subscript) and isinstance(over.slice, ast.Slice):  # params[:-1], without the last layer
        over = over.value
    parts = [e.id for e in getattr(target, "elts", []) if isinstance(e, ast.Name)]
    if isinstance(over, ast.Name) and over.id == name:
        layers = range(1, LAYERS + 1) if len(parts) == 2 else [""]  # W1, b1, W2, b2 are two layers already
        yield from (("layers", len(parts), f"{part}{layer}") for layer in layers for part in parts)
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "zip":
        zipped = [e.id if isinstance(e, ast.Name) else "" for e in over.args]
        data = any(kind_of(other) in ("x", "target") for other in zipped)  # zip(y_true, y_pred)
        if name in zipped and len(parts) == len(zipped) and not data:
            yield from (("list", 1, f"{parts[zipped.index(name)]}{layer}") for layer in range(1, LAYERS + 1))


def _key(node: ast.expr, prefixes: dict[str, str]) -> Iterator[str]:
    """Yield the key; W1, W2 ... of ``"W" + str(layer)``, and attn_Wq of ``f"{prefix}_Wq"`` where prefix is attn by default."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        node = ast.BinOp(node.func.value, ast.Mod(), node.args[0])  # "W{}".format(layer), as "W%d" % layer
    parts = node.values if isinstance(node, ast.JoinedStr) else [node.left] if isinstance(node, ast.BinOp) else [node]
    inner = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
    said = [prefixes.get(getattr(part, "id", ""), getattr(part, "value", None)) for part in inner]
    if all(isinstance(word, str) for word in said) and not isinstance(node, ast.BinOp):
        yield "".join(map(str, said))
    elif isinstance(said[0], str):
        yield from (f"{re.split('[%{]', said[0])[0]}{layer}" for layer in range(1, LAYERS + 1))


def size_named(name: str) -> str:
    """Return what a number is the size of, by its name: "hidden" of hidden_layer_size; "" for none."""
    return next((what for what, names in SIZES.items() if names.search(name)), "")


def rolled_of(function: Callable) -> list[str]:
    """Return the arguments parts of which are reshaped, here or in what is called."""
    names = [p.name for p in parameters(function)]
    return [name for name in names if any(here in _cut(code) for code, here in followed(function, name, 1))]


def _cut(function: Callable) -> set[str]:
    """Return the names of which parts are reshaped: params of ``np.reshape(params[:n], (h, n))``."""
    calls = [node for node in nodes_of(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    reshaped = [e for call in calls if call.func.attr == "reshape" for e in (call.func.value, *call.args[:1])]  # type: ignore[attr-defined]
    parts = [part for e in reshaped for part in ast.walk(e) if isinstance(part, ast.Subscript)]
    return {part.value.id for part in parts if isinstance(part.slice, ast.Slice) and isinstance(part.value, ast.Name)}


def length_wanted(error: BaseException, length: int) -> int | None:
    """Return the length with which the part that did not fit its shape fits; None for another error."""
    said = NO_FIT.search(str(error))
    return length + prod(map(int, said[2].strip(",").split(","))) - int(said[1]) if said else None
