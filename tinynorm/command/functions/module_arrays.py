"""Parameters that a function reads from its file, as Wxh of a network at module level: they become arguments of it.

They are put into the file before each call and, as all that a call changes there, put back after it.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import wraps
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ..read.read_code import (
    arguments_of,
    beside,
    inside,
    is_gradient_of,
    lists_in,
    nodes_of,
    parsed,
    parts_returned,
    plain_title,
    returned,
    title,
)
from .about import about, known_of
from .kinds import RATES, SAMPLES

MANY = 10**6  # elements of data; larger arrays are no parameters, and to copy them in each call takes long
FAST = 2.0**30  # a rate with which what is subtracted is far greater than what it is subtracted from, and keeps its digits
DEPTH = 3  # calls that are followed to the function that reads an array


def arrays_read(function: Callable, depth: int = DEPTH) -> dict[str, Any]:
    """Return the arrays of its file that a function reads, or one that it calls, in their order."""
    code, known = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    if not isinstance(code, CodeType):
        return {}
    names, found = set(_names(code)), dict[str, Any]()
    for name in [name for name in known if name in names]:
        value = known[name]
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
            found[name] = value
        elif depth and isinstance(value, FunctionType) and value.__globals__ is known and value is not function:
            found |= arrays_read(value, depth - 1)
    return {name: found[name] for name in known if name in found}


def _names(code: CodeType) -> Iterable[str]:
    yield from code.co_names
    for part in code.co_consts:  # functions made inside
        if isinstance(part, CodeType):
            yield from _names(part)


def parameters_read(function: Callable, gradients: Callable) -> dict[str, Any]:
    """Return the arrays that a function or its backward reads, and whose gradients `gradients` returns, or leaves behind."""
    read = arrays_read(function) | arrays_read(gradients)
    owners = {owner_of(title, read) for title in _titles(gradients)}
    return {name: x for name, x in read.items() if name in owners}


def owner_of(title: str, names: Iterable[str]) -> str:
    """Return the name that a gradient's title, or a key, is of; dWhy is of Wyh, where there is no Why; "" for none."""
    letters = sorted(title.replace("_", ""))
    named = [name for name in names if title == name or is_gradient_of(title, name, str)]
    alike = [name for name in names if sorted(f"d{name}".replace("_", "")) == letters]
    return next(iter([*named, *alike]), "")


def _titles(function: Callable) -> Iterator[str]:
    """Yield the names of what a function returns, the keys that it uses, and the names that it changes in its file."""
    nodes = nodes_of(function)
    lists = lists_in(nodes)
    for part in parts_returned(function):
        yield from map(plain_title, getattr(lists.get(plain_title(part), part), "elts", [part]))
    for node in nodes:
        keys = node.keys if isinstance(node, ast.Dict) else [node.slice] if isinstance(node, ast.Subscript) else []
        yield from (key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str))
    yield from names_changed(function)


def names_changed(function: Callable) -> list[str]:
    """Return the names that a function declares as global."""
    return [n for node in nodes_of(function) if isinstance(node, ast.Global) for n in node.names]


def samples_read(function: Callable) -> list[str]:
    """Return the names of its file that a function divides by, as ``1 / m``, and that are the number of samples by their name.

    The data are not there, or others than those that are drawn; what the file sets nowhere is forgotten in the function.
    """
    nodes = nodes_of(function)
    own = {*arguments_of(function), *(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))}
    quotients = [node for node in nodes if isinstance(getattr(node, "op", None), ast.Div)]
    divisors = [part for node in quotients for part in ast.walk(getattr(node, "right", getattr(node, "value", node)))]
    found = {part.id: None for part in divisors if isinstance(part, ast.Name)}
    known = getattr(function, "__globals__", {})
    found = {n: None for n in found if n.lower() in SAMPLES and n not in own and isinstance(known.get(n, 0), int)}
    whole = parsed(beside(function)) if found else None
    scripts = {n.id for n in inside(whole or ast.Pass()) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    scripts |= {name for n in ast.walk(whole or ast.Pass()) if isinstance(n, ast.Global) for name in n.names}
    return [n for n in found if n in known or n in scripts]


def with_arrays(function: Callable, arrays: dict[str, Any], left: Iterable[str] = ()) -> Callable:
    """Return a function that takes these arrays of its file too; and, where they are given, names that another has left there.

    Its `about` holds what it has left in the file itself.
    """
    taken, leaves, left = inspect.signature(function).parameters, names_changed(function), list(left)
    if not (arrays or leaves or left) or {*arrays} & {*taken}:
        return function
    known, kept = function.__globals__, replace(about(function), arrays=arrays, left={})
    every = {name: x for name, x in arrays_read(function).items() if x.size <= MANY}

    @wraps(function)
    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        given = {name: fresh(keywords.pop(name)) for name in (*arrays, *left) if name in keywords}
        before = dict(known)
        known.update({name: fresh(array) for name, array in every.items()} | given)
        try:
            return function(*arguments, **keywords)
        finally:
            kept.left = {name: known[name] for name in (*leaves, *given) if name in known}
            known.update(before)

    own = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in arrays]
    own += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in left if name not in arrays]
    wrapper.__signature__ = inspect.Signature([p for p in taken.values() if p.kind is not p.VAR_KEYWORD] + own)  # type: ignore[attr-defined]
    return known_of(wrapper, kept)


def _results_read(forward: FunctionType, backward: FunctionType) -> list[str]:
    """Return the names that backward finds in its file, and that forward gives to what it returns: z of `z, y = forward(x)`."""
    handed = [plain_title(e) for value in returned(forward) for e in getattr(value, "elts", [value])]
    known, read = backward.__globals__, {*_names(backward.__code__)}
    return [n for n in dict.fromkeys(handed) if n in read and isinstance(known.get(n), np.ndarray | float)]


def pair_with_arrays(forward: Callable, backward: Callable) -> tuple[Callable, Callable]:
    """Return forward and backward with the arrays of their file as arguments; backward takes what forward has left there."""
    if not (isinstance(forward, FunctionType) and isinstance(backward, FunctionType)):
        return forward, backward
    arrays, read = parameters_read(forward, backward), arrays_read(forward)
    left = [*names_changed(forward), *samples_read(backward), *_results_read(forward, backward)]
    counts = {len(getattr(value, "elts", "1")) for value in returned(backward)}
    taken = len(inspect.signature(forward).parameters)
    if read and not arrays and counts <= {len(read), len(read) + taken}:  # in the order of their use
        arrays = {name: read[name] for name in forward.__code__.co_names if name in read}
    changed = with_arrays(backward, {}, [*arrays, *left])
    handed = [plain_title(e) for e in parts_returned(backward)]
    of_input = any(is_gradient_of(title, name) for title in handed for name in inspect.signature(forward).parameters)

    @wraps(changed)
    def with_gradients(*given: Any, **named: Any) -> Any:
        result = changed(*given, **named)
        after = about(changed).left
        rate = _rate(backward, inspect.signature(changed).bind(*given, **named))
        own = {name: x for name, x in after.items() if name not in arrays and owner_of(name, arrays)}
        stepped = [name for name in arrays if rate and name in named and name in after]
        own |= {name: (named[name] - after[name]) / rate for name in stepped if not np.array_equal(named[name], after[name])}
        if own and not of_input:  # beside steps, it is none, or the loss, or the error
            return own
        return (*(result if isinstance(result, tuple) else (result,)), own) if own else result

    return with_arrays(forward, arrays), with_gradients if arrays else _with_steps(changed, backward)


def _with_steps(function: Callable, backward: Callable) -> Callable:
    """Return a function that returns gradients, where backward changes its own arguments by a step against them: W -= lr * dW.

    The gradient is what it has changed, divided by the rate.
    """
    steps = [node for node in nodes_of(backward) if isinstance(node, ast.AugAssign) and _is_step(node)]
    targets = [getattr(step.target, "value", step.target) for step in steps]  # of params["W"] -= ..., params
    assigned = [node for node in nodes_of(backward) if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp)]
    targets += [node.targets[0] for node in assigned if title(node.targets[0]) == title(node.value)]  # W = W - lr * dW
    handed = [plain_title(e) for e in parts_returned(backward)]
    stepped = [name for name in arguments_of(backward) if name in {title(e) for e in targets}]
    changed = [name for name in stepped if name in handed or not handed]
    if not changed:
        return function

    @wraps(function)
    def with_gradients(*given: Any, **named: Any) -> Any:
        bound = inspect.signature(function).bind(*given, **named)
        own = [name for name, x in bound.arguments.items() if name.lower() in RATES and isinstance(x, float)]
        bound.arguments |= dict.fromkeys(own, FAST)
        rate = _rate(backward, bound)
        before = {name: bound.arguments[name] for name in changed if name in bound.arguments}
        bound.arguments |= {name: deepcopy(x) for name, x in before.items()}
        result = function(*bound.args, **bound.kwargs)
        if not rate:
            return result
        values = result if isinstance(result, tuple) else (result,)
        after = bound.arguments | (dict(zip(handed, values, strict=True)) if len(handed) == len(values) else {})
        found = [one for name, x in before.items() for one in _moved(name, x, after[name], rate)]
        listed = any(isinstance(key, int) for key, _ in found)  # weights and biases, by their numbers
        return [g for _, g in found] if listed else {f"d{key}": g for key, g in found}

    return with_gradients


def _is_step(node: ast.AugAssign) -> bool:
    """Whether something is subtracted from an argument, or added to it times a rate: W += lr * dW, with d = y - out."""
    rates = any(isinstance(part, ast.Name) and part.id.lower() in RATES for part in ast.walk(node.value))
    return isinstance(node.op, ast.Sub) or (isinstance(node.op, ast.Add) and rates)


def _moved(name: Any, before: Any, after: Any, rate: float) -> Iterator[tuple[Any, Any]]:
    """Yield (name, gradient) of an array, or of each entry of a dict or a list, that a step has changed."""
    if not isinstance(before, dict | list):
        yield name, (before - after) / rate
    for key, x in before.items() if isinstance(before, dict) else enumerate(before) if isinstance(before, list) else ():
        yield from _moved(key, x, after[key], rate)


def _rate(backward: Callable, given: inspect.BoundArguments) -> float:
    """Return the learning rate that a backward is given, or finds in its file; 0 for none."""
    given.apply_defaults()
    known = {name: x for name, x in getattr(backward, "__globals__", {}).items() if name in backward.__code__.co_names}
    return next((x for name, x in (given.arguments | known).items() if name.lower() in RATES and isinstance(x, float)), 0.0)
