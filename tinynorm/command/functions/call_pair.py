"""Call the user's forward and backward as the checker does; explain what is wrong where they are written for another call."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..read.packed import Packed
from ..read.read_code import nodes_of, parameters, title
from ..run_code import UserError, attempt
from ..unfinished import Unfinished, refuse_nothing
from .composed import Composed
from .conventions import Convention, Source, conventions
from .kinds import CONSTANT, PARAMETERS, kind_of, kinds_of
from .layouts import Layout
from .pair import Pair
from .read_gradients import gradients_of

POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
NOT_CHECKED = "not checked"  # what is said of a part begins so
BY_KEYWORD = {inspect.Parameter.KEYWORD_ONLY}
ONE_VALUE = POSITIONAL | BY_KEYWORD
STARRED = {inspect.Parameter.VAR_POSITIONAL}


def refuse_what_is_no_function_of_arrays(pair: Pair) -> None:
    """Raise UserError for a coroutine, a generator or a method."""
    for name, function in ((pair.forward_name, pair.forward), (pair.backward_name, pair.backward)):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise UserError(f"{name} is async, so a call gives a coroutine and no arrays; write it with a plain `def`")
        if inspect.isgeneratorfunction(function):
            raise UserError(f"{name} is a generator, for it has a `yield`; hand back its results with `return`")
        of_object = any(isinstance(n, ast.Attribute) and title(n.value) == "self" for n in nodes_of(function))
        taken = [p.name for p in parameters(function)]
        if taken[:1] == ["self"] and (of_object or len(taken) > 1):  # self alone may be the array
            raise UserError(f"{name} takes self, as a method does; write it as a function of arrays, without self")


@dataclass
class Call:
    """A pair with its inputs. `forward(*inputs)` and `backward(dout, cache)` call the user's functions and read the results."""

    pair: Pair
    names: list[str]
    inputs: list[Any]
    layout: Layout | None = None  # of drawn inputs
    keys: dict[str, Packed] = field(default_factory=dict)  # of each argument that holds parameters, taken apart
    guesses: dict[str, str] = field(default_factory=dict)  # the kinds of arguments whose names do not tell them
    # filled in when the call is tried:
    convention: Convention | None = None
    seconds: float = 0.0  # the time of one forward
    shape: Any = None  # the output's; a list of shapes for several outputs
    raised: BaseException | None = None  # what backward raised
    turned: bool = False  # whether backward takes the cotangent of a column as a row
    unsummed: bool = False  # whether it forgot to sum the gradients of gamma and beta over the samples
    laid: bool = False  # whether b (4, 1) may have a gradient (4,)
    summed: list[str] = field(default_factory=list)  # the arrays that it returns a number as the gradient of
    why: str = ""  # what is wrong, where backward is right with other arguments and wrong with these
    rank: tuple[bool, bool] = (False, False)  # is the output finite, and has each gradient the shape of its input?

    def __post_init__(self) -> None:
        known = {p.name: p for p in parameters(self.pair.forward, ONE_VALUE)}
        entries = {key for packed in self.keys.values() for key in packed.names}
        alone = [*(name for name in self.names if name not in entries), *self.keys]
        # Handed over by name: what must be, and what stands in another place than in the signature.
        named = {
            x for i, x in enumerate(alone) if x in known and (list(known)[i : i + 1] != [x] or known[x].kind in BY_KEYWORD)
        }
        self.by_place, self.by_keyword = [x for x in alone if x not in named], [x for x in alone if x in named]
        self.defaults = {name: p.default for name, p in known.items()}
        kinds = kinds_of(self.names, self.pair.name)
        self.kinds = [self.guesses.get(name, "") or kind for name, kind in zip(self.names, kinds, strict=True)]
        self.changing = [n for n, kind in zip(self.names, self.kinds, strict=True) if kind in ("mean", "variance", "object")]
        self.told: dict[str, None] = {}  # how the gradients are read, each remark once
        self.unclaimed: set[str] = set()  # inputs that backward, which names its gradients, has none for
        self._conventions: dict[Any, list[Convention]] = {}  # by the form of forward's result

    def with_inputs(self, inputs: list[Any], layout: Layout | None = None) -> Call:
        """Return a copy with other inputs, without a new look at the signatures: thousands of inputs may be tried."""
        call = copy(self)
        call.inputs = [np.asarray(x) if isinstance(x, np.floating) else x for x in inputs]  # 2 * an array () is a scalar
        call.layout = layout or self.layout
        return call

    def with_input(self, i: int, x: Any) -> Call:
        return self.with_inputs([x if i == j else y for j, y in enumerate(self.inputs)])

    def with_convention(self, convention: Convention) -> Call:
        call = self.with_inputs(self.inputs)
        call.convention = convention
        return call

    def twice(self, size: int) -> Call:
        """Return the call with all there twice along an axis of this size."""
        return self.with_inputs([repeated(x, size) for x in self.inputs])

    def all_equal(self) -> Call | None:
        """Return the call of an object that is drawn anew, with all sizes equal; None for a function."""
        return None

    def switched(self) -> Iterator[tuple[str, Call]]:
        """Yield (what is other, the call) for the other modes of an object; a function has none."""
        yield from ()

    def __str__(self) -> str:
        return shown(dict(zip(self.names, self.inputs, strict=True)))

    @property
    def left_out(self) -> dict[str, bool]:
        """What of it is not checked, and whether it should be: that of an object may be a parameter without a gradient."""
        return {}

    @property
    def floats(self) -> list[int]:
        """The numbers of the inputs that have a gradient."""
        return [i for i, x in enumerate(self.inputs) if differentiable(x)]

    def constant(self, name: str) -> bool:
        """Whether an input needs no gradient: a target, running statistics; for a loss, its data and what may be None too."""
        kind = self.kind_of(name)
        if self.pair.loss:
            optional = self.defaults.get(name, inspect.Parameter.empty) is None  # weight=None: of the classes, no parameter
            return name in self.unclaimed or kind not in PARAMETERS or optional
        return name in self.unclaimed or kind in CONSTANT

    def kind_of(self, name: str) -> str:
        """Return the kind that an input was drawn as; of an argument that was not drawn, the kind that its name says."""
        return dict(zip(self.names, self.kinds, strict=True)).get(name) or kind_of(name, self.pair.name)

    @property
    def remarks(self) -> list[str]:
        """What is to be said of how backward is called and read."""
        found = [*filter(None, [getattr(self.pair.forward, "says", "")])]
        found += [*self.told, *[f"{self.pair.backward_name} is given the cotangent of a column as a row"] * self.turned]
        output = Source("result", self.convention.outputs[:1] if self.convention else ())
        for name in [name for name, source in self.convention.arguments if source == output] if self.convention else []:
            if name in self.names:
                found.append(f"{self.pair.backward_name} is given forward's output as {name}")
        return found

    def run(self, *inputs: Any) -> tuple[Any, dict[str, Any]]:
        """Return what forward returns, and its arguments by name. What it may write into is copied."""
        given = dict(zip(self.names, inputs, strict=True))
        given |= {name: deepcopy(given[name]) for name in self.changing}
        given |= {name: packed.build(given) for name, packed in self.keys.items()}
        result = self.pair.forward(*[given[name] for name in self.by_place], **{name: given[name] for name in self.by_keyword})
        title = self.pair.forward_name
        refuse_nothing(result, self.pair.forward, f"{title} returns None", self.pair.path)
        return result, self.defaults | given | getattr(self.pair.forward, "left", {})

    def conventions(self, result: Any, given: dict[str, Any]) -> list[Convention]:
        """Return the ways in which forward and backward may be called together. Raise UserError where there is none."""
        values = result if isinstance(result, tuple) else [result]
        form = tuple((type(x), len(x) if isinstance(x, tuple) else 0) for x in values)
        if form not in self._conventions:
            try:
                self._conventions[form] = list(conventions(self.pair.forward, self.pair.backward, result, given))
            except UserError as error:
                raise self.refused(str(error)) from None
        return self._conventions[form]

    def refused(self, why: str) -> UserError:
        title = self.pair.backward_name
        takes = ", ".join(str(p).split(":")[0].split("=")[0] for p in parameters(self.pair.backward))
        return UserError(f"{title} is called as {title}(dout, cache); yours takes ({takes}); {why}")

    def forward(self, *inputs: Any) -> tuple[Any, Any]:
        """Return (out, cache), read by the convention; by the likeliest where none is chosen yet."""
        return self.read(*self.run(*inputs))

    def outputs(self, *inputs: Any) -> list[Any]:
        """Return the outputs for copies of these inputs; [] where forward raises, or returns nothing."""
        try:
            found = attempt(self.forward, *map(fresh, inputs))[0]
        except Unfinished:
            return []
        return list(found[0]) if found and isinstance(found[0], tuple | list) else [*found[:1]] if found else []

    def read(self, result: Any, given: dict[str, Any]) -> tuple[Any, Any]:
        self.convention = self.convention or self.conventions(result, given)[0]
        out, cache = self.convention.read(result, given)
        title = self.pair.forward_name
        refuse_nothing(out, self.pair.forward, f"{title} returns None as its output", self.pair.path)
        if isinstance(out, dict) or callable(out):
            mend = (
                "end it with `return out, cache`" if isinstance(out, dict) else f"write a forward that returns {title}(...)(x)"
            )
            raise UserError(f"{title}: expected an array as its output, got a {type(out).__name__}; {mend}")
        if isinstance(out, np.matrix):
            raise UserError(f"{title}: expected an array, got np.matrix; use np.array")
        return out, cache

    def missing_cache(self, result: Any) -> UserError:
        """Return what to say of a forward that returns no cache where backward can do nothing with what else there is."""
        got = f"one array of shape {result.shape}" if isinstance(result, np.ndarray) else type(result).__name__
        got = f"{len(result)} values" if isinstance(result, tuple | list) else got
        return UserError(
            f"{self.pair.forward_name}: expected two values, (out, cache), got {got}; "
            "end it with `return out, cache`, where cache is a tuple of all that backward needs"
        )

    @property
    def user_backward(self) -> Callable:
        """The function whose `return` names the gradients."""
        return self.pair.forward.user_backward if isinstance(self.pair.forward, Composed) else self.pair.backward

    def backward(self, dout: Any, cache: Any) -> tuple:
        """Return the gradients, in the shapes of their inputs where these differ in axes of length 1 only and `laid` is set."""
        grads = self.gradients(dout, cache)
        return tuple(map(self._in_shape, grads, self.floats)) if self.laid and len(grads) == len(self.floats) else grads

    def by_number(self, grads: Any) -> dict[int, Any]:
        """Return gradients by the numbers of their inputs: backward returns one for each, or for each that may have one."""
        numbers = range(len(self.inputs)) if len(grads) == len(self.inputs) else self.floats
        return dict(zip(numbers, grads, strict=True))

    def _in_shape(self, gradient: Any, i: int) -> Any:
        name, shape, wanted = self.names[i], np.shape(gradient), self.inputs[i].shape
        if gradient is None or shape == wanted or [n for n in shape if n != 1] != [n for n in wanted if n != 1]:
            return gradient
        self.told[f"d{name} has the shape {shape}, {name} {wanted}"] = None
        return np.reshape(gradient, wanted)

    def gradients(self, dout: Any, cache: Any) -> tuple:
        """Return one gradient for each differentiable input, or as many as backward returns; None for a constant."""
        assert self.convention is not None
        grads = self.convention.call(self.pair.backward, dout.T if self.turned else dout, cache)
        refuse_nothing(grads, self.pair.backward, f"{self.pair.backward_name} returns None", self.pair.path)
        return gradients_of(self, grads)


def repeated(x: Any, size: int) -> Any:
    """Return an array that holds all twice along its first axis of this size; anything else as it is."""
    return np.repeat(x, 2, np.shape(x).index(size)) if size in np.shape(x) else x


def of_one_sample(several: str, forward: str, backward: str) -> str:
    """Return what to say where backward works with one sample, and not with several as forward does."""
    return f"checked with one sample only: with {several}, which {forward} takes too, {backward} fails"


def shown(inputs: dict[str, Any]) -> str:
    """Return what a report says of inputs: x (6, 9), eps 1e-05."""
    return ", ".join(f"{name} {_shown(x)}" for name, x in inputs.items())


def _shown(x: Any) -> str:
    if isinstance(x, dict):
        return f"{{mode {x['mode']!r}, ...}}" if x.get("mode", "train") != "train" else "{...}"
    return "..." if callable(x) else str(x.shape) if isinstance(x, np.ndarray) else repr(x)
