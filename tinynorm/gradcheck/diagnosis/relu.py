"""What is wrong with the backward pass of a ReLU: dx = dy where x > 0, and 0 elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..evidence import Evidence, Finding, Recognised
from .judge import Hypothesis, suspect_of


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """y = max(x, 0) for the first array of its shape, with some x above 0."""
    for i, x in enumerate(inputs):
        if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.shape == output.shape and x.size:
            if np.any(output) and np.array_equal(np.maximum(x, 0), output):
                return Recognised("ReLU", {"x": i}, {})
            return None
    return None


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding."""
    i = recognised.roles["x"]
    if i not in evidence.wrong:
        return []
    hypotheses = list(_hypotheses(evidence.inputs[i], evidence.cotangent))
    suspect = suspect_of(recognised, evidence, i, hypotheses[0].prediction)
    finding = suspect.judge(hypotheses) if suspect else None
    return [finding] if finding else []


def _hypotheses(x: np.ndarray, dy: np.ndarray) -> Iterator[Hypothesis]:
    mask = x > 0
    yield Hypothesis("", dy * mask)
    yield Hypothesis("mask_forgotten", dy, "the mask is forgotten: where x <= 0 it has to be 0, dx = dy * (x > 0)", "x > 0")
    yield Hypothesis("mask_inverted", dy * ~mask, "the mask is the wrong way round: dx = dy * (x > 0)", "x > 0")
    says = "the mask is taken from dy: dx = dy * (x > 0), whatever the sign of dy"
    yield Hypothesis("mask_of_dy", dy * (dy > 0), says, "x > 0")
    yield Hypothesis("mask_of_dy", dy * mask * (dy > 0), f"{says} (dy > 0 is applied beside x > 0)", "x > 0")
    yield Hypothesis(
        "x_for_mask", dy * np.maximum(x, 0), "y stands for the mask: dx = dy * (x > 0), which is 1, not x", "x > 0"
    )
    yield Hypothesis("x_for_mask", dy * x, "x stands for the mask: dx = dy * (x > 0)", "x > 0")
    yield Hypothesis("dy_forgotten", mask * 1.0, "dy is not multiplied in: dx = dy * (x > 0)", "dy")
