"""What is wrong with the backward pass of a layer whose outputs see windows of x: 2-D convolution, max and average pooling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..report.evidence import Evidence, Recognised
from .hypotheses import Hypothesis, Mistake, listed

POOLS: dict[str, Callable] = {"max": np.max, "mean": np.mean}


@dataclass(frozen=True)
class Windows:
    """Where the windows of a padded x lie: the output (i, j) sees (f, f) numbers from (stride i, stride j) on."""

    shape: tuple[int, ...]  # of x, (N, C, H, W)
    size: tuple[int, ...]
    stride: int
    pad: int
    outputs: tuple[int, ...]

    def of(self, x: np.ndarray, step: int, shift: int = 0) -> np.ndarray:
        """The windows that lie `step` apart: (N, C, rows, columns, f, f)."""
        p, (rows, columns) = self.pad, self.outputs
        padded = np.pad(x, ((0, 0), (0, 0), (p - shift, p + shift), (p - shift, p + shift)))
        return sliding_window_view(padded, self.size, axis=(2, 3))[:, :, ::step, ::step][:, :, :rows, :columns]

    def added(self, parts: np.ndarray, step: int, cut: int, add: bool = True) -> np.ndarray:
        """dx, from what each window hands back: added up, or overwritten by the window that comes after."""
        (N, C, H, W), (a, b), p = self.shape, self.size, self.pad
        total = np.zeros((N, C, H + 2 * p, W + 2 * p))
        for i, j in np.ndindex(*self.outputs):
            at = (..., slice(i * step, i * step + a), slice(j * step, j * step + b))
            total[at] = total[at] * add + parts[:, :, i, j]
        return total[:, :, cut : cut + H, cut : cut + W]


def recognise(names: list[str], inputs: list[Any], output: np.ndarray) -> Recognised | None:
    """y = w * x (+ b) with w (F, C, f, f), or the maximum or mean of each window of x; channels first or last."""
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size > 1]
    x, *weights = [i for i in arrays if inputs[i].ndim == 4 and inputs[i].size > max(inputs[i].shape)] or [-1]
    if x < 0 or output.ndim != 4 or len(weights) > 1:
        return None
    for last in (False, True):
        X, y = (a.transpose(0, 3, 1, 2) if last else a for a in (inputs[x], output))
        w = (inputs[weights[0]].transpose(3, 2, 0, 1) if last else inputs[weights[0]]) if weights else None
        rest = (inputs[i] for i in arrays if i not in (x, *weights) and inputs[i].size == y.shape[1])
        b = next((a.reshape(-1, 1, 1) for a in rest), 0.0)
        for windows in _all_windows(X.shape, y.shape, w):
            seen = windows.of(X, windows.stride)
            for pool, of in (POOLS if w is None else {"": None}).items():
                value = of(seen, axis=(4, 5)) if of else np.einsum("ncijab,fcab->nfij", seen, np.asarray(w)) + b
                if value.shape == y.shape and np.allclose(value, y, rtol=1e-9, atol=1e-9):
                    roles = {"x": x} | ({"W": weights[0]} if weights else {})
                    return Recognised("Windows", roles, {"windows": windows, "x": X, "w": w, "pool": pool, "last": last})
    return None


def _all_windows(x: tuple[int, ...], y: tuple[int, ...], w: np.ndarray | None) -> Iterator[Windows]:
    """The windows with which x may give an output of this shape."""
    if x[0] != y[0] or (x[1] != y[1] if w is None else w.shape[:2] != (y[1], x[1])):
        return
    sizes = [(f, f) for f in range(2, min(x[2:]) + 1)] if w is None else [w.shape[2:]]
    for size, stride, pad in product(sizes, range(1, 6), range(1 if w is None else 5)):
        if all((n + 2 * pad - f) // stride + 1 == m for n, m, f in zip(x[2:], y[2:], size, strict=True)):
            yield Windows(x, size, stride, pad, y[2:])


def hypotheses(recognised: Recognised, evidence: Evidence, role: str) -> list[Hypothesis]:
    """What may be wrong with the gradient of the input that has this role."""
    s, i, last = recognised.symbols, recognised.roles[role], recognised.symbols["last"]
    dy = evidence.cotangent.transpose(0, 3, 1, 2) if last else evidence.cotangent
    how = s["windows"], s["x"], dy
    right, mistakes = _dx(*how, s["w"], s["pool"]) if role == "x" else _dW(*how)
    back = ((0, 2, 3, 1) if role == "x" else (2, 3, 1, 0)) if last else (0, 1, 2, 3)
    found = listed(f"d{evidence.names[i]}", right, mistakes)
    return [replace(h, prediction=h.prediction.transpose(back)) for h in found]


STRIDE = "the stride of {} is forgotten: at the output (i, j) the window begins at ({} i, {} j), and not at (i, j)"
OVERWRITTEN = "where windows overlap, the last one counts: what they hand back has to be added, += for ="


def _dx(windows: Windows, x: np.ndarray, dy: np.ndarray, w: np.ndarray | None, pool: str) -> tuple[np.ndarray, list[Mistake]]:
    s, pad, seen, each = windows.stride, windows.pad, windows.of(x, windows.stride), dy[..., None, None]
    mistakes: list[Mistake] = []

    def total(parts: np.ndarray, step: int = s, cut: int = pad, add: bool = True) -> np.ndarray:
        return windows.added(np.broadcast_to(parts, seen.shape), step, cut, add)

    if w is not None:
        parts = np.einsum("nfij,fcab->ncijab", dy, w)
    else:
        parts, others = _routed(windows.size, seen, each, pool)
        mistakes += [("wrong_function", total(wrong), says, "mask") for wrong, says in others]
    ends = [cut for cut in (0, 2 * pad) if cut != pad]
    cuts = f"the padding of {pad} is cut off at the wrong place: dx is what lies {pad} away from each border"
    mistakes += [("wrong_padding", total(parts, cut=cut), cuts, f"[{pad}:-{pad}]") for cut in ends]
    mistakes.append(("missing_accumulation", total(parts, add=False), OVERWRITTEN, "+="))
    if s > 1:
        mistakes.append(("stride_forgotten", total(parts, step=1), STRIDE.format(s, s, s), "stride"))
    return total(parts), mistakes


def _routed(
    size: tuple[int, ...], seen: np.ndarray, dy: np.ndarray, pool: str
) -> tuple[np.ndarray, list[tuple[np.ndarray, str]]]:
    """What each window of a pooling hands back, and what people hand back in its place: (that, sentence)."""
    n = int(np.prod(size))
    largest = dy * (seen == seen.max((4, 5), keepdims=True)), "dy goes to the largest number of a window", "max"
    shares = dy / n, f"each of the {n} numbers of a window gets 1/{n} of dy", "average"
    (right, says, kind), (other, instead, of) = (largest, shares) if pool == "max" else (shares, largest)
    wrong = [(other, f"{instead}, as in {of} pooling")]
    wrong.append((dy * (np.arange(n) == 0).reshape(size), "dy goes to the first number of a window"))
    if pool == "max":  # of an average, it is the right gradient times n
        wrong.append((dy * np.ones(size), "all numbers of a window get all of dy"))
    return right, [(back, f"{what}; right for {kind} pooling: {says}") for back, what in wrong]


def _dW(windows: Windows, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, list[Mistake]]:
    def total(step: int, shift: int = 0) -> np.ndarray:
        return np.einsum("nfij,ncijab->fcab", dy, windows.of(x, step, shift))

    s, pad = windows.stride, windows.pad
    mistakes: list[Mistake] = [("stride_forgotten", total(1), STRIDE.format(s, s, s), "stride")] if s > 1 else []
    says = f"the window is that of x without its padding of {pad}"
    mistakes += [("wrong_padding", total(s, pad), says, f"padding {pad}")] if pad else []
    return total(s), mistakes
