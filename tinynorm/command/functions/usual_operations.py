"""The forward of a backward that stands alone in its file, where its name is that of an operation: matmul_backward(grad, a, b).

So it is with the operations of an autograd, whose forward is NumPy's own, and with the derivatives of activations.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ...gradcheck.diagnosis.activation import sigmoid
from ...gradcheck.problem.problem import Problem
from ..read.match_names import NO_MATTER, has, stem_of, words_of
from ..read.read_code import parameters, signature_of
from ..run_code import attempt
from .conventions import is_cotangent
from .depends import agreeing
from .kinds import PROBABILITIES, kind_of

CACHED = re.compile("cache|saved|ctx|memory")
# The functions of one array and of two that a word may mean, the likeliest first; an axis is known if the gradient is right.
OF_ONE: dict[str, tuple[Callable, ...]] = {
    "exp": (np.exp,),
    **dict.fromkeys(("log", "ln"), (np.log,)),
    "sqrt": (np.sqrt,),
    "square": (np.square,),
    **dict.fromkeys(("neg", "negate", "negative"), (np.negative,)),
    "sin": (np.sin,),
    "cos": (np.cos,),
    "tanh": (np.tanh,),
    **dict.fromkeys(("sigmoid", "sigm", "logistic"), (sigmoid,)),
    "relu": (partial(np.maximum, 0.0),),
    "softplus": (partial(np.logaddexp, 0.0),),
    **dict.fromkeys(("transpose", "t"), (np.transpose,)),
    **{name: tuple(partial(f, axis=axis) for axis in (None, 0, -1)) for name, f in (("sum", np.sum), ("mean", np.mean))},
    "max": tuple(partial(np.max, axis=axis) for axis in (None, 0, -1)),
}
OF_TWO: dict[str, Callable] = {
    "add": np.add,
    **dict.fromkeys(("sub", "subtract", "minus"), np.subtract),
    **dict.fromkeys(("mul", "multiply", "times"), np.multiply),
    **dict.fromkeys(("div", "divide", "truediv"), np.divide),
    **dict.fromkeys(("matmul", "mm", "dot"), np.matmul),
}
ABOVE_0 = ("log", "ln", "sqrt")
TINY = 1e-4  # a default of an eps is less; a larger number is one of another operation


def usual_operations(alone: dict[str, Callable]) -> Iterator[tuple[str, Usual]]:
    """Yield (name, operation) for each of some functions that is the backward of such an operation, by its name.

    One that takes a cache, or sums over some axes, is of an operation only if it is right: nobody knows what the cache holds.
    """
    for name, function in alone.items():
        words = [word for word in stem_of(name, "BACKWARD", "SLOPE") if word not in NO_MATTER.split()]
        if not inspect.isfunction(function) or len(words) != 1 or not (has(name, "BACKWARD") or has(name, "SLOPE")):
            continue
        if _is_tuned(function):
            continue
        of_one, of_two = OF_ONE.get(words[0], ()), OF_TWO.get(words[0])
        options = [Usual(function, f, words[0], how) for f in of_one for how in _ways(function, 1)]
        options += [Usual(function, of_two, words[0], how, 2) for how in _ways(function, 2)] if of_two else []
        options = [one for one in options if one.douts or (one.count == 1 and "diff" not in words_of(name))]  # log_diff(x)
        rights = [option.right() for option in options]
        if True in rights:
            yield name, options[rights.index(True)]
        elif False in rights and len(of_one) < 2 and not CACHED.search("".join(_beside_dout(function))):
            yield name, options[rights.index(False)]


def _is_tuned(backward: Callable) -> bool:
    """Whether a backward has a number of its own that is not tiny, as eps is: then it is another operation's, or a step.

    So are relu_derivative(x, leak=0.01), of a leaky ReLU, and exp_grad(w, grad, lr=0.1). One that takes such a number, by its
    name, and no array beside dout is none either: sqrt_grad(grad, eps).
    """
    numbers = [
        p.default for p in parameters(backward) if isinstance(p.default, int | float) and not isinstance(p.default, bool)
    ]
    rest = _beside_dout(backward)
    settings = rest and {*map(kind_of, rest)} == {"number"} and not {*rest} & PROBABILITIES  # p of sigmoid_grad(p)
    return bool(settings) or any(abs(number) > TINY for number in numbers)


def _ways(backward: Callable, count: int) -> list[str]:
    """Return what backward may be handed beside dout: the inputs, the output, or a cache with either or both."""
    rest = _beside_dout(backward)
    if len(rest) == 1 and CACHED.search(rest[0]):
        return ["cache", "output", "both", "both turned"] if count == 1 else ["cache"]
    return ["inputs", *["output"] * (count == 1)] if len(rest) == count else []  # 1 - x**2, of the output of tanh


def _beside_dout(backward: Callable) -> list[str]:
    return [p.name for p in parameters(backward) if p.default is p.empty and not is_cotangent(p.name, [])]


@dataclass
class Usual:
    """NumPy's function as a forward, (out, what backward takes beside dout), and the backward of the file."""

    user_backward: Callable
    function: Callable
    word: str
    how: str  # what backward takes: one of `_ways`
    count: int = 1  # of its inputs

    @property
    def names(self) -> list[str]:
        return _beside_dout(self.user_backward) if self.how == "inputs" else ["x"] if self.count == 1 else ["a", "b"]

    @property
    def douts(self) -> list[str]:
        """The argument for dout; a derivative has none."""
        return [p.name for p in parameters(self.user_backward) if is_cotangent(p.name, [])][:1]

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of(self.names)

    def __call__(self, *inputs: Any) -> tuple[Any, tuple]:
        out = self.function(*inputs)
        cache = {"cache": inputs if self.count > 1 else inputs[0], "both": (*inputs, out), "both turned": (out, *inputs)}
        return out, {"inputs": inputs, "output": (out,)}.get(self.how) or (cache[self.how],)

    def backward(self, dout: Any, cache: tuple) -> Any:
        given = dict(zip(_beside_dout(self.user_backward), cache, strict=True))
        grads = self.user_backward(**given, **dict.fromkeys(self.douts, dout))
        return grads if self.douts else dout * grads

    def inputs(self, rng: np.random.Generator) -> tuple:
        """Draw its inputs."""
        x, y = rng.standard_normal((6, 9)), rng.standard_normal((9, 4) if self.function is np.matmul else (6, 9))
        return (np.abs(x) + 0.5 if self.word in ABOVE_0 else x, y)[: self.count]

    @property
    def says(self) -> str:
        """What is to be said of the forward."""
        handed = f"; {_beside_dout(self.user_backward)[0]} is its output" if self.how == "output" else ""
        return f"the file has no forward for it; taken as that of NumPy's {self.word}{handed}"

    def right(self) -> bool | None:
        """Whether backward is right along one direction; None where it raises, or where a derivative has another shape."""
        inputs = self.inputs(np.random.default_rng(0))
        found = attempt(lambda: [*agreeing(Problem(self, self._several, list(inputs), self.names))])[0]
        if found is None or any(g.shape != x.shape for (_, g, _), x in zip(found, inputs, strict=False) if not self.douts):
            return None
        return bool(found) and all(right for *_, right in found)

    def _several(self, dout: Any, cache: tuple) -> tuple:
        grads = self.backward(dout, cache)
        return tuple(grads) if isinstance(grads, tuple | list) else (grads,)
