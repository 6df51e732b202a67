"""Find the classes of tensors of a file's own autograd, the way in which they go back, and their operations."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..read.read_code import methods_in
from .draw_operation import draw, inner_functions
from .operation import SHAPES, Operation, at_two_depths
from .own_tensor import OwnTensor, as_own_tensor, is_of_operators, times_gradient


def own_tensors(names: dict[str, Any]) -> tuple[list[OwnTensor], list[str]]:
    """Return the classes of tensors among the names of a file, its own and those that it imports; and the classes that look
    like one, and are not understood, with the reason.
    """
    found, missed = [], []
    for cls in [cls for name, cls in names.items() if inspect.isclass(cls) and cls.__name__ == name]:
        own = as_own_tensor(cls)
        works = {} if own is None else _working(own)
        if own is not None and _takes_a_way(own, works):
            found.append(own)
        elif works or is_of_operators(cls):
            why = "no backward gives right gradients" if works else "no arguments that were tried are any for its operations"
            why = "no array with its gradient is seen in its objects" if own is None else why
            missed.append(f"{cls.__name__} (it looks like an own autograd; {why})")
    return found, missed


def _working(own: OwnTensor) -> dict[str, Operation]:
    """Return the operations of a class by name; or the functions of its module, where it has none."""
    of_module = _functions(vars(sys.modules[own.cls.__module__]), own.cls.__module__)
    sets = ({name.split(".")[-1]: f for name, f in _methods(own).items()}, of_module)
    drawn = ({name: one for name, one in draw(own, functions).items() if one is not None} for functions in sets)
    return next(filter(None, drawn), {})


def _takes_a_way(own: OwnTensor, works: dict[str, Operation]) -> bool:
    """Take the way that makes most operations right, and note which are; return whether there is one."""

    def right() -> list[str]:
        return [name for name, one in works.items() if one.right()]

    rights = [(way, right()) for way in own.ways()]
    if not own.arrays and not any(names for _, names in rights):
        own.backward, own.pull = own.backwards[0], times_gradient
        rights = [((own.backward, times_gradient), right())]
    (own.backward, own.pull), best = max(rights, key=lambda pair: len(pair[1]))
    own.known = {name: works[name].function for name in ("__add__", "__mul__") if name in best}
    graph = graph_of(own)
    own.in_order = graph is not None and own.sound != [] and replace(graph, function=at_two_depths(own)).right()
    return bool(best)


def graph_of(own: OwnTensor) -> Operation | None:
    """Return a pair for backward itself, if there are operations to make a graph of."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, *SHAPES[0])) if own.arrays else (np.array(0.7), np.array(-1.3))
    graphs = [Operation(own, function, {"x": x, "y": y}, whole=True) for function in own.known.values() if own.backward]
    own.chains = bool(graphs) and Operation(own, own.result_of, {"x": x}, behind=True).right()
    sound = [one for one in graphs if replace(one, twice=True).right() and replace(one, behind=True).right()]
    own.sound = [one.function for one in sound]
    return sound[0] if sound else graphs[0] if graphs and not own.chains else None


def find_operations(names: dict[str, Any], home: str, own: OwnTensor) -> tuple[dict[str, Operation], list[str]]:
    """Return the operations of a file's own tensors by name, and its functions of tensors; and what is left over, and why."""
    functions = (_methods(own) if own.cls.__module__ == home else {}) | _functions(names, home)
    drawn = draw(own, functions)
    graph = graph_of(own) if own.cls.__module__ == home else None
    missed = [n for n, one in drawn.items() if one is None and inner_functions(functions[n])]
    missed = [f"{name} (no arguments that were tried are any for it)" for name in missed]
    if own.cls.__module__ == home and not any(drawn.values()):
        missed.append(f"{own.cls.__name__} (it looks like an own autograd; no operation is seen that can be run alone)")
    return {n: one for n, one in (drawn | {f"{own.cls.__name__}.{own.backward}": graph}).items() if one is not None}, missed


def _functions(names: dict[str, Any], home: str) -> dict[str, Callable]:
    return {n: f for n, f in names.items() if inspect.isfunction(f) and f.__module__ == home}


def _methods(own: OwnTensor) -> dict[str, Callable]:
    """Return the methods of a class by name, and those of its properties, as T."""
    properties = {name: p.fget for name, p in vars(own.cls).items() if isinstance(p, property) and p.fget}
    return {f"{own.cls.__name__}.{name}": method for name, method in (methods_in(own.cls) | properties).items()}
