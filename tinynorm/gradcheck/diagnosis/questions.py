"""Is a wrong gradient the right one for another dy, or at other inputs? These questions can be asked of any layer.

A backward pass is dx = Jᵀ dy with the Jacobian J of forward. Many mistakes are Jᵀ u with another u in place of dy (only the
last row of dy counts), or have the J of other inputs (w in place of w.T). No formula of the layer is needed to see this: along
a direction v, dx · v must be u · J v, and J v is a difference of outputs. It has to hold along three random directions, to
six digits in each, which chance does not produce.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..report.evidence import Finding
from .hypotheses import norm
from .naming import Names, named_axes
from .patterns import Comparison, sizes_of, subsets, transposed

Arrays = list[np.ndarray]


def another_question(c: Comparison) -> Finding | None:
    """G is the right gradient for another dy, or at other inputs, or of each step alone; or a factor with a name times that."""
    if c.evidence.tangent is None or c.full.size < 2 or not np.all(np.isfinite(c.full)):
        return None
    names, told = Names(sizes_of(c.evidence, c.i)), []
    for kind, says, formula, predictions in _answers(c):
        factor = _factor(predictions)
        if factor == 1.0:
            return c.finding(kind, says, formula)
        if factor and names.of(factor):
            told.append((kind, f"{says}; and all is {names.of(factor)} times that", formula))
    return c.finding(*told[0]) if told else None


def _factor(predictions: Iterator[tuple[float, float, float]]) -> float | None:
    """c, if G · v is c times the prediction for each direction v; each comes with the size of its terms."""
    factor = None
    for G_v, predicted, size in predictions:
        ratio = G_v / predicted if abs(predicted) > 1e-3 * size else np.nan
        ratio = 1.0 if abs(G_v - predicted) <= 1e-6 * (size + abs(G_v)) else ratio
        if not abs(ratio - (factor or ratio)) <= 1e-6 * abs(ratio):
            return None
        factor = factor or ratio
    return factor


def _answers(c: Comparison) -> Iterator[tuple[str, str, str, Iterator[tuple[float, float, float]]]]:
    """(kind, sentence, formula, the predictions along three directions) of each question."""
    e, G, tangent = c.evidence, c.full, c.evidence.tangent
    assert tangent is not None
    rng = np.random.default_rng(0)
    directions = [rng.standard_normal(G.shape) for _ in range(3)]
    pairs = [(v, tangent(c.i, v, {})) for v in directions]

    def along(v: np.ndarray, dys: Arrays, tangents: Arrays) -> tuple[float, float, float]:
        terms = np.concatenate([(u * t).ravel() for u, t in zip(dys, tangents, strict=True)])
        return float(np.sum(G * v)), float(np.sum(terms)), norm(terms)

    def closed(v: np.ndarray, t: Arrays, instead: dict[int, np.ndarray]) -> Arrays:
        return [a - b for a, b in zip(tangent(c.i, v, instead), t, strict=True)]

    measured = [along(v, e.cotangents, t) for v, t in pairs]
    if all(abs(G_v - R_v) < 1e-4 * (abs(G_v) + size) for G_v, R_v, size in measured):
        return  # too small a mistake to be seen along a direction
    for kind, says, formula, dys in other_dys(c):
        yield kind, says, formula, (along(v, dys, t) for v, t in pairs)
    for kind, says, formula, instead in other_inputs(c):
        yield kind, says, formula, (along(v, e.cotangents, tangent(c.i, v, instead)) for v in directions)
        if kind == "mask_forgotten":
            says = "the mask of a ReLU is the wrong way round"
            yield "mask_inverted", says, formula, (along(v, e.cotangents, closed(v, t, instead)) for v, t in pairs)
    for axis, n in enumerate(G.shape):
        if 2 < n <= 16 and all(u.shape[axis : axis + 1] == (n,) for u in e.cotangents):
            own = f"along axis {axis}, each place has the gradient of its own output only"
            says = f"{own}: add what it does to the outputs at other places"
            parts = (along(v, e.cotangents, _of_each_step(c, v, axis)) for v in directions)
            yield "missing_accumulation", says, "+ the gradient of the others", parts


def _of_each_step(c: Comparison, v: np.ndarray, axis: int) -> Arrays:
    """J v without what an index of the input along the axis does to other indices of the outputs."""
    assert c.evidence.tangent is not None
    found = [np.moveaxis(np.zeros_like(u), axis, 0) for u in c.evidence.cotangents]
    for k in range(v.shape[axis]):
        step = v * (np.arange(v.shape[axis]) == k).reshape(-1, *[1] * (v.ndim - 1 - axis))
        for total, t in zip(found, c.evidence.tangent(c.i, step, {}), strict=True):
            total[k] = np.moveaxis(t, axis, 0)[k]
    return [np.moveaxis(total, 0, axis) for total in found]


def other_dys(c: Comparison) -> Iterator[tuple[str, str, str, Arrays]]:
    """(kind, sentence, formula, what stands for the dy of each output)."""
    dys, y = c.evidence.cotangents, c.evidence.output
    u, *others = dys

    def times(factor: np.ndarray) -> Arrays:
        return [dy * factor if dy.shape == factor.shape else dy for dy in dys]

    yield "dy_forgotten", "the incoming gradient dy is not multiplied in", "dy", [np.ones_like(dy) for dy in dys]
    yield "dy_twice", "the incoming gradient dy is multiplied in once too often", "dy", [dy * dy for dy in dys]
    for k in range(len(dys) if others else 0):
        says = f"what comes through output {k + 1} of {len(dys)} is not added"
        yield "missing_accumulation", says, f"dy of output {k + 1}", [dy * (n != k) for n, dy in enumerate(dys)]
    yield from _of_cell(c)
    for axes in subsets(range(y.ndim)):
        for which in ("last", "first"):
            at = [n - 1 if which == "last" else 0 for n in y.shape]
            only = np.all([np.indices(y.shape)[a] == at[a] for a in axes], axis=0) * 1.0
            says, formula = f"the {which} slice of {named_axes(axes)}", f"Σ over {named_axes(axes)}"
            all_ = "the gradients of all of them have to be added, += for ="
            yield "missing_accumulation", f"only {says} counts: {all_}", formula, times(only)
            if len(axes) == 1:
                yield "missing_accumulation", f"{says} is left out", formula, times(1 - only)
    for axis in range(u.ndim):
        for word, value in (("mean", u.mean(axis, keepdims=True)), ("sum", u.sum(axis, keepdims=True))):
            says = f"the {word} of dy over axis {axis} stands for dy"
            yield "wrong_axes", says, f"{word} over axis {axis}", [np.broadcast_to(value, u.shape), *others]
        yield "reversed", f"dy is reversed along axis {axis}", f"axis {axis}", [np.flip(u, axis), *others]
    for says, moved in transposed("dy", u):
        yield "transposed", says, "dy", [moved, *others]
    for kind, says, factor in c.factors(y.shape):
        yield kind, f"{says}, at the output", "", times(factor)


def _of_cell(c: Comparison) -> Iterator[tuple[str, str, str, Arrays]]:
    """The outputs h = o tanh(c) and c of an LSTM: what comes back from h to c goes through 1 - tanh(c)²."""
    if [y.shape for y in c.evidence.outputs] != [c.evidence.output.shape] * 2:
        return
    (h, cell), (dh, dc) = c.evidence.outputs, c.evidence.cotangents
    t = np.tanh(cell)
    if not np.all((h / t > 0) & (h / t < 1)):
        return
    for kind, says, factor in (
        ("derivative_forgotten", "1 - tanh(c)² is not multiplied in", 1.0),
        ("wrong_function", "1 - c² stands for 1 - tanh(c)²", 1 - cell**2),
        ("wrong_function", "1 - h² stands for 1 - tanh(c)²", 1 - h**2),
        ("wrong_function", "1 - tanh(c) stands for 1 - tanh(c)²", 1 - t),
        ("wrong_function", "tanh(c) stands for 1 - tanh(c)²", t),
        ("missing_accumulation", "what comes from h is not added to the gradient of c", 0.0),
        ("input_forgotten", "o is not multiplied in", (1 - t**2) * t / h),
    ):
        yield (
            kind,
            f"on the way back through h = o * tanh(c), {says}",
            "1 - tanh(c)²",
            [dh, dc + dh * h / t * (factor - 1 + t**2)],
        )


def other_inputs(c: Comparison) -> Iterator[tuple[str, str, str, dict[int, np.ndarray]]]:
    """(kind, sentence, formula, other values of some inputs)."""
    e, y = c.evidence, c.evidence.output
    own, far = e.names[c.i], 10 * float(np.max(np.abs(y), initial=0.0))
    floats = {j: a for j, a in enumerate(e.inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"}
    if floats[c.i].shape == y.shape:
        for at, value in (("y, the output,", y), (f"-{own}", -floats[c.i])):
            yield "y_for_x", f"the derivative is that at {at} and has to be that at {own}", own, {c.i: value}
    for j, a in floats.items():
        if a.ndim < 2 or min(a.shape) == 1:
            says = f"it is the gradient as if the ReLU after {e.names[j]} were never closed: its mask, x > 0, is not applied"
            yield "mask_forgotten", says, "x > 0", {j: a + far}
    for j, a in floats.items():
        name = e.names[j]
        if j == c.i:
            continue
        for says, moved in transposed(name, a):
            yield "transposed", says, name, {j: moved}
        for axes in subsets(range(a.ndim)):
            yield "reversed", f"{name} is reversed along {named_axes(axes)}", name, {j: np.flip(a, axes)}
        says = f"{name} is not multiplied in: it is the gradient for a {name} of ones"
        yield "input_forgotten", says, name, {j: np.ones_like(a)}
        yield "missing_term", f"the terms with {name} are missing: it is the gradient for {name} = 0", name, {j: 0 * a}
        for k, b in floats.items():
            if k != j and b.shape == a.shape:
                yield "wrong_input", f"{e.names[k]} stands for {name}", name, {j: b}
