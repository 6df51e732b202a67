"""Parameters rolled into one vector, as ``theta1 = np.reshape(params[:h * (n + 1)], (h, n + 1))``, and the sizes beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from math import prod

from .read_code import calls_of, code_of

# What an argument is the size of, by its name: of x, of the layer between, or of the output and its targets.
SIZES = {
    "features": re.compile("input|feature|^(n|num|d)_?(x|in|feat|inputs?)$|^(d|in)_(in|dim|size)$", re.I),
    "rows": re.compile("movies|rows|items|samples|examples", re.I),
    "hidden": re.compile("hidden|^(n|num)_?h$", re.I),
    "classes": re.compile("label|class|vocab|output|users|cols|columns|^(n|num)_?(y|out)$", re.I),
}
NO_FIT = re.compile(r"cannot reshape array of size (\d+) into shape \(([\d,]+)\)")


def size_named(name: str) -> str:
    """Return what a number is the size of, by its name: "hidden" of hidden_layer_size; "" for none."""
    return next((what for what, names in SIZES.items() if names.search(name)), "")


def rolled_of(function: Callable, depth: int = 1) -> list[str]:
    """Return the arguments parts of which are reshaped, here or in what is called."""
    code = code_of(function)
    found = []
    for node in ast.walk(code) if code else ():
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr == "reshape":
            parts = [part for e in (node.func.value, *node.args[:1]) for part in ast.walk(e)]
            found += [name for part in parts if (name := _sliced(part))]
    for called, handed in calls_of(function, ast.walk(code)) if code and depth else ():
        inner = rolled_of(called, depth - 1)
        found += [name for taken, name in handed.items() if taken in inner]
    arguments = [a.arg for a in code.args.args] if code else []
    return [name for name in arguments if name in found]


def _sliced(node: ast.AST) -> str:
    sliced = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and isinstance(node.value, ast.Name)
    return node.value.id if sliced else ""  # type: ignore[attr-defined]


def length_wanted(error: BaseException, length: int) -> int | None:
    """Return the length with which the part that did not fit its shape fits; None for another error."""
    said = NO_FIT.search(str(error))
    return length + prod(map(int, said[2].strip(",").split(","))) - int(said[1]) if said else None
