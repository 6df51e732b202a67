"""What is wrong with the backward pass of softmax and cross-entropy: dx = dy (p - q) / N, where q is 1 at the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Recognised
from .hypotheses import Hypothesis, Mistake, listed
from .softmax import softmax


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
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


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of the input that has this role."""
    if role != "x":
        return []
    i = recognised.roles[role]
    x, dy, q, mean = evidence.inputs[i], evidence.cotangent, recognised.symbols["q"], recognised.symbols["reduction"] == "mean"
    N, p = len(x), softmax(x, 1)
    scale = dy.reshape(-1, 1) / (N if mean else 1) * np.ones((N, 1))
    formula = (
        f"d{evidence.names[i]} = dy * (p - q){' / N' if mean else ''}, with p = softmax, q = 1 at the target and 0 elsewhere"
    )
    says = f"the loss is a mean over the N = {N} rows, and its gradient is that of their sum: divide by N"
    factors: list[Mistake] = [("batch_mean_forgotten", N * scale * (p - q), says, "/ N")] if mean else []
    without_dy = (p - q) / (N if mean else 1)
    mistakes = [(kind, scale * wrong, f"{says}: {{right}}", term) for kind, wrong, says, term in _in_place_of_p_q(x, p, q)]
    mistakes.insert(0, ("dy_forgotten", without_dy, "dy is not multiplied in: {right}", "dy"))
    return listed(formula, scale * (p - q), mistakes, factors)


def _in_place_of_p_q(x: np.ndarray, p: np.ndarray, q: np.ndarray) -> list[Mistake]:
    """What people write in place of p - q: first something else for q, then something else for p or for the derivative."""
    columns = "the 1 is subtracted in all rows, in each column that is anyone's target (p[:, t] -= 1 for p[range(N), t] -= 1)"
    largest = "the 1 is subtracted in the class with the largest p, and not in the target's"
    once_more = "the softmax is differentiated once more, by p * (1 - p), which is in p - q already"
    by_p = "it is the derivative by p, -q / p, and the softmax is not differentiated"
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    hard: list[Mistake] = [
        ("wrong_target", p - np.broadcast_to(np.any(q, axis=0), q.shape), columns, "q"),
        ("wrong_target", p - np.eye(p.shape[1])[p.argmax(axis=1)], largest, "q"),
    ]
    return [
        ("target_forgotten", p, "the target's 1 is not subtracted", "- q"),
        *(
            ("wrong_target", p - np.roll(q, k, axis=1), f"the target's 1 is subtracted in the neighbouring class, {k:+d}", "q")
            for k in (1, -1)
        ),
        ("term_sign", p + q, "the target's 1 is added, and has to be subtracted", "- q"),
        *(hard if np.all((q == 0) | (q == 1)) else []),
        ("wrong_target", p - 1, "1 is subtracted in all classes", "q"),
        ("some_elements", (p - q) * q, "only the target's element is filled in", "p - q"),
        ("some_elements", p * (1 - q), "the target's element is 0", "p - q"),
        ("extra_softmax_factor", (p - q) * p * (1 - p), once_more, "p * (1 - p)"),
        ("extra_softmax_factor", (p - q) * p, "p is multiplied in once too often", "p"),
        ("wrong_function", np.where(q > 0, -q / p, 0.0), by_p, "p - q"),
        ("logits_for_probabilities", x - q, "the logits stand for p", "p"),
        ("logits_for_probabilities", np.log(p) - q, "log p stands for p", "p"),
        ("logits_for_probabilities", np.exp(x) - q, "exp(logits), not divided by its sum, stands for p", "p"),
        ("logits_for_probabilities", shifted - q, "exp(logits - max), not divided by its sum, stands for p", "p"),
        ("wrong_axes", softmax(x, 0) - q, "the softmax runs over the rows, and has to run over the classes, axis 1", "p"),
    ]
