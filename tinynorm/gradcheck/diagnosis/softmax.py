"""What is wrong with the backward pass of a softmax, dx = p (dy - Σ dy p), or of its cross-entropy, dx = dy (p - q) / N."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..evidence import Evidence, Finding, Recognised
from .judge import Hypothesis, suspect_of


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """p = softmax(x) along some axis; or the cross-entropy of logits (N, C) and integer, or one-hot, targets."""
    x = next((i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.ndim), None)
    if x is None or not inputs[x].size or not np.all(np.isfinite(output)):
        return None
    if inputs[x].shape == output.shape and np.all(output >= 0):
        for axis in range(output.ndim):
            if output.shape[axis] > 1 and np.allclose(softmax(inputs[x], axis), output, rtol=1e-7, atol=1e-300):
                return Recognised("Softmax", {"x": x}, {"axis": axis, "sizes": {"N": output.shape[0]}})
    return _cross_entropy(inputs, x, output)


def _cross_entropy(inputs: list[Any], x: int, output: np.ndarray) -> Recognised | None:
    logits = inputs[x]
    if logits.ndim != 2 or output.shape not in ((), (len(logits),)):
        return None
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    for t, q in _targets(inputs, x, logits.shape):
        rows = -(q * log_p).sum(axis=1)
        for reduction, loss in (("mean", rows.mean()), ("sum", rows.sum()), ("none", rows)):
            if np.shape(loss) == output.shape and np.allclose(loss, output, rtol=1e-7, atol=1e-300):
                N, C = logits.shape
                symbols = {"q": q, "reduction": reduction, "sizes": {"N": N, "C": C, "N C": N * C}}
                return Recognised("SoftmaxCrossEntropy", {"x": x, "t": t}, symbols)
    return None


def _targets(inputs: list[Any], x: int, shape: tuple[int, ...]) -> Iterator[tuple[int, np.ndarray]]:
    """Each input that may be the targets, as a distribution over the classes."""
    for i, t in enumerate(inputs):
        if i == x or not isinstance(t, np.ndarray):
            continue
        if t.dtype.kind in "iu" and t.shape == shape[:1] and np.all((t >= 0) & (t < shape[1])):
            yield i, np.eye(shape[1])[t]
        elif t.shape == shape and np.allclose(t.sum(axis=1), 1):
            yield i, t.astype(float)


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding."""
    i = recognised.roles["x"]
    if i not in evidence.wrong:
        return []
    hypotheses = list(
        (_softmax if recognised.layer == "Softmax" else _loss)(recognised, evidence.inputs[i], evidence.cotangent)
    )
    suspect = suspect_of(recognised, evidence, i, hypotheses[0].prediction)
    finding = suspect.judge(hypotheses) if suspect else None
    return [finding] if finding else []


def _softmax(recognised: Recognised, x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    axis = recognised.symbols["axis"]
    p = softmax(x, axis)
    total = (dy * p).sum(axis=axis, keepdims=True)
    yield Hypothesis("", p * (dy - total))
    yield Hypothesis("sum_term_forgotten", p * dy, "the sum term is missing: dx = p * (dy - Σ dy p)", "- p * Σ dy p")
    says = "only the diagonal of the Jacobian is there: dx = p * (dy - Σ dy p)"
    yield Hypothesis("sum_term_forgotten", dy * p * (1 - p), says, "- p * Σ dy p over the other classes")
    yield Hypothesis("extra_softmax_factor", dy - total, "p is not multiplied in: dx = p * (dy - Σ dy p)", "p")
    for other in range(x.ndim):
        if other != axis:
            wrong = p * (dy - (dy * p).sum(axis=other, keepdims=True))
            yield Hypothesis(
                "wrong_axes", wrong, f"the sum runs over axis {other}; it runs over axis {axis}", f"Σ over axis {axis}"
            )
    yield Hypothesis("dy_forgotten", p * (1 - p), "dy is not multiplied in", "dy")


def _loss(recognised: Recognised, x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    q, N = recognised.symbols["q"], len(x)
    mean = recognised.symbols["reduction"] == "mean"
    scale = dy.reshape(-1, 1) / (N if mean else 1) * np.ones((N, 1))
    formula = "dx = dy * (p - q)" + (" / N" if mean else "")
    p = softmax(x, 1)
    yield Hypothesis("", scale * (p - q))
    if mean:
        says = f"the loss is a mean over the N = {N} rows, and its gradient is that of their sum: divide by N"
        yield Hypothesis("batch_mean_forgotten", N * scale * (p - q), says, "/ N")
    yield Hypothesis("dy_forgotten", (p - q) / (N if mean else 1), f"dy is not multiplied in: {formula}", "dy")
    yield Hypothesis("target_forgotten", scale * p, f"the target's 1 is not subtracted: {formula}", "- q")
    for shift in (1, -1):
        says = f"the target's 1 is subtracted in the neighbouring class, {shift:+d}: {formula}, q at the target"
        yield Hypothesis("wrong_target", scale * (p - np.roll(q, shift, axis=1)), says, "q")
    says = f"the softmax is differentiated once more, by p * (1 - p): {formula} has that already"
    yield Hypothesis("extra_softmax_factor", scale * (p - q) * p * (1 - p), says, "p * (1 - p)")
    yield Hypothesis("extra_softmax_factor", scale * (p - q) * p, f"p is multiplied in once too often: {formula}", "p")
    yield Hypothesis("logits_for_probabilities", scale * (x - q), f"the logits stand for p = softmax(x): {formula}", "p")
    yield Hypothesis("logits_for_probabilities", scale * (np.log(p) - q), f"log p stands for p: {formula}", "p")
    yield Hypothesis(
        "wrong_axes", scale * (softmax(x, 0) - q), "the softmax runs over the rows; it runs over the classes, axis 1", "p"
    )
