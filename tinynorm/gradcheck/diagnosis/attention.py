"""What is wrong with the backward pass of attention, y = P v with P = softmax(S) and S = scale * q kᵀ."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Recognised
from . import softmax
from .hypotheses import Hypothesis, Mistake, listed


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
    """q (*, T, d), k (*, S, d) and v (*, S, e) in any order, with or without a causal mask; scale is 1 / √d, 1 or 1 / d."""
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.ndim > 1]
    if len(arrays) != 3 or {inputs[i].ndim for i in arrays} != {output.ndim}:
        return None
    for order in permutations(arrays):
        q, k, v = (inputs[i] for i in order)
        T, S, d = q.shape[-2], k.shape[-2], q.shape[-1]
        shapes = ((*q.shape[:-2], S, d), (*q.shape[:-2], S, v.shape[-1]), (*q.shape[:-1], v.shape[-1]))
        if (k.shape, v.shape, output.shape) != shapes:
            continue
        for scale, mask in product((d**-0.5, 1.0, 1 / d), (0.0, np.where(np.tri(T, S) > 0, 0, -np.inf))):
            scores = scale * q @ k.swapaxes(-1, -2) + mask
            if np.allclose(softmax.softmax(scores, -1) @ v, output, rtol=1e-9, atol=1e-12):
                symbols = {"scores": scores, "scale": scale, "sizes": {f"the size of axis {q.ndim - 1}": d}}
                return Recognised("Attention", dict(zip("qkv", order, strict=True)), symbols)
    return None


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of q, k or v: for q and k, all that may be wrong with the softmax between."""
    q, k, v = (evidence.inputs[recognised.roles[name]] for name in "qkv")
    scores, scale, dy = recognised.symbols["scores"], recognised.symbols["scale"], evidence.cotangent
    own, P = f"d{evidence.names[recognised.roles[role]]}", softmax.softmax(scores, -1)
    if role == "v":
        square: list[Mistake] = [("transposed", P @ dy, "P stands for Pᵀ: {right}", "Pᵀ")] if P.shape[-1] == P.shape[-2] else []
        return listed(f"{own} = Pᵀ dy", P.swapaxes(-1, -2) @ dy, square)

    def back(dS: np.ndarray, turned: bool) -> np.ndarray:
        return scale * (dS.swapaxes(-1, -2) if turned else dS) @ (k if role == "q" else q)

    turned = role == "k"
    inside = softmax.of_softmax(scores.ndim - 1, "S", scores, dy @ v.swapaxes(-1, -2))
    found = [replace(h, prediction=back(h.prediction, turned), says=h.says.replace("dy", "dP")) for h in inside]
    if scores.shape[-1] == scores.shape[-2]:
        says = f"dS is {'not ' if turned else ''}transposed, and has {'' if turned else 'not '}to be"
        found.append(Hypothesis("transposed", back(inside[0].prediction, not turned), says, "dSᵀ" if turned else "dS"))
    return found
