"""What is wrong with the backward pass of a layer that picks numbers of its input: dropout, and the rows of an embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..report.evidence import Evidence, Recognised
from .hypotheses import Hypothesis, Mistake, listed
from .naming import exactly


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
    """y = W[idx]; or y = k x in some places, among them none where x is 0, and 0 in the others."""
    for i, a in enumerate(inputs):
        if not isinstance(a, np.ndarray) or a.dtype.kind != "f" or a.ndim == 0:
            continue
        for name, idx in zip(names, inputs, strict=True):
            whole = isinstance(idx, np.ndarray) and idx.dtype.kind in "iu" and np.all((idx >= -len(a)) & (idx < len(a)))
            if whole and np.array_equal(a[idx], output):
                return Recognised("Embedding", {"W": i}, {"idx": idx % len(a), "index": name})
        if a.shape == output.shape and np.all(a != 0):
            mask = output / a
            kept, k = mask != 0, float(np.median(mask[mask != 0])) if np.any(mask) else 0.0
            if 0 < np.sum(kept) < a.size and k >= 1 and np.allclose(mask[kept], k, rtol=1e-12):
                return Recognised("Dropout", {"x": i}, {"mask": k * kept, "scale": k})
    return None


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of the input that has this role."""
    i, dy = recognised.roles[role], evidence.cotangent
    name, a, s = evidence.names[i], evidence.inputs[i], recognised.symbols
    if role == "W":
        return _rows(name, a, s["idx"], s["index"], dy)
    return _masked(name, a, s["mask"], s["scale"], dy, np.asarray(evidence.analytic[i], dtype=float))


def _rows(name: str, W: np.ndarray, idx: np.ndarray, index: str, dy: np.ndarray) -> list[Hypothesis]:
    right, last = np.zeros_like(W), np.zeros_like(W)
    np.add.at(right, idx, dy)
    last[idx] = dy
    count = np.maximum(np.bincount(idx.ravel(), minlength=len(W)), 1).reshape(-1, *[1] * (W.ndim - 1))
    one = f"a row that {index} names several times has the gradient of its last place only, as d{name}[{index}] += dy gives it"
    add = f"np.add.at(d{name}, {index}, dy) adds them all"
    mean = f"it is the mean over the places that have the same row, and has to be their sum: {add}"
    mistakes: list[Mistake] = [
        ("missing_accumulation", last, f"{one}; {add}", "np.add.at"),
        ("mean_for_sum", right / count, mean, "np.add.at"),
    ]
    return listed(f"d{name}", right, mistakes)


def _masked(name: str, x: np.ndarray, mask: np.ndarray, k: float, dy: np.ndarray, G: np.ndarray) -> list[Hypothesis]:
    kept, other, scaled = mask != 0, G != 0, f"{exactly(k)} times " if k != 1 else ""
    whole = abs(k - round(k)) < 1e-9
    by = exactly(k) if whole else f"1 / {exactly(1 / k)}"  # the scale
    right = f"d{name} = dy * mask, with forward's mask"
    scale = f"the scale {by} of forward is forgotten: {{right}}, which is {scaled}dy where it is kept, and 0 elsewhere"
    twice = f"the mask with its scale {by} is multiplied in twice: {{right}}"
    anew = "it has another mask than forward's, as one that is drawn anew in backward: keep the mask in the cache; {right}"
    mistakes: list[Mistake] = [
        ("x_for_mask", dy * x, f"{name} stands for the mask: {{right}}", "mask"),
        ("x_for_mask", dy * x * mask, "the output y stands for the mask: {right}", "mask"),
        ("dy_forgotten", mask, "dy is not multiplied in: {right}", "dy"),
    ]
    for factor in dict.fromkeys((1.0, k, 1 / k)):
        mistakes.append(("mask_forgotten", factor * dy, "the mask is forgotten, dy is passed on everywhere: {right}", "mask"))
        mistakes.append(("mask_inverted", factor * dy * ~kept, "the mask is the wrong way round: {right}", "mask"))
        if 3 < np.sum(other) < G.size and np.any(other != kept) and np.any(other == kept):
            mistakes.append(("new_mask", factor * dy * other, anew, "mask"))
    factors: list[Mistake] = [("constant_factor", dy * kept, scale, "scale"), ("constant_factor", dy * mask * k, twice, "mask")]
    return listed(right, dy * mask, mistakes, factors if k != 1 else [])
