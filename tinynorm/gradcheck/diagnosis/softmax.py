"""What is wrong with the backward pass of a softmax, dx = p (dy - Σ dy p), or of its logarithm, dx = dy - p Σ dy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from .hypotheses import Hypothesis, wrong_gradient


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
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


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding."""
    i = recognised.roles["x"]
    if i not in evidence.wrong:
        return []
    of = _softmax if recognised.layer == "Softmax" else _log_softmax
    hypotheses = list(of(recognised.symbols["axis"], evidence.names[i], evidence.inputs[i], evidence.cotangent))
    suspect = wrong_gradient(recognised, evidence, i, hypotheses[0].prediction)
    finding = suspect.judge(hypotheses) if suspect else None
    return [finding] if finding else []


def _sums(a: np.ndarray, axis: int) -> Iterator[tuple[str, np.ndarray]]:
    """(what it runs over, the sum) over another axis, over all, and over the right axis but laid along another."""
    for other in range(a.ndim):
        if other != axis and a.shape[other] > 1:
            yield f"the sum runs over axis {other}, and has to run over axis {axis}", a.sum(axis=other, keepdims=True)
    if a.ndim > 1 and a.size > a.shape[axis]:
        yield f"the sum runs over all elements, and has to run over axis {axis}", np.asarray(a.sum())
    if a.ndim == 2 and a.shape[0] == a.shape[1]:
        says = "the sum is laid along the wrong axis: keep its axis, keepdims=True"
        yield says, np.expand_dims(a.sum(axis=axis), 1 - axis)


def _softmax(axis: int, name: str, x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    p = softmax(x, axis)
    right = f"d{name} = p * (dy - Σ dy p)"

    def total(a: np.ndarray) -> np.ndarray:
        return a.sum(axis=axis, keepdims=True)

    inner = total(dy * p)
    yield Hypothesis("", p * (dy - inner))
    yield Hypothesis("sum_term_forgotten", p * dy, f"the sum term is missing: {right}", "- p * Σ dy p")
    says = f"only the diagonal of the Jacobian is there: {right}"
    yield Hypothesis("sum_term_forgotten", dy * p * (1 - p), says, "- p * Σ dy p over the other classes")
    yield Hypothesis("extra_softmax_factor", dy - inner, f"p is not multiplied in: {right}", "p")
    yield Hypothesis("extra_softmax_factor", p * dy - inner, f"p is not multiplied on the sum: {right}", "p")
    yield Hypothesis("extra_softmax_factor", p * (dy - total(dy)), f"p is forgotten inside the sum: {right}", "Σ dy p")
    yield Hypothesis("extra_softmax_factor", p * p * (dy - inner), f"p is multiplied in twice: {right}", "p")
    yield Hypothesis("term_sign", p * (dy + inner), f"the sign of the sum is wrong: {right}", "- p * Σ dy p")
    says = f"a mean stands for the sum: {right}; multiply it by {x.shape[axis]}"
    yield Hypothesis("mean_for_sum", p * (dy - inner / x.shape[axis]), says, "Σ dy p")
    for says, wrong in _sums(dy * p, axis):
        yield Hypothesis("wrong_axes", p * (dy - wrong), f"{says}: {right}", f"Σ over axis {axis}")
    yield Hypothesis("dy_forgotten", p * (1 - p), f"dy is not multiplied in, and the sum is missing: {right}", "dy")
    yield Hypothesis("wrong_function", p - dy, f"it is p - dy, as of a cross-entropy: {right}", "p")
    yield Hypothesis("wrong_function", dy, f"dy is passed on as it is: {right}", "p")
    yield Hypothesis("wrong_function", dy - p * total(dy), f"it is log-softmax's, dy - p Σ dy: {right}", "p")


def _log_softmax(axis: int, name: str, x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    p = softmax(x, axis)
    right = f"d{name} = dy - p * Σ dy"
    total = dy.sum(axis=axis, keepdims=True)
    yield Hypothesis("", dy - p * total)
    says = f"it is softmax's, p * (dy - Σ dy p): {right}"
    yield Hypothesis("wrong_function", p * (dy - (dy * p).sum(axis=axis, keepdims=True)), says, "p")
    yield Hypothesis("sum_term_forgotten", dy - p, f"the sum is missing, dy - p stands for dy - p * Σ dy: {right}", "Σ dy")
    yield Hypothesis("sum_term_forgotten", dy - p * dy, f"the sum is missing, dy stands for Σ dy: {right}", "Σ dy")
    yield Hypothesis("sum_term_forgotten", dy, f"the term p * Σ dy is missing, dy is passed on: {right}", "p * Σ dy")
    says = f"p is not multiplied on the sum: {right}"
    yield Hypothesis("extra_softmax_factor", np.broadcast_to(dy - total, dy.shape), says, "p")
    yield Hypothesis("term_sign", dy + p * total, f"the sign of the sum is wrong: {right}", "- p * Σ dy")
    says = f"a mean stands for the sum: {right}; multiply it by {x.shape[axis]}"
    yield Hypothesis("mean_for_sum", dy - p * total / x.shape[axis], says, "Σ dy")
    yield Hypothesis("logits_for_probabilities", dy - np.log(p) * total, f"log p stands for p = exp(y): {right}", "p")
    yield Hypothesis("logits_for_probabilities", dy - x * total, f"{name} stands for p: {right}", "p")
    for says, wrong in _sums(dy, axis):
        yield Hypothesis("wrong_axes", dy - p * wrong, f"{says}: {right}", f"Σ over axis {axis}")
