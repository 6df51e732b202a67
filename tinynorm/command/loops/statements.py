"""What a statement reads and sets, and whether it is a step of gradient descent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..read.read_code import title


@dataclass
class Step:
    """A statement that subtracts a gradient from a parameter, or adds it: W -= lr * dW, W = W - lr * dW."""

    name: str
    value: ast.expr
    added: bool


def step_in(statement: ast.stmt) -> Step | None:
    target: Any
    if isinstance(statement, ast.AugAssign):
        target, op, value = statement.target, statement.op, statement.value
    elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp):
        target, op, value = statement.targets[0], statement.value.op, statement.value.right
        before = ast.unparse(statement.value.left)
        if before not in (ast.unparse(target), ast.unparse(target).removesuffix("[:]")):
            return None
    else:
        return None
    if isinstance(target, ast.Subscript) and ast.unparse(target).endswith("[:]"):
        target = target.value
    known = isinstance(target, ast.Name) and isinstance(op, ast.Sub | ast.Add)
    return Step(target.id, value, isinstance(op, ast.Add)) if known else None


def read_by(node: ast.AST) -> set[str]:
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
    return found | {title(n.target) for n in ast.walk(node) if isinstance(n, ast.AugAssign)}


def written_by(node: ast.AST) -> set[str]:
    """Return the names that a statement sets, or may change: an entry, the owner of a method, what NumPy is handed."""
    changed: list[ast.AST] = [n for n in ast.walk(node) if isinstance(getattr(n, "ctx", None), ast.Store)]
    for call in [n.value for n in ast.walk(node) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]:
        if isinstance(call.func, ast.Attribute):
            changed += call.args if title(call.func) in ("np", "numpy") else [call.func.value]
    return {n.id for part in changed for n in ast.walk(part) if isinstance(n, ast.Name)}


def set_by(statement: ast.stmt) -> set[str]:
    """Return the names that a statement sets anew."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {e.id for target in targets for e in getattr(target, "elts", [target]) if isinstance(e, ast.Name)}


def free_in(items: list[ast.stmt]) -> list[str]:
    """Return the names that statements read before they set them."""
    found, made = dict[str, None](), set[str]()
    for item in items:
        inside = {
            n.id for part in ast.walk(item) for n in ast.walk(getattr(part, "target", ast.Pass())) if isinstance(n, ast.Name)
        }
        own = inside if not isinstance(item, ast.AugAssign | ast.AnnAssign) else set()  # of loops and comprehensions
        order = [n.id for n in ast.walk(item) if isinstance(n, ast.Name)]
        found |= dict.fromkeys(n for n in order if n in read_by(item) - made - own)
        made |= written_by(item)
    return list(found)


def factors_of(value: ast.expr, known: dict[str, ast.expr]) -> Iterator[ast.expr]:
    """Yield the numbers, names and elements that a product begins with, those of a name by what it was set to."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.MatMult | ast.Div):
        yield from factors_of(value.left, known)
        yield from () if isinstance(value.op, ast.Div) else factors_of(value.right, known)
    elif isinstance(value, ast.UnaryOp):
        yield from factors_of(value.operand, known)
    elif isinstance(value, ast.Name | ast.Constant | ast.Subscript | ast.Attribute):
        yield value
        yield from factors_of(known[value.id], {}) if isinstance(value, ast.Name) and value.id in known else ()
