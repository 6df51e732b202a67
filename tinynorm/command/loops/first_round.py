"""The statements of the first round of a loop that trains, with the data in place of an element or a batch of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ..functions.kinds import kind_of
from .scope import Scope
from .statements import read_by, set_by, step_in, written_by

OTHERS = (ast.FunctionDef, ast.ClassDef)
BLOCKS = (ast.For, ast.While, ast.With, ast.If, ast.Try)
KEPT = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, *BLOCKS)


class Replaced(ast.NodeTransformer):
    """Puts expressions in place of names."""

    def __init__(self, handed: dict[str, ast.expr]) -> None:
        self.handed = handed

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return deepcopy(self.handed.get(node.id, node))


class Unrolled(ast.NodeTransformer):
    """Writes a loop over what stands there, ``for p, g in zip((W, b), (dW, db))``, as one block after the other."""

    def visit_For(self, node: ast.For) -> Any:
        self.generic_visit(node)
        zipped = isinstance(node.iter, ast.Call) and ast.unparse(node.iter.func) == "zip"
        lists = [x.elts for x in node.iter.args if isinstance(x, ast.List | ast.Tuple)] if zipped else []  # type: ignore[attr-defined]
        names = [e.id for e in getattr(node.target, "elts", []) if isinstance(e, ast.Name)]
        if not lists or len(lists) != len(names) or len(lists) != len(node.iter.args):  # type: ignore[attr-defined]
            return node
        rounds = [dict(zip(names, values, strict=True)) for values in zip(*lists, strict=False)]
        return [Replaced(handed).visit(deepcopy(item)) for handed in rounds for item in node.body]


def unrolled(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements anew, with their lines in their order, and such loops unrolled."""
    module = Unrolled().visit(ast.Module(deepcopy(body), []))
    return ast.parse(ast.unparse(ast.fix_missing_locations(module))).body


def without_bias_in(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements with two parameters in the place of one whose first or last element is the bias: w[1:] and w[0]."""
    nodes = [node for item in body for node in ast.walk(item)]
    owned = [n for n in nodes if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)]
    read = [(n, ast.unparse(n.value), ast.unparse(n).partition("[")[2]) for n in owned]
    names = [n.id for item in body if not isinstance(item, ast.Return) for n in ast.walk(item) if isinstance(n, ast.Name)]
    begins = [name for node in nodes if isinstance(node, ast.Assign) for name in set_by(node)]
    for rest, one in (("1:]", "0]"), (":-1]", "-1]")):
        for name in {owner for _, owner, part in read if part == rest}:
            parts = [part for _, owner, part in read if owner == name]
            if {*parts} == {rest, one} and names.count(name) == len(parts) + begins.count(name) and "bias" not in names:
                kept = {id(n): name if part == rest else "bias" for n, owner, part in read if owner == name}
                return [ast.parse("bias = 0.0").body[0], *map(_Renamed(kept).visit, body)]
    return body


@dataclass
class _Renamed(ast.NodeTransformer):
    """Put names in the place of elements."""

    names: dict[int, str]

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        name = self.names.get(id(node))
        return ast.copy_location(ast.Name(name, node.ctx), node) if name else self.generic_visit(node)


def learned_in(body: list[ast.stmt]) -> set[str]:
    """Return the names from which something is subtracted, or to which it is added, after they were read.

    A loop that sets a name anew sums something up in it, or counts.
    """
    found, read = set[str](), set[str]()
    for outer in body:
        nodes = [node for node in ast.walk(outer) if isinstance(node, ast.stmt) and not isinstance(node, OTHERS)]
        plain = sorted((node for node in nodes if not isinstance(node, BLOCKS)), key=lambda node: node.lineno)
        loops = isinstance(outer, ast.For | ast.While)
        anew = {n for node in plain if loops and not step_in(node) for n in set_by(node)}
        for node in plain:
            step = step_in(node)
            moves = step is not None and bool(read_by(step.value) - {step.name, "np"})  # X -= X.mean(axis=0) is no step
            found |= ({step.name} & (read | read_by(step.value))) - anew if step and moves else set()
            read |= read_by(node) - {step.name if step else ""}
    return found


def first_round(body: list[ast.stmt], learned: set[str]) -> Iterator[ast.stmt]:
    """Yield the statements that run until the parameters are changed once; tuples are taken apart."""
    for statement in body:
        steps = any(
            step and step.name in learned for step in map(step_in, (n for n in ast.walk(statement) if isinstance(n, ast.stmt)))
        )
        if isinstance(statement, BLOCKS) and steps:
            if isinstance(statement, ast.For):
                yield from _assigned(statement.target, statement.iter, True)
            yield from first_round(statement.body, learned)
        elif isinstance(statement, ast.Assign):
            yield from _assigned(statement.targets[0], statement.value, False)
        elif isinstance(statement, KEPT):
            yield statement


def _assigned(target: ast.expr, value: ast.expr, first: bool) -> Iterator[ast.stmt]:
    """Yield assignments of a value, or of its first element, to a target: each of a tuple alone."""
    called = ast.unparse(value.func) if first and isinstance(value, ast.Call) else ""
    batches = isinstance(target, ast.Tuple) and called not in ("", "enumerate", "range")  # for xb, yb in batches(X, y, 32)
    values = getattr(value, "args", [])[: len(target.elts)] if batches else getattr(value, "elts", [])  # type: ignore[attr-defined]
    if called == "enumerate" and isinstance(target, ast.Tuple) and isinstance(value, ast.Call):
        yield from _assigned(target.elts[0], ast.Constant(0), False)
        yield from _assigned(target.elts[1], value.args[0], True)
    elif isinstance(target, ast.Tuple) and len(target.elts) == len(values):
        for one, part in zip(target.elts, values, strict=True):
            yield from _assigned(one, part, first)
    elif called == "range" and isinstance(value, ast.Call):
        yield from _assigned(target, value.args[0] if len(value.args) > 1 else ast.Constant(0), False)
    else:
        text = ast.unparse(value)
        yield ast.parse(f"{ast.unparse(target)} = {f'next(iter({text}))' if first else text}").body[0]


def without_elements(items: list[ast.stmt], scope: Scope, learned: set[str]) -> list[ast.stmt]:
    """Return the statements without those that take an element, or a batch, of the data: these are the data themselves.

    So are X[i] and y[:, i] where i is the number of a round.
    """
    rounds = {n for item in items for n in set_by(item) if isinstance(getattr(item, "value", None), ast.Constant)}
    owners, kept, parts = dict[str, str](), list[ast.stmt](), list[tuple[str, set[str]]]()
    for item in items:
        for node in ast.walk(item):
            for field, value in ast.iter_fields(node):
                base = value.value if isinstance(value, ast.Subscript) and field != "targets" else None
                inline = isinstance(base, ast.Name) and base.id not in learned and scope.is_data(base.id)
                if inline and read_by(value.slice) & rounds:
                    setattr(node, field, base)
        owner = _element_of(item.value) if isinstance(item, ast.Assign) else ""
        if owner and owner not in learned and scope.is_data(owner) and not written_by(item) & {owner, *learned}:
            scope.given |= dict.fromkeys(written_by(item))
            parts.append((owner, written_by(item)))
        else:
            kept.append(item)
    for owner, names in parts:
        if (
            len(names) == 1 and sum(other == owner for other, _ in parts) == 1
        ):  # a batch of X is X, the columns of a table are not
            owners |= dict.fromkeys(names, owner)
    for name, owner in owners.items():
        while owner in owners:
            owner = owners[owner]
        old, new = (name, owner) if kind_of(owner) or not kind_of(name) else (owner, name)
        for node in [n for item in kept for n in ast.walk(item) if isinstance(n, ast.Name) and n.id == old]:
            node.id = new
    return kept


def _element_of(value: ast.expr) -> str:
    """Return the name of which a value is an element, or a part, or the same."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) in ("next", "iter"):
        return _element_of(value.args[0])
    if isinstance(value, ast.Subscript):
        return _element_of(value.value)
    return value.id if isinstance(value, ast.Name) else ""
