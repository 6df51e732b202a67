"""Call a layer that is an object as a pair of functions of arrays: each call works on a copy of its own.

Its inputs are the arguments of the forward method and its parameters: the arrays in the object that the output depends on.
"""

from __future__ import annotations

import inspect
import random
import re
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..functions.draw_inputs import kind_of
from ..read.read_code import parameters, titles_of
from ..unfinished import refuse_nothing
from .attributes import Way, arrays_in, at, gradient_at, is_called_gradient, names_gradient, put, set_rates
from .draw_constructor import LR
from .find_layers import Methods

# Where forward leaves its output if it returns nothing, and where backward leaves the gradient of its input.
OUTPUTS = "output out outputs y Y a A z Z value loss activation h data result"
INPUT_GRADIENTS = "dinputs dinput dx dX d_inputs d_input grad_input input_grad grad_inputs inputs_grad dA dA_prev dLdx"


USUAL_LOSSES: dict[str, Callable] = {
    "half the sum of squares": lambda out, y: 0.5 * np.sum((out - y) ** 2),
    "half the mean of squares": lambda out, y: 0.5 * np.sum((out - y) ** 2) / len(out),
    "the sum of squares": lambda out, y: np.sum((out - y) ** 2),
    "the mean of squares": lambda out, y: np.mean((out - y) ** 2),
    "the mean over the samples of squares": lambda out, y: np.sum((out - y) ** 2) / len(out),
    "binary cross-entropy": lambda out, y: -np.mean(y * np.log(out) + (1 - y) * np.log(1 - out)),
    "binary cross-entropy, a mean over the samples": lambda out, y: (
        -np.sum(y * np.log(out) + (1 - y) * np.log(1 - out)) / len(out)
    ),
    "binary cross-entropy, a sum": lambda out, y: -np.sum(y * np.log(out) + (1 - y) * np.log(1 - out)),
    "cross-entropy": lambda out, y: -np.sum(y * np.log(out)) / len(out),
    "cross-entropy, a sum": lambda out, y: -np.sum(y * np.log(out)),
    "cross-entropy, samples in columns": lambda out, y: -np.sum(y * np.log(out)) / out.shape[1],
    "cross-entropy of labels": lambda out, y: -np.mean(np.log(out[np.arange(len(y)), y])),
    "cross-entropy of labels, a sum": lambda out, y: -np.sum(np.log(out[np.arange(len(y)), y])),
}


@dataclass
class Used:
    """The object that one forward has used, and what it takes to do that again."""

    object: Any
    values: tuple
    result: Any
    state: Any  # of NumPy's generator before forward
    scores: Any  # what forward returned before a cost was made of it
    context: list[Any]  # what a static method is given first to keep its arrays in; mostly nothing
    fresh: bool = True  # whether no backward has run: the first may use up what forward has saved


class Context:
    """The first argument of static methods, as in PyTorch."""

    def save_for_backward(self, *arrays: Any) -> None:
        self.saved_tensors = arrays


@dataclass
class Layer:
    """A class as a forward and a backward. Its object, its inputs and its roles are filled in by `draw_layer`."""

    name: str
    cls: type
    methods: Methods
    path: Path
    remake: Callable[[], Any] | None = None  # makes the object anew
    base: Any = None  # the object that each call copies; None where it cannot be copied and is made anew
    arguments: dict[str, Any] = field(default_factory=dict)  # of the forward method, by name; for a cost, its target too
    parameters: dict[str, list[Way]] = field(default_factory=dict)  # the ways to each parameter in the object
    roles: dict[str, Any] = field(default_factory=dict)  # what each argument of backward is, see `possible_roles`
    context: bool = False  # whether both methods take a context first
    usual: str = ""  # the name of the usual loss, where a network has no method for the loss that its backward begins with
    targets: list[str] = field(default_factory=list)  # the arguments that were drawn as targets
    drawn: dict[Way, str] = field(default_factory=dict)  # the names of the constructor's arrays, by the ways to them
    updated: set[str] = field(default_factory=set)  # parameters that backward changes by a step of gradient descent
    steps: bool = False  # whether an optimizer of ours changes the parameters
    loss: bool = False  # whether forward gives a loss and backward takes no dout
    reduced: Callable = np.mean  # what makes a number of the losses of the samples
    unseen: list[str] = field(default_factory=list)  # arrays that the output depends on and that have no gradient
    silent: set[str] = field(default_factory=set)  # inputs that need no gradient
    titles: dict[int, list[str]] = field(default_factory=dict)  # the names of the values that backward returns, by their number

    __signature__ = inspect.Signature([inspect.Parameter("inputs", inspect.Parameter.VAR_POSITIONAL)])

    @property
    def names(self) -> list[str]:
        """The inputs that are measured: arguments that need no gradient, as the data of a network, are not among them."""
        return [*(name for name in self.arguments if name not in self.silent), *self.parameters]

    @property
    def douts(self) -> list[str]:
        """The arguments of backward that take the gradient of an output."""
        return [name for name, role in self.roles.items() if role == "dout"]

    # ---- forward ---------------------------------------------------------------------------------------------------------

    def __call__(self, *values: Any) -> tuple[Any, Used]:
        """Return (out, the object that was used)."""
        used = self.run(values)
        return self.output(used), used

    def _given(self, values: tuple) -> dict[str, Any]:
        silent = {name: fresh(x) for name, x in self.arguments.items() if name in self.silent}
        given = silent | dict(zip(self.names, values, strict=True))
        return {name: given[name] for name in [*self.arguments, *self.parameters]}

    def run(self, values: tuple) -> Used:
        """Run the forward method of a copy that holds these parameters."""
        assert self.remake is not None
        layer = self.remake() if self.base is None else deepcopy(self.base)
        given = self._given(values)
        for name, ways in self.parameters.items():
            put(layer, ways, np.asarray(given[name]))
        state = np.random.get_state()  # noqa: NPY002
        random.seed(0)
        context = [self.new_context()] if self.context else []
        result = call_by_name(getattr(layer, self.methods.forward), given, context)
        used = Used(layer, values, result, state, result, context)
        if self.methods.how == "cost":
            used.scores = self.parts(used)[0]
            used.result = self._cost(layer, given, used.scores)
        return used

    def new_context(self) -> Any:
        """Return what static methods keep their arrays in: the file's own class, or one like PyTorch's."""
        own = [x for name, x in sys.modules[self.cls.__module__].__dict__.items() if name in ("Context", "Ctx", "FunctionCtx")]
        return own[0]() if own else Context()

    def _cost(self, layer: Any, given: dict[str, Any], scores: Any) -> Any:
        """Return the loss of what forward returned, by the class's own method, else by the usual one that fits."""
        if self.usual:
            return USUAL_LOSSES[self.usual](scores, given[self.target])
        method = getattr(layer, self.methods.cost)
        inputs = dict(given)
        for p in parameters(method):
            if p.name not in given and p.default is p.empty:
                x = next(iter(self.arguments))
                inputs[p.name] = (
                    given[self.target] if kind_of(p.name) == "target" else given[x] if names_input(p.name) else scores
                )
        return call_by_name(method, inputs)

    @property
    def target(self) -> str:
        """The argument that is a target; "" where there is none."""
        known = [name for name in self.arguments if kind_of(name, self.name) == "target"]
        known = known or (list(self.arguments)[1:] if is_loss_name(self.cls.__name__) else [])
        return (self.targets or known or [""])[-1]

    def parts(self, used: Used) -> list[Any]:
        """Return the floating-point outputs: what forward returned, or what it left in an attribute."""
        result = used.result
        if result is None:
            result = next((x for x in (getattr(used.object, name, None) for name in OUTPUTS.split()) if x is not None), None)
            title = f"{self.cls.__name__}.{self.methods.forward}"
            refuse_nothing(
                result,
                getattr(self.cls, self.methods.forward),
                f"{title} returns None and leaves nothing in self.output",
                self.path,
            )
        if self.methods.how == "loss and gradients":
            result = result[0]
        several = list(result) if isinstance(result, tuple | list) else [result]
        found = [y for y in several if _is_float(y)]
        if not found:
            got = ", ".join(f"{type(y).__name__} {getattr(y, 'dtype', '')}".strip() for y in several)
            raise TypeError(f"{self.cls.__name__}.{self.methods.forward} returns no floating-point array, but {got}")
        return found

    def output(self, used: Used) -> Any:
        """Return the output, or a tuple of as many as backward takes gradients of."""
        found = self.parts(used)
        if len(self.douts) > 1:
            return tuple(found[: len(self.douts)])
        return self.reduced(found[0]) if self.loss and np.ndim(found[0]) else found[0]

    # ---- backward --------------------------------------------------------------------------------------------------------

    def backward(self, dout: Any, cache: Used) -> tuple:
        """Return the gradient of each floating-point input, None where there is none."""
        used = cache
        if not cache.fresh:
            now = np.random.get_state()  # noqa: NPY002
            np.random.set_state(cache.state)  # noqa: NPY002
            used = self.run(cache.values)
            np.random.set_state(now)  # noqa: NPY002
        cache.fresh = False
        found = self.gradients(dout, used)
        return tuple(found.get(name) for name, x in zip(self.names, cache.values, strict=True) if differentiable(x))

    def gradients(self, dout: Any, used: Used) -> dict[str, Any]:
        """Return the gradients that backward returns or leaves in the object, by the names of the inputs."""
        before = {name: np.array(at(used.object, ways[0])) for name, ways in self.parameters.items()}
        if self.methods.how == "loss and gradients":
            returned = used.result[1] if len(used.result) == 2 else used.result[1:]
        else:
            returned = self._call_backward(dout, used)
        found = self._input_gradients(used) if returned is None or returned is ... else self._returned(returned, used)
        for name, ways in self.parameters.items():
            if name not in found:
                left, after = gradient_at(used.object, ways), np.asarray(at(used.object, ways[0]))
                if left is not None:
                    found[name] = np.array(left)
                elif name in self.updated:
                    found[name] = (before[name] - after) / self._rate(used.object)
        self._by_shape(found, used)
        if self.loss:
            return {name: None if g is None else g * float(dout) for name, g in found.items()}
        return found

    def _by_shape(self, found: dict[str, Any], used: Used) -> None:
        """Find the gradients that have no telling name: the only array of the parameter's shape that is called a gradient."""
        for name in [name for name in self.parameters if name not in found]:
            shape = np.shape(at(used.object, self.parameters[name][0]))
            arrays = [a for ways, a in arrays_in(used.object) if a.shape == shape and is_called_gradient(ways[0])]
            if len(arrays) == 1 and sum(np.shape(at(used.object, ways[0])) == shape for ways in self.parameters.values()) == 1:
                found[name] = np.array(arrays[0])

    def _call_backward(self, dout: Any, used: Used) -> Any:
        given, made = self._given(used.values), {}
        for name, role in self.roles.items():
            match role:
                case "dout":
                    made[name] = dout[self.douts.index(name)] if len(self.douts) > 1 else dout
                case "rate":
                    made[name] = LR
                case "result":
                    made[name] = used.scores if self.methods.how == "cost" else self.parts(used)[0]
                case "cache":
                    made[name] = used.result[-1]
                case "prediction":  # of a loss class, or what it has made of it itself, as softmax
                    first = next(x for n, x in given.items() if n in self.arguments and differentiable(x))
                    left = next((vars(used.object)[n] for n in OUTPUTS.split() if n in vars(used.object)), None)
                    made[name] = left if left is not None and np.shape(left) == np.shape(first) else first
                case "input", source:
                    made[name] = given[source]
                case "value", value:
                    made[name] = value
        returned = call_by_name(getattr(used.object, self.methods.backward), made, used.context)
        return dout * returned if self.methods.how == "slope" else returned

    def _rate(self, layer: Any) -> float:
        """Return the learning rate of a backward that changes the parameters itself."""
        known = "rate" in self.roles.values() or set_rates(layer, LR) or self.steps
        return LR if known else 1.0

    def _input_gradients(self, used: Used) -> dict[str, Any]:
        """Return the gradients of the inputs that a backward which returns nothing left in attributes."""
        found = {}
        for i, name in enumerate(self._inputs(used)):
            known = [step for step in vars(used.object) if names_gradient(step, name)]
            known += [step for step in INPUT_GRADIENTS.split() if i == 0 and step in vars(used.object)]
            arrays = [g for g in (getattr(used.object, step) for step in known) if _is_float(g)]
            if not arrays and i == 0:  # the only array of its shape that is called a gradient: self.derivatives
                shape = np.shape(dict(zip(self.names, used.values, strict=True)).get(name, ()))
                alone = [g for ways, g in arrays_in(used.object) if g.shape == shape and is_called_gradient(ways[0])]
                arrays = alone if len(alone) == 1 else []
            if arrays:
                found[name] = np.array(arrays[0])
        return found

    def _inputs(self, used: Used) -> list[str]:
        """Return the arguments of forward that have a gradient."""
        given = dict(zip(self.names, used.values, strict=True))
        return [name for name in self.arguments if name not in self.silent and differentiable(given[name])]

    def _returned(self, returned: Any, used: Used) -> dict[str, Any]:
        """Return what backward returns by the names of the inputs: a dict has keys, others a name or an order."""
        inputs = self._inputs(used)
        if isinstance(returned, dict):
            return self._in_dict(returned, inputs)
        grads = list(returned) if isinstance(returned, tuple | list) else [returned]
        if grads and all(isinstance(g, list) for g in grads):
            return self._in_lists(grads)
        kept = [g for g in grads if isinstance(g, dict)]
        if kept:
            alone = self._returned(tuple(g for g in grads if not isinstance(g, dict)), used)
            return alone | self._in_dict({key: g for one in kept for key, g in one.items()}, list(self.parameters))
        beside = self.methods.how == "loss and gradients"  # the loss stands before them
        if len(grads) not in self.titles:
            self.titles[len(grads)] = titles_of(getattr(self.cls, self.methods.backward), len(grads) + beside)[beside:]
        owners: list[str] = []
        for title in self.titles[len(grads)]:
            named = (n for n in [*inputs, *self.parameters] if title and names_gradient(title, n.split(".")[-1]))
            owners.append(next((n for n in named if n not in owners), ""))
        every = [name for name, x in self.arguments.items() if differentiable(x)]
        order = (
            [*self.parameters, *inputs]
            if beside
            else every
            if len(grads) == len(every) > len(inputs)
            else [*inputs, *self.parameters]
        )
        rest = iter([name for name in order if name not in owners])
        owners = [name or next(rest, "") for name in owners]
        # A copy: that a layer hands on the memory of dout, as Flatten does, is no mistake in a class.
        return {name: g.copy() if isinstance(g, np.ndarray) else g for name, g in zip(owners, grads, strict=True) if name}

    def _in_dict(self, grads: dict, inputs: list[str]) -> dict[str, Any]:
        """Return the gradients of a dict: that of W1 has the key W1 or dW1."""
        found = {}
        for name in [*inputs, *self.parameters]:
            short = name.split(".")[-1]
            keys = [key for key in grads if isinstance(key, str) and (key in (name, short) or names_gradient(key, short))]
            if keys:
                found[name] = grads[keys[0]]
        return found

    def _in_lists(self, grads: list[list]) -> dict[str, Any]:
        """Return the gradients of lists of parameters: nabla_w of weights, nabla_b of biases."""
        found = {}
        for title, g in zip(titles_of(getattr(self.cls, self.methods.backward), len(grads)), grads, strict=True):
            for name in self.parameters:
                store, _, number = name.rstrip("]").partition("[")
                if number.isdecimal() and int(number) < len(g) and names_gradient(title, store):
                    found[name] = g[int(number)]
        return found


def call_by_name(function: Callable, given: dict[str, Any], first: Sequence[Any] = ()) -> Any:
    """Call a function with the arguments among these that it has, after some others."""
    found = parameters(function)[len(first) :]
    if any(p.kind is p.VAR_POSITIONAL for p in found) and not any(p.name in given for p in found):
        return function(*first, *given.values())
    first = [*first] + [given[p.name] for p in found if p.kind is p.POSITIONAL_ONLY and p.name in given]
    return function(*first, **{p.name: given[p.name] for p in found if p.kind is not p.POSITIONAL_ONLY and p.name in given})


def names_input(name: str) -> bool:
    """Whether a name is that of a network's data, and not of what the network makes of it."""
    return bool(re.match("x|inp|data|feat|image", name, re.IGNORECASE))


def is_loss_name(name: str) -> bool:
    return bool(re.search("loss|entropy|mse|criterion|cost|error", name, re.IGNORECASE))


def _is_float(y: Any) -> bool:
    return isinstance(y, float) or getattr(getattr(y, "dtype", None), "kind", "") == "f"
