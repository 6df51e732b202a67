"""Find the functions NAME_forward and NAME_backward, and the losses, among the names of the user's file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..layers.call_layer import Layer
from ..layers.find_layers import find_layers
from ..load.load_file import module_name
from ..load.stand_ins import StandIn
from ..read.match_names import derivative_flag, partners, stem_of, with_flag
from ..read.read_code import closure_returned, needs_no_object, returned
from ..run_code import NothingToCheck, UserError
from .composed import compose
from .find_losses import find_losses, meant_as_a_loss, returns_no_gradient

# Names that may be one half of a pair.
HALF = re.compile(r"(^|_)(forward|backward|fwd|bwd|backprop)(_|$)|(Forward|Backward|_derivative|_prime)$")


@dataclass
class Pair:
    """A forward and its backward, and the function that makes inputs for them (None where the file has none)."""

    name: str
    forward: Callable
    backward: Callable
    inputs: Any
    path: Path
    forward_name: str
    backward_name: str
    loss: bool = False  # one function that returns (loss, gradients); what it returns says which inputs have gradients
    ran: set[int] = field(default_factory=set)  # the lines of backward that have run


def find_pairs(names: dict[str, Any], path: Path, only: str | None) -> tuple[list[Pair], list[str]]:
    """Return the pairs (or those called `only`), and the names that look like layers but belong to no pair."""
    methods = {id(method) for cls in names.values() if inspect.isclass(cls) for method in vars(cls).values()}
    functions = {
        name: value
        for name, value in names.items()
        if callable(value) and id(value) not in methods and not isinstance(value, StandIn)
    }
    own = {name: value for name, value in functions.items() if getattr(value, "__module__", "") == module_name(path)}
    pairs = [*_pairs(functions, own, names, path), *_closures(own, names, path)]
    paired = {name for pair in pairs for name in (pair.forward_name, pair.backward_name)}
    pairs += _losses({name: value for name, value in own.items() if name not in paired}, names, path)
    classes = {name: value for name, value in own.items() if inspect.isclass(value)}
    layers = list(_layers(classes, names, path))
    pairs += [*layers, *_of_methods(classes, layers, path)]
    if not pairs:
        found = "no pairs of functions NAME_forward and NAME_backward found, and no NAME_loss that returns (loss, gradients)"
        raise (UserError if _left_over(own, []) else NothingToCheck)(f"{path}: {found}{_advice(own, path)}")
    chosen = [pair for pair in pairs if only in (None, pair.name, pair.forward_name, pair.backward_name)]
    if not chosen:
        raise NothingToCheck(f"{path}: there is no pair called {only!r}; there are {', '.join(pair.name for pair in pairs)}")
    return chosen, [] if only else _left_over(own, pairs)


def _pairs(functions: dict[str, Callable], own: dict[str, Callable], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each backward or derivative, in the order of their forwards in the file."""
    for title, forward, backward in partners([name for name, value in functions.items() if not inspect.isclass(value)]):
        if "backward" in backward or backward in own:  # numpy.gradient is no backward
            inputs = names.get(f"{title}_inputs", names.get(f"{forward.removesuffix('_forward')}_inputs"))
            pair = Pair(title, functions[forward], functions[backward], inputs, path, forward, backward)
            composed = compose(pair.forward, pair.backward, backward, functions)
            yield pair if composed is None else replace(pair, forward=composed, backward=composed.backward)
    for name, function in own.items():
        flag = derivative_flag(function)
        if flag:
            yield Pair(name, function, with_flag(function, flag), names.get(f"{name}_inputs"), path, name, name)


def _of_methods(classes: dict[str, type], layers: list[Pair], path: Path) -> Iterator[Pair]:
    """Yield a pair for each two methods that need no object, as a class's sigmoid(self, x) and sigmoid_derivative(self, x)."""
    taken = {name for layer in layers for name in (layer.forward_name, layer.backward_name)}
    for title, cls in classes.items():
        bare = object.__new__(cls) if cls.__new__ is object.__new__ and not inspect.isabstract(cls) else cls
        free = {name: getattr(bare, name) for name in vars(cls) if name[:2] != "__" and needs_no_object(cls, name)}
        free = {name: method for name, method in free.items() if f"{title}.{name}" not in taken}
        for name, forward, backward in partners(list(free)):
            called = f"{title}.{forward}", f"{title}.{backward}"
            if stem_of(backward, "BACKWARD", "SLOPE"):  # not `forward` and `backward` of a class to inherit from
                yield Pair(f"{title}.{name}", free[forward], free[backward], None, path, *called)


def _closures(own: dict[str, Callable], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that returns (out, backward), where backward is a function made in it."""
    for name, function in own.items():
        made = [closure_returned(value, function) for value in returned(function)] if inspect.isfunction(function) else []
        if made and all(made):
            yield Pair(name, function, _call_closure, names.get(f"{name}_inputs"), path, name, f"{name}'s {made[0]}")


def _call_closure(dout: Any, cache: Callable) -> Any:
    return cache(dout)


def _losses(functions: dict[str, Callable], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each loss. Its inputs come from softmax_loss_inputs or softmax_inputs, where the file has one."""
    for loss in find_losses(functions):
        inputs = names.get(f"{loss.name}_inputs", names.get(f"{loss.name.removesuffix('_loss')}_inputs"))
        yield Pair(loss.name, loss, loss.backward, inputs, path, loss.name, loss.name, loss=True)


def _layers(classes: dict[str, type], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each class. NAME_inputs may give arguments of its constructor too."""
    for name, cls, methods in find_layers(classes, names):
        layer = Layer(name, cls, methods, path)
        inputs = names.get(f"{name}_inputs")
        yield Pair(name, layer, layer.backward, inputs, path, f"{name}.{methods.forward}", f"{name}.{methods.backward}")


def _left_over(own: dict[str, Callable], pairs: list[Pair]) -> list[str]:
    """Return what the file defines beside the pairs: single forwards and backwards, losses, and classes with both methods."""
    paired = {name for pair in pairs for name in (pair.forward_name, pair.backward_name)}
    found = []
    for name, value in own.items():
        if inspect.isclass(value):
            continue
        if name not in paired and HALF.search(name):
            found.append(f"{name} (no counterpart is found)")
        elif name not in paired and meant_as_a_loss(name, value):
            why = "no gradient is seen in what it returns" if returns_no_gradient(value) else "unfinished: it returns nothing"
            found.append(f"{name} ({why})")
    return found


def _advice(own: dict[str, Callable], path: Path) -> str:
    """Say why a file has no pairs."""
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "forward")]
    if classes:
        return f", and no class with both methods ({', '.join(classes)}: no backward is found)"
    halves = [name for name in own if HALF.search(name)]
    if halves:
        return f"; {', '.join(halves)} {'has' if len(halves) == 1 else 'have'} no counterpart"
    return '. What stands under `if __name__ == "__main__":` is not run' if b"__main__" in path.read_bytes() else ""
