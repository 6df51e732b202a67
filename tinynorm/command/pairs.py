"""Somebody's forward and backward, called as the checker calls them; what is said where they are made for another call."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..gradcheck.problem.problem import differentiable, fresh
from .inputs import CONSTANT, kind_of
from .loading import Explained

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass
class Pair:
    """A forward and a backward, and the function that makes inputs for them, where there is one."""

    name: str
    forward: Callable
    backward: Callable
    inputs: Callable | None
    path: Path
    forward_name: str
    backward_name: str


def parameters(function: Callable) -> list[inspect.Parameter]:
    """Of a function, [] where it does not tell."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def refuse_what_is_no_function_of_arrays(pair: Pair) -> None:
    """Say so where a function would hand back something to be awaited or iterated over."""
    for name, function in ((pair.forward_name, pair.forward), (pair.backward_name, pair.backward)):
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise Explained(
                f"{pair.name}: {name} is async, so a call gives a coroutine and no arrays; write it with a plain `def`"
            )
        if inspect.isgeneratorfunction(function):
            raise Explained(f"{pair.name}: {name} is a generator, for it has a `yield`; hand back its results with `return`")
        if [p.name for p in parameters(function)][:1] == ["self"]:
            raise Explained(f"{pair.name}: {name} takes self, as a method does; write it as a function of arrays, without self")


def backward_extras(pair: Pair) -> list[str]:
    """The arguments of backward after dout and cache, which are arguments of forward too.

    Raises
    ------
    Explained
        It cannot be called as backward(dout, cache).
    """
    found = parameters(pair.backward)
    positional = [p for p in found if p.kind in POSITIONAL]
    starred = [p.name for p in found if p.kind == p.VAR_POSITIONAL]
    needed = [p.name for p in positional if p.default is p.empty]
    advice = _backward_advice([p.name for p in positional], needed, starred)
    known = {p.name for p in parameters(pair.forward)}
    unpacked = len(needed) > 2 and (needed[1] in known or not set(needed[2:]) <= known)
    if found and (advice or unpacked):
        takes = ", ".join(str(p).split(":")[0].split("=")[0] for p in found)
        raise Explained(
            f"{pair.name}: {pair.backward_name} is called as {pair.backward_name}(dout, cache); yours takes ({takes})"
            f"; {advice or 'put what it needs of forward into the cache, and unpack it inside'}"
        )
    return needed[2:]


def _backward_advice(names: list[str], needed: list[str], starred: list[str]) -> str:
    """What to change for backward(dout, cache); "" where nothing need be (or where the extra arguments decide)."""
    if len(names) > 1 and _cachelike(names[0]) and not _cachelike(names[1]):
        return "swap the two"
    if len(names) < 2 and not starred:
        return "give it both, and multiply by dout inside" if not names or _cachelike(names[0]) else "give it both"
    if len(names) == 1 and starred and starred[0] not in ("args", "arguments"):
        return f"take the cache as one argument, without the star, and unpack it inside: `... = {starred[0]}`"
    if len(needed) > 2 and needed[1].startswith("d") and _cachelike(needed[-1]):
        return "several outputs are one tuple, `return (a, b), cache` in forward, and dout is a tuple too"
    return ""


def _cachelike(name: str) -> bool:
    return "cache" in name.lower() or name.lower() in ("ctx", "context", "saved")


@dataclass
class Call:
    """One way to call a pair: the inputs, and forward and backward as functions of `*inputs` and of `(dout, cache)`."""

    pair: Pair
    names: list[str]
    inputs: list[Any]
    seconds: float = 0.0  # that forward takes

    def __post_init__(self) -> None:
        keywords = {p.name for p in parameters(self.pair.forward) if p.kind == p.KEYWORD_ONLY}
        self.keywords = [name in keywords for name in self.names]
        self.extras = backward_extras(self.pair)
        self.kinds = [kind_of(name, self.pair.name) for name in self.names]

    def __str__(self) -> str:
        return ", ".join(f"{name} {_shown(x)}" for name, x in zip(self.names, self.inputs, strict=True))

    @property
    def floats(self) -> list[int]:
        """Which inputs have a gradient."""
        return [i for i, x in enumerate(self.inputs) if differentiable(x)]

    def constant(self, name: str) -> bool:
        """Whether an input is, by its name, one that is not differentiated: a target, running statistics."""
        return kind_of(name, self.pair.name) in CONSTANT

    def forward(self, *inputs: Any) -> tuple[Any, Any]:
        """(out, cache). Running statistics are handed on as copies: to write into them is what a layer does."""
        given = [fresh(x) if kind in ("mean", "variance") else x for x, kind in zip(inputs, self.kinds, strict=True)]
        by_name = {name: x for name, x, keyword in zip(self.names, given, self.keywords, strict=True) if keyword}
        result = self.pair.forward(*[x for x, keyword in zip(given, self.keywords, strict=True) if not keyword], **by_name)
        if isinstance(result, tuple | list) and len(result) == 2:
            if isinstance(result[0], np.matrix):
                raise Explained(f"{self.pair.name}: {self.pair.forward_name}: expected an array, got np.matrix; use np.array")
            return result[0], result[1]
        got = f"{len(result)} values" if isinstance(result, tuple | list) else _described(result)
        advice = "end it with `return out, cache`, where cache is a tuple of all that backward needs"
        advice += " (and out one of several outputs)" if isinstance(result, tuple) else ""
        raise Explained(f"{self.pair.name}: {self.pair.forward_name}: expected two values, (out, cache), got {got}; {advice}")

    def backward(self, dout: Any, cache: Any) -> Any:
        """The gradients, None in the place of constants that were left out."""
        extras = [self.inputs[self.names.index(name)] for name in self.extras]
        grads = self.pair.backward(dout, cache, *extras)
        if isinstance(grads, dict):
            return self._by_key(grads)
        grads = tuple(grads) if isinstance(grads, tuple | list) else (grads,)
        odd = {
            type(g).__name__ for g in grads if not (g is None or hasattr(g, "dtype") or isinstance(g, float | int | complex))
        }
        if odd:
            title = f"{self.pair.name}: {self.pair.backward_name}"
            raise Explained(f"{title}: expected a tuple of arrays, one for each input, got {', '.join(sorted(odd))} in it")
        left_out = [i for i in self.floats if self.constant(self.names[i])]
        if not left_out or len(grads) != len(self.floats) - len(left_out):
            return grads
        rest = iter(grads)
        return tuple(None if i in left_out else next(rest) for i in self.floats)

    def _by_key(self, grads: dict) -> tuple:
        """A dict of gradients as a tuple of them: dx, grad_x or x for the input x."""
        by_key = {str(key).lower(): g for key, g in grads.items()}
        found = []
        for i in self.floats:
            name = self.names[i].lower()
            keys = [key for key in (f"d{name}", f"d_{name}", f"grad_{name}", name) if key in by_key]
            found.append(by_key[keys[0]] if keys else None)
        if all(g is None for g in found):
            wanted = ", ".join(f"d{self.names[i]}" for i in self.floats)
            raise Explained(
                f"{self.pair.name}: {self.pair.backward_name} returns a dict with the keys {', '.join(map(str, grads))}; "
                f"expected {wanted}, or a tuple of gradients in the order of forward's arguments"
            )
        return tuple(found)


def _shown(x: Any) -> str:
    return str(x.shape) if isinstance(x, np.ndarray) else "{...}" if isinstance(x, dict) else repr(x)


def _described(x: Any) -> str:
    return f"one array of shape {x.shape}" if isinstance(x, np.ndarray) else "nothing (None)" if x is None else type(x).__name__
