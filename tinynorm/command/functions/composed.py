"""A backward that takes targets which forward does not take: it goes back from a loss, as ``backprop(params, cache, X, Y)``.

The pair that is checked is forward with that loss behind it. The loss is a function of the file (``compute_cost(A2, Y)``), else
the one of a few common losses that makes the gradients right.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from itertools import product
from operator import getitem
from typing import Any

import numpy as np

from ..read.match_names import has, says_slope, stem_of, words_of
from ..read.read_code import calls_of, makers_of, parameters, parts_returned, plain_title, titles_of
from ..run_code import attempt
from .about import about
from .conventions import Convention, conventions, is_cotangent
from .kinds import NAMED, NUMBERS, OF_TARGETS, PARAMETERS, PROBABILITIES, REGULARISED, SAMPLES, kind_of
from .module_arrays import samples_read, with_arrays

# What is divided by, and for each loss: its value for an output a and targets y.
PARTS = {"the samples in rows": 0, "the samples in columns": 1, "all elements": None, "nothing": ()}
COMMON: dict[str, Callable[[Any, Any], Any]] = {  # the first is one that is finite for any output
    "half the squared error": lambda a, y: ((a - y) ** 2).sum() / 2,
    "the squared error": lambda a, y: ((a - y) ** 2).sum(),
    "binary cross-entropy": lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(),
    "cross-entropy": lambda a, y: -(y * np.log(a)).sum(),
    "cross-entropy behind a softmax": lambda a, y: -(y * _log_softmax(a, y)).sum(),
    "binary cross-entropy behind a sigmoid": lambda a, y: (np.logaddexp(0, a) - y * a).sum(),
}
ACROSS = ", in the other order of axes"  # samples are rows outside and columns inside, and backward begins with Y.T
OF_ERRORS = {"mean", "total", "sum", "squared", "square", "absolute"}  # words beside "error" in the name of a loss
FLAT = ", of one dimension"  # of a network with one output, whose output has two: A (1, m), and y (m,)
TARGETS = (
    *("0 or 1", "one-hot in rows", "one-hot in columns"),
    *("class numbers", "class numbers of columns", "one class number", "real numbers"),
    *(f"{kind}{ACROSS}" for kind in ("0 or 1", "one-hot in columns", "real numbers")),
    *(f"{kind}{FLAT}" for kind in ("0 or 1", "real numbers")),
)


def _log_softmax(a: Any, y: Any) -> Any:
    axis = 0 if np.all(y.sum(0) == 1) else -1
    e = a - a.max(axis, keepdims=True)
    return e - np.log(np.exp(e).sum(axis, keepdims=True))


def handed_back(function: Callable) -> set[str]:
    """Return the names of the values that a function returns."""
    return {plain_title(e) for e in parts_returned(function)} - {""}


def takes_targets(forward: Callable, backward: Callable) -> str:
    """Return the argument of backward that is the targets of a loss behind forward; "" for none."""
    try:
        given, taken = inspect.signature(forward).parameters, inspect.signature(backward).parameters
    except (TypeError, ValueError):
        return ""
    others = [name for name in taken if name not in given and name not in handed_back(forward)]
    needed = [name for name in others if taken[name].default is inspect.Parameter.empty]
    of_loss = any(kind_of(name) == "target" for name in given)  # forward has its targets: desired is another name for them
    targets = [name for name in needed if not of_loss and (kind_of(name) == "target" or OF_TARGETS.search(name.lower()))]
    targets = targets or (needed if about(forward).lines else [])  # Ym
    if len(targets) != 1 or len(taken) < 2 or any(is_cotangent(name, []) for name in others):
        return ""
    return targets[0]


@dataclass(eq=False)
class Composed:
    """A forward with a loss behind it. It returns (loss, cache), and `backward(dout, cache)` gives what the user's returns."""

    forward: Callable
    user_backward: Callable
    target: str
    losses: dict[str, Callable]  # by what to say of them
    of_file: bool = False  # whether they are the file's
    taken: tuple[str, ...] = ()  # what they take, where they are
    kinds: tuple[str, ...] = TARGETS  # of targets that are tried
    loss: str = ""  # the one that is chosen, with its targets
    targets: str = TARGETS[0]
    convention: Convention | None = None
    places: list[tuple[tuple[int, ...], ...]] = field(default_factory=list)  # where the output may be in forward's result
    penalties: tuple[str, ...] = ()  # the factors that only backward takes, of terms that the loss has not
    extra: Callable | None = None  # the loss of the file that returns what backward takes too: `return loss, probs`
    ran: bool = False  # whether forward itself took the inputs, in the last call

    def __post_init__(self) -> None:
        self.__signature__ = inspect.signature(self.forward)
        self.about = about(self.forward)

    def __call__(self, *arguments: Any, **named: Any) -> tuple[Any, Any]:
        bound, self.ran = self.__signature__.bind(*arguments, **named), False
        result = self.forward(*bound.args, **bound.kwargs)
        self.ran = True
        if isinstance(result, dict):  # of all activations, of which the last is the output
            result = (list(result.values())[-1], result)
        elif isinstance(result, tuple) and result and all(isinstance(x, dict) for x in result):  # `return weights, cache`
            result = (list(result[-1].values())[-1], result[-1])
        bound.apply_defaults()
        taken = {*inspect.signature(self.user_backward).parameters, *self.taken}
        # lambd, which only the loss and backward take; p is what the network says
        numbers = {name: NUMBERS[name] for name in taken - PROBABILITIES - handed_back(self.forward) if name in NUMBERS}
        numbers |= dict.fromkeys(self.penalties, 0.0)
        counts = dict.fromkeys((name for name in taken if name.lower() in SAMPLES), _samples(bound.arguments, result))
        given = numbers | counts | bound.arguments | {self.target: 0}
        if self.extra is not None:
            self.extra(*self._output_of_loss(result), given)
        if self.convention is None:
            self.convention = next(conventions(self.forward, self.user_backward, result, given, slope=True))
            values = list(result) if isinstance(result, tuple | list) else [result]
            masks = [
                i for i, x in enumerate(values) if isinstance(x, np.ndarray) and np.isin(x, (0, 1)).all() and not np.all(x)
            ]
            # where the output may be, if there is no cache: not where dropout's mask is
            last = ((max({*range(len(values))} - {*masks}, default=0),),)
            alone = len(values) > 1 and all(isinstance(x, np.ndarray) for x in values)
            self.places = [self.convention.outputs] if not alone else [last, ((0,),)] if len(values) > 2 else [((0,),), last]
            titles = titles_of(self.forward, len(values))  # the loss may say which it takes: compute_cost(y, y_hat)
            self.places = [((i,),) for i, name in enumerate(titles) if name in self.taken] or self.places
            self.places = [tuple(_last_in(values, place) for place in places) for places in self.places]
            self.convention = replace(self.convention, outputs=self.places[0])
        out, _ = self.convention.read(result, given)
        every = result if isinstance(result, tuple | list) else [result]
        if any(1 in np.shape(y) and np.all(y == 1) for y in every if isinstance(y, np.ndarray)):
            raise ValueError("a softmax of one class is 1, whatever its input is")
        given[self.target], dense = _drawn(self.targets, np.shape(out))
        _, kept = self.convention.read(result, given)
        y = dense if self.targets.endswith(ACROSS) else given[self.target]
        return self.losses[self.loss or next(iter(self.losses))](out, y, dense, given), kept

    def _output_of_loss(self, result: Any) -> tuple[Any, Any, Any]:
        """Return what the loss is of, by the names of forward's results, or the last of them; and targets for it."""
        values = list(result) if isinstance(result, tuple | list) else [result]
        named = [i for i, name in enumerate(titles_of(self.forward, len(values))) if name in self.taken]
        arrays = [i for i, x in enumerate(values) if isinstance(x, np.ndarray)]  # a cache of several is a tuple
        out = values[next(iter(named), arrays[-1] if arrays else -1)]
        return out, *_drawn(self.targets, np.shape(out))

    def backward(self, dout: Any, cache: Any) -> Any:
        assert self.convention is not None
        return self.convention.call(self.user_backward, dout, cache)

    def take_common_losses(self) -> None:
        self.losses, self.of_file, self.taken = dict(common_losses()), False, ()
        self.loss, self.targets, self.convention = "", TARGETS[0], None

    def variants(self, losses: Iterable[str]) -> Iterator[None]:
        """Take each of some losses with each kind of targets and each output, one after the other."""
        for state in product(losses, self.kinds, self.places):
            self.state = state
            yield

    @property
    def state(self) -> tuple[str, str, Any]:
        """The loss, the kind of targets, and the place of the output."""
        return self.loss, self.targets, self.convention.outputs if self.convention else ()

    @state.setter
    def state(self, state: tuple[str, str, Any]) -> None:
        self.loss, self.targets, outputs = state
        self.convention = self.convention and replace(self.convention, outputs=outputs)

    def __str__(self) -> str:
        without = "".join(f"; {name}: 0, for the loss has no such term" for name in self.penalties)
        without += f"; forward, as the file uses it: {self.about.lines}" if self.about.lines else ""
        loss = self.loss or next(iter(self.losses))
        loss += " (a usual one that fits; its factor, as 2 or 1/m, is left open)" if loss in dict(common_losses()) else ""
        return f"{self.target}: {self.targets}, drawn; loss: {loss}{without}"


def _last_in(values: list, place: tuple[int, ...]) -> tuple[int, ...]:
    """Return a place; of a list of all activations, that of the last one. Those of all steps have one shape."""
    there = reduce(getitem, place, values)
    activations = isinstance(there, tuple | list) and len({np.shape(x) for x in there}) > 1
    return (*place, len(there) - 1) if activations else place


def _samples(given: dict[str, Any], result: Any) -> int:
    """Return the number of samples: that of the rows, or columns, which x has in common with what forward returns."""
    shapes = [np.shape(y) for y in (result if isinstance(result, tuple | list) else [result]) if isinstance(y, np.ndarray)]
    data = [x for name, x in given.items() if isinstance(x, np.ndarray) and x.ndim > 1 and kind_of(name) not in PARAMETERS]
    axes = [(np.shape(x), axis) for axis in (0, -1) for x in data]
    return next((x[axis] for x, axis in axes if any(len(y) > 1 and y[axis] == x[axis] for y in shapes)), 1)


@lru_cache(maxsize=64)  # for the last few shapes: the check asks a thousand times
def _drawn(targets: str, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return targets, and the same as an array of the output's shape."""
    if targets.endswith(ACROSS):
        y, dense = _drawn(targets.removesuffix(ACROSS), shape)
        return np.transpose(y), dense
    if targets.endswith(FLAT):
        y, dense = _drawn(targets.removesuffix(FLAT), shape)
        if len(shape) != 2 or 1 not in shape:
            raise ValueError("this would be another number of targets")
        return np.ravel(y), dense
    rng, in_columns = np.random.default_rng(1), ("columns" in targets or targets == "one class number") and len(shape) > 1
    rows, classes = (shape[1:], shape[0]) if in_columns else (shape[:-1], shape[-1] if shape else 1)
    if classes == 1 and targets not in ("0 or 1", "real numbers"):
        raise ValueError("of one class all targets are 1, and a term with 1 - y is lost")
    numbers = np.asarray(rng.integers(0, classes, rows))
    numbers.flat[0] = classes - 1  # the classes may be counted by the greatest number
    if numbers.size >= classes:  # or by their number
        numbers.flat[:classes] = np.arange(classes)[::-1]
    if targets == "one class number" and np.size(numbers) != 1:
        raise ValueError("of several samples there are several")
    one_hot = np.moveaxis(np.eye(classes)[numbers], -1, 0 if in_columns else -1)
    if "class" in targets or "one-hot" in targets:
        return (numbers.item() if "one c" in targets else numbers if "class" in targets else one_hot), one_hot
    dense = rng.standard_normal(shape) if targets == "real numbers" else rng.integers(0, 2, shape).astype(float)
    return dense, dense


def compose(forward: Callable, backward: Callable, name: str, functions: dict[str, Callable]) -> Composed | None:
    """Return forward with a loss behind it, where backward goes back from one."""
    target = takes_targets(forward, backward)
    if not target:
        return None
    inputs, asked = {p.name for p in parameters(forward)}, {p.name for p in parameters(backward)}
    named = [n for n in functions if _is_called_a_loss(n) and n != name and not _is_slope_of_one(n, functions)]
    named = named or [n for n in functions if "error" in words_of(n) and not _is_slope_of_one(n, functions)]
    costs = [n for n in named if _is_cost(functions[n], {*NUMBERS, *inputs, *asked})]
    taken = {n: {p.name for p in parameters(functions[n])} for n in costs}
    whole = [n for n in costs if any(f is inspect.unwrap(forward) for f, _ in calls_of(functions[n]))]  # of the data
    made = (handed_back(forward) | asked) - inputs - {target}
    title = inspect.unwrap(forward).__name__
    own = [n for n in costs if n in whole or made & taken[n] or title in makers_of(functions[n])]
    # compute_cost_with_regularization first, for one with it; mse where there is nothing that is called loss
    stem = set(stem_of(name, "BACKWARD"))
    order = {n: (not has(n, "LOSS"), len(stem ^ set(stem_of(n, "LOSS"))), len((asked & {*NUMBERS}) - taken[n])) for n in own}
    chosen = [n for n in own if order[n] == min(order.values()) or min(order.values())[0]] or costs
    losses = {n: _of_file(with_arrays(functions[n], {}, samples_read(functions[n])), n in whole) for n in chosen}
    others = [n for n, f in functions.items() if f is not backward and has(n, "BACKWARD") and _takes_targets(f)]
    if not own and (len(costs) != 1 or others):  # what has nothing to do with forward by its names may be another network's
        losses = losses | dict(common_losses()) if len(costs) == 1 else dict(common_losses()) | losses
    names = {m for n in chosen for m in (*taken[n], *samples_read(functions[n]))} - {target}
    penalties = tuple(p.name for p in parameters(backward) if p.name in REGULARISED and p.name not in inputs | names)
    unknown = asked - inputs - handed_back(forward) - {target}
    extra = next((losses[n] for n in chosen if handed_back(functions[n]) & unknown), None)
    of_file = bool(own) or len(costs) == 1
    return Composed(forward, backward, target, losses, of_file, tuple(names), penalties=penalties, extra=extra)


def _takes_targets(function: Callable) -> bool:
    return inspect.isfunction(function) and any(kind_of(p.name) == "target" for p in parameters(function))


def _is_called_a_loss(name: str) -> bool:
    """Whether a name is that of a loss: compute_cost, mse, mean_squared_error; error alone may be y_hat - y."""
    words = {*words_of(name)}
    return has(name, "LOSS") or bool(NAMED & words) or ("error" in words and bool(words & OF_ERRORS))


def _is_slope_of_one(name: str, functions: Collection[str]) -> bool:
    """Whether a name is that of a loss's derivative: mse_grad, d_mse; dmse beside mse."""
    return says_slope(name) or has(name, "BACKWARD") or (name[:1] == "d" and name[1:] in functions)


def _is_cost(function: Callable, known: set[str]) -> bool:
    """Whether a function takes an output and targets, and beside them what is known of the network only."""
    needed = [p.name for p in parameters(function) if p.default is p.empty] if inspect.isfunction(function) else []
    others = [name for name in needed[2:] if name not in known and name.lower() not in SAMPLES]
    return len(needed) > 1 and any(kind_of(name) == "target" for name in needed[:2]) and not others


def _of_file(function: Callable, whole: bool) -> Callable:
    """Return a loss of the file; one that is `whole` calls forward itself, and takes what forward does."""

    def loss(out: Any, y: Any, dense: Any, given: dict[str, Any]) -> Any:
        every = inspect.signature(function).parameters.values()
        first, second, *rest = [p for p in every if p.default is p.empty or p.name.lower() in SAMPLES]
        others = {p.name: given.get(p.name, NUMBERS.get(p.name)) for p in rest}
        others |= {p.name: given[p.name] for p in every if p.name in REGULARISED and p.name in given}  # lambd=0.0, of both
        if whole:
            return np.reshape(function(**{first.name: given[first.name], second.name: given[second.name]}, **others), ())[()]
        a, b = (first, second) if kind_of(first.name) != "target" else (second, first)
        errors = []
        # its targets may be class numbers where those of backward are one-hot, or the other way round
        for targets in (y, *(dense.argmax(axis) for axis in range(-1, np.ndim(dense) - 1)), dense):
            value, error = attempt(function, **{a.name: out, b.name: targets}, **others)
            if error is None:
                beside = value[1:] if isinstance(value, tuple) else ()
                for title, x in zip(titles_of(function, len(beside) + 1)[1:], beside, strict=True):
                    given.setdefault(title, x)
                return np.reshape(value[0] if isinstance(value, tuple) else value, ())[()]
            errors.append(error)
        raise errors[0]

    return loss


def common_losses() -> Iterator[tuple[str, Callable]]:
    for (name, total), (over, axis) in product(COMMON.items(), PARTS.items()):

        def loss(out: Any, _: Any, y: Any, __: Any, total: Callable = total, axis: Any = axis) -> Any:
            parts = np.size(out) if axis is None else 1 if axis == () else np.shape(out)[axis] if np.ndim(out) else 1
            return total(out, y) / parts

        yield name if axis == () else f"{name} divided by {over}", loss
