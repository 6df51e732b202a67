"""The inputs of forward: those of the user's own function NAME_inputs(rng), else which arguments are drawn, and as what."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, random_state_kept
from ..read.by_use import guess, indices_of, kinds_in_a_norm, kinds_in_a_product
from ..read.packed import Packed, packed_of, rolled_of, size_named
from ..read.read_code import is_gradient_of, parameters, parts_returned, plain_title, returned
from ..run_code import UserError, attempt, own_traceback
from .about import about
from .call_pair import ONE_VALUE, POSITIONAL, STARRED, Call
from .composed import Composed
from .kinds import LEARNED, NUMBERS, kind_of, kinds_of
from .pair import Pair

GUESSED = ("one of ", "function", "pair of ", "layers with ")  # kinds that the code tells, whatever the name says


def arguments(pair: Pair) -> Iterator[Call]:
    """Yield calls that name the arguments to draw: first with the optional arrays (gamma=None), then without.

    The parameters in a dict are arguments of their own.
    """
    code = pair.forward.forward if isinstance(pair.forward, Composed) else pair.forward
    found, keys = parameters(pair.forward, ONE_VALUE), packed_of(code)
    needed = [p.name for p in found if p.default is p.empty]
    if not needed:
        title = f"{pair.forward_name}({', '.join(str(p).split(':')[0] for p in parameters(pair.forward))})"
        wraps = "put @functools.wraps(f) above the wrapper of the decorator, or " if parameters(pair.forward, STARRED) else ""
        raise UserError(f"{title}: it names no arguments to draw; {wraps}{advice(pair)}")
    kinds = dict(zip(needed, kinds_of(needed, pair.name), strict=True))
    guesses = {name: guess(code, name, i) for i, name in enumerate(needed) if name not in keys}
    # a p that comes first is no probability of dropout
    nothing = {n for i, n in enumerate(needed) if not kinds[n] or (kinds[n] == "number" and i == 0 and len(n) == 1)}
    guesses = {name: kind for name, kind in guesses.items() if name in nothing or kind.startswith(GUESSED)}
    told = kinds_in_a_product(code, needed, kinds) or kinds_in_a_norm(code, needed, kinds)
    guesses |= {name: kind for name, kind in told.items() if kind != kinds[name] and "hot" not in name}  # one-hot stays so
    composed = isinstance(pair.forward, Composed)
    backward = pair.forward.user_backward if isinstance(pair.forward, Composed) else pair.backward
    values = parts_returned(backward)
    learned = [n for n in needed if any(is_gradient_of(plain_title(e), n) for e in values)]
    if (composed or "target" in kinds.values()) and any(kinds[n] == "x" and n not in learned for n in needed):
        # a of y = a * x + b, and A of scores = X @ A.T
        guesses |= {n: "weight" if composed else f"any {n}" for n in learned if kinds[n] == "x"}
    guesses |= dict.fromkeys(_numbers_with_gradient(pair, found), "x" if pair.loss else "scale")
    indices = {name: kind for name, kind in indices_of(code).items() if name in needed and kinds[name] in ("", "x", "target")}
    if any(kinds[name] != "target" for name in indices):  # targets alone are class numbers of the rows of x
        guesses |= indices
    rolled = [
        name for name in rolled_of(code) if name in needed and name not in keys and kinds[name] in ("", "settings", "weight")
    ]
    if rolled or "indices" in guesses.values():
        free = [p.name for p in found if type(p.default) is int or (p.name in needed and not kinds[p.name])]  # vocab_size=27
        sized = {name: f"size of {size_named(name)}" for name in free if size_named(name)}
        sized |= {name: "sizes" for name in free if name not in sized and "dim" in name and name in needed}  # of three layers
        guesses |= sized | dict.fromkeys(rolled, "rolled")
    guesses |= about(code).kinds
    guesses |= {name: f"shaped {' '.join(map(str, x.shape))}" for name, x in about(code).arrays.items()}
    arrays = ("weight", "bias", "affine", "hidden")
    optional = [p.name for p in found if p.default is None and kind_of(p.name, pair.name) in arrays]
    every = [p.name for p in found if p.name in needed or p.name in optional or p.name in guesses]
    for names in [every, needed] if every != needed else [needed]:
        taken_apart = [key for name in names for key in (keys[name].names if name in keys else [name])]
        kept = {name: packed for name, packed in keys.items() if name in names}
        entries = {key for packed in kept.values() for key in packed.names}
        every_kind = zip(taken_apart, kinds_of(taken_apart, pair.name), strict=True)
        guesses |= {name: f"any {name}" for name, kind in every_kind if not kind and name in entries and name not in guesses}
        yield Call(pair, taken_apart, [None] * len(taken_apart), keys=kept, guesses=guesses)


def _numbers_with_gradient(pair: Pair, found: list[inspect.Parameter]) -> list[str]:
    """Return the numbers whose gradient backward returns, as alpha of PReLU: by its name, or as one value more than arrays."""
    values = [getattr(value, "elts", [value]) for value in returned(pair.forward if pair.loss else pair.backward)]
    numbers = [p.name for p in found if type(p.default) in (int, float) or kind_of(p.name, pair.name) == "number"]
    numbers = [name for name in numbers if not isinstance(NUMBERS.get(name), int)]  # dg is that of gamma, beside G groups
    named = [name for name in numbers if any(is_gradient_of(plain_title(e), name) for value in values for e in value)]
    counts = {sum(not (isinstance(e, ast.Constant) and e.value is None) for e in value) for value in values}
    arrays = sum((p.default is p.empty or p.default is None) and p.name not in numbers for p in found)
    of_loss = [p.name for p in found if pair.loss and p.name in numbers and len(p.name) == 1 and p.default is p.empty]
    others = of_loss or [name for name in numbers if name in LEARNED or kind_of(name, pair.name) != "number"]
    returned_many = counts == {arrays + len(others) + pair.loss}  # a loss itself is one more
    return named or (others if returned_many and (of_loss or not pair.loss) else [])


def advice(pair: Pair) -> str:
    return f"write a function {pair.name}_inputs(rng) that returns them as a tuple"


def given_call(pair: Pair, seed: int) -> Call:
    """Return the call with the inputs that NAME_inputs returns. Raise UserError where forward does not take them."""
    title = f"{pair.name}_inputs"
    made, found = run_inputs(pair, seed, title), parameters(getattr(pair.forward, "__wrapped__", pair.forward), ONE_VALUE)
    wanted = {p.name: p.default for p in found}
    keyed = isinstance(made, dict)
    if keyed:  # in the order of forward's arguments, with the defaults of those between
        last = max((i for i, name in enumerate(wanted) if name in made), default=-1)
        between = {name: default for name, default in [*wanted.items()][: last + 1] if default is not inspect.Parameter.empty}
        given = {str(name): (between | made)[name] for name in dict.fromkeys([*wanted, *made]) if name in between | made}
    else:  # inputs of *args have no names
        given = dict(zip([*wanted, *(f"input{i}" for i in range(len(wanted), len(made)))], made, strict=False))
    takes = f"{pair.forward_name} takes ({', '.join(wanted)})"
    unknown = [name for name in given if wanted and name not in wanted]
    if unknown and (keyed or not parameters(pair.forward, STARRED)):
        raise UserError(f"{title} returns {', '.join(unknown) if keyed else f'{len(made)} inputs'}, and {takes}")
    missing = [p.name for p in found if p.default is p.empty and p.name not in given]
    if missing:
        raise UserError(f"{title} returns no {', '.join(missing)}, and {takes}")
    asked = [p.name for p in parameters(pair.forward, ONE_VALUE) if p.default is p.empty]  # reg=0 of a loss is shown
    given |= {name: wanted[name] for name in wanted if name in asked and name not in given}
    if not any(differentiable(x) or _of_arrays(x) for x in given.values()):
        got = [f"{type(x).__name__} {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__ for x in given.values()]
        raise UserError(f"{title}: expected at least one floating-point array, got {', '.join(got) or 'no inputs'}")
    empty = [f"{name} {x.shape}" for name, x in given.items() if differentiable(x) and x.size == 0]
    if empty:
        raise UserError(f"{title} returns {', '.join(empty)}: with no elements there is nothing to measure; return some")
    packed = {name: x for name, x in given.items() if _of_arrays(x) and name in wanted}
    apart = {key: x for name, one in given.items() for key, x in packed.get(name, {name: one}).items()}
    return Call(pair, list(apart), list(apart.values()), keys={name: Packed(tuple(x)) for name, x in packed.items()})


def _of_arrays(x: Any) -> bool:
    """Whether it is a dict of parameters: each is an input of its own."""
    return isinstance(x, dict) and any(map(differentiable, x.values()))


def run_inputs(pair: Pair, seed: int, title: str) -> Any:
    """Return what NAME_inputs returns: a dict, a tuple or a list."""
    make = pair.inputs
    if not callable(make):
        raise UserError(f"{title} is a {type(make).__name__}; expected a function that returns the inputs as a tuple")
    taken = parameters(make, POSITIONAL)
    if len([p for p in taken if p.default is p.empty]) > 1:
        raise UserError(f"{title} takes ({', '.join(p.name for p in taken)}); expected {title}(rng), or no argument")
    arguments: list = [] if not taken else [seed] if "seed" in taken[0].name else [np.random.default_rng(seed)]
    with random_state_kept():
        np.random.seed(seed % 2**32)  # noqa: NPY002  (NAME_inputs may draw with np.random.randn)
        made, error = attempt(make, *arguments)
    if error is not None:
        raise UserError(f"{title} raises\n{own_traceback(error, pair.path)}")
    if not isinstance(made, dict | tuple | list):
        raise UserError(f"{title}: expected a tuple of inputs, got {type(made).__name__}; for one input, return (x,)")
    return made
