"""Which classes of a file are pairs, and which of their methods; and the operations of its own autograd."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..layers.call_layer import Layer
from ..layers.find_layers import Methods, find_layers
from ..layers.graph_nodes import as_node
from ..read.match_names import partners, stem_of, words_of
from ..read.read_code import needs_no_object, nodes_of, parameters
from ..tensors.draw_operation import inner_functions
from ..tensors.operation import Operation
from .composed import compose
from .of_functions import with_flags
from .pair import Pair

FRAMEWORKS = ("torch", "tensorflow", "jax")  # which find the gradients themselves


def of_methods(classes: dict[str, type], layers: list[Pair], path: Path) -> Iterator[Pair]:
    """Yield a pair for each two methods that need no object, as a class's sigmoid(self, x) and sigmoid_derivative(self, x)."""
    taken = {name for layer in layers for name in (layer.forward_name, layer.backward_name)}
    for title, cls in classes.items():
        bare = object.__new__(cls) if cls.__new__ is object.__new__ and not inspect.isabstract(cls) else cls
        numbers = _numbers_set(cls) if bare is not cls else {}
        for attribute, number in numbers.items():
            setattr(bare, attribute, number)
        free = [
            name
            for name in vars(cls)
            if name[:2] != "__" and f"{title}.{name}" not in taken and needs_no_object(cls, name, known=numbers)
        ]
        methods = {f"{title}.{name}": getattr(bare, name) for name in free}
        yield from with_flags(methods, path)
        for name, *halves in partners(free):
            if stem_of(halves[1], "BACKWARD", "SLOPE"):  # not `forward` and `backward` of a class to inherit from
                forward, backward = (f"{title}.{half}" for half in halves)
                heirs = [other for other in classes.values() if issubclass(other, cls) and other is not cls]
                if not parameters(methods[forward]) or any(halves[1] in vars(other) for other in heirs):
                    continue  # parameters(self) and parameters_grad(self) of a class to inherit from; or its heirs' own
                yield Pair(f"{title}.{name}", methods[forward], methods[backward], path, forward, backward)


def of_deltas(own: dict[str, Callable], functions: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each class of a cost fn(a, y) with delta(z, a, y): the gradient in z, which the file's sigmoid takes."""
    known = [f for n, f in functions.items() if words_of(n) == ["sigmoid"] and inspect.isfunction(f)]
    for title, cls in own.items() if known else ():
        if (
            inspect.isclass(cls)
            and not inspect.isabstract(cls)
            and all(inspect.isfunction(getattr(cls, half, None)) for half in ("fn", "delta"))
        ):
            bare: Any = object.__new__(cls)
            composed = compose(known[0], bare.delta, "delta", {"cost": bare.fn})
            if composed and [p.name for p in parameters(bare.delta)][:1] == ["z"]:
                yield Pair(title, composed, composed.backward, path, f"{title}.fn", f"{title}.delta")


def _numbers_set(cls: Any) -> dict[str, float]:
    """Return the attributes that a constructor sets to a number whatever it is given: self.e = 2.718."""
    nodes = nodes_of(cls.__init__) if inspect.isfunction(cls.__init__) else []
    found: dict[str, float] = {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            number = node.value.value
            if isinstance(number, int | float) and not isinstance(number, bool):
                found |= {target.attr: number for target in targets if isinstance(target, ast.Attribute)}
    return found


def class_pairs(classes: dict[str, type], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each class. NAME_inputs may give arguments of its constructor too."""
    for name, cls, methods in find_layers(classes, names):
        halves = [_of_an_array(vars(cls).get(half)) for half in (methods.forward, methods.backward)]
        if all(halves):  # Relu.forward(x), with `self` for x
            yield Pair(name, halves[0], halves[1], path, f"{name}.{methods.forward}", f"{name}.{methods.backward}")  # type: ignore
            continue
        yield of_layer(name, cls, methods, path)


def of_layer(name: str, cls: type, methods: Methods, path: Path) -> Pair:
    layer: Any = as_node(name, cls, methods) or Layer(name, cls, methods, path)
    return Pair(name, layer, layer.backward, path, f"{name}.{methods.forward}", f"{name}.{methods.backward}")


def of_operation(name: str, operation: Operation, path: Path) -> Pair:
    inner = [f.name for f in inner_functions(operation.function) if isinstance(f, ast.FunctionDef)]
    backward = f"{name}.{inner[-1]}" if inner else f"{operation.own.cls.__name__}.{operation.own.backward}"
    return Pair(name, operation, operation.backward, path, name, backward)


def _of_an_array(method: Any) -> Callable | None:
    """Return a method whose `self` is the array itself as a function of x; None for any other."""
    nodes = nodes_of(method) if inspect.isfunction(method) and [p.name for p in parameters(method)] == ["self"] else []
    of_self = [node for node in nodes if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self"]
    if not any(getattr(node, "id", "") == "self" for node in nodes) or any(not hasattr(np.ndarray, n.attr) for n in of_self):
        return None

    def function(x: Any) -> Any:
        return method(x)

    function.__name__, function.__qualname__, function.__module__ = method.__name__, method.__qualname__, method.__module__
    return function


def is_of_a_framework(cls: type) -> bool:
    """Whether a framework finds the gradients of a class: it has no backward of its own."""
    return "backward" not in vars(cls) and any(base.__module__.partition(".")[0] in FRAMEWORKS for base in cls.__mro__)
