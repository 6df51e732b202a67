"""What is wrong with the backward pass of softmax and cross-entropy: dx = dy (p - q) / N, q the targets' 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from .hypotheses import Hypothesis, wrong_gradient
from .softmax import softmax


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """The cross-entropy of logits (N, C) and integer, or one-hot, targets: its mean, its sum, or each row's."""
    x = next((i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.ndim), None)
    if x is None or not inputs[x].size or not np.all(np.isfinite(output)):
        return None
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
    hypotheses = list(_hypotheses(recognised, evidence.names[i], evidence.inputs[i], evidence.cotangent))
    suspect = wrong_gradient(recognised, evidence, i, hypotheses[0].prediction)
    finding = suspect.judge(hypotheses) if suspect else None
    return [finding] if finding else []


def _hypotheses(recognised: Recognised, name: str, x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    q, N = recognised.symbols["q"], len(x)
    mean = recognised.symbols["reduction"] == "mean"
    scale = dy.reshape(-1, 1) / (N if mean else 1) * np.ones((N, 1))
    right = f"d{name} = dy * (p - q)" + (" / N" if mean else "") + ", with p = softmax, q = 1 at the target and 0 elsewhere"
    p = softmax(x, 1)
    yield Hypothesis("", scale * (p - q))
    if mean:
        says = f"the loss is a mean over the N = {N} rows, and its gradient is that of their sum: divide by N"
        yield Hypothesis("batch_mean_forgotten", N * scale * (p - q), says, "/ N", is_factor=True)
    yield Hypothesis("dy_forgotten", (p - q) / (N if mean else 1), f"dy is not multiplied in: {right}", "dy")
    for kind, wrong, says, formula in (*_targets_wrong(p, q), *_softmax_wrong(x, p, q)):
        yield Hypothesis(kind, scale * wrong, f"{says}: {right}", formula)


Wrong = tuple[str, np.ndarray, str, str]  # (kind, in the place of p - q, what it says, formula)


def _targets_wrong(p: np.ndarray, q: np.ndarray) -> Iterator[Wrong]:
    """Another thing than q is subtracted."""
    yield "target_forgotten", p, "the target's 1 is not subtracted", "- q"
    for shift in (1, -1):
        says = f"the target's 1 is subtracted in the neighbouring class, {shift:+d}"
        yield "wrong_target", p - np.roll(q, shift, axis=1), says, "q"
    yield "term_sign", p + q, "the target's 1 is added, and has to be subtracted", "- q"
    if np.all((q == 0) | (q == 1)):
        columns = np.broadcast_to(np.any(q, axis=0), q.shape)
        says = "the 1 is subtracted in all rows, in each column that is anyone's target (p[:, t] -= 1 for p[range(N), t] -= 1)"
        yield "wrong_target", p - columns, says, "q"
        largest = np.eye(p.shape[1])[p.argmax(axis=1)]
        yield "wrong_target", p - largest, "the 1 is subtracted in the class with the largest p, and not in the target's", "q"
    yield "wrong_target", p - 1, "1 is subtracted in all classes", "q"
    yield "some_elements", (p - q) * q, "only the target's element is filled in", "p - q"
    yield "some_elements", p * (1 - q), "the target's element is 0", "p - q"


def _softmax_wrong(x: np.ndarray, p: np.ndarray, q: np.ndarray) -> Iterator[Wrong]:
    """Another thing than p stands there, or the softmax is differentiated once too often, or not at all."""
    says = "the softmax is differentiated once more, by p * (1 - p), which is in p - q already"
    yield "extra_softmax_factor", (p - q) * p * (1 - p), says, "p * (1 - p)"
    yield "extra_softmax_factor", (p - q) * p, "p is multiplied in once too often", "p"
    with np.errstate(all="ignore"):
        says = "it is the derivative by p, -q / p, and the softmax is not differentiated"
        yield "wrong_function", np.where(q > 0, -q / p, 0.0), says, "p - q"
    yield "logits_for_probabilities", x - q, "the logits stand for p", "p"
    yield "logits_for_probabilities", np.log(p) - q, "log p stands for p", "p"
    yield "logits_for_probabilities", np.exp(x) - q, "exp(logits), not divided by its sum, stands for p", "p"
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    yield "logits_for_probabilities", shifted - q, "exp(logits - max), not divided by its sum, stands for p", "p"
    yield "wrong_axes", softmax(x, 0) - q, "the softmax runs over the rows, and has to run over the classes, axis 1", "p"
