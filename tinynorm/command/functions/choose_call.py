"""Choose the inputs that a pair is checked with: those of NAME_inputs, else the drawn inputs with which the pair works best."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from math import prod
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import Problem, fresh, random_state_kept
from ..layers.call_layer import Layer
from ..layers.choose_layer import layer_calls
from ..read.guess_kinds import guess
from ..read.operands import kinds_in_a_norm, kinds_in_a_product
from ..read.packed import packed_of
from ..read.read_code import is_gradient_of, parameters, plain_title, returned
from ..read.rolled import length_wanted, rolled_of, size_named
from ..run_code import UserError, attempt, own_frames, own_traceback
from ..unfinished import Unfinished, blame
from .call_pair import ONE_VALUE, STARRED, Call
from .composed import Composed
from .conventions import NoNumber
from .draw_inputs import IMAGES, LEARNED, ROWS, STEPS, Layout, candidates, kind_of, kinds_of, layouts, values_of
from .find_losses import Loss
from .find_pairs import Pair
from .given_inputs import given_call

# Between conventions one derivative decides. With a wrong one it is wrong by far, with the right one right to 1e-8.
STEP, CLOSE = 1e-5, 1e-4
MOST = 0.5  # of the gradients must be right for a loss that the file does not have; then the others are wrong
SIZES_TRIED = 4  # of those that a forward reads from its file: samples, features, units, outputs
OF_NUMBERS = re.compile("truth value of an array|only 0-dimensional arrays|only length-1 arrays")  # said of `if x > 0`


def choose_calls(pair: Pair, seed: int) -> list[Call]:
    """Return one call; or two, where forward is meant to take x of two dimensions and of more."""
    if isinstance(pair.forward, Layer):
        return layer_calls(pair, seed)
    if pair.inputs is not None:
        return [_settled(given_call(pair, seed))]
    with random_state_kept():
        best = _settled(_with_numbers(_best(pair, seed)))
        ranked(best)  # measures the time again: the first forward may have imported something
        return [best, *_of_another_rank(best, seed)]


def _best(pair: Pair, seed: int, only: list[Layout] | None = None) -> Call:
    """Return the first call with the best rank; of those with some layouts of x only, where they are given."""
    furthest: tuple[list[int], BaseException | None, Call | None] = ([], None, None)
    best: Call | None = None
    odd: Call | None = None  # taken only where there is no other
    # with one output a cost of np.mean is divided by the samples, as its gradient is
    of_cost = isinstance(pair.forward, Composed) and pair.forward.of_file
    hopeless: set[Layout] = set()  # layouts of x with which the code is unfinished
    for template, unit in ((one, unit) for one in _arguments(pair) for unit in values_of(one.names, pair.name)):
        if best is not None and best.rank[0]:
            break
        changed = [replace(x, one_output=True) for x in layouts(pair.name, set(template.kinds))] if of_cost else only
        for layout, inputs in candidates(template.names, template.kinds, pair.name, seed, changed, hopeless, unit):
            call = template.with_inputs(inputs, layout)
            if best is not None and best.rank[0] and _is_square(call):
                continue
            call, error = _fitted(call)
            if error is not None:
                lines = [frame.lineno or 0 for frame in own_frames(error, pair.path)]
                furthest = max(furthest, (lines or [0], error, call), key=lambda one: one[0])
                if blame(error, pair.path):
                    hopeless.add(layout)
                continue
            if best is not None and best.rank[0] and best.layout is not layout and best.layout and best.layout.convolved:
                return best  # with smaller images a window may be all there is of them
            if best is not None and _works_by_chance(call, best):
                continue
            more_axes = isinstance(call.shape, tuple) and len(call.shape) > len(layout.x) and "x" in template.kinds
            if more_axes and (not call.rank[1] or len(layout.x) == 1) and not template.keys:
                odd = odd or call
                continue  # NumPy has made rows of a row and a column
            best = call if best is None or call.rank > best.rank else best
            if all(best.rank):
                return best
    if best or odd:
        return best or odd  # type: ignore[return-value]
    _, error, failed = furthest
    assert error is not None
    assert failed is not None
    if OF_NUMBERS.search(str(error)) and not isinstance(pair.forward, Loss | Composed | np.vectorize):
        return _best(replace(pair, forward=_one_by_one(pair.forward), backward=_one_by_one(pair.backward)), seed)
    sizes = _sizes_read(pair.forward) if only is None else []
    if sizes and attempt(_best, pair, seed, sizes)[1] is None:
        return _best(pair, seed, sizes)
    raise _refusal(pair, error, failed)


def _sizes_read(forward: Callable) -> list[Layout]:
    """Return layouts of x of the sizes that a forward reads from its file, as BATCH = 8."""
    code, known = getattr(forward, "__code__", None), getattr(forward, "__globals__", {})
    sizes = [known[name] for name in (code.co_names if code else ()) if type(known.get(name)) is int and known[name] > 1]
    few = list(dict.fromkeys(sizes))[:SIZES_TRIED]
    return [Layout((n, f), f, outputs=out) for n, f, out in product([*few, 6], few, [*few, 4])]


def _fitted(call: Call) -> tuple[Call, BaseException | None]:
    """Rank the call. Where an argument is a vector of all parameters, it gets the length that forward wants."""
    error = ranked(call)
    while "rolled" in call.kinds and error is not None:
        i = call.kinds.index("rolled")
        length = length_wanted(error, call.inputs[i].size)
        if length is None or length <= call.inputs[i].size:
            break
        rolled = 0.3 * np.random.default_rng(i).standard_normal(length)
        call = call.with_inputs([rolled if j == i else x for j, x in enumerate(call.inputs)])
        error = ranked(call)
    return call, error


def _with_numbers(best: Call) -> Call:
    """Return the call with numbers in place of the arrays whose gradients are numbers, where that is right: a of PReLU.

    Of a bias, or of beta, a gradient that is a number is a sum over too many axes.
    """
    kinds = dict(zip(best.names, best.kinds, strict=True))
    vectors = {best.names[0], "gamma", "beta", *kinds_in_a_norm(best.pair.forward, best.names, kinds)}
    names = [name for name in best.summed if name not in vectors and kinds[name] in ("x", "affine", f"any {name}")]
    if not names or not best.rank[0]:
        return best
    inputs = [np.asarray(0.7) if name in names else x for name, x in zip(best.names, best.inputs, strict=True)]
    call = replace(best, inputs=inputs, convention=None, guesses=best.guesses | dict.fromkeys(names, "scale"))
    if ranked(call) is not None or not all(call.rank) or attempt(_agreement, call)[0] != 1:
        return best
    call.told[f"the gradient of {' and '.join(names)} is a number; so a number was drawn"] = None
    return call


def _refusal(pair: Pair, error: BaseException, failed: Call) -> UserError:
    """Return what to say of a forward that raises for all inputs."""
    if isinstance(error, ModuleNotFoundError):
        where = f"{error.name}, which is neither installed nor beside {pair.path.name}"
        return Unfinished(f"{pair.forward_name} calls what it imports from {where}", f"needs {error.name}")
    if isinstance(error, NoNumber):
        return failed.refused(str(error))
    unknown = f"what is {', '.join(failed.guesses)}? " if failed.guesses else ""
    return blame(error, pair.path) or UserError(
        f"{pair.forward_name} raises for all inputs that were tried; {unknown}{_advice(pair)}. It came furthest with {failed}"
        f"\n{own_traceback(error, pair.path)}"
    )


def _works_by_chance(call: Call, best: Call) -> bool:
    """Whether a call with one row is no better than one with several: NumPy makes one row fit more mistakes."""
    rows, before = call.layout, best.layout
    if rows is None or before is None or not len(before.x) > len(rows.x) == 1 or not best.rank[0]:
        return False
    return best.raised or best.unsummed or attempt(_agreement, call)[0] != 1


def _one_by_one(function: Callable) -> Callable:
    """Return a function of numbers, as ``max(0, x)``, as one of arrays."""
    alone = np.vectorize(function, otypes=[float])
    alone.__wrapped__ = function  # type: ignore[attr-defined]
    return alone


def _is_square(call: Call) -> bool:
    """Whether a weight is square, so that its transpose has the same shape."""
    shapes = [np.shape(x) for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "weight"]
    return any(len(shape) == 2 and shape[0] == shape[1] for shape in shapes)


def _arguments(pair: Pair) -> Iterator[Call]:
    """Yield calls that name the arguments to draw: first with the optional arrays (gamma=None), then without.

    The parameters in a dict are arguments of their own.
    """
    code = pair.forward.forward if isinstance(pair.forward, Composed) else pair.forward
    found, keys = parameters(pair.forward, ONE_VALUE), packed_of(code)
    needed = [p.name for p in found if p.default is p.empty]
    if not needed:
        title = f"{pair.forward_name}({', '.join(str(p).split(':')[0] for p in parameters(pair.forward))})"
        wraps = "put @functools.wraps(f) above the wrapper of the decorator, or " if parameters(pair.forward, STARRED) else ""
        raise UserError(f"{title}: it names no arguments to draw; {wraps}{_advice(pair)}")
    kinds = dict(zip(needed, kinds_of(needed, pair.name), strict=True))
    guesses = {name: guess(code, name, i) for i, name in enumerate(needed) if name not in keys}
    # a p that comes first is no probability of dropout
    nothing = {n for i, n in enumerate(needed) if not kinds[n] or (kinds[n] == "number" and i == 0 and len(n) == 1)}
    guesses = {name: kind for name, kind in guesses.items() if name in nothing or kind.startswith(("one of ", "function"))}
    told = kinds_in_a_product(code, needed, kinds) or kinds_in_a_norm(code, needed, kinds)
    guesses |= {name: kind for name, kind in told.items() if kind != kinds[name]}
    guesses |= dict.fromkeys(_numbers_with_gradient(pair, found), "scale")
    rolled = [
        name for name in rolled_of(code) if name in needed and name not in keys and kinds[name] in ("", "settings", "weight")
    ]
    if rolled:
        sized = {name: f"size of {size_named(name)}" for name in needed if not kinds[name] and size_named(name)}
        guesses |= sized | dict.fromkeys(rolled, "rolled")
    arrays = ("weight", "bias", "affine", "hidden")
    optional = [p.name for p in found if p.default is None and kind_of(p.name, pair.name) in arrays]
    every = [p.name for p in found if p.name in needed or p.name in optional or p.name in guesses]
    for names in [every, needed] if every != needed else [needed]:
        taken_apart = [key for name in names for key in (keys[name].names if name in keys else [name])]
        kept = {name: packed for name, packed in keys.items() if name in names}
        entries = {key for packed in kept.values() for key in packed.names}
        every_kind = zip(taken_apart, kinds_of(taken_apart, pair.name), strict=True)
        guesses |= {name: f"any {name}" for name, kind in every_kind if not kind and name in entries}
        yield Call(pair, taken_apart, [None] * len(taken_apart), keys=kept, guesses=guesses)


def _numbers_with_gradient(pair: Pair, found: list[inspect.Parameter]) -> list[str]:
    """Return the numbers whose gradient backward returns, as alpha of PReLU: by its name, or as one value more than arrays."""
    values = [getattr(value, "elts", [value]) for value in returned(pair.backward)]
    numbers = [p.name for p in found if type(p.default) in (int, float) or kind_of(p.name, pair.name) == "number"]
    named = [name for name in numbers if any(is_gradient_of(plain_title(e), name) for value in values for e in value)]
    counts = {sum(not (isinstance(e, ast.Constant) and e.value is None) for e in value) for value in values}
    arrays = sum(p.default in (p.empty, None) and p.name not in numbers for p in found)
    others = [name for name in numbers if name in LEARNED or kind_of(name, pair.name) != "number"]
    return named or (others if counts == {arrays + len(others)} else [])


def _advice(pair: Pair) -> str:
    return f"write a function {pair.name}_inputs(rng) that returns them as a tuple"


def ranked(call: Call) -> BaseException | None:
    """Rank the call: see `_try_once`. Where targets are drawn for a loss behind forward, the first kind that backward takes."""
    error, forward = _try_once(call), call.pair.forward
    if error is None and isinstance(forward, Composed) and not call.rank[1]:
        before = forward.state
        for _ in forward.variants(list(forward.losses)[:1]):
            if _try_once(call) is None and all(call.rank):
                return None
        forward.state = before
    return error


def _try_once(call: Call) -> BaseException | None:
    """Run forward and backward once, and rank the call. Return the exception of forward; one of backward is a low rank.

    Of several conventions the first that works is kept.
    """
    started = perf_counter()
    ran, error = attempt(call.run, *[fresh(x) for x in call.inputs])
    call.seconds = perf_counter() - started
    if error is not None:
        return error
    several, error = attempt(call.conventions, *ran)
    if error is not None:
        return error
    best: Call | None = None
    for convention in [call.convention] if call.convention else several:
        if best is not None:
            ran, _ = attempt(call.run, *[fresh(x) for x in call.inputs])  # backward may have written into the cache
        tried = call.with_convention(convention)
        _rank(tried, *tried.read(*ran))
        if best is None or tried.rank > best.rank:
            best = tried
        if all(best.rank):
            break
    assert best is not None
    call.convention, call.rank, call.shape, call.unclaimed = best.convention, best.rank, best.shape, best.unclaimed
    call.raised, call.unsummed, call.summed = best.raised, best.unsummed, best.summed
    return None


def _settled(call: Call) -> Call:
    """Return the call with the convention that makes the gradients right, where the names leave several open; else as it is."""
    if isinstance(call.pair.forward, Composed):
        return _with_loss(call, call.pair.forward)
    ran, error = attempt(call.run, *[fresh(x) for x in call.inputs])
    several = call.conventions(*ran) if error is None else []
    if len(several) < 2:
        return call
    for convention in several:
        tried = call.with_convention(convention)
        if ranked(tried) is None and tried.rank[1] and attempt(_agreement, tried)[0] == 1:
            return tried
    if not call.rank[1] and several[0].guess:
        raise call.missing_cache(ran[0])
    return call


def _with_loss(call: Call, forward: Composed) -> Call:
    """Return the call with the loss and the targets that make the gradients right, or most of them."""
    found: dict[tuple, float] = {}
    unfinished: Unfinished | None = None
    ran = [(forward.state, call.rank) for _ in forward.variants(list(forward.losses)[:1]) if _try_once(call) is None]
    taken = [state for state, rank in ran if all(rank)] or [state for state, rank in ran if rank[0]]
    for loss, (_, *rest) in product(forward.losses, taken):
        forward.state = (loss, *rest)
        agreement, error = attempt(_agreement, call)
        unfinished = unfinished or (blame(error, call.pair.path) if error else None)
        found[forward.state] = agreement or 0.0
        if found[forward.state] == 1:
            break
    best = max(found, key=lambda state: found[state], default=forward.state)
    if unfinished and not found[best]:
        raise unfinished
    if len(forward.losses) > 1 and found.get(best, 0) < MOST:
        raise UserError(
            f"{call.pair.backward_name} takes {forward.target}, the targets of a loss that the file does not have, and it is "
            f"the gradient of no common one; put a function NAME_loss(output, {forward.target}) beside it"
        )
    forward.state = best
    call.told[str(forward)] = None
    return call


def _agreement(call: Call) -> float:
    """Return the share of the gradients that are forward's along a random direction.

    That is no verdict: it chooses between conventions.
    """
    rng, problem = np.random.default_rng(0), Problem(call.forward, call.backward, call.inputs, call.names)
    problem.seeded = True
    u = rng.standard_normal(problem(problem.point).size)
    right = []
    for i, gradient in enumerate(problem.gradients(problem.point, u)):
        if gradient is not None and gradient.shape != problem.point[i].shape:
            right.append(False)
        elif gradient is not None:
            way = rng.standard_normal(gradient.shape)
            moved = ([x + step * way if i == j else x for j, x in enumerate(problem.point)] for step in (STEP, -STEP))
            after, before = (u @ problem(point) for point in moved)
            error = np.sum(gradient * way) - (after - before) / (2 * STEP)
            right.append(abs(error) <= CLOSE * np.sum(np.abs(gradient * way)))
    return sum(right) / max(len(right), 1)


def _rank(call: Call, out: Any, cache: Any) -> None:
    several = isinstance(out, tuple | list)
    outputs = [np.asarray(y) for y in (out if several else [out])]
    shapes = [y.shape for y in outputs]
    call.shape = shapes if several else shapes[0]
    finite = all(y.size > 0 and bool(np.all(np.isfinite(y))) for y in outputs if y.dtype.kind in "fc")
    call.rank = finite, _fits(call, shapes, several, cache)


def _fits(call: Call, shapes: list, several: bool, cache: Any) -> bool:
    """Whether backward gives gradients of the inputs' shapes."""
    rng = np.random.default_rng(0)
    douts = [rng.standard_normal(shape)[()] for shape in shapes]
    found, error = attempt(call.backward, tuple(douts) if several else douts[0], cache)
    call.raised = error is not None
    if error is not None:
        return False
    grads = [found[i] for i in call.floats] if len(found) == len(call.inputs) else found
    wanted = [np.shape(call.inputs[i]) for i in call.floats]
    got = [shape if g is None else np.shape(g) for g, shape in zip(grads, wanted, strict=False)]
    odd = [(call.kinds[i], g, x) for i, g, x in zip(call.floats, got, wanted, strict=False) if g != x]
    # of x (D,) each gradient has the shape of x, and of x (N, D) none should
    more = [kind == "affine" and g[len(g) - len(x) :] == x and prod(g) > prod(x) for kind, g, x in odd]
    call.unsummed = len(got) == len(wanted) and call.kinds.count("affine") > 1 and all(more) and bool(more) and _in_parts(call)
    call.summed = [call.names[i] for i, g, x in zip(call.floats, got, wanted, strict=False) if g == () != x]
    return got == wanted


def _in_parts(call: Call) -> bool:
    """Whether one element of x (N, D) has no influence on other rows and columns: forward is not meant for x (D,) alone."""
    x = next((x for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "x"), None)
    if x is None or x.ndim != 2:
        return False
    other = x.copy()
    other[0, 0] += 1
    before, after = (call.forward(*[fresh(one) if y is x else fresh(y) for y in call.inputs])[0] for one in (x, other))
    return bool(np.array_equal(np.asarray(before)[1:, 1:], np.asarray(after)[1:, 1:]))


def _of_another_rank(best: Call, seed: int) -> list[Call]:
    """Return a call with x of four dimensions (or three) where forward is meant to take that too.

    It is meant to where the output keeps its meaning: it has again the shape of x, or the same shape in spite of another x.
    """
    kinds = set(best.kinds)
    if best.layout is not ROWS or not best.shape or not kinds <= {"x", "weight", "bias", "affine", "number", "settings"}:
        return []
    if best.shape == ROWS.x and "weight" in kinds:  # a square one, and so no sign that x may be anything
        return []
    norm = kinds & {"affine", "settings"}  # a batch norm runs with steps by chance, but its backward sums over samples only
    for layout, unit in product((IMAGES, STEPS), values_of(best.names, best.pair.name)):
        expected = layout.x if best.shape == ROWS.x else best.shape
        for _, inputs in candidates(best.names, best.kinds, best.pair.name, seed, [layout], unit=unit):
            other = best.with_inputs(inputs, layout)
            if not _alike(best, other, layout) or ranked(other) is not None or not other.rank[0] or other.shape != expected:
                continue
            if layout is IMAGES or not norm or other.rank[1]:
                return [other]
    return []


def _alike(call: Call, other: Call, layout: Layout) -> bool:
    """Whether nothing differs but x, the rows of w and the length of gamma, so that no shape is broadcast by chance."""
    for kind, x, y in zip(call.kinds, map(np.shape, call.inputs), map(np.shape, other.inputs), strict=True):
        fits = {"weight": len(y) == 2, "bias": y == x, "affine": y in (x, (layout.features,))}
        if not fits.get(kind, True):
            return False
    return True
