"""An activation's backward that deletes the entry of a bias from what it is given: ``np.delete(dz, 0)``, ``dz[:, 1:]``.

Its forward, or what is between them, has put a one there; the backward is given an entry more.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from ..read.read_code import arguments_of, nodes_of, parameters

FIRST = {"1:": 0, "1:, :": 0, ":, 1:": 1}  # the axis along which an index leaves out the first entry


def with_entry(backward: Callable) -> Callable:
    """Return a backward that gets an entry more in what it deletes the first of; the same one where it deletes none.

    It deletes it from all that it reads of it, and from two arguments or from its only one beside a cache: theta[1:] of a
    penalty is no such thing.
    """
    axes = _deleted(backward)
    needed = [p.name for p in parameters(backward) if p.default is p.empty]
    if len(axes) != len(needed) or len(axes) < 2:
        return backward

    @wraps(backward)
    def given_more(*arguments: Any, **named: Any) -> Any:
        bound = inspect.signature(backward).bind(*arguments, **named)
        for name, axis in axes.items():
            x = np.asarray(bound.arguments[name])
            if axis is None and x.ndim != 1:
                raise ValueError("np.delete without an axis is for a vector")
            bound.arguments[name] = np.insert(x, 0, 1.0, axis or 0)
        return backward(*bound.args, **bound.kwargs)

    return given_more


def _deleted(backward: Callable) -> dict[str, int | None]:
    """Return the arguments whose first entry is left out wherever they are read, and the axis."""
    names, nodes = arguments_of(backward), nodes_of(backward)
    read = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    found = [(_base(node), _axis(node)) for node in nodes]
    axes = {name: axis for name, axis in found if name in names and axis != -1}
    return {name: axis for name, axis in axes.items() if sum(n == name for n, _ in found if n) == read.count(name)}


def _base(node: ast.AST) -> str:
    """Return the name of what an expression leaves the first entry of out; "" for anything else."""
    whole = node.value if isinstance(node, ast.Subscript) else None
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.delete", "numpy.delete") and len(node.args) > 1:
        whole = node.args[0] if ast.unparse(node.args[1]) == "0" else None
    elif whole is not None and ast.unparse(node.slice).strip("()") not in FIRST:  # type: ignore[attr-defined]
        whole = None
    return whole.id if isinstance(whole, ast.Name) else ""


def _axis(node: ast.AST) -> int | None:
    if isinstance(node, ast.Subscript):
        return FIRST.get(ast.unparse(node.slice).strip("()"), -1)
    given = [*getattr(node, "args", ())[2:], *(k.value for k in getattr(node, "keywords", ()) if k.arg == "axis")]
    return given[0].value if given and isinstance(given[0], ast.Constant) else None  # type: ignore[return-value]
