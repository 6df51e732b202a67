"""Choose the inputs that a pair is checked with: those of NAME_inputs, else the drawn inputs with which the pair works best."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from inspect import unwrap
from itertools import product
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, random_state_kept
from ..layers.call_layer import Layer
from ..layers.choose_layer import layer_calls
from ..read.by_use import compares_with_two, counts_written, kinds_in_a_norm
from ..read.packed import length_wanted
from ..read.read_code import code_of, nodes_of, parameters
from ..run_code import UserError, attempt, own_frames, own_traceback
from ..tensors.operation import Operation
from ..tensors.operation_call import operation_call
from ..unfinished import Unfinished, blame
from .about import about
from .by_chance import is_broadcast, is_square, works_by_chance
from .call_pair import Call, of_one_sample
from .composed import ACROSS, FLAT, TARGETS, Composed
from .conventions import NoNumber
from .draw_inputs import candidates, values_of
from .find_losses import Loss
from .kinds import PARAMETERS, has_word
from .layouts import CONVOLVED_SQUARE, IMAGES, LINE, OUTPUTS, ROWS, STEPS, TURNED, WITH_ONES, Layout, layouts, layouts_with
from .left_over import FRAMEWORKS
from .module_arrays import arrays_read
from .name_inputs import advice, arguments, given_call
from .pair import Pair
from .settle import settled
from .try_call import agreement, ranked

MUCH = 1000  # elements of data; with more a check takes long
SIZES_TRIED = 4  # of those that a forward reads from its file: samples, features, units, outputs
SQUARE = r"\b(eye|identity)\((len\({0}\)|{0}\.shape\[0\])|\b(inv|det|slogdet|cholesky)\({0}\)"  # with an argument's name
OF_NUMBERS = re.compile("truth value of an array|only 0-dimensional arrays|only length-1 arrays")  # said of `if x > 0`


def choose_calls(pair: Pair, seed: int) -> list[Call]:
    """Return one call; or two, where forward is meant to take x of two dimensions and of more."""
    if isinstance(pair.forward, Layer):
        return layer_calls(pair, seed)
    if isinstance(pair.forward, Operation):
        return [operation_call(pair)]
    if pair.inputs is not None:
        return [settled(given_call(pair, seed))]
    with random_state_kept():
        best = _settled(_with_numbers(_narrowed(_best(pair, seed))), seed)
        ranked(best)  # measures the time again: the first forward may have imported something
        return [best, *_of_another_rank(best, seed)]


def _settled(call: Call, seed: int) -> Call:
    """Return the call with its loss and convention; of a network with one output, y.reshape(-1, 1), where it fits no more."""
    try:
        return settled(call)
    except UserError:
        if not isinstance(call.pair.forward, Composed):
            raise
        tried = [replace(x, outputs=1) for x in layouts(call.pair.name, {*call.kinds})]
        call.pair.forward.targets = TARGETS[0] + FLAT
        other = _searched(call.pair, seed, tried)[0]
        if other is None or not all(other.rank):
            raise
        return settled(other)


def _best(pair: Pair, seed: int) -> Call:
    """Return the first call with the best rank. Raise UserError where forward takes no inputs that were tried."""
    best, error, failed = _searched(pair, seed, layouts_with(_sizes_read(pair.forward)) or None)
    if (best is None or not all(best.rank)) and _says_square(pair):  # a vector fits A + np.eye(len(A)) by chance
        best = _of_squares(pair) or best
    best = best or _searched(pair, seed, WITH_ONES)[0] or _with_data(pair) or _of_sizes_in_file(pair, seed) or _of_squares(pair)
    if isinstance(pair.forward, Composed) and pair.forward.of_file and (best is None or not best.rank[0]):
        pair.forward.take_common_losses()  # that of the file may be another network's
        again = _searched(pair, seed, layouts_with(_sizes_read(pair.forward)) or None)
        best, error, failed = (again[0] or best, *again[1:]) if again[0] or best is None else (best, error, failed)
    if isinstance(pair.forward, Composed) and best is not None and not all(best.rank):  # it may work with samples turned
        pair.forward.targets = TARGETS[0] + ACROSS
        other = _searched(pair, seed, [TURNED])[0]
        best = other if other is not None and all(other.rank) else best
    if isinstance(pair.forward, Composed) and (best is None or not all(best.rank)):  # of as many classes as backward says
        for number in counts_written(pair.forward.user_backward):
            tried = layouts(pair.name, {"second_weight"} if best is None else {*best.kinds})
            other = _searched(pair, seed, [replace(x, outputs=number) for x in tried])[0]
            best = other if other is not None and (best is None or other.rank > best.rank) else best
    if isinstance(pair.forward, Composed) and (best is None or not all(best.rank)):
        best = _of_numbers(pair) or best
    if best is not None and not OF_NUMBERS.search(str(best.raised)):
        if best.layout in CONVOLVED_SQUARE:
            best.told[f"{pair.forward_name} takes no image that is not as high as it is wide"] = None
        return best
    error, failed = (error, failed) if best is None else (best.raised, best)
    assert error is not None
    assert failed is not None
    if OF_NUMBERS.search(str(error)) and not isinstance(pair.forward, Loss | Composed | np.vectorize):
        return _best(replace(pair, forward=_one_by_one(pair.forward), backward=_one_by_one(pair.backward)), seed)
    numbers = _of_numbers(pair)
    if numbers is not None:
        return numbers
    raise _refusal(pair, error, failed)


def _of_sizes_in_file(pair: Pair, seed: int) -> Call | None:
    """Return the call with inputs of the sizes of the arrays that forward reads from its file, if it works: x of A @ x."""
    sizes = {size for x in arrays_read(unwrap(pair.forward)).values() for size in x.shape if size > 1}
    found = _searched(pair, seed, [replace(LINE, x=(size,)) for size in sorted(sizes)])[0] if sizes else None
    return found if found is not None and all(found.rank) else None


def _of_squares(pair: Pair) -> Call | None:
    """Return the call with a square matrix for each argument with a capital, or for the first, if it works; else None.

    So it is with x @ Q @ x + c @ x, of vectors, and with A @ X @ W, where A is of a graph.
    """
    rng, (n, d) = np.random.default_rng(0), ROWS.x
    for template in [one for one in arguments(pair) if (0 if _says_square(pair) else 1) < len(one.names) < 5]:
        first, *_ = names = template.names
        vectors = [(n, n) if name[:1].isupper() else (n,) for name in names]
        graph = ((n, n), (n, d), (d, OUTPUTS), (OUTPUTS,))
        fixed = replace(template, guesses=template.guesses | {first: "mask"})
        for one, shapes in ((fixed, graph), (template, vectors)):
            call = one.with_inputs([rng.standard_normal(shape) for shape in shapes[: len(names)]])
            if ranked(call) is None and all(call.rank):
                return call
    return None


def _says_square(pair: Pair) -> bool:
    """Whether forward computes with its first argument what there is for square matrices only."""
    code, names = code_of(pair.forward), [p.name for p in parameters(pair.forward)]
    return bool(code and names and re.search(SQUARE.format(re.escape(names[0])), ast.unparse(code)))


def _of_numbers(pair: Pair) -> Call | None:
    """Return the call with a number for each argument, as of J = theta * x, if it works; else None.

    What transposes is meant for matrices: of numbers no transpose that is forgotten shows.
    """
    halves = (getattr(pair.forward, "forward", pair.forward), getattr(pair.forward, "user_backward", pair.backward))
    words = {getattr(node, "attr", "") for half in halves for node in nodes_of(half)}
    for template in arguments(pair) if not words & {"T", "transpose"} else ():
        call = template.with_inputs([np.asarray(0.7 / (i + 1)) for i, _ in enumerate(template.names)])
        if {"x"} <= {*call.kinds} <= {"x", "affine", *PARAMETERS} and ranked(call) is None and all(call.rank):
            return call
    return None


def _with_data(pair: Pair) -> Call | None:
    """Return the call with arrays of the file that are called as the arguments are, X or theta_init, if it works; else None."""
    known = {n: x for n, x in getattr(unwrap(pair.forward), "__globals__", {}).items() if isinstance(x, np.ndarray)}
    for template in arguments(pair):
        inputs = []
        for i, (name, kind) in enumerate(zip(template.names, template.kinds, strict=True)):
            found = next((x for n, x in known.items() if n == name or n.startswith(f"{name}_")), np.zeros(0))
            drawn = np.random.default_rng(i).standard_normal(found.shape)
            inputs.append(found if kind == "target" else drawn)
        call = template.with_inputs(inputs, ROWS)
        if all(0 < np.size(x) <= MUCH for x in inputs) and ranked(call) is None and all(call.rank):
            return call
    return None


def _has_classes(forward: Any) -> bool:
    """Whether a function that returns (loss, gradients) turns scores into probabilities, or picks those of class numbers."""
    words = {str(getattr(node, "attr", getattr(node, "id", ""))) for node in nodes_of(getattr(forward, "function", forward))}
    return any(re.search("softmax|exp|log|arange|range|prob|max", word) for word in words)


def _searched(pair: Pair, seed: int, only: list[Layout] | None) -> tuple[Call | None, BaseException | None, Call | None]:
    """Return the first call with the best rank, of those with some layouts of x only, where they are given; or None.

    Then what forward raised with the inputs that came furthest, and these.
    """
    furthest: tuple[list[int], BaseException | None, Call | None] = ([], None, None)
    best: Call | None = None
    odd: Call | None = None  # taken only where there is no other
    before: Call | None = None
    several: Call | None = None  # of several samples, where forward works and backward does not
    hopeless: set[Layout] = set()  # layouts of x with which the code is unfinished
    for template, unit in ((one, unit) for one in arguments(pair) for unit in values_of(one)):
        if best is not None and best.rank[0]:
            break
        if template is before and best is None and odd is None and "math domain" not in str(furthest[1]):
            continue  # no other values make shapes fit
        before = template
        tried = only or layouts(pair.name, set(template.kinds))
        if isinstance(pair.forward, Composed):  # a cost of the file that takes the mean divides by the samples
            tried = [replace(x, numbers=True) if x is LINE else x for x in tried]
            one = pair.forward.of_file or pair.forward.about.one_output
            tried = [replace(x, one_output=True) for x in tried] if one else tried
        if pair.loss and {"target", "second_weight"} <= {*template.kinds} and not _has_classes(pair.forward):
            tried = [replace(x, one_output=True) for x in tried]  # of `np.mean((predictions - y) ** 2)` as of that cost
        two = any(
            k == "target" and compares_with_two(pair.forward, n) for n, k in zip(template.names, template.kinds, strict=True)
        )
        title = f"binary_{pair.name}" if two else pair.name
        for layout, inputs in candidates(template.names, template.kinds, title, seed, tried, hopeless, unit):
            call = template.with_inputs(inputs, layout)
            if best is not None and (layout in CONVOLVED_SQUARE or (best.rank[0] and is_square(call))):
                continue
            call, error = _fitted(call, furthest[1])
            if error is not None:
                lines = [frame.lineno or 0 for frame in own_frames(error, pair.path)]
                hopeless |= {layout} if blame(error, pair.path) else set()
                at = (lines or [0]) + [1] * (layout in hopeless)
                furthest = max(furthest, (at, error, call), key=lambda one: one[0])
                continue
            images = best.layout if best is not None and best.rank[0] and best.layout and best.layout.convolved else layout
            if best is not None and images is not layout and not best.raised:
                return best, None, None  # with smaller images a window may be all there is of them
            if images is not layout is IMAGES and len(images.x) == 4:
                continue
            several = several or (call if call.rank[0] and not call.rank[1] and len(layout.x) > 1 else None)
            if best is not None and works_by_chance(call, best):
                continue
            if is_broadcast(call):
                odd = odd or call
                continue
            best = call if best is None or (call.rank, not call.raised) > (best.rank, not best.raised) else best
            if all(best.rank):
                if several is not None and len(layout.x) == 1 and call is best:
                    best.told[of_one_sample(str(several), pair.forward_name, pair.backward_name)] = None
                return best, None, None
    return best or odd, *furthest[1:]


def _sizes_read(forward: Callable) -> list[int]:
    """Return the sizes of the parameters that a forward reads from its file, and the first few numbers, as BATCH = 8."""
    sizes = [size for x in about(forward).arrays.values() for size in x.shape if size > 1]
    code, known = getattr(unwrap(forward), "__code__", None), getattr(unwrap(forward), "__globals__", {})
    numbers = [known[name] for name in (code.co_names if code else ()) if type(known.get(name)) is int and known[name] > 1]
    return list(dict.fromkeys([*sizes, *numbers[:SIZES_TRIED]])) if sizes else []


def _fitted(call: Call, before: BaseException | None) -> tuple[Call, BaseException | None]:
    """Rank the call. Where an argument is a vector of all parameters, it gets the length that forward wants."""
    try:
        error = ranked(call)
    except UserError as refused:  # with other inputs, which may be those that are meant, the code was unfinished
        raise (blame(before, call.pair.path) if before else None) or refused from None
    i = call.kinds.index("rolled") if "rolled" in call.kinds else -1
    while i >= 0 and error is not None and (length := length_wanted(error, call.inputs[i].size) or 0) > call.inputs[i].size:
        call = call.with_input(i, 0.3 * np.random.default_rng(i).standard_normal(length))
        error = ranked(call)
    return call, error


def _narrowed(best: Call) -> Call:
    """Return the call with a last axis of 1, where the output depends on the first there only: of (samples, classes, 1)."""
    arrays = [x if np.ndim(x) == 3 and differentiable(x) else None for x in best.inputs]
    if len(best.shape or ()) or "target" not in best.kinds or any(x is None for x in arrays):
        return best
    moved = [np.concatenate([x[..., :1], x[..., 1:] + 1.0], -1) for x in arrays if x is not None]
    before, after = (attempt(best.forward, *inputs)[0] for inputs in (best.inputs, moved))
    call = best.with_inputs([x[..., :1].copy() for x in best.inputs])
    return call if after and before[0] == after[0] and ranked(call) is None and all(call.rank) else best


def _with_numbers(best: Call) -> Call:
    """Return the call with numbers in place of the arrays whose gradients are numbers, where that is right: a of PReLU.

    Of a bias, or of beta, a gradient that is a number is a sum over too many axes.
    """
    kinds = dict(zip(best.names, best.kinds, strict=True))
    vectors = {best.names[0], "gamma", "beta", "g", "gain", *kinds_in_a_norm(best.pair.forward, best.names, kinds)}
    vectors |= {*best.names} if has_word(best.pair.name, "norm", "rms", "ln", "bn") else set()
    names = [name for name in best.summed if name not in vectors and kinds[name] in ("x", "affine", f"any {name}")]
    if not names or not best.rank[0]:
        return best
    inputs = [np.asarray(0.7) if name in names else x for name, x in zip(best.names, best.inputs, strict=True)]
    call = replace(best, inputs=inputs, convention=None, guesses=best.guesses | dict.fromkeys(names, "scale"))
    if ranked(call) is not None or not all(call.rank) or attempt(agreement, call)[0] != 1:
        return best
    call.told[f"the gradient of {' and '.join(names)} is a number; so a number was drawn"] = None
    return call


def _refusal(pair: Pair, error: BaseException, failed: Call) -> UserError:
    """Return what to say of a forward that raises for all inputs."""
    if isinstance(error, ModuleNotFoundError):
        where = f"{error.name}, which is neither installed nor beside {pair.path.name}"
        return Unfinished(f"{pair.forward_name} calls what it imports from {where}", f"needs {error.name}")
    known = getattr(unwrap(pair.forward), "__globals__", {})
    called = [getattr(known.get(getattr(node, "id", "")), "__name__", "") for node in nodes_of(pair.forward)]
    foreign = next((home for title in called if (home := title.partition(".")[0]) in FRAMEWORKS), "")
    if foreign:
        return Unfinished(f"{pair.forward_name} computes with {foreign}; the checker's arrays are NumPy's", f"needs {foreign}")
    if isinstance(error, NoNumber):
        return failed.refused(str(error))
    unknown = f"what is {', '.join(failed.guesses)}? " if failed.guesses else ""
    return blame(error, pair.path) or UserError(
        f"{pair.forward_name} raises for all inputs that were tried; {unknown}{advice(pair)}. It came furthest with {failed}"
        f"\n{own_traceback(error, pair.path)}"
    )


def _one_by_one(function: Callable) -> Callable:
    """Return a function of numbers, as ``max(0, x)``, as one of arrays."""
    alone = np.vectorize(function, otypes=[float])
    alone.__wrapped__ = function  # type: ignore[attr-defined]
    return alone


def _of_another_rank(best: Call, seed: int) -> list[Call]:
    """Return a call with x of four dimensions (or three) where forward is meant to take that too.

    It is meant to where the output keeps its meaning: it has again the shape of x, or the same shape in spite of another x.
    """
    kinds = set(best.kinds)
    square = best.shape == ROWS.x and "weight" in kinds  # and so no sign that x may be anything
    known = kinds <= {"x", "weight", "bias", "affine", "number", "settings"}
    if best.layout is not ROWS or not best.shape or not known or square:
        return []
    norm = kinds & {"affine", "settings"}  # a batch norm runs with steps by chance, but its backward sums over samples only
    for layout, unit in product((IMAGES, STEPS), values_of(best)):
        expected = layout.x if best.shape == ROWS.x else best.shape
        for _, inputs in candidates(best.names, best.kinds, best.pair.name, seed, [layout], unit=unit):
            other = best.with_inputs(inputs, layout)
            if not _alike(best, other, layout) or ranked(other) is not None or not other.rank[0] or other.shape != expected:
                continue
            if layout is IMAGES or not norm or other.rank[1]:
                ranked(other)  # measures the time again
                return [other]
    return []


def _alike(call: Call, other: Call, layout: Layout) -> bool:
    """Whether nothing differs but x, the rows of w and the length of gamma, so that no shape is broadcast by chance."""
    shapes = zip(call.kinds, map(np.shape, call.inputs), map(np.shape, other.inputs), strict=True)
    fits = [(kind, {"weight": len(y) == 2, "bias": y == x, "affine": y in (x, (layout.features,))}) for kind, x, y in shapes]
    return all(known.get(kind, True) for kind, known in fits)
