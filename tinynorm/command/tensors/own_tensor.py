"""A file's own autograd: a class that holds an array and its gradient, and sends gradients back through a graph."""

from __future__ import annotations

import ast
import inspect
import operator
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ..layers.find_layers import nodes_in
from ..read.read_code import methods_in, nodes_of, parameters
from ..run_code import attempt

BACKWARD = re.compile("_*(back_?prop(agate|agation)?|backwards?(_?pass)?|compute_?grad\\w*)", re.IGNORECASE)
GRADIENT = re.compile("_*(grads?|gradient|derivative|adjoint|g)", re.IGNORECASE)
# An argument that says whether it shall have one.
TRACKED = re.compile("requires?_?grad|autograd|needs?_?grad|track\\w*|trainable|(is_)?param", re.IGNORECASE)
GIVEN = re.compile("_*(\\w*grad(ient)?s?|d\\w{0,5}|g|delta|seed|upstream|z)", re.IGNORECASE)  # the argument of backward
NO_GRADIENT = re.compile("(retain|zero|create|clear|keep)_?\\w*|debug", re.IGNORECASE)
OF_ARRAYS = {"shape", "T", "transpose", "reshape", "__matmul__", "matmul", "dot"}  # which numbers have not
OF_NUMBERS = {"tanh", "exp", "log", "sqrt", "sin", "cos", "power", "maximum", "random", "pi", "isclose", "float64", "abs"}
OPERATORS = ("__add__", "__mul__", "__matmul__", "__sub__", "__pow__", "__neg__", "__truediv__")


@dataclass
class OwnTensor:
    """A class of tensors, and how its gradients are asked for."""

    cls: type
    value: str  # the attribute with the array
    gradient: str  # the attribute with its gradient
    backwards: list[str]  # the methods that may send gradients back; "" for the function that an operation leaves in its result
    backward: str = ""  # the one that does
    arrays: bool = True  # whether it holds arrays, and not one number
    pull: Callable[[OwnTensor, Any, Any], None] | None = None  # the one of WAYS that works
    scale: float = 1.0  # of the gradients that are read, where backward() began with 1
    known: dict[str, Callable] = field(default_factory=dict)  # a + b and a * b, where they are right
    chains: bool = False  # whether backward goes on behind an operation
    sound: list[Callable] = field(default_factory=list)  # those of them that are right with results of others too
    in_order: bool = False  # whether backward waits for all gradients of a result

    def ways(self) -> Iterator[tuple[str, Any]]:
        """Take one way to ask for gradients after the other, and yield it: the method, and how it is called."""
        for way in product(self.backwards, WAYS):
            self.backward, self.pull = way
            yield way

    def joined(self, one: Any, other: Any) -> Any:
        return next(iter(self.known.values()), operator.add)(one, other)

    def result_of(self, tensor: Any) -> Any:
        """Return t + 0, or t * 1."""
        name, function = next(iter(self.known.items()))
        return function(tensor, self.made(np.full(np.shape(self.array(tensor)), float(name == "__mul__"))))

    def made(self, x: Any) -> Any:
        """Return a tensor that holds an array, or a number; its gradient is wanted."""
        return made(self.cls, x)

    def array(self, tensor: Any) -> np.ndarray:
        return np.array(getattr(tensor, self.value), dtype=float)

    def gradient_of(self, tensor: Any) -> np.ndarray | None:
        """Return the gradient that a tensor holds; None where it has got none."""
        g, x = getattr(tensor, self.gradient, None), self.array(tensor)
        g = getattr(g, self.value) if isinstance(g, self.cls) else g
        scale = self.scale if self.pull is times_gradient else 1.0
        return (
            None
            if g is None
            else np.zeros(x.shape)
            if np.shape(g) == () and not np.any(g)
            else scale * np.array(g, dtype=float)
        )


def made(cls: type, x: Any, tracked: bool = True) -> Any:
    wanted = {p.name: True for p in parameters(cls) if tracked and TRACKED.fullmatch(p.name) and p.default is not p.empty}
    return cls(float(x) if np.ndim(x) == 0 else np.array(x), **wanted)


def as_own_tensor(cls: type) -> OwnTensor | None:
    """Return a class as one of tensors, if it is; else None."""
    methods = methods_in(cls)
    backwards = [name for name in methods if BACKWARD.fullmatch(name)]
    if not backwards and not is_of_operators(cls):
        return None
    for x in (np.array([[0.3, -0.7, 1.2]]), 0.7):
        tensor = attempt(made, cls, x)[0]
        held = _held(tensor)
        values = [name for name, a in held.items() if not callable(a) and _equal(a, x)]
        beside = [f for f in vars(sys.modules[cls.__module__]).values() if inspect.isfunction(f)]  # which go through the graph
        nodes = [*nodes_in(cls), *(node for f in beside if f.__module__ == cls.__module__ for node in nodes_of(f))]
        used = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
        gradients = [name for name in [*held, *used] if GRADIENT.fullmatch(name) and name not in methods]
        if values and gradients:
            return OwnTensor(cls, values[0], gradients[0], [*backwards, ""], arrays=_has_arrays(cls))
    return None


def is_of_operators(cls: type) -> bool:
    """Whether a class defines a + b or a * b, and speaks of gradients."""
    names = [getattr(node, "attr", getattr(node, "id", "")) for node in nodes_in(cls)]
    return any(name in methods_in(cls) for name in OPERATORS) and any("grad" in name.lower() for name in names)


def has_operations_of_arrays(cls: type) -> bool:
    return bool(OF_ARRAYS & {*dir(cls)})


def _has_arrays(cls: type) -> bool:
    """Whether a class computes with arrays: by its name, or as it calls what NumPy has for arrays alone."""
    known = vars(sys.modules[cls.__module__])
    used = {n.attr for n in nodes_in(cls) if isinstance(n, ast.Attribute) and known.get(getattr(n.value, "id", "")) is np}
    return has_operations_of_arrays(cls) or bool(used - OF_NUMBERS) or "tensor" in cls.__name__.lower()


def _equal(a: Any, x: Any) -> bool:
    return bool(attempt(lambda: np.shape(a) == np.shape(x) and np.allclose(a, x, rtol=1e-6))[0])


def _held(tensor: Any) -> dict[str, Any]:
    """Return the attributes of an object."""
    slots = [name for owner in type(tensor).__mro__ for name in getattr(owner, "__slots__", ())]
    return {name: getattr(tensor, name) for name in slots if hasattr(tensor, name)} | dict(getattr(tensor, "__dict__", {}))


# ---- how a gradient is handed in ---------------------------------------------------------------------------------------


def by_argument(own: OwnTensor, out: Any, dout: Any) -> None:
    """backward(dout)."""
    if not _takes_gradient(own):
        raise TypeError("it takes none")
    getattr(out, own.backward)(np.array(dout))


def by_tensor(own: OwnTensor, out: Any, dout: Any) -> None:
    """backward(Tensor(dout))."""
    if not _takes_gradient(own):
        raise TypeError("it takes none")
    getattr(out, own.backward)(made(own.cls, dout, tracked=False))


def by_closure(own: OwnTensor, out: Any, dout: Any) -> None:
    """backward(), which calls the function that each operation has put into its result: it finds dout there in place of 1."""
    name, closure = next((name, f) for name, f in _held(out).items() if inspect.isroutine(f))
    if name == own.backward:
        raise TypeError("it goes back through one operation only")

    def with_dout(*taken: Any, **named: Any) -> Any:
        now, *rest = [*taken, *named.values(), getattr(out, own.gradient)]
        number = np.ndim(dout) == 0 and not isinstance(now, np.ndarray | np.generic)
        given = made(own.cls, dout, False) if isinstance(now, own.cls) else float(dout) if number else np.array(dout)[()]
        setattr(out, own.gradient, given)
        return closure(*[given, *rest[:-1]] if taken or named else ())

    setattr(out, name, with_dout)
    if own.backward:
        getattr(out, own.backward)()
    else:
        with_dout(*[getattr(out, own.gradient) for p in parameters(closure) if p.default is p.empty])


def by_product(own: OwnTensor, out: Any, dout: Any) -> None:
    """(out * dout).backward()."""
    getattr(out * own.made(dout), own.backward)()


def by_sum(own: OwnTensor, out: Any, dout: Any) -> None:
    """(out * dout).sum().backward(), where backward is for one number only."""
    getattr((out * own.made(dout)).sum(), own.backward)()


def times_gradient(own: OwnTensor, out: Any, dout: Any) -> None:
    """backward(), which begins with 1, and all gradients times dout: for numbers, where no other way is right."""
    getattr(out, own.backward)()
    own.scale = float(dout)


WAYS = (by_argument, by_tensor, by_closure, by_product, by_sum)


def _takes_gradient(own: OwnTensor) -> list[str]:
    taken = parameters(getattr(own.cls, own.backward))[1:]
    may_be = [p.name for p in taken if GIVEN.fullmatch(p.name) or p.default is p.empty]
    return [name for name in may_be if not NO_GRADIENT.fullmatch(name)][:1]
