"""Tell a class's forward and backward by what they do, where their names are not known; and networks that have neither."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..functions.kinds import kind_of
from ..read.read_code import code_of, inside, methods_of

PRODUCTS = ("dot", "matmul", "einsum", "multiply", "outer", "tensordot")
# What these return has nothing of their arguments but a size.
NEW = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "eye")
BY_SIZE = ("len", "range", "isinstance", "print", *NEW, "rand", "randn", "random", "normal", "uniform", "standard_normal")


def halves_of(cls: type) -> tuple[str, str] | None:
    """Return the names of a forward and, after it, a backward; None where there are none."""
    own = _methods(cls)
    return next(((f, b) for i, f in enumerate(own) for b in list(own)[i + 1 :] if _are_halves(own[f], own[b])), None)


def in_one_method(classes: dict[str, type], known: set[str]) -> Iterator[str]:
    """Yield what is to be said of each class that is not known and has forward, backward and the step in one method."""
    for name, cls in classes.items():
        for title, code in _methods(cls).items() if name not in known else ():
            if _steps_down(code):
                yield f"{name}.{title} (forward, backward and the step are one method; make backward one of its own)"


def _methods(cls: type) -> dict[str, ast.FunctionDef]:
    """Return the code of the methods of a class, in their order."""
    return {name: code for name, method in methods_of(cls).items() if (code := code_of(method))}


def _are_halves(forward: ast.FunctionDef, backward: ast.FunctionDef) -> bool:
    """Whether the first keeps what it makes of its argument, and the second multiplies its own argument by that."""
    given, (known, kept) = _arguments(forward), _made_of(forward, set(_arguments(forward)))
    results = [node.value for node in inside(forward) if isinstance(node, ast.Return) and node.value]
    calls = any(isinstance(node, ast.Attribute) and node.attr == forward.name for node in ast.walk(backward))
    if not given or not kept or calls or not any(_mentions(value, known, kept) for value in results):
        return False
    taken, saved = _made_of(backward, set(_arguments(backward)))[0], _made_of(backward, set(), kept)[0]
    for node in inside(backward) if taken else ():
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PRODUCTS:
            parts = [*node.args, node.func.value]
        if any(_mentions(a, taken) and _mentions(b, saved, kept) for a in parts for b in parts if a is not b):
            return True
    return False


def _steps_down(code: ast.FunctionDef) -> bool:
    """Whether a method that takes targets subtracts something made of them from the object's own arrays."""
    given = _arguments(code)
    multiplies = re.search(r"\.T\b|@|(dot|matmul|outer)\(", ast.unparse(code))  # not one that calls self.loss for the gradient
    if not multiplies or not any(kind_of(name) == "target" for name in given[1:]):
        return False
    known, kept = _made_of(code, set(given), always=True)
    return any(where.startswith("self.") and _mentions(what, known, kept) for where, what in _subtracted(code))


def _subtracted(code: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Yield (from what, what) is subtracted in place."""
    for node in inside(code):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
            yield ast.unparse(node.target), node.value
        elif isinstance(node, ast.Assign) and isinstance(value := node.value, ast.BinOp) and isinstance(value.op, ast.Sub):
            yield from [(x, value.right) for x in map(ast.unparse, node.targets) if x == ast.unparse(value.left)]


def _arguments(code: ast.FunctionDef) -> list[str]:
    return [a.arg for a in code.args.posonlyargs + code.args.args][1:]


def _made_of(
    code: ast.FunctionDef, known: set[str], kept: set[str] | None = None, always: bool = False
) -> tuple[set[str], set[str]]:
    """Return the names and the attributes that are set to something made of these; those that a loop changes if `always`."""
    known, kept, changed = set(known), set(kept or ()), set[str]()
    for node in inside(code):
        if isinstance(node, ast.AugAssign):
            changed |= {ast.unparse(node.target)}
        if not isinstance(node, ast.Assign | ast.For) or (isinstance(node, ast.For) and not known):
            continue
        value, targets = (node.value, node.targets) if isinstance(node, ast.Assign) else (node.iter, [node.target])
        for part in [part for target in targets for part in ([*target.elts] if isinstance(target, ast.Tuple) else [target])]:
            if not _mentions(value, known, kept):
                continue
            if isinstance(part, ast.Name):
                known.add(part.id)
            elif isinstance(part, ast.Attribute) and not _mentions(value, set(), {part.attr}):
                kept.add(part.attr)
    return known, kept if always else {name for name in kept if f"self.{name}" not in changed}


def _mentions(value: ast.AST, known: set[str], kept: set[str] = frozenset()) -> bool:  # type: ignore[assignment]
    """Whether an expression is made of these names or attributes of self; not of their sizes alone."""
    if isinstance(value, ast.Attribute) and value.attr in ("shape", "size", "ndim", "dtype"):
        return False
    if isinstance(value, ast.Call) and getattr(value.func, "attr", getattr(value.func, "id", "")) in BY_SIZE:
        return False
    if isinstance(value, ast.Name):
        return value.id in known
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id == "self":
        return value.attr in kept
    return any(_mentions(part, known, kept) for part in ast.iter_child_nodes(value))
