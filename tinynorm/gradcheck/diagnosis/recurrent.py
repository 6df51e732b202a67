"""What is wrong with the backward pass of a plain recurrent layer, h_t = tanh(x_t Wx + h_{t-1} Wh + b) for t = 1 ... T."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Recognised
from .hypotheses import Hypothesis, Mistake, listed

ROLES = ("x", "h0", "Wx", "Wh", "b")


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
    """x (N, T, D), h0 (N, H), Wx (D, H), Wh (H, H), b (H,) in any order, and h (N, T, H); or a single step, without T."""
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size > 1]
    if output.ndim not in (2, 3) or sorted(inputs[i].ndim for i in arrays) != [1, 2, 2, 2, output.ndim]:
        return None
    *leading, H = output.shape
    for order in permutations(arrays):
        x, h0, Wx, Wh, b = (inputs[i] for i in order)
        shapes = ((*leading, len(Wx)), (leading[0], H), (x.shape[-1], H), (H, H), (H,))
        if all(inputs[i].shape == shape for i, shape in zip(order, shapes, strict=True)):
            h = [h0]
            for x_t in np.moveaxis(x, 1, 0) if x.ndim == 3 else [x]:
                h.append(np.tanh(x_t @ Wx + h[-1] @ Wh + b))
            if np.allclose(np.stack(h[1:], 1).reshape(output.shape), output, rtol=1e-9, atol=1e-12):
                return Recognised("RNN", dict(zip(ROLES, order, strict=True)), {"h": h})
    return None


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of the input that has this role."""
    h, (x, _, Wx, Wh, _) = recognised.symbols["h"], (evidence.inputs[recognised.roles[r]] for r in ROLES)
    own = f"d{evidence.names[recognised.roles[role]]}"

    dy, steps = (a.reshape(len(a), -1, a.shape[-1]) for a in (evidence.cotangent, x))  # (N, T, *)

    def gradient(**how: Any) -> np.ndarray:
        found = _backward(dy, steps, h, Wx, Wh, **how)[ROLES.index(role)]
        return found.reshape(x.shape) if role == "x" else found

    missing = "the derivative of tanh, 1 - h², is not multiplied in"
    mistakes: list[tuple[str, str, dict[str, Any]]] = [
        ("missing_accumulation", "the gradient that the next step hands back, dh Whᵀ, is not added", {"through": False}),
        (
            "missing_accumulation",
            "the steps have to be added, += for =; only the first is left",
            {"added": False},
        ),
        ("off_by_one", "h of the same step stands for that of the step before", {"before": 0}),
        ("transposed", "Wh stands for Whᵀ on the way back", {"turned": True}),
        ("derivative_forgotten", f"{missing}, only here", {"of_x": lambda total, dz: total}),
        ("derivative_forgotten", missing, {"f": np.ones_like}),
        ("wrong_function", "1 - h stands for 1 - h²", {"f": lambda h: 1 - h}),
        ("wrong_function", "h stands for 1 - h²", {"f": lambda h: h}),
        ("wrong_function", "h (1 - h), as of a sigmoid, stands for 1 - h²", {"f": lambda h: h * (1 - h)}),
        ("wrong_function", "1 - tanh(h)² stands for 1 - h²; h is tanh already", {"f": lambda h: 1 - np.tanh(h) ** 2}),
        ("term_sign", "1 + h² stands for 1 - h²", {"f": lambda h: 1 + h * h}),
    ]
    several = steps.shape[1] > 1
    rows: list[Mistake] = [(kind, gradient(**how), says, "") for kind, says, how in mistakes if several or "of_x" not in how]
    return listed(own, gradient(), rows)


def _backward(
    dy: np.ndarray,
    x: np.ndarray,
    h: list[np.ndarray],
    Wx: np.ndarray,
    Wh: np.ndarray,
    f: Callable = lambda h: 1 - h * h,
    of_x: Callable = lambda total, dz: dz,
    through: bool = True,
    added: bool = True,
    before: int = 1,
    turned: bool = False,
) -> tuple[np.ndarray, ...]:
    """The gradients of x, h0, Wx, Wh and b; the arguments after Wh say what is done otherwise than right."""
    dx, dh, W_back = np.empty_like(x), np.zeros_like(h[0]), Wh if turned else Wh.T
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(len(Wh))
    for t in range(x.shape[1])[::-1]:
        total = dy[:, t] + dh * through
        dz = total * f(h[t + 1])
        dx[:, t], dh = of_x(total, dz) @ Wx.T, dz @ W_back
        dWx, dWh, db = (g * added + new for g, new in ((dWx, x[:, t].T @ dz), (dWh, h[t + 1 - before].T @ dz), (db, dz.sum(0))))
    return dx, dh, dWx, dWh, db
