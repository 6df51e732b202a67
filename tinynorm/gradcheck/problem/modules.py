"""The modules that a function runs: found, and left as they were."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ... import backend
from ...nn import Module
from ...tensor import Tensor, version_of
from .problem import random_state_kept

# The search for modules follows chains of at most this many references. An example of depth 4: a function -> an object in its
# closure -> a list in that object -> a lambda in the list -> the module that it calls. The limit keeps the search from walking
# through a whole program.
DEPTH = 5
# The search visits at most this many objects, which takes a few milliseconds, and at most this many of one container.
VISITED = 2000


@contextmanager
def untouched(modules: Sequence[Module]) -> Iterator[None]:
    """Afterwards, the modules and the random number generators are as if nothing had been run."""
    with ExitStack() as stack:
        stack.enter_context(random_state_kept())
        for module in modules:
            stack.enter_context(kept(module))
        yield


@contextmanager
def kept(module: Module, dtype: Any = None) -> Iterator[None]:
    """A context in which the module's parameters and buffers hold copies of their arrays (in `dtype`).

    At the end the parameters and buffers are the same objects with the same memory and numbers as before, and the attributes
    of the module have their values of before, even if the code within raises. The inside of a list or an array of the user's is
    not restored.
    """
    tensors = [*module.parameters(), *module.buffers()]
    arrays = [t.array for t in tensors]
    counts = [version_of(t).count for t in tensors]
    attributes = [(vars(m), dict(vars(m))) for m in module.modules()]  # the mode, counters, buffers that forward replaces
    leaves = [(p, p.grad, p.requires_grad) for p in module.parameters()]
    for t in tensors:
        copy = backend.copy(t.array)
        t.array = backend.astype(copy, dtype) if dtype is not None and backend.is_floating(copy) else copy
    try:
        yield
    finally:
        for now, before in attributes:
            now.clear()
            now.update(before)
        for t, array, count in zip(tensors, arrays, counts, strict=True):
            t.array, version_of(t).count = array, count
        for p, gradient, wanted in leaves:
            p.requires_grad = wanted
            p.grad = gradient


def modules_in(*things: Any) -> list[Module]:
    """The modules that functions can run: in their closures, globals, defaults and arguments, and in containers and objects."""
    found: dict[int, Module] = {}
    seen: set[int] = set()
    todo = deque((thing, 0) for thing in things)
    while todo and len(seen) < VISITED:
        thing, depth = todo.popleft()
        if isinstance(thing, Module):
            found[id(thing)] = thing
        elif id(thing) not in seen and depth < DEPTH:
            seen.add(id(thing))
            todo += [(inner, depth + 1) for inner in _references(thing)]
    return list(found.values())


def _references(thing: Any) -> Iterator[Any]:
    """The objects that a function, a method, a container or an object of a user's class refers to."""
    if isinstance(thing, dict | list | tuple | set):
        yield from list(thing.values() if isinstance(thing, dict) else thing)[:VISITED]
    elif isinstance(thing, partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, FunctionType):
        yield from (cell.cell_contents for cell in thing.__closure__ or () if not _is_empty(cell))
        yield from (*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values(), getattr(thing, "__wrapped__", None))
        yield from (thing.__globals__.get(name) for name in thing.__code__.co_names)
    elif not isinstance(thing, type | ModuleType | Tensor | np.ndarray):
        yield from list(getattr(thing, "__dict__", {}).values())[:VISITED]


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False
