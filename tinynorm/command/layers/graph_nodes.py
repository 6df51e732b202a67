"""Nodes of a graph, which find their inputs in the nodes that they are made with: a pair of functions is made of such a class.

forward() reads node.value of each, and sets self.value; backward() reads n.gradients[self] of each node behind, and sets
self.gradients[node].
"""

from __future__ import annotations

import ast
from typing import Any

from ..functions.kinds import kind_of
from ..read.read_code import code_of, parameters, signature_of
from ..run_code import attempt
from .attributes import GRADIENTS, VALUES
from .find_layers import Methods, arguments_of, nodes_in


class Node:
    """A class of nodes as two functions of arrays."""

    def __init__(self, name: str, cls: type, methods: Methods, bare: type, value: str, gradients: str) -> None:
        self.name, self.cls, self.methods, self.value, self.gradients = name, cls, methods, value, gradients
        self.bare = bare  # the class that it inherits from, which can be made of nothing
        taken = [p for p in parameters(cls) if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
        self.several = any(p.kind is p.VAR_POSITIONAL for p in taken)
        titles = (
            ["x1", "x2"] if self.several else [p.name if kind_of(p.name, name) else f"x{k + 1}" for k, p in enumerate(taken)]
        )
        self.__signature__ = signature_of(titles)
        self.user_backward = getattr(cls, methods.backward)
        own = [vars(owner).get(methods.backward) for owner in cls.__mro__[: cls.__mro__.index(bare)]]
        texts = [ast.unparse(code_of(method) or ast.Pass()) for method in own if method]
        self.last = not any(f".{gradients}[self]" in text for text in texts)  # a loss, behind which is none

    def __call__(self, *arrays: Any) -> tuple[Any, tuple]:
        """Return (the value of a node that is made with these, that node and those before it)."""
        before = [self.holding(x) for x in arrays]
        node = self.cls(*before)
        getattr(node, self.methods.forward)()
        return getattr(node, self.value), (node, before)

    def holding(self, x: Any) -> Any:
        """Return a node with a value."""
        node = self.bare()
        vars(node).update({key: list(a) for key, a in vars(node).items() if isinstance(a, list)})  # lists of its own
        setattr(node, self.value, x)
        return node

    def backward(self, dout: Any, cache: tuple) -> tuple:
        """Return the gradients that the node has made for those before it."""
        (node, before), behind = cache, self.holding(None)
        setattr(behind, self.gradients, {node: dout})
        lists = [key for key, a in vars(before[0]).items() if isinstance(a, list) and any(x is node for x in a)]
        for key in lists:  # where those behind it are
            setattr(node, key, [behind])
        getattr(node, self.methods.backward)()
        found = [getattr(node, self.gradients).get(one) for one in before]
        return tuple(None if g is None else g * dout if self.last else g for g in found)


def as_node(name: str, cls: type, methods: Methods) -> Node | None:
    """Return a class as functions of arrays, if it is one of nodes in a graph; else None."""
    if arguments_of(cls, methods.forward) or arguments_of(cls, methods.backward) or not parameters(cls):
        return None
    nodes = nodes_in(cls)
    reads = [node.attr for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "self"]
    kept = [getattr(node.value, "attr", "") for node in nodes if isinstance(node, ast.Subscript)]
    value, store = next(filter(VALUES.__contains__, reads), ""), next(filter(GRADIENTS.fullmatch, kept), "")
    bare = next((base for base in cls.__mro__[1:-1] if attempt(base)[1] is None), None) if value else None
    return Node(name, cls, methods, bare, value, store) if bare else None
