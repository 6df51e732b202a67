"""Is this a linear layer, and with which convention?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..report.evidence import Recognised

NAMES = {
    "x": ("x", "input", "inputs", "a", "X", "A", "A_prev"),
    "W": ("W", "w", "weight", "weights"),
    "b": ("b", "bias"),
}


@dataclass(frozen=True)
class Form:
    """y = x Wᵀ + b, y = x W + b, or y = W x + b with a column for each sample; by the user's own names."""

    x: str
    W: str
    columns: bool
    transposed: bool  # W is (out, in)

    @property
    def dx(self) -> str:
        return f"{self.W}ᵀ dy" if self.columns else f"dy {self.W}{'' if self.transposed else 'ᵀ'}"

    @property
    def other_dx(self) -> str:
        """With the weight the wrong way round."""
        return f"{self.W} dy" if self.columns else f"dy {self.W}{'ᵀ' if self.transposed else ''}"

    @property
    def dW(self) -> str:
        if self.columns:
            return f"dy {self.x}ᵀ"
        return f"dyᵀ {self.x}" if self.transposed else f"{self.x}ᵀ dy"

    @property
    def other_dW(self) -> str:
        """The right one, transposed."""
        if self.columns:
            return f"{self.x} dyᵀ"
        return f"{self.x}ᵀ dy" if self.transposed else f"dyᵀ {self.x}"


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """y = x Wᵀ (+ b) or y = x W (+ b), x (..., in); or y = W x (+ b), x (in, samples)."""
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    matrices = [i for i in arrays if inputs[i].ndim == 2]
    if len(arrays) not in (2, 3) or not matrices or not np.all(np.isfinite(output)) or not output.ndim:
        return None
    weight = next((i for i in matrices if names[i].rsplit(".", 1)[-1] in NAMES["W"]), None)
    x = next((i for i in arrays if names[i] in NAMES["x"] and i != weight), next(i for i in arrays if i != weight))
    weight = next((i for i in matrices if i != x), None) if weight is None else weight
    if weight is None:
        return None
    rest = [i for i in arrays if i not in (x, weight)]
    roles = {"x": x, "W": weight} | ({"b": rest[0]} if rest else {})
    for columns, transposed in ((False, True), (False, False), (True, True)):
        found = _matching(inputs[x], inputs[weight], inputs[rest[0]] if rest else None, output, columns, transposed)
        if found is not None:
            form = Form(names[x], names[weight], columns, transposed)
            return Recognised("Linear (columns)" if columns else "Linear", roles, found | {"form": form})
    return None


def _matching(
    x: np.ndarray, W: np.ndarray, b: np.ndarray | None, y: np.ndarray, columns: bool, transposed: bool
) -> dict | None:
    """The symbols, with a sample in each row, if y has this form."""
    if x.ndim < 1 or (columns and x.ndim != 2):
        return None
    a, out = (x.T, y.T) if columns else (x, y)
    M = W.T if transposed else W  # (in, out)
    if a.shape[-1] != M.shape[0] or (*a.shape[:-1], M.shape[1]) != out.shape:
        return None
    if b is not None and (b.size != M.shape[1] or (columns and b.shape != (M.shape[1], 1))):
        return None
    predicted = a @ M + (0.0 if b is None else b.reshape(-1))
    if np.max(np.abs(predicted - out), initial=0.0) > 1e-7 * np.max(np.abs(out), initial=0.0):
        return None
    rows = int(np.prod(a.shape[:-1]))
    sizes = {"N": rows, "in": M.shape[0], "out": M.shape[1]}
    if a.ndim > 2:
        sizes |= {f"the size of axis {k}": n for k, n in enumerate(a.shape[:-1])}
    return {"M": M, "rows": rows, "x": a, "sizes": sizes, "leading": a.shape[:-1]}
