"""Classes whose forward takes and returns a file's own tensors, and makes the function that sends the gradients back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import numpy as np

from ..layers.find_layers import Methods, find_layers, reached
from ..read.read_code import methods_in
from .draw_operation import inner_functions
from .own_tensor import OwnTensor

FORWARDS = ("forward", "__call__")


def find_modules(classes: dict[str, type], names: dict[str, Any], own: OwnTensor) -> Iterator[tuple[str, type, Methods]]:
    """Yield (name, class, methods) for each such class of some without a backward, with a forward and a backward of arrays.

    A class whose forward is an expression of operations has no gradients of its own.
    """
    for name, cls in classes.items():
        forward = next((half for half in FORWARDS if half in methods_in(cls)), "")
        if cls is not own.cls and forward and _makes_gradients(cls, forward):
            yield from find_layers({name: _of_arrays(cls, forward, own)}, names)


def _makes_gradients(cls: type, forward: str) -> bool:
    methods = methods_in(cls)
    return any(inner_functions(methods[name]) for name in reached(cls, forward))


def _of_arrays(cls: type, name: str, own: OwnTensor) -> type:
    """Return the class with a forward that takes arrays and returns one, and with a backward."""
    method: Callable = getattr(cls, name)

    def as_tensor(x: Any, numbers: bool) -> Any:
        return own.made(x) if isinstance(x, np.ndarray) and (numbers or x.dtype.kind == "f") else x

    @wraps(method)
    def forward(self: Any, *given: Any, **named: Any) -> Any:
        for numbers in (False, True):  # class numbers as an array, or as a tensor too
            tensors, keywords = [as_tensor(x, numbers) for x in given], {n: as_tensor(x, numbers) for n, x in named.items()}
            try:
                out = method(self, *tensors, **keywords)
                break
            except (AttributeError, TypeError):
                if numbers:
                    raise
        inputs = [x for x in (*tensors, *keywords.values()) if isinstance(x, own.cls)]
        # A graph goes back once. A generator cannot be copied, so that forward runs again before another backward.
        object.__setattr__(self, "_graph", (graph for graph in [(out, inputs)]))
        return own.array(out)

    def backward(self: Any, dout: Any) -> Any:
        out, inputs = next(self._graph)
        assert own.pull is not None
        own.pull(own, out, dout)
        grads = tuple(own.gradient_of(x) for x in inputs)
        return grads if len(grads) > 1 else grads[0]

    halves = {name: forward, "backward": backward}
    return type(cls.__name__, (cls,), halves | {"__module__": cls.__module__, "__qualname__": cls.__qualname__})
