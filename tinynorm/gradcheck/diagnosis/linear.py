"""What is wrong with the backward pass of a linear layer: dx = dy W, dW = dyᵀ x, db = Σ dy over the rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from .hypotheses import Hypothesis, wrong_gradient
from .naming import named_axes
from .recognise_linear import Form, recognise

__all__ = ["explain", "recognise"]


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding for each wrong input."""
    by_input = {i: role for role, i in recognised.roles.items()}
    found = []
    for i in evidence.wrong:
        role = by_input.get(i)
        if role is None:
            continue
        hypotheses = list({"x": _dx, "W": _dW, "b": _db}[role](recognised, evidence, i))
        suspect = wrong_gradient(recognised, evidence, i, hypotheses[0].prediction)
        finding = suspect.judge(hypotheses) if suspect else None
        if finding is not None:
            found.append(finding)
    return found


def _dy(recognised: Recognised, evidence: Evidence) -> np.ndarray:
    """dy with a sample in each row."""
    return evidence.cotangent.T if recognised.symbols["form"].columns else evidence.cotangent


def _dx(recognised: Recognised, evidence: Evidence, i: int) -> Iterator[Hypothesis]:
    form, M, dy = recognised.symbols["form"], recognised.symbols["M"], _dy(recognised, evidence)
    formula = f"d{form.x} = {form.dx}"

    def laid(a: np.ndarray) -> np.ndarray:
        return a.T if form.columns else a

    yield Hypothesis("", laid(dy @ M.T))
    if M.shape[0] == M.shape[1]:
        says = f"the weight is transposed: {formula}, and here it is multiplied the other way round"
        yield Hypothesis("transposed", laid(dy @ M), says, form.dx)
        yield Hypothesis("weight_forgotten", laid(dy), f"{form.W} is not multiplied in: {formula}", form.W)
    yield Hypothesis("dy_forgotten", laid(np.ones_like(dy) @ M.T), f"dy is not multiplied in: {formula}", "dy")
    if dy.ndim == 2:
        yield from _products(recognised, evidence, "x", formula)


def _dW(recognised: Recognised, evidence: Evidence, i: int) -> Iterator[Hypothesis]:
    s, dy = recognised.symbols, _dy(recognised, evidence)
    form, x, leading = s["form"], s["x"], s["leading"]
    X, D = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    formula = f"d{form.W} = {form.dW}"

    def laid(a: np.ndarray, d: np.ndarray) -> np.ndarray:
        return d.T @ a if form.transposed else a.T @ d

    right = laid(X, D)
    yield Hypothesis("", right)
    if right.shape[0] == right.shape[1]:
        yield Hypothesis("transposed", right.T, f"it is transposed: {formula}, and this is the transposed of that", form.dW)
    yield Hypothesis("input_forgotten", laid(np.ones_like(X), D), f"{form.x} is not multiplied in: {formula}", form.x)
    yield Hypothesis("dy_forgotten", laid(X, np.ones_like(D)), f"dy is not multiplied in: {formula}", "dy")
    says = f"the mean of {form.x} over the samples is subtracted: {formula}, with {form.x} as it is"
    yield Hypothesis("input_centred", laid(X - X.mean(axis=0), D), says, form.x)
    if len(X) > 1:
        says = (
            f"the mean of {form.x} is multiplied by the sum of dy; the products have to be added, sample by sample: {formula}"
        )
        yield Hypothesis("wrong_axes", laid(X.mean(axis=0)[None], D.sum(axis=0)[None]), says, form.dW)
    yield from _means(right, leading)
    for says, a, d in _parts(x, dy, leading, form):
        yield Hypothesis("missing_accumulation", laid(a, d), says, "Σ over the rows")
    if dy.ndim == 2:
        yield from _products(recognised, evidence, "W", formula)


def _db(recognised: Recognised, evidence: Evidence, i: int) -> Iterator[Hypothesis]:
    s, dy, shape = recognised.symbols, _dy(recognised, evidence), evidence.inputs[i].shape
    form, n, D = s["form"], s["rows"], dy.reshape(-1, dy.shape[-1])
    axis, rows = (1, "columns") if form.columns else (0, "rows")
    formula = f"d{evidence.names[i]} = Σ dy"
    right = D.sum(axis=0).reshape(shape)
    yield Hypothesis("", right)
    if n > 1:
        says = f"a mean stands for the sum over the N = {n} {rows}: {formula} (the 1/N of a mean loss is in dy already)"
        yield Hypothesis("mean_for_sum", right / n, says, "Σ dy", is_factor=True)
    yield from _means(right, s["leading"])
    for says, _, d in _parts(s["x"], dy, s["leading"], form):
        yield Hypothesis("missing_accumulation", d.sum(axis=0).reshape(shape), says, f"Σ over the {rows}")
    if D.shape[0] == D.shape[1]:
        says = f"the sum runs over the outputs (axis {1 - axis}); it has to run over the {rows}, axis {axis}"
        yield Hypothesis("wrong_axes", D.sum(axis=1).reshape(shape), says, f"Σ over axis {axis}")
    if right.size > 1:
        says = f"it is the sum of all of dy in each place; the sum has to run over the {rows} alone: {formula}"
        yield Hypothesis("wrong_axes", np.full(shape, D.sum()), says, f"Σ over axis {axis}")
    yield Hypothesis("dy_forgotten", np.full(shape, float(n)), f"dy is not multiplied in: {formula}", "dy")


def _means(right: np.ndarray, leading: tuple[int, ...]) -> Iterator[Hypothesis]:
    """A mean over some of the axes before the last, where a sum over all of them belongs."""
    for k in range(1, len(leading)):
        for axes in combinations(range(len(leading)), k):
            count = int(np.prod([leading[a] for a in axes]))
            if 1 < count < np.prod(leading):
                says = f"a mean over {named_axes(axes)}, {count} numbers, stands for the sum: multiply by {count}"
                yield Hypothesis("mean_for_sum", right / count, says, f"/ {count}", is_factor=True)


def _parts(x: np.ndarray, dy: np.ndarray, leading: tuple[int, ...], form: Form) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(what it says, x's rows, dy's rows) where a loop keeps only its last, or first, turn."""
    for axis, n in enumerate(leading):
        for place, which in ((n - 1, "last"), (0, "first")) if n > 1 else ():
            one, all_ = ("column", "columns'") if form.columns else ("row", "rows'")
            if len(leading) > 1:
                one, all_ = f"slice of axis {axis}", "slices'"
            says = f"only the {which} {one} counts: the {all_} gradients have to be added, += for ="
            a, d = (np.take(v, [place], axis=axis) for v in (x, dy))
            yield says, a.reshape(-1, a.shape[-1]), d.reshape(-1, d.shape[-1])


def _products(recognised: Recognised, evidence: Evidence, of: str, formula: str) -> Iterator[Hypothesis]:
    """Two matrices in another order, or another of them transposed: of square ones all have the right shape."""
    form, dy = recognised.symbols["form"], evidence.cotangent
    told = {form.dx, form.dW, form.other_dx, form.other_dW}
    for role, name in (("x", form.x), ("W", form.W)):
        a = evidence.inputs[recognised.roles[role]]
        for (A, at), (D, dt) in product(((a, ""), (a.T, "ᵀ")), ((dy, ""), (dy.T, "ᵀ"))):
            for left, right, written in ((A, D, f"{name}{at} dy{dt}"), (D, A, f"dy{dt} {name}{at}")):
                if left.shape[1] == right.shape[0] and (written not in told or role == of):
                    yield Hypothesis("transposed", left @ right, f"it is {written}: {formula}", written)
