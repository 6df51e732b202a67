"""The arrays inside a layer that is an object: its parameters, and where its backward leaves their gradients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..read.read_code import is_gradient_of
from ..run_code import attempt

# The way to an array: ".W" is an attribute, "W1" a key and 0 an index. (".layers", 0, ".W") is layers[0].W
Way = tuple[Any, ...]

MANGLED = re.compile(r"^_[A-Za-z]\w*?__(?=\w)")  # what Python puts before the name of self.__dW
DEPTH = 6  # of a way: net.layers[0].params["W"].data is the longest that was seen
RANDOM = (np.random.Generator, np.random.RandomState)
LEAVES = (str, bytes, type, ModuleType, FunctionType, MethodType, BuiltinFunctionType, *RANDOM)
VALUES = ("data", "value", "val", "array", "v", "w", "param", "params")  # of an object with its gradient
STORES = re.compile(r"_*(params?|parameters|weights|trainable_?\w*|learnable_?\w*|p)", re.IGNORECASE)
GRADIENTS = re.compile(
    r"_*(d|grads?|gradients?|derivatives?|dparams?|d_?weights|param_?grads?|g|grad_?\w*|gradient_?\w*|(weights?_?)?updates?)",
    re.IGNORECASE,
)
SPELLINGS = ("w weight weights kernel kernels filters theta", "b bias biases")
WORDS = {name: words.split()[0] for words in SPELLINGS for name in words.split()}


def _steps(x: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (step, value) of what an object, a dict or a list holds."""
    if isinstance(x, dict):
        yield from list(x.items())
    elif isinstance(x, list | tuple):
        yield from enumerate(x)
    elif (
        isinstance(getattr(x, "__dict__", None), dict)
        and not isinstance(x, LEAVES)
        and not isinstance(x, np.ndarray | np.generic)
    ):
        yield from ((f".{name}", value) for name, value in list(vars(x).items()))
    elif hasattr(type(x), "__slots__") and type(x).__module__ not in ("builtins", "numpy"):
        yield from ((f".{name}", getattr(x, name)) for name in type(x).__slots__ if hasattr(x, name))


RATES = re.compile(r"_*(lr|learn(ing)?_?rate|eta|η|l_?rate|step_?size)", re.IGNORECASE)
EPOCHS = re.compile(r"_*((n|num|max)_?)?(epochs?|iters?|iterations?)", re.IGNORECASE)


def _everything_in(x: Any) -> Iterator[tuple[Way, Any]]:
    """Yield (way, value) of all that an object holds, level by level; what two ways lead to is looked into once."""
    seen, level = set(), [((), x)]
    for _ in range(DEPTH):
        deeper: list[tuple[Way, Any]] = []
        for way, owner in level:
            for step, value in list(_steps(owner)):
                yield (*way, step), value
                if not isinstance(value, (*LEAVES, np.ndarray)) and id(value) not in seen:
                    seen.add(id(value))
                    deeper.append(((*way, step), value))
        level = deeper


def set_numbers(x: Any, called: re.Pattern[str], value: float) -> bool:
    """Set all numbers in an object that are called so, as its learning rates; return whether there are any."""
    found = [way for way, a in _everything_in(x) if called.fullmatch(_word(way[-1])) and isinstance(a, float | int)]
    for way in found:
        put(x, [way], value)
    return bool(found)


def arrays_in(x: Any) -> list[tuple[list[Way], np.ndarray]]:
    """Return each floating-point array in an object once, with all ways to it: self.W may be self.params[0] too."""
    found: dict[int, tuple[list[Way], np.ndarray]] = {}
    for way, a in _everything_in(x):
        if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size:
            found.setdefault(id(a), ([], a))[0].append(way)
    return list(found.values())


def make_arrays(x: Any) -> bool:
    """Make an array of each list of floats in an object, and of floats called w or b; return whether there are such lists."""
    lists = [(way, a) for way, value in _everything_in(x) if (a := as_array(value)) is not None]
    floats = [(way, np.array(a)) for way, a in _everything_in(x) if type(a) is float and plain(_word(way[-1])) in ("w", "b")]
    for way, a in lists + floats:
        put(x, [way], a)
    return bool(lists)


def widen(x: Any, used: Any) -> bool:
    """Make an array of each number in an object that has an array as its gradient in a used one; return whether there is any.

    gamma=1.0 is such a number, where backward leaves a gradient for each feature in self.dgamma.
    """
    numbers = [(way, a) for way, a in _everything_in(x) if type(a) is float]
    found = [(way, a, g) for way, a in numbers if isinstance(g := gradient_at(used, [way]), np.ndarray) and g.ndim]
    for way, a, g in found:
        put(x, [way], np.full(g.shape, a))
    return bool(found)


def as_array(x: Any) -> np.ndarray | None:
    """Return the array that a list of floats is, or a list of such lists; None for anything else."""
    first = x
    while isinstance(first, list) and first:
        first = first[0]
    return attempt(np.array, x, dtype=float)[0] if isinstance(x, list) and isinstance(first, float) else None


def at(x: Any, way: Way) -> Any:
    """Return what lies at the end of a way; None where there is nothing."""
    for step in way:
        if isinstance(step, str) and step.startswith(".") and not isinstance(x, dict):
            x = getattr(x, step[1:], None)
        else:
            try:
                x = x[step]
            except (KeyError, IndexError, TypeError):
                return None
    return x


def put(x: Any, ways: list[Way], value: Any) -> None:
    """Write a value into an array of an object: into its memory if it has the dtype, or what shares it would lose it."""
    old = at(x, ways[0])
    alike = isinstance(old, np.ndarray) and (old.dtype, old.shape) == (np.asarray(value).dtype, np.shape(value))
    if alike and old.flags.writeable:
        old[...] = value
        return
    new = value.copy() if isinstance(value, np.ndarray) else value
    for way in ways:
        owner, step = at(x, way[:-1]), way[-1]
        if isinstance(step, str) and step.startswith(".") and not isinstance(owner, dict):
            setattr(owner, step[1:], new)
        elif isinstance(owner, tuple):
            put(x, [way[:-1]], (*owner[:step], new, *owner[step + 1 :]))  # type: ignore[arg-type]
        else:
            owner[step] = new


def name_of(way: Way) -> str:
    """Return the name that a report gives to an array: W, W1 for params["W1"], layers[0].W."""
    stored = len(way) > 1 and isinstance(way[-2], str) and STORES.fullmatch(way[-2].strip("._"))  # params["w"]
    if len(way) > 1 and not stored and _word(way[-1]) in VALUES and isinstance(way[-1], str):
        way = way[:-1]  # the array of a parameter that is an object
    if len(way) > 1 and isinstance(way[-1], str) and not way[-1].startswith(".") and isinstance(way[-2], str):
        way = (*way[:-2], f".{way[-1]}")  # an entry of a dict
    text = "".join(step if isinstance(step, str) and step.startswith(".") else f"[{step!r}]" for step in way)
    return text.removeprefix(".")


def _word(step: Any) -> str:
    return MANGLED.sub("", step.lstrip(".")).strip("_") if isinstance(step, str) else ""


def plain(name: str) -> str:
    """Return the name in one spelling: w for weights and kernel, b for bias."""
    low = re.sub(r"[^a-z0-9]", "", name.lower())
    stem = low.rstrip("0123456789")
    return WORDS.get(stem, stem) + low[len(stem) :]


BEFORE = re.compile(r"^_*(?:d_?[LJCElc]_?d_?|del(?:ta)?s?_?|nabla_?|gradients?_?|grads?_?|d|g)_?(.+)$")
AFTER = re.compile(r"^(.+?)_*(?:grads?|gradients?|deltas?|derivatives?|g|err|errors?)$", re.IGNORECASE)


def names_gradient(title: str, name: str) -> bool:
    """Whether a title is that of the gradient of a parameter: dW, db of bias, dLdW, weights_gradient, nabla_w."""
    if is_gradient_of(title, name):
        return True
    stems = [
        match[1] for match in (BEFORE.match(title), AFTER.match(title), re.match("(.*[a-z])D$", title)) if match
    ]  # weightD
    return any(plain(stem) == plain(name) for stem in stems)


def is_called_gradient(way: Way) -> bool:
    last = re.search(r"grad|deriv|nabla|^d_?[A-Z]|^d_", _word(way[-1]))
    return bool(last) or any(GRADIENTS.fullmatch(_word(step)) for step in way[:-1] if isinstance(step, str))


def gradient_ways(x: Any, way: Way) -> Iterator[Way]:
    """Yield the ways to what may be the gradient of the array at the end of a way, the likeliest first."""
    last = _word(way[-1])
    if last in VALUES and len(way) > 1:
        owner = way[:-1]
        for step, _ in _steps(at(x, owner)):
            if GRADIENTS.fullmatch(_word(step)):
                yield (*owner, step)
    for k in reversed(range(len(way))):
        owner, name, rest = way[:k], _word(way[k]), way[k + 1 :]
        siblings = [step for step, _ in _steps(at(x, owner)) if isinstance(step, str)] if name else []
        for step in siblings[::-1]:  # what backward has made before what the constructor has, as a momentum
            if names_gradient(_word(step), name):
                yield (*owner, step, *rest)
        if k == len(way) - 1 and name:  # self.W and self.grads["W"]
            yield from _in_stores(x, owner, name)
            if owner and STORES.fullmatch(_word(owner[-1])):  # self.params["W"] and self.dW
                yield from ((*owner[:-1], step) for step, _ in _steps(at(x, owner[:-1])) if names_gradient(_word(step), name))
        elif STORES.fullmatch(name):  # self.params[0] and self.grads[0]; self.params["W"] and self.grads["dW"]
            for step in siblings[::-1]:
                if GRADIENTS.fullmatch(_word(step)):
                    yield (*owner, step, *rest)
                    if isinstance(rest[-1], str):
                        yield from _in_stores(x, owner, _word(rest[-1]))


def _in_stores(x: Any, owner: Way, name: str) -> Iterator[Way]:
    for step, store in _steps(at(x, owner)):
        if isinstance(step, str) and GRADIENTS.fullmatch(_word(step)) and not isinstance(store, np.ndarray):
            for key, _ in _steps(store):
                if isinstance(key, str) and (_word(key) == name or names_gradient(_word(key), name)):
                    yield (*owner, step, key)


def gradient_at(x: Any, ways: list[Way]) -> Any:
    """Return the gradient of a parameter, None where there is none. If two layers share it, each has a part of its gradient."""
    found: list[Any] = []
    for way in ways:
        places = (at(x, place) for place in gradient_ways(x, way) if place not in ways)
        ends = (g[-1] if isinstance(g, list) and g and isinstance(g[-1], np.ndarray) else g for g in places)  # it is appended
        arrays = (g if (a := as_array(g)) is None else a for g in ends)
        numbers = [g for g in arrays if isinstance(g, np.ndarray | np.generic | float | int) and not isinstance(g, bool)]
        g = next((g for g in numbers if np.shape(g) == np.shape(at(x, way))), numbers[0] if numbers else None)
        if g is not None and not any(g is other for other in found):
            found.append(g)
    shared = len({id(at(x, way[:-1])) for way in ways}) > 1 and len({np.shape(g) for g in found}) == 1
    return None if not found else sum(found[1:], found[0]) if shared else found[0]
