"""A method that trains as a function that does: the object's arrays become names, and what it calls stands in it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ..functions.kinds import kind_of
from ..read.read_code import code_of, methods_in, parameters
from .first_round import learned_in
from .statements import set_by, step_in

DEPTH = 4  # of methods that call each other


@dataclass
class Flat:
    """The body of a method without `self`."""

    body: list[ast.stmt]
    given: dict[str, Any]  # the method's arguments and the constructor's, with their defaults
    called: dict[str, Any]  # methods that need no object, by their names


def flat(cls: type, title: str) -> Flat | None:
    """Return a method without `self`; None where it asks more of its object than arrays and methods."""
    code = code_of(getattr(cls, title))
    if code is None or inspect.isabstract(cls) or cls.__new__ is not object.__new__:  # its methods need an object of it
        return None
    flattened = _Flattened(cls)
    body = flattened.lines(deepcopy(code.body), DEPTH)
    text = "\n".join(map(ast.unparse, body or []))
    if body is None or "self" in {getattr(node, "id", "") for item in ast.parse(text).body for node in ast.walk(item)}:
        return None
    given = _set_by_constructor(cls) | {p.name: p.default for p in parameters(getattr(cls, title))[1:]}
    return Flat(ast.parse(text).body, given, flattened.called)


def _set_by_constructor(cls: type) -> dict[str, Any]:
    """Return what a constructor sets to numbers and words, or to its arguments as they are: the defaults of these."""
    defaults = {p.name: p.default for p in parameters(cls)}
    found: dict[str, Any] = {}
    for node in ast.walk(code_of(vars(cls).get("__init__", cls.__init__)) or ast.Pass()):  # type: ignore[misc]
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            value = getattr(node.value, "value", None)
            if isinstance(node.value, ast.Constant) and value is not None:
                found[node.targets[0].attr] = value
            elif isinstance(node.value, ast.Name) and node.value.id in defaults:
                found[node.targets[0].attr] = defaults[node.value.id]
    return found


@dataclass
class _Flattened:
    cls: type
    called: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def lines(self, body: list[ast.stmt], depth: int) -> list[ast.stmt] | None:
        """Return statements with those of the methods that they call before them; None where one of these is no plain one."""
        found: list[ast.stmt] = []
        for item in body:
            for blocks in ("body", "orelse"):
                if isinstance(item, ast.For | ast.While | ast.If | ast.With) and getattr(item, blocks, None):
                    inner = self.lines(getattr(item, blocks), depth)
                    if inner is None:
                        return None
                    setattr(item, blocks, inner)
            if isinstance(item, ast.Assign | ast.AugAssign):
                item = self._expanded(item, depth, found)
            found.append(_Names(self).visit(item))
        return found

    def _expanded(self, item: ast.stmt, depth: int, found: list[ast.stmt]) -> ast.stmt:
        """Put the lines of each method that a statement calls before it, and return it with their results."""
        for call in [node for node in ast.walk(item) if isinstance(node, ast.Call)][::-1]:  # arguments before what takes them
            title = _of_self(call.func)
            code = code_of(getattr(self.cls, title, len)) if title and not self._needs_nothing(title) and depth else None
            lines, value = self._plain(title, code, call) if code else ([], None)
            inner = self.lines(lines, depth - 1) if value is not None else None
            if inner is not None and value is not None:
                self.count += 1
                name = f"{title.strip('_')}_{self.count}"
                found += [*inner, ast.parse(f"{name} = {ast.unparse(_Names(self).visit(value))}").body[0]]
                item = _Put(call, name).visit(item)
        return item

    def _needs_nothing(self, title: str) -> bool:
        """Whether a method reads nothing of its object but methods that do not either: sigmoid(self, z)."""
        method = inspect.getattr_static(self.cls, title, None)
        if isinstance(method, staticmethod):
            return True
        code = code_of(method) if inspect.isfunction(method) else None
        used = [node for node in ast.walk(code or ast.Pass()) if isinstance(node, ast.Attribute)]
        own = {node.attr for node in used if _of_self(node)} - {title}
        return code is not None and all(self._needs_nothing(name) for name in own)

    def _plain(self, title: str, code: ast.FunctionDef, call: ast.Call) -> tuple[list[ast.stmt], ast.expr | None]:
        """Return a method's lines with the arguments of a call, and what it returns; None where it returns inside of these."""
        *lines, last = deepcopy(code.body)
        names = [a.arg for a in code.args.args[1:]]
        values = dict(zip(names, call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
        early = any(isinstance(node, ast.Return) for line in lines for node in ast.walk(line))
        defaults = dict(zip(names[::-1], code.args.defaults[::-1], strict=False))
        if not isinstance(last, ast.Return) or last.value is None or early or not {*names} <= {*values, *defaults}:
            return [], None
        stored = [n for line in lines for n in ast.walk(line) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        local = {n.id: ast.Name(f"{n.id}_of_{title.strip('_')}", ast.Load()) for n in stored}
        known = {name: values.get(name, defaults.get(name)) for name in names}
        changed = [ast.parse(f"{local[n].id} = {ast.unparse(known[n])}").body[0] for n in local if n in known]  # type: ignore[arg-type]
        put = _Locals({name: value for name, value in known.items() if value is not None} | local)
        return [*changed, *map(put.visit, lines)], put.visit(last.value)


def _of_self(node: ast.AST) -> str:
    """Return the attribute that an expression is of `self`; "" for others."""
    return node.attr if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self" else ""


@dataclass
class _Put(ast.NodeTransformer):
    """Put a name in the place of a call."""

    call: ast.Call
    name: str

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return ast.Name(self.name, ast.Load()) if node is self.call else self.generic_visit(node)


@dataclass
class _Locals(ast.NodeTransformer):
    """Put values in the place of names."""

    values: dict[str, Any]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self.values.get(node.id)
        if value is None:
            return node
        return ast.Name(value.id, node.ctx) if isinstance(value, ast.Name) else deepcopy(value)


@dataclass
class _Names(ast.NodeTransformer):
    """Put names in the place of the object's attributes."""

    flattened: _Flattened

    def visit_Return(self, _: ast.Return) -> ast.AST:
        return ast.Pass()  # the object itself, or what is no gradient

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        title = _of_self(node)
        cls = self.flattened.cls
        if not title:
            return self.generic_visit(node)
        if callable(getattr(cls, title, None)):
            if not self.flattened._needs_nothing(title):
                return node
            self.flattened.called[title] = getattr(object.__new__(cls), title)
        return ast.Name(title, node.ctx)


def methods_that_train(cls: type) -> Iterator[tuple[str, Flat]]:
    """Yield (name, the method without `self`) of each method that takes data and targets."""
    for title, method in methods_in(cls).items():
        code = code_of(method)
        if title[:2] != "__" and code and any(kind_of(a.arg, "loss") == "target" for a in code.args.args[2:]):
            found = flat(cls, title)
            if found is not None:
                yield f"{cls.__name__}.{title}", found


def begins_anew(cls: type, title: str) -> bool:
    """Whether a method sets the parameters anew that it changes step by step: one that is drawn would be overwritten."""
    found = flat(cls, title)
    learned = learned_in(found.body) if found else set()
    nodes = [node for item in (found.body if found else []) for node in ast.walk(item) if isinstance(node, ast.stmt)]
    return any(learned & set_by(node) and not step_in(node) for node in nodes)
