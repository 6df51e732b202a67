"""Arguments that are used as indices: one number, as ``W[word]``, or a list of them, as ``xs[t][inputs[t]]``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from .read_code import calls_of, code_of, inside


def indices_of(function: Callable, depth: int = 1) -> dict[str, str]:
    """Return "index", "one index" or "indices" for each argument that is used so, by a function or by what it calls."""
    code = code_of(function)
    if code is None:
        return {}
    arguments = {a.arg for a in code.args.posonlyargs + code.args.args + code.args.kwonlyargs}
    nodes = list(inside(code))
    same = {name: other for name, other in map(_same, nodes) if other in arguments}
    arguments |= {*same}
    of_list = dict(part for node in nodes for part in _taken_from(node))
    found: dict[str, str] = {}
    for called, handed in calls_of(function, nodes) if depth else ():
        inner = indices_of(called, depth - 1)
        found |= {name: inner[taken] for taken, name in handed.items() if taken in inner and name in arguments}
    for node in nodes:
        for part in _index_parts(node):
            name = _list_of(part) or (of_list.get(part.id, "") if isinstance(part, ast.Name) else "")
            if name in arguments:
                found[name] = "indices"
            elif isinstance(part, ast.Name) and part.id in arguments and part.id not in of_list:
                found.setdefault(part.id, "index")
    of_lists = {
        part.id
        for node in nodes
        if found.get(_list_of(node)) == "indices"
        for part in _index_parts(node)
        if isinstance(part, ast.Name)
    }
    found |= {name: "one index" for name in of_lists if found.get(name) == "index"}
    return {same.get(name, name): kind for name, kind in found.items()}


def _same(node: ast.AST) -> tuple[str, str]:
    """Return the two names of ``w = word``."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    names = isinstance(target, ast.Name) and isinstance(node.value, ast.Name)  # type: ignore[attr-defined]
    return (target.id, node.value.id) if names else ("", "")  # type: ignore[attr-defined, union-attr]


def _index_parts(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") not in ("c_", "r_"):  # np.c_[ones, x]
        for part in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            yield from part.elts if isinstance(part, ast.List) else [part]  # x[:, [i]]


def _list_of(node: ast.AST) -> str:
    """Return the name of the list in ``name[i]``; "" for anything else."""
    plain = isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and not isinstance(node.slice, ast.Slice)
    return node.value.id if plain else ""  # type: ignore[attr-defined]


def _taken_from(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name, list) for ``name = list[i]`` and ``for name in list``, also with enumerate and zip."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _list_of(node.value):
        yield node.targets[0].id, _list_of(node.value)
    if isinstance(node, ast.For | ast.comprehension):
        yield from _looped(node.target, node.iter)


def _looped(target: ast.expr, over: ast.expr) -> Iterator[tuple[str, str]]:
    if isinstance(over, ast.Name) and isinstance(target, ast.Name):
        yield target.id, over.id
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and isinstance(target, ast.Tuple):
        parts = target.elts[1:] if over.func.id == "enumerate" else target.elts if over.func.id == "zip" else []
        for part, of in zip(parts, over.args, strict=False):
            yield from _looped(part, of)
