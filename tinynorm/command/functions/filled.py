"""Arguments that are handed over to be filled: a cache that forward fills, and a dict that backward puts its gradients into."""

from __future__ import annotations

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

from ..layers.call_layer import Context
from ..read.read_code import nodes_of, parameters, title
from .conventions import is_cache

GRADIENTS = re.compile("grads?|gradients?|d_?params|param_grads|(grad|gradient)s?_(dict|out|buffers?)")
SLOPE = re.compile("d_?[A-Za-z]\\w*|grad\\w*|\\w+_grad")  # the key or the attribute of a gradient
OF_A_LIST = ("append", "extend")
FILLED = (*OF_A_LIST, "update", "setdefault", "save_for_backward")  # the methods that put something into one


def returning_its_cache(forward: Callable, backward: Callable) -> tuple[Callable, Callable]:
    """Return forward as a function that returns (out, cache), with a new cache at each call; and backward, which takes it.

    The same ones where forward is handed none that it fills.
    """
    found = [p.name for p in parameters(forward) if p.name == "self" or is_cache(p.name)]
    asked = [p.name for p in parameters(backward) if p.name in found or is_cache(p.name)]
    filled = {name: _how(forward, name) for name in found}
    starred = parameters(forward, (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY))
    if len(found) != 1 or len(asked) != 1 or starred or not filled[found[0]]:
        return forward, backward
    signature = inspect.signature(forward)
    rest = [p for p in signature.parameters.values() if p.name != found[0]]

    @wraps(forward)
    def filling(*arguments: Any, **named: Any) -> tuple:
        bound = filling.__signature__.bind(*arguments, **named)  # type: ignore[attr-defined]
        cache: Any = [] if filled[found[0]] in OF_A_LIST else Context()
        result = forward(**bound.arguments, **{found[0]: cache})
        return (*(result if isinstance(result, tuple) else (result,)), cache)

    filling.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]
    return filling, _taking_a_cache(backward) if asked[0] == "self" else backward


def _taking_a_cache(backward: Callable) -> Callable:
    """Return a backward that takes what it calls self as its cache."""
    signature = inspect.signature(backward)

    @wraps(backward)
    def reading(*arguments: Any, **named: Any) -> Any:
        return backward(*arguments, **{"self" if name == "cache" else name: x for name, x in named.items()})

    renamed = [p.replace(name="cache") if p.name == "self" else p for p in signature.parameters.values()]
    reading.__signature__ = signature.replace(parameters=renamed)  # type: ignore[attr-defined]
    return reading


def _how(forward: Callable, name: str) -> str:
    """Return how forward fills an argument: by a method, or by "names"; "a call" if it hands it on and None is its default.

    "" if it does not: what it only reads, or hands on and needs, is no cache.
    """
    hands_on = ""
    for node in nodes_of(forward):
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store) and title(node.value) == name:
            return "names"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FILLED:
            if title(node.func.value) == name:
                return node.func.attr
        elif isinstance(node, ast.Call) and any(title(x) == name for x in [*node.args, *(k.value for k in node.keywords)]):
            hands_on = "a call"
    optional = any(p.name == name and p.default is None for p in parameters(forward))
    return hands_on if optional else ""


def returning_its_gradients(backward: Callable) -> Callable:
    """Return a backward that returns what it puts into an argument: grads["W"] = dW, or layer["dW"] = dW. Or the same one.

    A dict of gradients that is filled, and that nothing else is known of, is no argument any more.
    """
    filled = _filled_by(backward)
    new = [name for name in filled if GRADIENTS.fullmatch(name.lower())]
    kept = [name for name, keys in filled.items() if any(map(SLOPE.fullmatch, keys)) and name not in new]
    if not new and not kept:
        return backward
    signature = inspect.signature(backward)

    @wraps(backward)
    def returning(*arguments: Any, **named: Any) -> Any:
        given = returning.__signature__.bind(*arguments, **named).arguments  # type: ignore[attr-defined]
        given |= {name: copy(given[name]) for name in kept if name in given}
        before = {name: dict(_entries(given[name])) for name in kept if name in given}
        made: dict[str, Any] = {name: defaultdict(float) for name in new}
        result = backward(**given, **made)
        found = {key: g for one in made.values() for key, g in one.items()}
        for name, old in before.items():
            changed = {key: g for key, g in _entries(given[name]).items() if g is not old.get(key)}
            found |= {key: g for key, g in changed.items() if SLOPE.fullmatch(str(key))}
        if not found or any(result is one for one in made.values()):
            return result
        return found if result is None else (*(result if isinstance(result, tuple) else (result,)), found)

    rest = [p for p in signature.parameters.values() if p.name not in new]
    returning.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]
    return returning


def _filled_by(backward: Callable) -> dict[str, list[str]]:
    """Return the keys, or the attributes, that a backward sets in its arguments; those arguments in which it sets some."""
    stores: list[Any] = [node for node in nodes_of(backward) if isinstance(getattr(node, "ctx", None), ast.Store)]
    keyed = [node for node in stores if isinstance(getattr(node, "slice", None), ast.Constant | ast.JoinedStr | ast.BinOp)]
    keyed += [node for node in stores if isinstance(node, ast.Attribute)]
    taken = [p.name for p in parameters(backward) if p.name != "self"]
    found = {name: [_key(node) for node in keyed if getattr(node.value, "id", "") == name] for name in taken}
    return {name: keys for name, keys in found.items() if keys}


def _key(node: Any) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node.slice).strip("f\"'")


def _entries(x: Any) -> dict[str, Any]:
    return x if isinstance(x, dict) else getattr(x, "__dict__", {})
