"""Inputs from the user's own function NAME_inputs(rng)."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, random_state_kept
from ..read.packed import Packed
from ..read.read_code import parameters
from ..run_code import UserError, attempt, own_traceback
from .call_pair import ONE_VALUE, POSITIONAL, STARRED, Call
from .find_pairs import Pair


def given_call(pair: Pair, seed: int) -> Call:
    """Return the call with the inputs that NAME_inputs returns. Raise UserError where forward does not take them."""
    title = f"{pair.name}_inputs"
    made, wanted = run_inputs(pair, seed, title), parameters(getattr(pair.forward, "__wrapped__", pair.forward), ONE_VALUE)
    order = [p.name for p in wanted]
    names, inputs = _by_name(made, wanted) if isinstance(made, dict) else (order[: len(made)], list(made))
    names += [f"input{i}" for i in range(len(names), len(inputs))]  # inputs of *args have no names
    takes = f"{pair.forward_name} takes ({', '.join(order)})"
    unknown = [name for name in names if wanted and name not in order]
    if unknown and (isinstance(made, dict) or not parameters(pair.forward, STARRED)):
        raise UserError(
            f"{title} returns {', '.join(unknown) if isinstance(made, dict) else f'{len(made)} inputs'}, and {takes}"
        )
    missing = [p.name for p in wanted if p.default is p.empty and p.name not in names]
    if missing:
        raise UserError(f"{title} returns no {', '.join(missing)}, and {takes}")
    asked = [p.name for p in parameters(pair.forward, ONE_VALUE) if p.default is p.empty]  # reg=0 of a loss is shown
    left_out = {p.name: p.default for p in wanted if p.name in asked and p.name not in names}
    names, inputs = [*names, *left_out], [*inputs, *left_out.values()]
    if not any(differentiable(x) or _of_arrays(x) for x in inputs):
        got = [f"{type(x).__name__} {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__ for x in inputs]
        raise UserError(f"{title}: expected at least one floating-point array, got {', '.join(got) or 'no inputs'}")
    empty = [f"{name} {x.shape}" for name, x in zip(names, inputs, strict=True) if differentiable(x) and x.size == 0]
    if empty:
        raise UserError(f"{title} returns {', '.join(empty)}: with no elements there is nothing to measure; return some")
    packed = {name: x for name, x in zip(names, inputs, strict=True) if _of_arrays(x) and name in order}
    apart = [packed.get(name, {name: x}) for name, x in zip(names, inputs, strict=True)]
    names, inputs = [name for part in apart for name in part], [x for part in apart for x in part.values()]
    return Call(pair, names, inputs, keys={name: Packed(tuple(x)) for name, x in packed.items()})


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


def _by_name(made: dict, wanted: list[inspect.Parameter]) -> tuple[list[str], list[Any]]:
    """Order a dict as forward's arguments, with the defaults of those between, and with unknown names at the end."""
    last = max((i for i, p in enumerate(wanted) if p.name in made), default=-1)
    known = {p.name: made.get(p.name, p.default) for p in wanted[: last + 1] if p.name in made or p.default is not p.empty}
    inputs = known | {str(name): x for name, x in made.items() if name not in known}
    return list(inputs), list(inputs.values())
