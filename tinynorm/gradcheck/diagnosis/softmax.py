"""What is wrong with the backward pass of a softmax, dx = p (dy - Σ dy p), or of its logarithm, dx = dy - p Σ dy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Recognised
from .hypotheses import Hypothesis, Mistake, listed


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
    """p = softmax(x), or log p, along some axis."""
    x = next((i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.ndim), None)
    if x is None or not inputs[x].size or not np.all(np.isfinite(output)) or inputs[x].shape != output.shape:
        return None
    logarithm = np.all(output <= 0)
    if not logarithm and np.any(output < 0):
        return None
    for axis in range(output.ndim):
        if output.shape[axis] > 1:
            p = softmax(inputs[x], axis)
            if np.allclose(p, np.exp(output) if logarithm else output, rtol=1e-7, atol=1e-300):
                sizes = {"N": output.shape[0] if axis else 1, "C": output.shape[axis]}
                return Recognised("LogSoftmax" if logarithm else "Softmax", {"x": x}, {"axis": axis, "sizes": sizes})
    return None


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of the input that has this role."""
    i, axis = recognised.roles[role], recognised.symbols["axis"]
    of = of_softmax if recognised.layer == "Softmax" else _log_softmax
    return of(axis, evidence.names[i], evidence.inputs[i], evidence.cotangent)


def _sums(a: np.ndarray, axis: int) -> Iterator[tuple[str, np.ndarray]]:
    """(what is wrong, the sum): over another axis, over all axes, and over the right axis but broadcast along another."""
    for other in range(a.ndim):
        if other != axis and a.shape[other] > 1:
            yield f"the sum runs over axis {other}, and has to run over axis {axis}", a.sum(axis=other, keepdims=True)
    if a.ndim > 1 and a.size > a.shape[axis]:
        yield f"the sum runs over all elements, and has to run over axis {axis}", np.asarray(a.sum())
    if a.ndim == 2 and a.shape[0] == a.shape[1]:
        yield "the sum is laid along the wrong axis: keep its axis, keepdims=True", np.expand_dims(a.sum(axis=axis), 1 - axis)


def of_softmax(axis: int, name: str, x: np.ndarray, dy: np.ndarray) -> list[Hypothesis]:
    def total(a: np.ndarray) -> np.ndarray:
        return a.sum(axis=axis, keepdims=True)

    p, n = softmax(x, axis), x.shape[axis]
    inner, term = total(dy * p), "- p * Σ dy p"
    mistakes: list[Mistake] = [
        ("sum_term_forgotten", p * dy, "the sum term is missing: {right}", term),
        (
            "sum_term_forgotten",
            dy * p * (1 - p),
            "only the diagonal of the Jacobian is there: {right}",
            f"{term} over the other classes",
        ),
        ("missing_first_term", -p * inner, "the term p * dy is missing, the diagonal of the Jacobian: {right}", "p * dy"),
        ("extra_softmax_factor", dy - inner, "p is not multiplied in: {right}", "p"),
        ("extra_softmax_factor", p * dy - inner, "p is not multiplied on the sum: {right}", "p"),
        ("extra_softmax_factor", p * (dy - total(dy)), "p is forgotten inside the sum: {right}", "Σ dy p"),
        ("extra_softmax_factor", p * p * (dy - inner), "p is multiplied in twice: {right}", "p"),
        ("term_sign", p * (dy + inner), "the sign of the sum is wrong: {right}", term),
        ("mean_for_sum", p * (dy - inner / n), f"a mean stands for the sum: {{right}}; multiply it by {n}", "Σ dy p"),
        *(("wrong_axes", p * (dy - s), f"{says}: {{right}}", f"Σ over axis {axis}") for says, s in _sums(dy * p, axis)),
        ("dy_forgotten", p * (1 - p), "dy is not multiplied in, and the sum is missing: {right}", "dy"),
        ("wrong_function", p - dy, "it is p - dy, as of a cross-entropy: {right}", "p"),
        ("wrong_function", dy, "dy is passed on as it is: {right}", "p"),
        ("wrong_function", dy - p * total(dy), "it is log-softmax's, dy - p Σ dy: {right}", "p"),
    ]
    return listed(f"d{name} = p * (dy - Σ dy p)", p * (dy - inner), mistakes)


def _log_softmax(axis: int, name: str, x: np.ndarray, dy: np.ndarray) -> list[Hypothesis]:
    p, n, total = softmax(x, axis), x.shape[axis], dy.sum(axis=axis, keepdims=True)
    other = p * (dy - (dy * p).sum(axis=axis, keepdims=True))
    without_p = np.broadcast_to(dy - total, dy.shape)
    mistakes: list[Mistake] = [
        ("wrong_function", other, "it is softmax's, p * (dy - Σ dy p): {right}", "p"),
        ("sum_term_forgotten", dy - p, "the sum is missing, dy - p stands for dy - p * Σ dy: {right}", "Σ dy"),
        ("sum_term_forgotten", dy - p * dy, "the sum is missing, dy stands for Σ dy: {right}", "Σ dy"),
        ("sum_term_forgotten", dy, "the term p * Σ dy is missing, dy is passed on: {right}", "p * Σ dy"),
        ("extra_softmax_factor", without_p, "p is not multiplied on the sum: {right}", "p"),
        ("term_sign", dy + p * total, "the sign of the sum is wrong: {right}", "- p * Σ dy"),
        ("mean_for_sum", dy - p * total / n, f"a mean stands for the sum: {{right}}; multiply it by {n}", "Σ dy"),
        ("logits_for_probabilities", dy - np.log(p) * total, "log p stands for p = exp(y): {right}", "p"),
        ("logits_for_probabilities", dy - x * total, f"{name} stands for p: {{right}}", "p"),
        *(("wrong_axes", dy - p * s, f"{says}: {{right}}", f"Σ over axis {axis}") for says, s in _sums(dy, axis)),
    ]
    return listed(f"d{name} = dy - p * Σ dy", dy - p * total, mistakes)
