"""Which inputs a pair is checked with: those of its own function, or the drawn ones that it takes best."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..gradcheck.problem.problem import differentiable, fresh, random_state_kept
from .inputs import IMAGES, ROWS, STEPS, Layout, candidates, kind_of
from .loading import Explained, own_frames, theirs
from .pairs import POSITIONAL, Call, Pair, parameters

ENOUGH = 24  # candidates that forward takes and backward does not: no more are tried


def calls_for(pair: Pair, seed: int) -> list[Call]:
    """How to call a pair: once; or twice, where forward takes x of two dimensions and of more.

    Raises
    ------
    Explained
        Its inputs cannot be drawn, or forward does not take them.
    """
    if pair.inputs is not None:
        return [_given(pair, pair.inputs, seed)]
    with random_state_kept():
        best = _best(pair, seed)
        _try(best.call, best.layout)  # for its time: the first call may have imported something
        return [best.call, *_of_another_rank(best, seed)]


# ---- from NAME_inputs --------------------------------------------------------------------------------------------------


def _given(pair: Pair, make: Any, seed: int) -> Call:
    title = f"{pair.name}: {pair.name}_inputs"
    inputs = _made(pair, make, seed, title)
    wanted = [p for p in parameters(pair.forward) if p.kind in POSITIONAL or p.kind == p.KEYWORD_ONLY]
    names, given = _by_name(inputs, wanted) if isinstance(inputs, dict) else _by_order(inputs, wanted)
    takes = f"{pair.forward_name} takes ({', '.join(p.name for p in wanted)})"
    unknown = [name for name in names if wanted and name not in [p.name for p in wanted]]
    if unknown and not (isinstance(inputs, tuple | list) and _starred(pair)):
        what = ", ".join(unknown) if isinstance(inputs, dict) else f"{len(given)} inputs"
        raise Explained(f"{title} returns {what}, and {takes}")
    missing = [p.name for p in wanted if p.default is p.empty and p.name not in names]
    if missing:
        raise Explained(f"{title} returns no {', '.join(missing)}, and {takes}")
    if not any(differentiable(x) for x in given):
        got = ", ".join(f"{type(x).__name__} {x.dtype}" if isinstance(x, np.ndarray) else type(x).__name__ for x in given)
        raise Explained(f"{title}: expected at least one floating-point array, got {got or 'no inputs'}")
    empty = [f"{name} {x.shape}" for name, x in zip(names, given, strict=True) if differentiable(x) and x.size == 0]
    if empty:
        raise Explained(f"{title} returns {', '.join(empty)}: with no elements there is nothing to measure; return some")
    return Call(pair, names, given)


def _by_name(inputs: dict, wanted: list[inspect.Parameter]) -> tuple[list[str], list[Any]]:
    """In the order of forward's arguments, with the defaults of those that stand between; unknown ones at the end."""
    order = [p.name for p in wanted]
    last = max((order.index(name) for name in inputs if name in order), default=-1)
    known = {p.name: inputs.get(p.name, p.default) for p in wanted[: last + 1] if p.name in inputs or p.default is not p.empty}
    every = known | {str(name): x for name, x in inputs.items() if name not in known}
    return list(every), list(every.values())


def _by_order(inputs: Any, wanted: list[inspect.Parameter]) -> tuple[list[str], list[Any]]:
    return [wanted[i].name if i < len(wanted) else f"input{i}" for i in range(len(inputs))], list(inputs)


def _starred(pair: Pair) -> bool:
    return any(p.kind == p.VAR_POSITIONAL for p in parameters(pair.forward))


def _made(pair: Pair, make: Any, seed: int, title: str) -> Any:
    """What NAME_inputs returns: a dict, or something to be iterated over."""
    if not callable(make):
        raise Explained(f"{title} is a {type(make).__name__}; expected a function that returns the inputs as a tuple")
    taken = [p for p in parameters(make) if p.kind in POSITIONAL]
    if len([p for p in taken if p.default is p.empty]) > 1:
        raise Explained(f"{title} takes ({', '.join(p.name for p in taken)}); expected {pair.name}_inputs(rng), or no argument")
    argument: list = [] if not taken else [seed] if "seed" in taken[0].name else [np.random.default_rng(seed)]
    try:
        with random_state_kept():
            np.random.seed(seed % 2**32)  # noqa: NPY002  (of inputs that are drawn with np.random.randn)
            inputs = make(*argument)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Explained(f"{title} raises\n{own_frames(error, pair.path)}") from None
    if not isinstance(inputs, dict | tuple | list):
        raise Explained(f"{title}: expected a tuple of inputs, got {type(inputs).__name__}; for one input, return (x,)")
    return inputs


# ---- drawn -------------------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """How far a pair came with drawn inputs."""

    call: Call
    layout: Layout
    out: Any
    rank: tuple[bool, bool]  # the output is finite, backward gives gradients of the inputs' shapes


def _best(pair: Pair, seed: int) -> Trial:
    """The first candidate with which all is well, else the one with which most is."""
    furthest: tuple[int, BaseException, Call] | None = None
    best, taken = None, 0
    for names in _arguments(pair):
        for layout, inputs in candidates(names, pair.name, seed):
            call = Call(pair, names, inputs)
            trial = _try(call, layout)
            if isinstance(trial, BaseException):
                line = next((frame.lineno or 0 for frame in theirs(trial, pair.path)), 0)
                furthest = (line, trial, call) if furthest is None or line > furthest[0] else furthest
                continue
            best, taken = trial if best is None or trial.rank > best.rank else best, taken + 1
            if all(best.rank) or (taken >= ENOUGH and best.rank[0]):
                return best
        if best is not None:
            return best
    assert furthest is not None
    _, error, call = furthest
    raise Explained(
        f"{pair.name}: {pair.forward_name} raises for all inputs that were tried; {_advice(pair)}. It came furthest with {call}"
        f"\n{own_frames(error, pair.path)}"
    )


def _arguments(pair: Pair) -> Iterator[list[str]]:
    """The names of the arguments to draw: with the optional arrays (gamma=None), and without.

    Raises
    ------
    Explained
        One has a name that nothing is known of.
    """
    found = [p for p in parameters(pair.forward) if p.kind in POSITIONAL or p.kind == p.KEYWORD_ONLY]
    needed = [p.name for p in found if p.default is p.empty]
    title = f"{pair.name}: {pair.forward_name}({', '.join(str(p).split(':')[0] for p in parameters(pair.forward))})"
    unknown = [name for name in needed if not kind_of(name, pair.name)]
    if unknown:
        raise Explained(f"{title}: do not know what to draw for {', '.join(unknown)}; {_advice(pair)}")
    if not needed:
        why = "put @functools.wraps(f) above the wrapper of the decorator, or " if _starred(pair) else ""
        raise Explained(f"{title}: it names no arguments to draw; {why}{_advice(pair)}")
    arrays = [
        p.name for p in found if p.default is None and kind_of(p.name, pair.name) in ("weight", "bias", "affine", "hidden")
    ]
    with_arrays = [p.name for p in found if p.name in needed or p.name in arrays]
    if _in_order(with_arrays, found):
        yield with_arrays
    if arrays or not _in_order(with_arrays, found):
        yield needed


def _in_order(names: list[str], found: list[inspect.Parameter]) -> bool:
    """Whether these are the first positional arguments (and any that are named in the call)."""
    positional = [p.name for p in found if p.kind in POSITIONAL]
    return [name for name in names if name in positional] == positional[: len([n for n in names if n in positional])]


def _advice(pair: Pair) -> str:
    return f"write a function {pair.name}_inputs(rng) that returns them as a tuple"


def _try(call: Call, layout: Layout) -> Trial | BaseException:
    """One forward and one backward. What forward raises is handed back; a backward that raises is a low rank."""
    try:
        started = time.perf_counter()
        with np.errstate(all="ignore"):
            out, cache = call.forward(*[fresh(x) for x in call.inputs])
        call.seconds = time.perf_counter() - started
    except (KeyboardInterrupt, Explained):
        raise
    except BaseException as error:
        return error
    outputs = [np.asarray(y) for y in (out if isinstance(out, tuple | list) else [out])]
    finite = all(np.all(np.isfinite(y)) for y in outputs if y.dtype.kind in "fc")
    return Trial(call, layout, out, (finite, _fits(call, out, cache)))


def _fits(call: Call, out: Any, cache: Any) -> bool:
    """Whether backward runs, and gives gradients of the inputs' shapes."""
    rng = np.random.default_rng(0)
    try:
        douts = [rng.standard_normal(np.shape(y))[()] for y in (out if isinstance(out, tuple | list) else [out])]
        with np.errstate(all="ignore"):
            grads = call.backward(tuple(douts) if isinstance(out, tuple | list) else douts[0], cache)
    except (KeyboardInterrupt, Explained):
        raise
    except BaseException:
        return False
    grads = list(grads) if isinstance(grads, tuple | list) else [grads]
    if len(grads) == len(call.inputs):
        grads = [grads[i] for i in call.floats]
    shapes = [np.shape(call.inputs[i]) for i in call.floats]
    return [s if g is None else np.shape(g) for g, s in zip(grads, shapes, strict=False)] == shapes


def _of_another_rank(best: Trial, seed: int) -> list[Call]:
    """The call with x of four dimensions (or three), where forward is meant to take that too.

    It is, where the output keeps its meaning: it has the shape of x again, or is the same in spite of another x.
    """
    call = best.call
    kinds = set(call.kinds)
    if best.layout is not ROWS or not kinds <= {"x", "weight", "bias", "affine", "number", "settings"}:
        return []
    shape, elementwise = np.shape(best.out), np.shape(best.out) == best.layout.x
    for layout in (IMAGES, STEPS) if kinds <= {"x", "weight", "bias", "number"} else (IMAGES,):
        for _, inputs in candidates(call.names, call.pair.name, seed, [layout]):
            other = Call(call.pair, call.names, inputs)
            trial = _try(other, layout) if _alike(call, other, layout) else None
            if (
                isinstance(trial, Trial)
                and trial.rank[0]
                and np.shape(trial.out) == (layout.x if elementwise else shape)
                and shape
            ):
                return [other]
    return []


def _alike(call: Call, other: Call, layout: Layout) -> bool:
    """Whether nothing but x, the rows of w and the length of gamma differs: no shape that NumPy happens to broadcast."""
    return all(
        {
            "weight": np.ndim(y) == 2,
            "affine": np.shape(y) in ((layout.features,), np.shape(x)),
            "bias": np.shape(y) == np.shape(x),
        }.get(kind, True)
        for kind, x, y in zip(call.kinds, call.inputs, other.inputs, strict=True)
    )
