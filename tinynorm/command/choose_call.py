"""Choose the inputs that a pair is checked with: those of NAME_inputs, else the drawn inputs with which the pair works best."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np

from ..gradcheck.problem.problem import fresh, random_state_kept
from .call_pair import ONE_VALUE, POSITIONAL, STARRED, Call, parameters
from .draw_inputs import IMAGES, ROWS, STEPS, Layout, candidates, kind_of
from .find_pairs import Pair
from .given_inputs import given_call
from .run_code import UserError, attempt, own_frames, own_traceback

# Candidates with which forward works and backward does not, after which the search ends. A wrong backward refuses them all,
# and each costs a forward. Where forward broadcasts most shapes, the right one may come as late as the 19th.
ENOUGH = 24


def choose_calls(pair: Pair, seed: int) -> list[Call]:
    """Return one call; or two, where forward is meant to take x of two dimensions and of more."""
    if pair.inputs is not None:
        return [given_call(pair, seed)]
    with random_state_kept():
        best = _best(pair, seed)
        _try(best)  # measures the time again: the first forward may have imported something
        return [best, *_of_another_rank(best, seed)]


def _best(pair: Pair, seed: int) -> Call:
    """Return the first call with the best rank."""
    furthest: tuple[int, BaseException | None, Call | None] = (-1, None, None)
    best, taken = None, 0
    for names in _arguments(pair):
        template = Call(pair, names, [None] * len(names))
        for layout, inputs in candidates(names, pair.name, seed):
            call = template.with_inputs(inputs, layout)
            error = _try(call)
            if error is not None:
                line = next((frame.lineno or 0 for frame in own_frames(error, pair.path)), 0)
                furthest = max(furthest, (line, error, call), key=lambda one: one[0])
                continue
            best, taken = call if best is None or call.rank > best.rank else best, taken + 1
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
    """Yield the names of the arguments to draw: first with the optional arrays (gamma=None), then without."""
    found = parameters(pair.forward, ONE_VALUE)
    needed = [p.name for p in found if p.default is p.empty]
    title = f"{pair.forward_name}({', '.join(str(p).split(':')[0] for p in parameters(pair.forward))})"
    unknown = [name for name in needed if not kind_of(name, pair.name)]
    if unknown:
        raise UserError(f"{title}: do not know what to draw for {', '.join(unknown)}; {_advice(pair)}")
    if not needed:
        wraps = "put @functools.wraps(f) above the wrapper of the decorator, or " if parameters(pair.forward, STARRED) else ""
        raise UserError(f"{title}: it names no arguments to draw; {wraps}{_advice(pair)}")
    arrays = ("weight", "bias", "affine", "hidden")
    optional = [p.name for p in found if p.default is None and kind_of(p.name, pair.name) in arrays]
    every = [p.name for p in found if p.name in needed or p.name in optional]
    drawn = [p.name in every for p in parameters(pair.forward, POSITIONAL)]
    no_gap = drawn == sorted(drawn, reverse=True)  # a call cannot leave out a positional argument between two others
    if no_gap:
        yield every
    if optional or not no_gap:
        yield needed


def _advice(pair: Pair) -> str:
    return f"write a function {pair.name}_inputs(rng) that returns them as a tuple"


def _try(call: Call) -> BaseException | None:
    """Run forward and backward once, and rank the call. Return the exception of forward; one of backward is a low rank."""
    started = perf_counter()
    result, error = attempt(call.forward, *[fresh(x) for x in call.inputs])
    call.seconds = perf_counter() - started
    if error is not None:
        return error
    out, cache = result
    several = isinstance(out, tuple | list)
    outputs = [np.asarray(y) for y in (out if several else [out])]
    shapes = [y.shape for y in outputs]
    call.shape = shapes if several else shapes[0]
    call.rank = all(np.all(np.isfinite(y)) for y in outputs if y.dtype.kind in "fc"), _fits(call, shapes, several, cache)
    return None


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


def _of_another_rank(best: Call, seed: int) -> list[Call]:
    """Return a call with x of four dimensions (or three) where forward is meant to take that too.

    It is meant to where the output keeps its meaning: it has again the shape of x, or the same shape in spite of another x.
    """
    kinds = set(best.kinds)
    if best.layout is not ROWS or not best.shape or not kinds <= {"x", "weight", "bias", "affine", "number", "settings"}:
        return []
    for layout in (IMAGES,) if kinds & {"affine", "settings"} else (IMAGES, STEPS):
        expected = layout.x if best.shape == ROWS.x else best.shape
        for _, inputs in candidates(best.names, best.pair.name, seed, [layout]):
            other = best.with_inputs(inputs, layout)
            if _alike(best, other, layout) and _try(other) is None and other.rank[0] and other.shape == expected:
                return [other]
    return []


def in_columns(call: Call) -> Call | None:
    """Return the call with targets that are one-hot in columns, where the drawn ones are so in rows; else None.

    Both are of one shape, and which of them a forward is meant to take is not seen from its output.
    """
    targets = [i for i, kind in enumerate(call.kinds) if kind == "target" and np.ndim(call.inputs[i]) == 2]
    if call.pair.inputs is not None or call.layout is None or not targets:
        return None
    inputs = list(call.inputs)
    for i in targets:
        rows, columns = inputs[i].shape
        if not np.array_equal(np.sort(inputs[i], axis=1), np.eye(columns)[[-1] * rows]):
            return None
        inputs[i] = np.eye(rows)[:, np.arange(columns) % rows]
    other = call.with_inputs(inputs, call.layout)
    return other if _try(other) is None else None


def _alike(call: Call, other: Call, layout: Layout) -> bool:
    """Whether nothing differs but x, the rows of w and the length of gamma, so that no shape is broadcast by chance."""
    for kind, x, y in zip(call.kinds, map(np.shape, call.inputs), map(np.shape, other.inputs), strict=True):
        fits = {"weight": len(y) == 2, "bias": y == x, "affine": y in (x, (layout.features,))}
        if not fits.get(kind, True):
            return False
    return True
