"""Call the user's forward and backward as the checker does; explain what is wrong where they are written for another call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..gradcheck.problem.problem import differentiable, fresh
from .draw_inputs import CONSTANT, PARAMETERS, Layout, kind_of
from .find_pairs import Pair
from .run_code import UserError

# ---- signatures --------------------------------------------------------------------------------------------------------


POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
BY_KEYWORD = {inspect.Parameter.KEYWORD_ONLY}
ONE_VALUE = POSITIONAL | BY_KEYWORD
STARRED = {inspect.Parameter.VAR_POSITIONAL}


def parameters(function: Callable, kinds: Container = tuple(inspect._ParameterKind)) -> list[inspect.Parameter]:
    """Return the parameters of a function, or those of some kinds; [] for a built-in function without a signature."""
    try:
        return [p for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    except (TypeError, ValueError):
        return []


def refuse_what_is_no_function_of_arrays(pair: Pair) -> None:
    """Raise UserError for a coroutine, a generator or a method."""
    for name, function in ((pair.forward_name, pair.forward), (pair.backward_name, pair.backward)):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise UserError(f"{name} is async, so a call gives a coroutine and no arrays; write it with a plain `def`")
        if inspect.isgeneratorfunction(function):
            raise UserError(f"{name} is a generator, for it has a `yield`; hand back its results with `return`")
        if [p.name for p in parameters(function)][:1] == ["self"]:
            raise UserError(f"{name} takes self, as a method does; write it as a function of arrays, without self")


def backward_extras(pair: Pair) -> list[str]:
    """Return the arguments of backward after (dout, cache); forward must have them too. Else raise UserError."""
    found, starred = parameters(pair.backward), parameters(pair.backward, STARRED)
    names = [p.name for p in parameters(pair.backward, POSITIONAL)]
    needed = [p.name for p in parameters(pair.backward, POSITIONAL) if p.default is p.empty]
    known = {p.name for p in parameters(pair.forward)}
    advice = ""
    if len(names) > 1 and _is_cache(names[0]) and not _is_cache(names[1]):
        advice = "swap the two"
    elif len(names) < 2 and not starred:
        advice = "give it both, and multiply by dout inside" if not names or _is_cache(names[0]) else "give it both"
    elif len(names) == 1 and starred[0].name not in ("args", "arguments"):
        advice = f"take the cache as one argument, without the star, and unpack it inside: `... = {starred[0].name}`"
    elif len(needed) > 2 and needed[1].startswith("d") and _is_cache(needed[-1]):
        advice = "several outputs are one tuple, `return (a, b), cache` in forward, and dout is a tuple too"
    elif len(needed) > 2 and (needed[1] in known or not known.issuperset(needed[2:])):
        advice = "put what it needs of forward into the cache, and unpack it inside"
    if found and advice:
        takes = ", ".join(str(p).split(":")[0].split("=")[0] for p in found)
        raise UserError(f"{pair.backward_name} is called as {pair.backward_name}(dout, cache); yours takes ({takes}); {advice}")
    return needed[2:]


def _is_cache(name: str) -> bool:
    return "cache" in name.lower() or name.lower() in ("ctx", "context", "saved")


# ---- calls -------------------------------------------------------------------------------------------------------------


@dataclass
class Call:
    """A pair with its inputs. `forward(*inputs)` and `backward(dout, cache)` call the user's functions and read the results."""

    pair: Pair
    names: list[str]
    inputs: list[Any]
    layout: Layout | None = None  # of drawn inputs
    # filled in when the call is tried:
    seconds: float = 0.0  # the time of one forward
    shape: Any = None  # the output's; a list of shapes for several outputs
    rank: tuple[bool, bool] = (
        False,
        False,
    )  # whether the output is finite, whether backward gives gradients of the right shapes

    def __post_init__(self) -> None:
        by_keyword = {p.name for p in parameters(self.pair.forward, BY_KEYWORD)}
        self.keywords = [name if name in by_keyword else "" for name in self.names]
        self.extras = backward_extras(self.pair)
        self.kinds = [kind_of(name, self.pair.name) for name in self.names]

    def with_inputs(self, inputs: list[Any], layout: Layout) -> Call:
        """Return a copy with other inputs, without a new look at the signatures: thousands of inputs may be tried."""
        call = copy(self)
        call.inputs, call.layout = inputs, layout
        return call

    def __str__(self) -> str:
        return ", ".join(f"{name} {_shown(x)}" for name, x in zip(self.names, self.inputs, strict=True))

    @property
    def floats(self) -> list[int]:
        """The numbers of the inputs that have a gradient."""
        return [i for i, x in enumerate(self.inputs) if differentiable(x)]

    def constant(self, name: str) -> bool:
        """Whether an input needs no gradient, judged by its name: a target, running statistics; for a loss, its data too."""
        kind = kind_of(name, self.pair.name)
        return kind not in PARAMETERS if self.pair.loss else kind in CONSTANT

    def forward(self, *inputs: Any) -> tuple[Any, Any]:
        """Return (out, cache). Forward gets copies of running statistics: it is its task to write into them."""
        given = [fresh(x) if kind in ("mean", "variance") else x for x, kind in zip(inputs, self.kinds, strict=True)]
        keywords = {name: x for name, x in zip(self.keywords, given, strict=True) if name}
        result = self.pair.forward(*[x for name, x in zip(self.keywords, given, strict=True) if not name], **keywords)
        title, several = self.pair.forward_name, isinstance(result, tuple | list)
        if several and len(result) == 2:
            if isinstance(result[0], np.matrix):
                raise UserError(f"{title}: expected an array, got np.matrix; use np.array")
            return result[0], result[1]
        raise UserError(
            f"{title}: expected two values, (out, cache), got {f'{len(result)} values' if several else _described(result)}; "
            "end it with `return out, cache`, where cache is a tuple of all that backward needs"
            + (" (and out one of several outputs)" if isinstance(result, tuple) else "")
        )

    def backward(self, dout: Any, cache: Any) -> tuple:
        """Return one gradient for each differentiable input, or as many as backward returns; None for a constant."""
        grads = self.pair.backward(dout, cache, *[self.inputs[self.names.index(name)] for name in self.extras])
        if isinstance(grads, dict):
            return self._by_key(grads)
        grads = tuple(grads) if isinstance(grads, tuple | list) else (grads,)
        odd = {type(g).__name__ for g in grads if not (hasattr(g, "dtype") or isinstance(g, float | int | complex | None))}
        if odd:
            title = self.pair.backward_name
            raise UserError(f"{title}: expected a tuple of arrays, one for each input, got {', '.join(sorted(odd))} in it")
        left_out = [i for i in self.floats if self.constant(self.names[i])]
        if not left_out or len(grads) != len(self.floats) - len(left_out):
            return grads
        rest = iter(grads)
        return tuple(None if i in left_out else next(rest) for i in self.floats)

    def _by_key(self, grads: dict) -> tuple:
        """Return a dict of gradients as a tuple. The gradient for x has the key dx, d_x, grad_x or x."""
        by_key = {str(key).lower(): g for key, g in grads.items()}
        found = []
        for name in [self.names[i].lower() for i in self.floats]:
            keys = [key for key in (f"d{name}", f"d_{name}", f"grad_{name}", name) if key in by_key]
            found.append(by_key[keys[0]] if keys else None)
        if all(g is None for g in found):
            raise UserError(
                f"{self.pair.backward_name} returns a dict with the keys {', '.join(map(str, grads))}; expected "
                f"{', '.join(f'd{self.names[i]}' for i in self.floats)}, or a tuple of gradients in the order of "
                "forward's arguments"
            )
        return tuple(found)


def _shown(x: Any) -> str:
    return str(x.shape) if isinstance(x, np.ndarray) else "{...}" if isinstance(x, dict) else repr(x)


def _described(x: Any) -> str:
    return f"one array of shape {x.shape}" if isinstance(x, np.ndarray) else "nothing (None)" if x is None else type(x).__name__
