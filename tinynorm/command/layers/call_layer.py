"""Call a layer that is an object as a pair of functions of arrays: each call works on a copy of its own.

Its inputs are the arguments of the forward method and its parameters: the arrays in the object that the output depends on.
"""

from __future__ import annotations

import ast
import copyreg
import inspect
import random
import re
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from types import MethodType, ModuleType
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh, random_state_kept
from ..functions.composed import common_losses
from ..functions.kinds import REGULARISED, kind_of
from ..read.packed import Packed
from ..read.read_code import code_of, parameters, returned, titles_of
from ..run_code import attempt
from ..unfinished import refuse_nothing
from .attributes import RATES, Way, as_array, at, put, set_numbers
from .find_layers import LOSS_NAME, NEIGHBOUR, Methods, attributes_in, given_outside, is_loss, last_set, rates_of
from .objects import LR, Step
from .read_gradients import read_gradients

copyreg.pickle(ModuleType, lambda module: (import_module, (module.__name__,)))  # of self.xp = numpy: it is copied too

# Where forward leaves its output if it returns nothing.
OUTPUTS = "output out outputs y Y a A z Z value loss activation h data result"
OUTPUT_NAME = re.compile(r"^(?!d).*_(out|output|outputs|hat|pred|next)$")  # h_output, and not diff_h_output
NUMBER = (float, int, np.number)
# The names of a network's data.
INPUT_NAME = re.compile("x|inp|data|feat|image", re.IGNORECASE)
# Losses of a network that has no method for the loss that its backward begins with.
USUAL_LOSSES = dict(sorted(common_losses(), key=lambda loss: "divided by" in loss[0]))
# Layers that a loss may take to be before it: its backward is p - y, the gradient of both.
BEFORE: dict[str, Callable] = {
    "a softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    "a softmax over columns": lambda x: np.exp(x) / np.exp(x).sum(axis=0),
    "a sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


@dataclass
class Used:
    """The object that one forward has used, and what it takes to do that again."""

    object: Any
    values: tuple
    result: Any
    returned: Any  # what forward returned, with its cache
    scores: Any  # its output, before a cost was made of it
    context: list[Any]  # what a static method is given first to keep its arrays in; mostly nothing
    random_state: Any  # NumPy's, before forward
    kept: Used | None = None  # this as it was before the first backward, which may use up what forward has saved


class Context(dict):
    """The first argument of static methods, as in PyTorch, or of others, which keep what they need in it by names."""

    def __missing__(self, key: str) -> float:
        if not RATES.fullmatch(key):
            raise KeyError(key)
        return LR

    def save_for_backward(self, *arrays: Any) -> None:
        self.saved_tensors = arrays


@dataclass
class Layer:
    """A class as a forward and a backward. Its object, its inputs and its roles are filled in by `draw_layer`."""

    name: str
    cls: type
    methods: Methods
    path: Path
    remake: partial | None = None  # makes the object anew, with these arguments, or some others
    base: Any = None  # the object that each call copies; None where it cannot be copied and is made anew
    arguments: dict[str, Any] = field(default_factory=dict)  # of the forward method, by name; for a cost, its target too
    parameters: dict[str, list[Way]] = field(default_factory=dict)  # the ways to each parameter in the object
    roles: dict[str, Any] = field(default_factory=dict)  # what each argument of backward is, see `possible_roles`
    packed: dict[str, Packed] = field(default_factory=dict)  # the arguments of forward that are lists of arrays
    context: bool = False  # whether both methods take a context first
    scores: str = ""  # the attribute whose gradient dout is, where forward keeps that and returns another array: dZ of self.Z
    later: tuple = ()  # the part of the output that dout is of, where that begins with the state before x: all but the first
    last: bool = False  # whether dout is that of the last output alone, of a list of them, one for each step
    usual: str = ""  # the name of the usual loss, where a network has no method for the loss that its backward begins with
    targets: list[str] = field(default_factory=list)  # the arguments that were drawn as targets
    drawn: dict[Way, str] = field(default_factory=dict)  # the names of the constructor's arrays, by the ways to them
    updated: set[str] = field(default_factory=set)  # parameters that backward changes by a step of gradient descent
    after: str = ""  # a method that is called after backward, since it makes the gradients of the parameters, or the step
    handed: bool = False  # whether that method takes what backward returns, which are then no gradients of parameters
    steps: bool = False  # whether an optimizer of ours changes the parameters
    loss: bool = False  # whether forward gives a loss and backward takes no dout
    rate: float = 1.0  # of a backward that changes the parameters, where it has no name; negative where dout is target - output
    learning_rate: float = LR  # where it has one
    damped: float = 1.0  # the epsilon that makes a step of Adam one of gradient descent
    before: str = ""  # the layer before a loss whose backward is the gradient of both
    mode: str = ""  # how the object differs from the one that is checked first: training False
    row: tuple = ()  # an index that makes a row, (1, n), of the gradient of a vector, or a column, where backward takes that
    doubt: str = ""  # why it cannot be judged where no way to read it makes it right
    reduced: Callable = np.mean  # what makes a number of the losses of the samples
    # Arrays that the output depends on and that have no gradient; whether they should have one, as a parameter should.
    unseen: dict[str, bool] = field(default_factory=dict)
    refused: str = ""  # the window with which forward works and backward raises, where it was checked with another
    unsummed: bool = False  # whether a gradient is that of each row, where there are several
    several: str = ""  # inputs of several samples that forward takes and backward does not, where it was checked with one
    silent: set[str] = field(default_factory=set)  # inputs that need no gradient
    titles: dict[int, list[str]] = field(default_factory=dict)  # the names of the values that backward returns, by their number

    __signature__ = inspect.Signature([inspect.Parameter("inputs", inspect.Parameter.VAR_POSITIONAL)])

    def anew(self, **changes: Any) -> Layer:
        """Return a copy of which nothing is found out yet, with some changes."""
        return replace(self, titles={}, parameters={}, silent=set(), updated=set(), unseen={}, **changes)

    @property
    def blank(self) -> Layer:
        """The layer with nothing found out yet."""
        return Layer(self.name, self.cls, self.methods, self.path)

    @property
    def made(self) -> Any:
        """The object as it was made; anew where it cannot be copied."""
        return self.base if self.base is not None or self.remake is None else self.remake()

    @property
    def learned(self) -> list[str]:
        """The parameters, without what the layer before has left: ``self.prev_layer.A``."""
        return [name for name, ways in self.parameters.items() if not NEIGHBOUR.search(str(ways[0][0]))]

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
        scores = [name for name in self.arguments if self.before and name != self.target and differentiable(given[name])]
        given |= {name: BEFORE[self.before](given[name]) for name in scores[:1]}
        given = {name: given[name] for name in [*self.arguments, *self.parameters]}
        return given | {name: packed.build(given) for name, packed in self.packed.items()}

    def run(self, values: tuple) -> Used:
        """Run the forward method of a copy that holds these parameters."""
        layer, random_state = self.made if self.base is None else deepcopy(self.base), np.random.get_state()  # noqa: NPY002
        given = self._given(values)
        for name, ways in self.parameters.items():
            put(layer, ways, np.asarray(given[name]))
        random.seed(0)
        context = [self.new_context()] if self.context else []
        self._set_outside(layer, self.methods.forward, given)
        result = call_by_name(getattr(layer, self.methods.forward), given, context)
        used = Used(layer, values, result, result, result, context, random_state)
        if self.methods.how == "cost":
            used.scores = self._scores(used)
            used.result = self._cost(layer, given, used.scores)
        return used

    def _set_outside(self, layer: Any, method: str, given: dict[str, Any]) -> None:
        """Set the attributes that a method without arguments is given from outside."""
        for name in given_outside(self.cls, method):
            setattr(layer, name, given[name])

    def _scores(self, used: Used) -> Any:
        """Return what a network says of all that its forward returned: what its loss takes, or backward, by the same name."""
        forward, after = getattr(self.cls, self.methods.forward), getattr(self.cls, self.methods.cost or self.methods.backward)
        several, taken = used.returned, [p.name for p in parameters(after)]
        named = dict(zip(titles_of(forward, len(several)), several, strict=True)) if isinstance(several, tuple) else {}
        named = {title: y for title, y in named.items() if title in taken}
        if isinstance(several, dict):  # {"Z1": ..., "A1": ...}
            named = {title: y for title, y in several.items() if isinstance(y, np.ndarray)}
        lists = [y[-1] for title, y in named.items() if isinstance(y, list) and y and re.match("_*a", title, re.IGNORECASE)]
        if lists:  # activations, zs
            return lists[0]
        best = [y for title, y in named.items() if re.search("pred|hat|out|prob|logit|score|^y$", title, re.IGNORECASE)]
        arrays = [y for y in several if isinstance(y, np.ndarray)] if isinstance(several, tuple) else []  # beside lists
        return (best or [*named.values()] or arrays[:1] or self.parts(used)[:1])[-1]

    def new_context(self) -> Any:
        """Return what static methods keep their arrays in: the file's own class, or one like PyTorch's."""
        modules = [vars(sys.modules[owner.__module__]) for owner in self.cls.__mro__]
        own = [x for module in modules for name, x in module.items() if re.fullmatch("_?(Context|Ctx|FunctionCtx)", name)]
        return own[0]() if own else Context()

    def _cost(self, layer: Any, given: dict[str, Any], scores: Any) -> Any:
        """Return the loss of what forward returned, by the class's own method, else by the usual one that fits."""
        x, y = given[next(iter(self.arguments))], given[self.target]
        if self.usual:
            y = np.reshape(y, np.shape(scores)) if np.size(y) == np.size(scores) else y  # one output for each sample
            numbers = np.asarray(y).dtype.kind in "iu" and np.shape(y) == np.shape(scores)[:-1]  # of classes, one for each row
            return USUAL_LOSSES[self.usual](scores, y, np.eye(np.shape(scores)[-1])[y] if numbers else y, given)
        method = getattr(layer, self.methods.cost)
        taken = [p.name for p in parameters(method) if p.default is p.empty]
        rest = [name for name in taken if name not in given]
        true = [] if self.target in taken else [name for name in rest if kind_of(name, "loss") == "target"]  # (y, target)
        true = [name for name in true if name.lower() != "y"] or true  # Y, beside T, is what the network says
        made = {name: y if name in true else x if INPUT_NAME.match(name) else scores for name in rest}
        return call_by_name(method, given | made)

    @property
    def target(self) -> str:
        """The argument that is a target; "" where there is none."""
        return (self.targets or [""])[-1]

    def parts(self, used: Used) -> list[Any]:
        """Return the floating-point outputs: what forward returned, or what it left in an attribute."""
        result, title = used.result, f"{self.cls.__name__}.{self.methods.forward}"
        if result is None:
            names = [name for name in OUTPUTS.split() if name not in self.arguments]
            left = sorted(attributes_in(getattr(self.cls, self.methods.forward)))
            of_loss = [*filter(LOSS_NAME.search, left)]  # beside the output of the softmax in it
            names = of_loss + names if self.target and is_loss(self.cls) else names + of_loss
            names += filter(OUTPUT_NAME.search, left)
            result = next((x for x in (getattr(used.object, name, None) for name in names) if x is not None), None)
            last = getattr(used.object, last_set(getattr(self.cls, self.methods.forward)), None) if result is None else None
            result = last if getattr(last, "dtype", np.dtype(int)).kind == "f" else result
            says = f"{title} returns None and leaves nothing in self.output"
            if result is None and returned(getattr(self.cls, self.methods.forward)):
                raise TypeError(f"{title} returns None for these arguments")
            refuse_nothing(result, getattr(self.cls, self.methods.forward), says, self.path)
        if self.target and is_loss(self.cls):
            result = result.get("loss", result) if isinstance(result, dict) else result  # beside the accuracy
            kept = "loss" in attributes_in(getattr(self.cls, self.methods.forward))  # beside the probabilities
            if (kept and np.ndim(result)) or any(np.array_equal(result, x) for x in used.values):  # it hands on the prediction
                result = getattr(used.object, "loss", result)
        result = getattr(used.object, self.scores) if self.scores else result
        if self.methods.how == "loss and gradients":
            result = _loss_and_rest(result, 0)[0]
        in_lists = isinstance(result, tuple) and any(isinstance(y, list) for y in result)
        if (isinstance(result, dict) or in_lists) and self.methods.how == "cost":
            result = self._scores(used)
        if isinstance(result, tuple):  # dout is not that of a value which backward takes
            handed = [role[1] for role in self.roles.values() if isinstance(role, tuple) and role[0] == "part"]
            result = tuple(y for k, y in enumerate(result) if k not in handed) or result
        whole = as_array(result)  # of a layer without NumPy
        several = [whole] if whole is not None else list(result) if isinstance(result, tuple | list) else [result]
        if self.packed:  # h, (h, c)
            lists = [part[-1:] if self.last and isinstance(part, list) else part for part in several]
            flat = [y for part in lists for y in (part if isinstance(part, tuple | list) else [part])]
            several = list({id(y): y for y in flat}.values())
        if self.methods.how == "slope":  # activations of an autograd return a Tensor
            several = [y.data if isinstance(getattr(y, "data", None), np.ndarray) else y for y in several]
        found = [y for y in several if isinstance(y, float) or (isinstance(y, np.ndarray | np.generic) and y.dtype.kind == "f")]
        if not found:
            got = ", ".join(f"{type(y).__name__} {getattr(y, 'dtype', '')}".strip() for y in several)
            raise TypeError(f"{title} returns no floating-point array, but {got}")
        return found

    def output(self, used: Used) -> Any:
        """Return the output, or a tuple of as many as backward takes gradients of."""
        found = [y[self.later] for y in self.parts(used)] if self.later else self.parts(used)
        if len(self.douts) > 1:
            return tuple(found[: len(self.douts)])
        return self.reduced(found[0]) if self.loss and np.ndim(found[0]) else found[0]

    def outputs(self, *values: Any) -> list[Any]:
        """Return the floating-point outputs for copies of these inputs; [] where forward raises."""
        return attempt(lambda: self.parts(self.run(tuple(map(fresh, values)))))[0] or []

    # ---- backward --------------------------------------------------------------------------------------------------------

    def backward(self, dout: Any, cache: Used) -> tuple:
        """Return the gradient of each floating-point input, None where there is none."""
        used = cache if cache.kept is None else attempt(deepcopy, cache.kept)[0] or self._again(cache)
        cache.kept = cache.kept or attempt(deepcopy, cache)[0] or cache
        found = self.gradients(dout, used)
        return tuple(found.get(name) for name, x in zip(self.names, cache.values, strict=True) if differentiable(x))

    def _again(self, used: Used) -> Used:
        """Run forward once more with the same inputs, and the same random numbers."""
        with random_state_kept():
            np.random.set_state(used.random_state)  # noqa: NPY002
            return self.run(used.values)

    def gradients(self, dout: Any, used: Used) -> dict[str, Any]:
        """Return the gradients that backward returns or leaves in the object, by the names of the inputs."""
        before = {name: np.array(at(used.object, ways[0])) for name, ways in self.parameters.items()}
        rates = self.updated and (
            "rate" in self.roles.values() or set_numbers(used.object, rates_of(self.cls), self.learning_rate)
        )
        handed = any(isinstance(role, tuple) and isinstance(role[1], Step) for role in self.roles.values())
        rated = rates or self.steps or handed or self.context or bool(self._rates_after)
        scale = LR if self.updated and not rated and not self.loss else 1.0  # so large a dout has the effect of so large a rate
        if self.methods.how == "loss and gradients":
            returned = _loss_and_rest(used.result, len(self.parameters))[1]
        else:
            returned = self._call_backward(_scaled(dout, scale), used)
        found = {name: _scaled(g, 1 / scale) for name, g in read_gradients(self, returned, used).items()}
        errors = any("err" in name.lower() for name in self.douts)  # target - output, perhaps: then a step goes up
        for name in self.updated & self.parameters.keys():
            step = before[name] - np.asarray(at(used.object, self.parameters[name][0]))
            by = self.learning_rate / self.damped * np.sign(self.rate) if rated else scale * self.rate
            if name not in found or (not errors and _opposite(step / by, found[name])):  # up what it leaves
                found[name] = step / by
        return {name: None if g is None else g * float(dout) for name, g in found.items()} if self.loss else found

    @property
    def _rates_after(self) -> list[str]:
        """The learning rates among the arguments of the method that is called after backward."""
        taken = parameters(getattr(self.cls, self.after)) if self.after else []
        return [p.name for p in taken if RATES.fullmatch(p.name)]

    def _call_backward(self, dout: Any, used: Used) -> Any:
        given, made, method = self._given(used.values), {}, getattr(self.cls, self.methods.backward)
        for name, role in self.roles.items():
            match role:
                case "dout":
                    made[name] = dout[self.douts.index(name)] if len(self.douts) > 1 else dout
                    made[name] = made[name][self.row] if self.row and np.ndim(made[name]) == 1 else made[name]
                    made[name] = (dout,) if _begins_with(method, name) else made[name]
                case "rate":
                    made[name] = self.learning_rate
                case "result":
                    made[name] = used.scores if self.methods.how == "cost" else self.parts(used)[0]
                case "cache":
                    made[name] = used.returned[-1] if isinstance(used.returned, tuple) else used.returned
                case "prediction":  # of a loss class, or what it has made of it itself, as softmax
                    first = next(x for n, x in given.items() if n in self.arguments and differentiable(x))
                    left = next((vars(used.object)[n] for n in OUTPUTS.split() if n in vars(used.object)), None)
                    made[name] = left if left is not None and np.shape(left) == np.shape(first) else first
                case "part", k:
                    made[name] = used.returned[k] if isinstance(used.returned, tuple) else used.returned
                case "input", source:
                    made[name] = given[source]
                case "value", value:
                    made[name] = Step(self.learning_rate) if isinstance(value, Step) else value
        self._set_outside(used.object, self.methods.backward, made)
        returned = call_by_name(getattr(used.object, self.methods.backward), made, used.context)
        if self.after:
            several = returned if isinstance(returned, tuple) else (returned,)
            rest = dict(zip(titles_of(method, len(several)), several, strict=True)) if self.handed else {}
            rest |= dict.fromkeys(REGULARISED, 0.0) | dict.fromkeys(self._rates_after, self.learning_rate)
            call_by_name(getattr(used.object, self.after), given | made | rest)
            returned = None if self.handed else returned
        slope = self.methods.how in ("slope", "layer") and not self.loss and "dout" not in self.roles.values()
        if not slope or not isinstance(returned, np.ndarray | np.generic | float | int):
            return returned
        matrices = np.ndim(returned) == np.ndim(dout) + 1
        return np.einsum("...i,...ij->...j", dout, np.asarray(returned)) if matrices else dout * returned


def _loss_and_rest(result: Any, count: int) -> tuple[Any, Any]:
    """Return the loss of (loss, gradients) or of (gradients, loss), and the gradients, of which there are `count`, or None."""
    several = list(result) if isinstance(result, tuple | list) else [result]
    loss = several.pop(next((k for k, y in enumerate(several) if isinstance(y, NUMBER)), 0))
    while len(several) > max(count, 1) and isinstance(several[0], NUMBER):  # the accuracy
        del several[0]
    return loss, several[0] if len(several) == 1 else tuple(several) or None


@lru_cache(maxsize=256)
def _begins_with(function: Callable, name: str) -> bool:
    """Whether a backward takes its dout from the front of an argument: ``dout, *_ = grads``."""
    nodes = [node for node in ast.walk(code_of(function) or ast.Pass()) if isinstance(node, ast.Assign)]
    targets = [node.targets[0] for node in nodes if isinstance(node.value, ast.Name) and node.value.id == name]
    return any(isinstance(target, ast.Tuple) and isinstance(target.elts[-1], ast.Starred) for target in targets)


def _opposite(a: Any, b: Any) -> bool:
    """Whether two gradients point in opposite directions."""
    product = float(np.sum(a * b)) if np.shape(a) == np.shape(b) and b is not None else 0.0
    return product < 0 and bool(np.isclose(product, -np.linalg.norm(a) * np.linalg.norm(b)))


def _scaled(g: Any, scale: float) -> Any:
    """Return a gradient, or several, times a number; by 1, the same array: backward may write into it, and shall be caught."""
    return g if g is None or scale == 1 else tuple(scale * one for one in g) if isinstance(g, tuple) else scale * g


def call_by_name(function: Callable, given: dict[str, Any], first: Sequence[Any] = ()) -> Any:
    """Call a function with the arguments among these that it has, after some others."""
    found = _taken(getattr(function, "__func__", function), inspect.ismethod(function))[len(first) :]
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        known = [p for p in found if p.name in given]
        several = (given[p.name] if p.kind is p.VAR_POSITIONAL else [given[p.name]] for p in known)
        return function(*first, *(x for part in several for x in part) if known else given.values())
    if inspect.isclass(function) and any(p.kind is p.VAR_KEYWORD for p in found):  # what the next constructor takes
        return function(*first, **given)
    first = [*first] + [given[p.name] for p in found if p.kind is p.POSITIONAL_ONLY and p.name in given]
    return function(*first, **{p.name: given[p.name] for p in found if p.kind is not p.POSITIONAL_ONLY and p.name in given})


@lru_cache(maxsize=256)  # a check calls the same few methods a thousand times, each time those of another object
def _taken(function: Callable, bound: bool) -> list[inspect.Parameter]:
    return parameters(MethodType(function, 0) if bound else function)
