"""Find the functions NAME_forward and NAME_backward, and the losses, among the names of the user's file."""

from __future__ import annotations

import ast
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
from ..read.read_code import closure_returned, needs_no_object, parameters, plain_title, returned
from ..read.structure import partners_by_code
from ..run_code import NothingToCheck, UserError
from .composed import compose
from .find_losses import find_losses
from .left_over import advice_on, left_over
from .module_arrays import pair_with_arrays

SLOPE = re.compile("grad|deriv|slope|prime")  # the name of the second of (value, slope)


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
    rest = {name: value for name, value in own.items() if name not in paired}
    pairs += _with_slopes(rest, path)
    pairs += _losses({name: value for name, value in own.items() if name not in paired}, names, path)
    classes = {name: value for name, value in own.items() if inspect.isclass(value)}
    layers = list(_layers(classes, names, path))
    pairs += [*layers, *_of_methods(classes, layers, path)]
    if not pairs:
        found = "no pairs of functions NAME_forward and NAME_backward found, and no NAME_loss that returns (loss, gradients)"
        raise (UserError if left_over(own, set()) else NothingToCheck)(f"{path}: {found}{advice_on(own, path)}")
    chosen = [pair for pair in pairs if only in (None, pair.name, pair.forward_name, pair.backward_name)]
    if not chosen:
        raise NothingToCheck(f"{path}: there is no pair called {only!r}; there are {', '.join(pair.name for pair in pairs)}")
    return chosen, [] if only else left_over(own, {name for pair in pairs for name in (pair.forward_name, pair.backward_name)})


def _pairs(functions: dict[str, Callable], own: dict[str, Callable], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each backward or derivative, in the order of their forwards in the file."""
    for title, forward, backward in partners([name for name, value in functions.items() if not inspect.isclass(value)]):
        if "backward" in backward or backward in own:  # numpy.gradient is no backward
            inputs = names.get(f"{title}_inputs", names.get(f"{forward.removesuffix('_forward')}_inputs"))
            pair = Pair(title, *pair_with_arrays(functions[forward], functions[backward]), inputs, path, forward, backward)
            composed = compose(pair.forward, pair.backward, backward, functions)
            yield pair if composed is None else replace(pair, forward=composed, backward=composed.backward)
    paired = {name for _, *both in partners(list(functions)) for name in both}
    for title, forward, backward in partners_by_code({name: f for name, f in own.items() if name not in paired}):
        yield Pair(title, own[forward], own[backward], names.get(f"{title}_inputs"), path, forward, backward)
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
        for name, method in free.items():
            flag = derivative_flag(method)
            called = f"{title}.{name}"
            if flag:
                yield Pair(called, method, with_flag(method, flag), None, path, called, called)
        for name, forward, backward in partners(list(free)):
            halves = f"{title}.{forward}", f"{title}.{backward}"
            if stem_of(backward, "BACKWARD", "SLOPE"):  # not `forward` and `backward` of a class to inherit from
                yield Pair(f"{title}.{name}", free[forward], free[backward], None, path, *halves)


def _closures(own: dict[str, Callable], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that returns (out, backward), where backward is a function made in it."""
    for name, function in own.items():
        made = [closure_returned(value, function) for value in returned(function)] if inspect.isfunction(function) else []
        if made and all(made):
            yield Pair(name, function, _call_closure, names.get(f"{name}_inputs"), path, name, f"{name}'s {made[0]}")


def _with_slopes(own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that returns (value, slope): ``def relu(x): ... return out, grad``."""
    for name, function in own.items():
        values = returned(function) if inspect.isfunction(function) and len(parameters(function)) == 1 else []
        pairs = [value.elts for value in values if isinstance(value, ast.Tuple) and len(value.elts) == 2]
        if values and len(pairs) == len(values) and all(SLOPE.match(plain_title(two[1])) for two in pairs):
            yield Pair(name, function, _times_slope, None, path, name, name)


def _times_slope(dout: Any, cache: Any) -> Any:
    return dout * cache


def _call_closure(dout: Any, cache: Callable) -> Any:
    if parameters(cache):
        return cache(dout)
    grads = cache()  # of a loss
    return tuple(dout * g for g in grads) if isinstance(grads, tuple) else dout * grads


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
