"""What is wrong with the backward pass of a linear layer: dx = dy W, dW = dyᵀ x, db = Σ dy over the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..evidence import Evidence, Finding, Recognised
from .judge import Hypothesis, suspect_of

NAMES = {
    "x": ("x", "input", "inputs", "a", "X"),
    "W": ("W", "w", "weight", "weights"),
    "b": ("b", "bias"),
}


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """y = x Wᵀ (+ b) or y = x W (+ b), x (..., in)."""
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    matrices = [i for i in arrays if inputs[i].ndim == 2]
    if len(arrays) not in (2, 3) or not matrices or not np.all(np.isfinite(output)):
        return None
    weight = next((i for i in matrices if names[i].rsplit(".", 1)[-1] in NAMES["W"]), None)
    x = next((i for i in arrays if names[i] in NAMES["x"] and i != weight), arrays[0])
    weight = next((i for i in matrices if i != x), None) if weight is None else weight
    rest = [i for i in arrays if i not in (x, weight)]
    if weight is None or x == weight or (rest and inputs[rest[0]].size != output.shape[-1:][0] if output.ndim else True):
        return None
    a, W = inputs[x], inputs[weight]
    bias = inputs[rest[0]].reshape(-1) if rest else 0.0
    for transposed in (True, False):
        M = W.T if transposed else W  # (in, out)
        if a.ndim < 1 or a.shape[-1] != M.shape[0] or (*a.shape[:-1], M.shape[1]) != output.shape:
            continue
        y = a @ M + bias
        if np.max(np.abs(y - output), initial=0.0) <= 1e-7 * np.max(np.abs(output), initial=0.0):
            rows = int(np.prod(a.shape[:-1]))
            sizes = {"N": rows, "in": M.shape[0], "out": M.shape[1]}
            roles = {"x": x, "W": weight} | ({"b": rest[0]} if rest else {})
            return Recognised("Linear", roles, {"transposed": transposed, "M": M, "rows": rows, "sizes": sizes})
    return None


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding for each wrong input."""
    by_input = {i: role for role, i in recognised.roles.items()}
    found = []
    for i in evidence.wrong:
        role = by_input.get(i)
        if role is None:
            continue
        hypotheses = list({"x": _dx, "W": _dW, "b": _db}[role](recognised, evidence, i))
        suspect = suspect_of(recognised, evidence, i, hypotheses[0].prediction)
        finding = suspect.judge(hypotheses) if suspect else None
        if finding is not None:
            found.append(finding)
    return found


def _dx(recognised: Recognised, evidence: Evidence, i: int) -> Iterator[Hypothesis]:
    dy, M = evidence.cotangent, recognised.symbols["M"]
    W = "W" if recognised.symbols["transposed"] else "Wᵀ"
    yield Hypothesis("", dy @ M.T)
    if M.shape[0] == M.shape[1]:
        says = f"the weight is transposed: dx = dy {W}, and here it is multiplied the other way round"
        yield Hypothesis("transposed", dy @ M, says, f"dy {W}")
        yield Hypothesis("weight_forgotten", dy, f"the weight is not multiplied in: dx = dy {W}", W)
    yield Hypothesis("dy_forgotten", np.ones_like(dy) @ M.T, f"dy is not multiplied in: dx = dy {W}", "dy")


def _dW(recognised: Recognised, evidence: Evidence, i: int) -> Iterator[Hypothesis]:
    x, dy = evidence.inputs[recognised.roles["x"]], evidence.cotangent
    rows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    transposed, n = recognised.symbols["transposed"], recognised.symbols["rows"]
    formula = "dyᵀ x" if transposed else "xᵀ dy"

    def laid(a: np.ndarray, d: np.ndarray) -> np.ndarray:
        return d.T @ a if transposed else a.T @ d

    right = laid(*rows)
    yield Hypothesis("", right)
    if right.shape[0] == right.shape[1]:
        other = "xᵀ dy" if transposed else "dyᵀ x"
        yield Hypothesis("transposed", right.T, f"it is transposed: dW = {formula}, and this is {other}", formula)
    yield Hypothesis("input_forgotten", laid(np.ones_like(rows[0]), rows[1]), f"x is not multiplied in: dW = {formula}", "x")
    yield Hypothesis("dy_forgotten", laid(rows[0], np.ones_like(rows[1])), f"dy is not multiplied in: dW = {formula}", "dy")
    for k, which in ((n - 1, "last"), (0, "first")) if n > 1 else ():
        says = f"only the {which} row counts: the rows' gradients have to be added, += for ="
        yield Hypothesis("missing_accumulation", laid(rows[0][k : k + 1], rows[1][k : k + 1]), says, "Σ over the rows")


def _db(recognised: Recognised, evidence: Evidence, i: int) -> Iterator[Hypothesis]:
    dy = evidence.cotangent.reshape(-1, evidence.cotangent.shape[-1])
    shape, n = evidence.inputs[i].shape, recognised.symbols["rows"]
    right = dy.sum(axis=0).reshape(shape)
    yield Hypothesis("", right)
    if n > 1:
        says = f"a mean stands for the sum over the N = {n} rows: db = Σ dy (the 1/N of a mean loss is in dy already)"
        yield Hypothesis("mean_for_sum", right / n, says, "Σ dy")
        for k, which in ((n - 1, "last"), (0, "first")):
            says = f"only the {which} row counts: the rows' gradients have to be added, += for ="
            yield Hypothesis("missing_accumulation", dy[k].reshape(shape), says, "Σ over the rows")
    if dy.shape[0] == dy.shape[1]:
        says = "the sum runs over the outputs (axis 1); it runs over the rows, axis 0"
        yield Hypothesis("wrong_axes", dy.sum(axis=1).reshape(shape), says, "Σ over axis 0")
    yield Hypothesis("dy_forgotten", np.full(shape, float(n)), "dy is not multiplied in: db = Σ dy", "dy")
