"""A claimed gradient G beside the measured values N, and when two numbers of them are the same."""

from __future__ import annotations

import numpy as np

from ..report.evidence import Evidence, Finding, Sample
from .hypotheses import constants_in, explains, norm
from .naming import Names


class Pattern:
    """G and N at the elements that were measured, and how near to each other two numbers have to be to be the same."""

    def __init__(self, evidence: Evidence, i: int, sample: Sample) -> None:
        G = evidence.analytic[i]
        assert G is not None
        self.name, self.full, self.shape, self.index = evidence.names[i], G, G.shape, sample.index
        self.G, self.N = G.ravel()[sample.index], sample.value
        typical = float(np.sqrt(np.mean(self.N**2))) if self.N.size else 0.0
        self.tolerance = 10 * sample.error + 1e-7 * np.abs(self.N) + 1e-9 * typical
        self.wrong = ~(np.abs(self.G - self.N) <= self.tolerance)
        self.complete = sample.index.size == G.size
        self.telling = np.abs(self.N) > 100 * self.tolerance  # elements of which a ratio can be taken
        self.names, self.constants = Names(_sizes(evidence, i)), constants_in(evidence)

    def same(self, prediction: np.ndarray, factor: float = 1.0) -> bool:
        """Whether G is this prediction, made of numbers as exact as `factor` times N."""
        return bool(np.all(np.abs(self.G - prediction) <= self.tolerance * max(abs(factor), 1.0) * 2))

    def ratio(self, where: np.ndarray) -> float | None:
        """The one factor of all these elements, if there is one."""
        where = where & self.telling
        if not np.any(where):
            return None
        weight = self.N[where]
        c = float(np.sum(self.G[where] * weight) / np.sum(weight * weight))
        return c if np.all(np.abs(self.G[where] - c * weight) <= 2 * self.tolerance[where] * max(abs(c), 1.0)) else None

    def as_full(self) -> np.ndarray | None:
        """N in the input's shape, where all of it was measured."""
        if not self.complete:
            return None
        full = np.empty(self.full.size)
        full[self.index] = self.N
        return full.reshape(self.shape)

    def finding(
        self, kind: str, says: str, formula: str = "", prediction: np.ndarray | None = None, **details: object
    ) -> Finding:
        """What was found; with the share of the error that is explained, where G was predicted."""
        measured = "" if self.complete else f" (of the {self.index.size} elements measured)"
        sentence, left = f"d{self.name}: {says}{measured}.", 0.0
        if prediction is not None:
            left = norm(self.G - prediction) / norm(self.G - self.N)
            sentence += f" {explains(left)}" if left < 0.01 else ""
        return Finding(kind, self.name, sentence, formula, 1.0 - left, details)

    @staticmethod
    def place(where: np.ndarray) -> str:
        return f"({', '.join(str(int(k)) for k in where)})"


def _sizes(evidence: Evidence, i: int) -> dict[str, int]:
    sizes = {}
    if evidence.output.ndim:
        sizes["the number of rows"] = evidence.output.shape[0]
    for k, n in enumerate(evidence.inputs[i].shape):
        sizes.setdefault(f"the size of axis {k}", n)
    sizes["the number of outputs"] = evidence.output.size
    if evidence.output.ndim and evidence.inputs[i].shape[:1] == evidence.output.shape[:1]:
        del sizes["the size of axis 0"]  # the rows
    return sizes
