"""Find the classes that are layers, losses or networks, and make a pair of each."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..functions.find_losses import returned_gradients
from ..functions.kinds import kind_of
from ..read.read_code import code_of, parameters, returned
from .attributes import RATES
from .look_alikes import halves_of

FORWARDS = (
    "forward forward_pass forward_propagation forward_propagate forward_prop feedforward feed_forward fprop fwd propagate "
    "forwardprop forward_propogation __call__ call apply activate activation function func fn f compute predict value evaluate"
)
BACKWARDS = (
    "backward backward_pass backward_propagation backward_propagate backward_prop back_propagation back_propagate "
    "backpropagation backpropagate backprop back_prop backwardprop back_propogation backward_propogation bprop bwd back"
)
SLOPES = (
    "derivative gradient grad deriv prime derive diff df d_activation differentiate gradients backward_activation "
    "compute_gradient compute_gradients cost_function_prime cost_prime loss_prime grads"
)
COSTS = (
    "loss_and_grads loss_and_grad loss_and_gradients loss_and_gradient compute_loss_and_gradients compute_loss_and_grads "
    "loss cost compute_loss compute_cost calculate_loss calculate_cost loss_function cost_function calc_loss get_loss"
)


# The gradient of the output among the arguments of a backward.
COTANGENT = re.compile(
    r"^_*(d(?!ata|im|ropout|ebug|type|eriv)|grad|g$|gy$|up|err|back|accum|next_|loss_|top|eps$|res)|grad|delta|err",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Methods:
    """The two methods of a class that are checked together."""

    forward: str
    backward: str  # the same as forward for one that returns (loss, gradients)
    how: str  # "layer", "slope" (an elementwise derivative), "loss and gradients" (of one method), "gradient" (of a loss),
    # "cost" (backward begins with the loss of what forward returns)
    cost: str = ""  # the method that gives that loss, where there is one


def find_layers(classes: dict[str, type], names: dict[str, Any]) -> Iterator[tuple[str, type, Methods]]:
    """Yield (name, class, methods) for each class that can be checked."""
    for name, cls in classes.items():
        methods = None if getattr(cls, "_is_protocol", False) else methods_of(cls, names)
        if methods is not None and not is_abstract(cls, methods, classes):
            yield name, cls, methods


def methods_of(cls: type, names: dict[str, Any]) -> Methods | None:
    """Return the methods to check; None for a class that is no layer."""
    forward, cost, slope = (_first(cls, known) for known in (FORWARDS, COSTS, SLOPES))
    backward = _first(cls, BACKWARDS, taking="[^*]") or _first(cls, BACKWARDS)  # back(error) before backprop()
    gradient = _first(cls, SLOPES, taking=COTANGENT.pattern)
    if (
        backward
        and gradient
        and all(RATES.fullmatch(p.name) or kind_of(p.name) == "number" for p in arguments_of(cls, backward))
    ):
        backward = gradient  # and backward(alpha, momentum) is the step
    if cost and _returns_gradients(cls, cost, backward, names):
        return Methods(cost, cost, "loss and gradients")
    if forward and backward:
        return Methods(forward, backward, "cost" if _starts_from_targets(cls, forward, backward) else "layer", cost)
    if cost and (slope or backward):
        return Methods(cost, slope or backward, "gradient")
    if forward and slope:
        given, needed = ([p for p in arguments_of(cls, name) if p.default is p.empty] for name in (slope, forward))
        if given and COTANGENT.search(given[-1].name):  # grad(dout)
            return Methods(forward, slope, "layer")
        return Methods(forward, slope, "gradient" if len(needed) > 1 else "slope")
    halves = _of_one_stem(cls) or halves_of(cls)
    if halves is None or halves[1] in FORWARDS.split():  # build(shape) and call(x)
        return None
    return Methods(*halves, "cost" if _starts_from_targets(cls, *halves) else "layer")


def _of_one_stem(cls: type) -> tuple[str, str] | None:
    """Return conv_forward and conv_backward."""
    names = [name for name, method in vars(cls).items() if inspect.isfunction(method) and re.search("_forward|forward_", name)]
    pairs = [(name, name.replace("forward", back)) for name in names for back in ("backward", "backprop") if name[0] != "_"]
    return next((pair for pair in pairs if pair[1] in vars(cls)), None)


def _returns_gradients(cls: type, cost: str, backward: str, names: dict[str, Any]) -> bool:
    """Whether a method for the loss returns (loss, gradients); it may call backward for those."""
    code = code_of(getattr(cls, cost))
    if code is None:
        return False
    parts = [part for value in returned(getattr(cls, cost)) for part in getattr(value, "elts", [])[1:]]
    inside = [node for part in parts for node in ast.walk(part)]
    calls = any(isinstance(node, ast.Attribute) and node.attr == backward for node in inside)
    calls = calls or any(isinstance(part, ast.Dict) for part in parts)
    return calls or bool(returned_gradients(code, {n: f for n, f in names.items() if inspect.isfunction(f)}))


def _starts_from_targets(cls: type, forward: str, backward: str) -> bool:
    """Whether backward takes the targets, and forward does not: a network whose backward begins with its loss."""
    given, wanted = arguments_of(cls, forward), arguments_of(cls, backward)
    if not given and not wanted:  # of NeuralNetwork(x, y), whose constructor has them
        return any(kind_of(p.name) == "target" for p in parameters(cls))
    targets = [p.name for p in wanted if p.default is p.empty and kind_of(p.name) == "target"]
    return bool(targets) and not any(p.name in targets or kind_of(p.name) == "target" for p in given)


def arguments_of(cls: type, name: str) -> list[inspect.Parameter]:
    """Return the parameters of a method without self."""
    return parameters(getattr(cls, name))[
        0 if isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod) else 1 :
    ]


def attributes_in(method: Any, used: type = ast.Store) -> set[str]:
    """Return the attributes of self that a method sets, or reads."""
    code = code_of(method) if inspect.isroutine(method) else None
    own = [x for x in ast.walk(code or ast.Pass()) if isinstance(x, ast.Attribute) and ast.unparse(x.value) == "self"]
    return {x.attr for x in own if isinstance(x.ctx, used)}


def _first(cls: type, known: str, taking: str = "") -> str:
    """Return the first of these methods that a class has, `taking` such an argument; a library's classes have their own."""
    owners = [c for c in reversed(cls.__mro__) if c.__module__.split(".")[0] not in ("torch", "builtins")]
    names = [name for owner in owners for name in vars(owner) if inspect.isroutine(getattr(owner, name, None))]
    methods = {re.sub("([a-z])([A-Z])", r"\1_\2", name).lower(): name for name in names}  # forward_pass of forwardPass
    methods = {name.strip("_"): own for name, own in methods.items() if name[:2] != "__"} | methods  # forward of _forward
    found = [methods[name] for name in known.split() if name in methods]
    return next((m for m in found if not taking or any(re.search(taking, p.name) for p in arguments_of(cls, m))), "")


def is_abstract(cls: type, methods: Methods, classes: dict[str, type]) -> bool:
    """Whether a class is written only for others to inherit from: its methods say nothing, and it has heirs or such a name."""
    empty = {name: _says_nothing(getattr(cls, name)) for name in {methods.forward, methods.backward}}
    if not any(empty.values()):
        return False
    heirs = any(issubclass(other, cls) and other is not cls for other in classes.values())
    base = cls.__name__.lower().strip("_").removesuffix("base").removeprefix("base").removeprefix("abstract").strip("_")
    return (
        heirs
        or inspect.isabstract(cls)
        or base in ("", "layer", "module", "function", "activation", "loss", "criterion", "node", "op", "operation")
    )


def _says_nothing(method: Callable) -> bool:
    """Whether a method has no code but a docstring, pass, ... or a raise."""
    code = code_of(method)
    said = [ast.unparse(line) for line in code.body if not isinstance(line, ast.Raise)] if code else [""]
    return all(line in ("pass", "...", "return", "return NotImplemented") or line[:1] in ("'", '"') for line in said)
