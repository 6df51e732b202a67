"""What is wrong with the backward pass of a linear layer: dx = dy W, dW = dyᵀ x, db = Σ dy over the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Recognised
from .hypotheses import Hypothesis, Mistake, listed
from .naming import named_axes

NAMES_OF_X = ("x", "input", "inputs", "a", "X", "A", "A_prev")
NAMES_OF_W = ("W", "w", "weight", "weights")


@dataclass(frozen=True)
class Convention:
    """How the layer multiplies x and W, and what follows for the gradients, in the user's own names."""

    columns: bool  # a sample is a column of x
    transposed: bool  # W is (out, in)
    dx: str
    dW: str
    dx_transposed: str  # dx with W transposed
    dW_transposed: str
    x: str = "x"
    W: str = "W"

    def called(self, x: str, W: str) -> Convention:
        formulas = {key: getattr(self, key).format(x=x, W=W) for key in ("dx", "dW", "dx_transposed", "dW_transposed")}
        return replace(self, x=x, W=W, **formulas)


CONVENTIONS = (
    Convention(False, True, "dy {W}", "dyᵀ {x}", "dy {W}ᵀ", "{x}ᵀ dy"),  # y = x Wᵀ + b
    Convention(False, False, "dy {W}ᵀ", "{x}ᵀ dy", "dy {W}", "dyᵀ {x}"),  # y = x W + b
    Convention(True, True, "{W}ᵀ dy", "dy {x}ᵀ", "{W} dy", "{x} dyᵀ"),  # y = W x + b
)


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
    """y = x Wᵀ (+ b) or y = x W (+ b), x (..., in); or y = W x (+ b), x (in, samples)."""
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    matrices = [i for i in arrays if inputs[i].ndim == 2]
    if len(arrays) not in (2, 3) or not matrices or not np.all(np.isfinite(output)) or not output.ndim:
        return None
    weight = next((i for i in matrices if names[i].rsplit(".", 1)[-1] in NAMES_OF_W), None)
    x = next((i for i in arrays if names[i] in NAMES_OF_X and i != weight), next(i for i in arrays if i != weight))
    weight = next((i for i in matrices if i != x), None) if weight is None else weight
    if weight is None:
        return None
    rest = [i for i in arrays if i not in (x, weight)]
    roles = {"x": x, "W": weight} | ({"b": rest[0]} if rest else {})
    for convention in CONVENTIONS:
        symbols = _matching(inputs[x], inputs[weight], inputs[rest[0]] if rest else None, output, convention)
        if symbols is not None:
            symbols["convention"] = convention.called(names[x], names[weight])
            return Recognised("Linear (columns)" if convention.columns else "Linear", roles, symbols)
    return None


def _matching(x: np.ndarray, W: np.ndarray, b: np.ndarray | None, y: np.ndarray, convention: Convention) -> dict | None:
    """The symbols, with a sample in each row, if y follows this convention; else None."""
    columns = convention.columns
    if x.ndim < 1 or (columns and x.ndim != 2):
        return None
    x, y = (x.T, y.T) if columns else (x, y)
    M = W.T if convention.transposed else W  # (in, out)
    if x.shape[-1] != M.shape[0] or (*x.shape[:-1], M.shape[1]) != y.shape:
        return None
    if b is not None and (b.size != M.shape[1] or (columns and b.shape != (M.shape[1], 1))):
        return None
    predicted = x @ M + (0.0 if b is None else b.reshape(-1))
    if np.max(np.abs(predicted - y), initial=0.0) > 1e-7 * np.max(np.abs(y), initial=0.0):
        return None
    leading = x.shape[:-1]
    sizes = {"N": int(np.prod(leading)), "in": M.shape[0], "out": M.shape[1]}
    if x.ndim > 2:
        sizes |= {f"the size of axis {k}": n for k, n in enumerate(leading)}
    return {"M": M, "x": x, "sizes": sizes}


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of the input that has this role."""
    s, i = recognised.symbols, recognised.roles[role]
    convention, x = s["convention"], s["x"]
    dy = evidence.cotangent.T if convention.columns else evidence.cotangent  # a sample in each row
    if role == "b":
        return _db(convention, x, dy, evidence.names[i], evidence.inputs[i].shape)
    products = list(_products(recognised, evidence, role)) if dy.ndim == 2 else []
    return _dx(convention, s["M"], dy, products) if role == "x" else _dW(convention, x, dy, products)


def _dx(convention: Convention, M: np.ndarray, dy: np.ndarray, products: list[Mistake]) -> list[Hypothesis]:
    def laid(a: np.ndarray) -> np.ndarray:
        return a.T if convention.columns else a

    mistakes: list[Mistake] = []
    if M.shape[0] == M.shape[1]:
        says = "the weight is transposed: {right}, and here it is multiplied the other way round"
        mistakes.append(("transposed", laid(dy @ M), says, convention.dx))
        mistakes.append(("weight_forgotten", laid(dy), f"{convention.W} is not multiplied in: {{right}}", convention.W))
    mistakes.append(("dy_forgotten", laid(np.ones_like(dy) @ M.T), "dy is not multiplied in: {right}", "dy"))
    return listed(f"d{convention.x} = {convention.dx}", laid(dy @ M.T), [*mistakes, *products])


def _dW(convention: Convention, x: np.ndarray, dy: np.ndarray, products: list[Mistake]) -> list[Hypothesis]:
    def product_of(a: np.ndarray, d: np.ndarray) -> np.ndarray:
        return d.T @ a if convention.transposed else a.T @ d

    name, X, D = convention.x, _rows(x), _rows(dy)
    right = product_of(X, D)
    mistakes: list[Mistake] = [
        ("input_forgotten", product_of(np.ones_like(X), D), f"{name} is not multiplied in: {{right}}", name),
        ("dy_forgotten", product_of(X, np.ones_like(D)), "dy is not multiplied in: {right}", "dy"),
    ]
    if right.shape[0] == right.shape[1]:
        says = "it is transposed: {right}, and this is the transposed of that"
        mistakes.insert(0, ("transposed", right.T, says, convention.dW))
    says = f"the mean of {name} over the samples is subtracted: {{right}}, with {name} as it is"
    mistakes.append(("input_centred", product_of(X - X.mean(axis=0), D), says, name))
    if len(X) > 1:
        says = f"the mean of {name} is multiplied by the sum of dy; the products have to be added, sample by sample: {{right}}"
        mistakes.append(("wrong_axes", product_of(X.mean(axis=0)[None], D.sum(axis=0)[None]), says, convention.dW))
    formula = f"d{convention.W} = {convention.dW}"
    return listed(formula, right, [*mistakes, *products], _means(right, x.shape[:-1]))


def _db(convention: Convention, x: np.ndarray, dy: np.ndarray, name: str, shape: tuple[int, ...]) -> list[Hypothesis]:
    D = _rows(dy)
    n, right = len(D), D.sum(axis=0).reshape(shape)
    axis, rows = (1, "columns") if convention.columns else (0, "rows")
    mistakes: list[Mistake] = []
    if D.shape[0] == D.shape[1]:
        says = f"the sum runs over the outputs (axis {1 - axis}); it has to run over the {rows}, axis {axis}"
        mistakes.append(("wrong_axes", D.sum(axis=1).reshape(shape), says, f"Σ over axis {axis}"))
    if right.size > 1:
        says = f"it is the sum of all of dy in each place; the sum has to run over the {rows} alone: {{right}}"
        mistakes.append(("wrong_axes", np.full(shape, D.sum()), says, f"Σ over axis {axis}"))
    mistakes.append(("dy_forgotten", np.full(shape, float(n)), "dy is not multiplied in: {right}", "dy"))
    says = f"a mean stands for the sum over the N = {n} {rows}: {{right}} (the 1/N of a mean loss is in dy already)"
    mean: list[Mistake] = [("mean_for_sum", right / n, says, "Σ dy")] if n > 1 else []
    return listed(f"d{name} = Σ dy", right, mistakes, [*mean, *_means(right, x.shape[:-1])])


def _rows(a: np.ndarray) -> np.ndarray:
    """A matrix with a sample in each row."""
    return a.reshape(-1, a.shape[-1])


def _means(right: np.ndarray, leading: tuple[int, ...]) -> Iterator[Mistake]:
    """A mean over some of the axes before the last, in place of a sum over all of them."""
    for k in range(1, len(leading)):
        for axes in combinations(range(len(leading)), k):
            count = int(np.prod([leading[a] for a in axes]))
            if 1 < count < np.prod(leading):
                says = f"a mean over {named_axes(axes)}, {count} numbers, stands for the sum: multiply by {count}"
                yield "mean_for_sum", right / count, says, f"/ {count}"


def _products(recognised: Recognised, evidence: Evidence, of: str) -> Iterator[Mistake]:
    """Products of dy with x or W in each order, transposed or not. If the matrices are square, all have the right shape."""
    convention, dy = recognised.symbols["convention"], evidence.cotangent
    told = {convention.dx, convention.dx_transposed} if of == "x" else {convention.dW, convention.dW_transposed}
    for role, name in (("x", convention.x), ("W", convention.W)):
        a = evidence.inputs[recognised.roles[role]]
        for (A, at), (D, dt) in product(((a, ""), (a.T, "ᵀ")), ((dy, ""), (dy.T, "ᵀ"))):
            for left, right, written in ((A, D, f"{name}{at} dy{dt}"), (D, A, f"dy{dt} {name}{at}")):
                if left.shape[1] == right.shape[0] and written not in told:
                    yield "transposed", left @ right, f"it is {written}: {{right}}", written
