"""How a hypothesis about a mistake is judged: what it predicts has to be the wrong gradient, to rounding.

A hypothesis is a list of terms. The wrong gradient G is fitted as a combination of them, Σ c_k term_k (least squares); the
hypothesis stands if the fit leaves next to nothing of the error G - R (R the right gradient) and the coefficients are numbers
with a name: 0, 1, -1, 2, 1/2, the number of rows, ... Chance does not produce such.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..evidence import Evidence, Finding, Recognised

REMAINDER = 1e-5  # of the error, that an explanation may leave
ROUNDING = 2e-13  # of the right gradient, that is no error
FEW = 0.04  # of the elements
NAMED = 1e-6  # how close a coefficient has to be to a number with a name


@dataclass
class Hypothesis:
    """Something that may have been written in place of the right formula.

    `says` tells what is wrong in words; `kind` "" stands for the right formula, wrong only by a factor.
    """

    kind: str
    prediction: np.ndarray
    says: str = ""
    formula: str = ""


class Suspect:
    """One wrong gradient: G, the right one R, and the sizes by which a factor may be named."""

    def __init__(self, name: str, G: np.ndarray, R: np.ndarray, sizes: dict[str, int]) -> None:
        self.name, self.G, self.R, self.sizes = name, G, R, sizes
        self.error = norm(G - R)
        self.allowed = REMAINDER * self.error + ROUNDING * norm(R)

    def explained(self, prediction: np.ndarray) -> float | None:
        """What a prediction leaves of the error, as a share of it, if that is next to nothing; else None."""
        left = norm(self.G - prediction)
        if not left <= min(self.allowed, REMAINDER * norm(self.G)) or not self.error > 3 * self.allowed:
            return None
        return left / self.error

    def fit(self, terms: Sequence[np.ndarray]) -> tuple[np.ndarray, float] | None:
        """(the coefficients of the terms, the share of the error left), where their combination is G."""
        A = np.stack([np.broadcast_to(t, self.G.shape).ravel() for t in terms], axis=1)
        scale = np.sqrt(np.sum(A * A, axis=0))
        if not np.all(scale > 0) or not np.all(np.isfinite(scale)):
            return None
        with np.errstate(all="ignore"):
            c, _, rank, _ = np.linalg.lstsq(A / scale, self.G.ravel(), rcond=1e-10)
        if rank < len(terms):
            return None
        left = self.explained((A @ (c / scale)).reshape(self.G.shape))
        return None if left is None else (c / scale, left)

    def named(self, c: float) -> str | None:
        return name_of(c, self.sizes)

    def judge(self, hypotheses: Iterable[Hypothesis]) -> Finding | None:
        """The hypothesis that explains the error, with a factor that has a name; best without a factor."""
        found: list[Candidate] = []
        for h in hypotheses:
            if np.shape(h.prediction) != self.G.shape:
                continue
            fitted = self.fit([h.prediction])
            if fitted is None:
                continue
            c, left = float(fitted[0][0]), fitted[1]
            factor = self.named(c)
            if factor is None:
                continue
            if not h.kind:
                found.append(Candidate(1, left, self.factor(c, left)))
            elif abs(c - 1) < NAMED:
                cost = 0 if self._is_factor(h.prediction) else 1  # a factor that has a name of its own, as a mean for a sum
                found.append(Candidate(cost, left, self.finding(h.kind, h.says, h.formula, left)))
            else:
                says = f"{h.says}; and it is {factor} times that"
                found.append(Candidate(2, left, self.finding(h.kind, says, h.formula, left)))
        return simplest(found)

    def _is_factor(self, prediction: np.ndarray) -> bool:
        """Whether a prediction is the right gradient times a number."""
        c = float(np.sum(prediction * self.R) / np.sum(self.R * self.R))
        return norm(prediction - c * self.R) <= ROUNDING * norm(prediction)

    def finding(self, kind: str, says: str, formula: str, left: float, **details: Any) -> Finding:
        share = max(0.0, 1.0 - left)
        sentence = f"d{self.name}: {says}. This explains {100 * share:.1f} % of the error."
        return Finding(kind, self.name, sentence, formula, share, details)

    def factor(self, c: float, left: float) -> Finding:
        """G = c R."""
        if abs(c + 1) < NAMED:
            return self.finding("sign", "it has the wrong sign; multiply by -1", "-1", left, factor=c)
        if abs(c) > 1:
            says = f"it is {self.named(c) or f'{c:.6g}'} times the right gradient; divide by that"
        else:
            says = (
                f"it is {self.named(c) or f'{c:.6g}'} of the right gradient; multiply by {self.named(1 / c) or f'{1 / c:.6g}'}"
            )
        return self.finding("constant_factor", says, self.named(c) or f"{c:.6g}", left, factor=c)


@dataclass
class Candidate:
    """An explanation that fits: how much it supposes, and what share of the error it leaves."""

    cost: int
    left: float
    finding: Finding


def simplest(found: list[Candidate]) -> Finding | None:
    """Of the explanations that leave least, the cheapest; none where two kinds are equally good: that were a guess."""
    if not found:
        return None
    least = max(min(candidate.left for candidate in found), 1e-9)
    exact = [candidate for candidate in found if candidate.left <= 100 * least]
    cheapest = min(candidate.cost for candidate in exact)
    best = [candidate.finding for candidate in exact if candidate.cost == cheapest]
    return best[0] if len({finding.kind for finding in best}) == 1 else None


def norm(a: np.ndarray) -> float:
    return float(np.sqrt(np.sum(np.square(a))))


def name_of(c: float, sizes: dict[str, int]) -> str | None:
    """A number as a person would write it: "2", "-1", "1/3", "N = 8", "1/m (m = 6)"; None for any other."""
    sign, a = ("-" if c < 0 else ""), abs(c)
    plain = {1.0: "1", 2.0: "2", 3.0: "3", 4.0: "4", 0.5: "1/2", 1 / 3: "1/3", 0.25: "1/4"}
    for symbol, n in sizes.items():
        if n > 1:
            plain.setdefault(float(n), f"{symbol} (= {n})")
            plain.setdefault(1 / n, f"1/{symbol} (= 1/{n})")
    for symbol, n in sizes.items():
        if n > 2:
            plain.setdefault(n / (n - 1), f"{symbol}/({symbol} - 1) (= {n}/{n - 1})")
            plain.setdefault((n - 1) / n, f"({symbol} - 1)/{symbol} (= {n - 1}/{n})")
    for value, text in plain.items():
        if abs(a - value) <= NAMED * value:
            return sign + text
    return None


def suspect_of(recognised: Recognised, evidence: Evidence, i: int, R: np.ndarray | None) -> Suspect | None:
    """What is to be explained about input `i`; None where the layer's right gradient is not what was measured."""
    G, sample = evidence.analytic[i], evidence.numeric[i]
    if G is None or sample is None or R is None or G.shape != R.shape or not np.all(np.isfinite(G)):
        return None
    measured, right = sample.value, R.ravel()[sample.index]
    typical = float(np.sqrt(np.mean(right**2))) if right.size else 0.0
    if np.any(np.abs(measured - right) > 20 * sample.error + 1e-6 * (np.abs(right) + typical)):
        return None
    few = np.abs(G - R) > 1e-9 * (np.abs(R) + typical)
    if np.mean(few) < FEW and G.size > 1 / FEW:
        return None  # no formula is wrong in a few elements only
    return Suspect(evidence.names[i], G, R, recognised.symbols.get("sizes", {}))
