"""A method that trains as a function that does: the object's arrays become names, and what it calls stands in it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ..functions.kinds import kind_of
from ..read.read_code import code_of, methods_in, needs_no_object, parameters
from .first_round import Replaced, learned_in, without_bias_in
from .statements import set_by, step_in

PLAIN = (ast.Assign, ast.AugAssign, ast.Expr)  # the statements of a method that can stand in place of its call


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
    written = _Written(cls, {title})
    body = written.body_of(deepcopy(code))
    if any(getattr(node, "id", "") == "self" for item in body for node in ast.walk(item)):
        return None
    named = {n.id for item in body for n in ast.walk(item) if isinstance(n, ast.Name)}
    body = [made for made in _begun_by_constructor(cls) if set_by(made) <= named] + body
    given = _set_by_constructor(cls) | {p.name: p.default for p in parameters(getattr(cls, title))[1:]}
    return Flat(body, given, {name: getattr(object.__new__(cls), name) for name in written.called})


def _in_constructor(cls: type) -> Iterator[tuple[str, ast.expr]]:
    """Yield (attribute, value) for each attribute of self that a constructor sets."""
    for node in ast.walk(code_of(vars(cls).get("__init__", cls.__init__)) or ast.Pass()):  # type: ignore[misc]
        if isinstance(node, ast.Assign) and _of_self(node.targets[0]):
            yield _of_self(node.targets[0]), node.value


def _set_by_constructor(cls: type) -> dict[str, Any]:
    """Return what a constructor sets to numbers and words, or to its arguments as they are: the defaults of these."""
    defaults = {p.name: p.default for p in parameters(cls)}
    found: dict[str, Any] = {}
    for attribute, value in _in_constructor(cls):
        if isinstance(value, ast.Constant) and value.value is not None:
            found[attribute] = value.value
        elif isinstance(value, ast.Name) and value.id in defaults:
            found[attribute] = defaults[value.id]
    return found


def _begun_by_constructor(cls: type) -> Iterator[ast.stmt]:
    """Yield what begins at zero in the shape of a parameter: the momentum of ``self.vW = np.zeros_like(self.W)``."""
    for attribute, value in _in_constructor(cls):
        if isinstance(value, ast.Call) and ast.unparse(value.func).endswith(".zeros_like") and _of_self(value.args[0]):
            yield ast.parse(f"{attribute} = {ast.unparse(value.func)}({_of_self(value.args[0])})").body[0]


class _Written(ast.NodeTransformer):
    """Writes attributes of self as names, and calls of methods of the class as what these do."""

    def __init__(self, cls: type, inside: set[str]) -> None:
        self.cls, self.methods, self.inside = cls, methods_in(cls), inside
        self.local, self.called = set[str](), set[str]()  # names in the method itself; the methods that it calls as they are
        self.before: list[ast.stmt] = []  # what is to stand before a statement

    def body_of(self, code: ast.FunctionDef) -> list[ast.stmt]:
        self.local = {getattr(node, "id", getattr(node, "arg", "")) for node in ast.walk(code)}
        written = ast.fix_missing_locations(ast.Module(self._lines(code.body), []))
        return ast.parse(ast.unparse(written)).body

    def _lines(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [made for item in body for made in self._statements(item)]

    def _statements(self, item: ast.stmt) -> Iterator[ast.stmt]:
        """Yield a statement; before it those of the methods that it calls, ``dw, db = self.gradients(X, y)``."""
        if isinstance(item, ast.Return) and len(self.inside) == 1:  # of the method that trains, mostly self
            item = ast.Pass()
        if isinstance(item, ast.For) and isinstance(item.iter, ast.Call) and _of_self(item.iter.func):
            item.iter.func = ast.Name("batches", ast.Load())  # of the data that it is handed: what makes them is of no matter
        for name in ("body", "orelse"):
            if isinstance(getattr(item, name, None), list):
                setattr(item, name, self._lines(getattr(item, name)))
        called = self._standing_for(item.value) if isinstance(item, ast.Expr) else []
        if called and not isinstance(called[-1], ast.Return):
            yield from called
            return
        self.before = []
        made = self.visit(item)
        yield from (*self.before, made)

    def _standing_for(self, call: ast.expr) -> list[ast.stmt]:
        """Return the statements that do what a call of a method does; [] where it is none, or no plain one."""
        title = _of_self(call.func) if isinstance(call, ast.Call) else ""
        code = code_of(self.methods[title]) if title in self.methods and title not in self.inside else None
        if code is None or not isinstance(call, ast.Call) or not all(isinstance(x, PLAIN) for x in code.body[:-1]):
            return []
        names = [a.arg for a in code.args.args[not isinstance(inspect.getattr_static(self.cls, title), staticmethod) :]]
        handed = dict(zip(names[::-1], code.args.defaults[::-1], strict=False)) | dict(zip(names, call.args, strict=False))
        handed |= {k.arg: k.value for k in call.keywords if k.arg}
        body = [x for x in deepcopy(code.body) if not isinstance(getattr(x, "value", None), ast.Constant)]
        stored = {n.id for x in body for n in ast.walk(x) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        if not {*names} <= {*handed} or stored & {*names}:
            return []
        handed |= {name: ast.Name(f"{name}_of_{title}", ast.Load()) for name in stored & self.local}
        inner = _Written(self.cls, {*self.inside, title})
        inner.local, inner.called = self.local, self.called
        return inner._lines([Replaced(handed).visit(x) for x in body])

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)  # arguments before what takes them
        before = self.before
        *first, last = self._standing_for(node) or [ast.Pass()]
        if not isinstance(last, ast.Return) or last.value is None:
            return node
        self.before = [*before, *first]
        return last.value

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        methods, self.methods = self.methods, {}  # what it calls is called for each element
        made = self.generic_visit(node)
        self.methods = methods
        return made

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        title = _of_self(node)
        if not title:
            return self.generic_visit(node)
        if callable(getattr(self.cls, title, None)):
            if not needs_no_object(self.cls, title):
                return node
            self.called.add(title)
        return ast.Name(f"own_{title}" if title in self.local and title not in self.called else title, node.ctx)


def _of_self(node: ast.AST) -> str:
    """Return the attribute that an expression is of `self`; "" for others."""
    return node.attr if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self" else ""


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
    body = without_bias_in(found.body) if found else []
    learned = learned_in(body)
    nodes = [node for item in body for node in ast.walk(item) if isinstance(node, ast.stmt)]
    return any(learned & set_by(node) and not step_in(node) for node in nodes)
