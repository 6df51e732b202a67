"""Choose the inputs that a pair is checked with: those of NAME_inputs, else the drawn inputs with which the pair works best."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from ..gradcheck.problem.problem import fresh, random_state_kept
from .call_pair import Call, arguments_of, parameters, positional, takes_any_number
from .draw_inputs import IMAGES, ROWS, STEPS, Layout, candidates, kind_of
from .find_pairs import Pair
from .given_inputs import given_call
from .run_code import UserError, attempt, own_frames, own_traceback

# Candidates with which forward works and backward does not, after which the search ends. A wrong backward refuses them all,
# and each costs a forward.
ENOUGH = 24


@dataclass
class Trial:
    """How well a pair works with drawn inputs."""

    call: Call
    layout: Layout
    shape: Any  # the output's; a list of shapes for several outputs
    rank: tuple[bool, bool]  # whether the output is finite, whether backward gives gradients of the inputs' shapes


def choose_calls(pair: Pair, seed: int) -> list[Call]:
    """Return one call; or two, where forward is meant to take x of two dimensions and of more.

    Raises
    ------
    UserError
        The inputs cannot be drawn, or forward does not take them.
    """
    if pair.inputs is not None:
        return [given_call(pair, seed)]
    with random_state_kept():
        best = _best(pair, seed)
        _try(best.call, best.layout)  # measures the time again: the first forward may have imported something
        return [best.call, *_of_another_rank(best, seed)]


def _best(pair: Pair, seed: int) -> Trial:
    """Return the first trial with the best rank."""
    furthest: tuple[int, BaseException | None, Call | None] = (-1, None, None)
    best, taken = None, 0
    for names in _arguments(pair):
        for layout, inputs in candidates(names, pair.name, seed):
            call = Call(pair, names, inputs)
            trial = _try(call, layout)
            if isinstance(trial, BaseException):
                line = next((frame.lineno or 0 for frame in own_frames(trial, pair.path)), 0)
                furthest = max(furthest, (line, trial, call), key=lambda one: one[0])
                continue
            best, taken = trial if best is None or trial.rank > best.rank else best, taken + 1
            if all(best.rank) or (taken >= ENOUGH and best.rank[0]):
                return best
        if best is not None:
            return best
    _, error, failed = furthest
    assert error is not None
    raise UserError(
        f"{pair.forward_name} raises for all inputs that were tried; {_advice(pair)}. It came furthest with {failed}"
        f"\n{own_traceback(error, pair.path)}"
    )


def _arguments(pair: Pair) -> Iterator[list[str]]:
    """Yield the names of the arguments to draw: first with the optional arrays (gamma=None), then without.

    Raises
    ------
    UserError
        An argument has an unknown name, or there are none.
    """
    found = arguments_of(pair.forward)
    needed = [p.name for p in found if p.default is p.empty]
    title = f"{pair.forward_name}({', '.join(str(p).split(':')[0] for p in parameters(pair.forward))})"
    unknown = [name for name in needed if not kind_of(name, pair.name)]
    if unknown:
        raise UserError(f"{title}: do not know what to draw for {', '.join(unknown)}; {_advice(pair)}")
    if not needed:
        starred = takes_any_number(pair.forward)
        why = "put @functools.wraps(f) above the wrapper of the decorator, or " if starred else ""
        raise UserError(f"{title}: it names no arguments to draw; {why}{_advice(pair)}")
    arrays = ("weight", "bias", "affine", "hidden")
    optional = [p.name for p in found if p.default is None and kind_of(p.name, pair.name) in arrays]
    every = [p.name for p in found if p.name in needed or p.name in optional]
    no_gap = _are_the_first(every, found)
    if no_gap:
        yield every
    if optional or not no_gap:
        yield needed


def _are_the_first(names: list[str], found: list[inspect.Parameter]) -> bool:
    """Whether no positional argument stands between those with these names."""
    order = [p.name in names for p in positional(found)]
    return order == sorted(order, reverse=True)


def _advice(pair: Pair) -> str:
    return f"write a function {pair.name}_inputs(rng) that returns them as a tuple"


def _try(call: Call, layout: Layout) -> Trial | BaseException:
    """Run forward and backward once. Return the exception of forward; an exception of backward is a low rank."""
    started = perf_counter()
    result, error = attempt(call.forward, *[fresh(x) for x in call.inputs])
    call.seconds = perf_counter() - started
    if error is not None:
        return error
    out, cache = result
    several = isinstance(out, tuple | list)
    outputs = [np.asarray(y) for y in (out if several else [out])]
    finite = all(np.all(np.isfinite(y)) for y in outputs if y.dtype.kind in "fc")
    shapes = [y.shape for y in outputs]
    return Trial(call, layout, shapes if several else shapes[0], (finite, _fits(call, shapes, several, cache)))


def _fits(call: Call, shapes: list, several: bool, cache: Any) -> bool:
    """Whether backward gives gradients of the inputs' shapes."""
    rng = np.random.default_rng(0)
    douts = [rng.standard_normal(shape)[()] for shape in shapes]
    found, error = attempt(call.backward, tuple(douts) if several else douts[0], cache)
    if error is not None:
        return False
    grads = [found[i] for i in call.floats] if len(found) == len(call.inputs) else found
    wanted = [np.shape(call.inputs[i]) for i in call.floats]
    return [shape if g is None else np.shape(g) for g, shape in zip(grads, wanted, strict=False)] == wanted


def _of_another_rank(best: Trial, seed: int) -> list[Call]:
    """Return a call with x of four dimensions (or three) where forward is meant to take that too.

    It is meant to where the output keeps its meaning: it has again the shape of x, or the same shape in spite of another x.
    """
    call, kinds = best.call, set(best.call.kinds)
    if best.layout is not ROWS or not best.shape or not kinds <= {"x", "weight", "bias", "affine", "number", "settings"}:
        return []
    for layout in (IMAGES, STEPS) if kinds <= {"x", "weight", "bias", "number"} else (IMAGES,):
        expected = layout.x if best.shape == ROWS.x else best.shape
        for _, inputs in candidates(call.names, call.pair.name, seed, [layout]):
            other = Call(call.pair, call.names, inputs)
            trial = _try(other, layout) if _alike(call, other, layout) else None
            if isinstance(trial, Trial) and trial.rank[0] and trial.shape == expected:
                return [other]
    return []


def _alike(call: Call, other: Call, layout: Layout) -> bool:
    """Whether nothing differs but x, the rows of w and the length of gamma, so that no shape is broadcast by chance."""
    for kind, x, y in zip(call.kinds, call.inputs, other.inputs, strict=True):
        if kind == "weight" and np.ndim(y) != 2:
            return False
        if kind == "affine" and np.shape(y) not in ((layout.features,), np.shape(x)):
            return False
        if kind == "bias" and np.shape(y) != np.shape(x):
            return False
    return True
