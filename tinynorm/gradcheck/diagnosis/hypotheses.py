"""How a hypothesis about a mistake is judged: what it predicts has to be the wrong gradient, to rounding.

A hypothesis predicts the wrong gradient G. It stands if that leaves next to nothing of the error G - R (R the right gradient),
as it is or times a number with a name: -1, 2, 1/2, the number of rows ... Chance does not produce such. Where two hypotheses
predict the same numbers, both are told: one of them may be the case, and nothing here can say which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from .naming import NAMED, NEAR_ONE, Names, exactly, remedy

REMAINDER = 1e-5  # of the error, that an explanation may leave
ROUNDING = 2e-13  # of the right gradient, that is no error
FEW = 0.04  # of the elements
MANY = 3  # explanations that fit equally well; more of them are none


@dataclass
class Hypothesis:
    """Something that may have been written in place of the right formula.

    `says` tells what is wrong in words; `kind` "" stands for the right formula, wrong only by a factor.
    """

    kind: str
    prediction: np.ndarray
    says: str = ""
    formula: str = ""
    is_factor: bool = False  # whatever the inputs, it is the right gradient times a number: a mean for a sum


@dataclass
class Candidate:
    """An explanation that fits: how much it supposes, and what share of the error it leaves."""

    cost: int
    left: float
    kind: str
    says: str
    formula: str = ""
    details: dict[str, Any] | None = None


class WrongGradient:
    """One wrong gradient: G, the right one R, and the sizes and constant inputs by which a factor may be named."""

    def __init__(self, name: str, G: np.ndarray, R: np.ndarray, names: Names, constants: dict[str, float]) -> None:
        self.name, self.G, self.R, self.names, self.constants = name, G, R, names, constants
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
        if self.G.size <= len(terms):
            return None  # any would do
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

    def judge(self, hypotheses: Iterable[Hypothesis], finished: Callable[[str], str] = str) -> Finding | None:
        """What explains the error as it is, or times a number with a name."""
        found = [candidate for h in hypotheses if np.shape(h.prediction) == self.G.shape for candidate in self._tried(h)]
        return self.finding(found, finished)

    def _tried(self, h: Hypothesis) -> list[Candidate]:
        left = self.explained(h.prediction) if h.kind else None
        if left is not None:
            return [Candidate(0 if h.is_factor else 1, left, h.kind, h.says, h.formula)]
        fitted = None if h.is_factor else self.fit([h.prediction])
        if fitted is None:
            return []
        c, left = float(fitted[0][0]), fitted[1]
        if not h.kind:
            return self.factor(c, left)
        named = self.names.of(c)
        if named is None:
            return []
        return [Candidate(2, left, h.kind, f"{h.says}; and all is {named} times that", h.formula)]

    def factor(self, c: float, left: float) -> list[Candidate]:
        """G = c R; and what else, by the value of an input that is the same everywhere, that may be."""
        if abs(c - 1) < NEAR_ONE or c == 0:
            return []
        if abs(c + 1) < NAMED:
            whole = Candidate(1, left, "sign", "it has the wrong sign; multiply by -1", "-1", {"factor": -1.0})
        else:
            named = self.names.of(c)
            says = f"it is {named or exactly(c)} times the right gradient; {remedy(c, self.names)}"
            cost = 1 if named else 3  # an odd number supposes more
            whole = Candidate(cost, left, "constant_factor", says, named or exactly(c), {"factor": c})
        return [whole, *(Candidate(1, left, whole.kind, says, formula) for says, formula in by_constants(c, self.constants))]

    def finding(self, found: Sequence[Candidate], finished: Callable[[str], str] = str) -> Finding | None:
        """The explanation that supposes least; of several that do, all in one sentence; None where they are too many.

        `finished` adds to the sentence what its symbols mean.
        """
        if not found:
            return None
        least = max(min(candidate.left for candidate in found), 1e-9)
        exact = [candidate for candidate in found if candidate.left <= 100 * least]
        cheapest = min(candidate.cost for candidate in exact)
        best = list({c.says: c for c in reversed(exact) if c.cost == cheapest}.values())[::-1]
        if len(best) > MANY:
            return None
        says, first = finished(either([c.says for c in best])), best[0]
        details = dict(first.details or {})
        if len({c.kind for c in best}) > 1:
            details["or"] = sorted({c.kind for c in best} - {first.kind})
        left = max(c.left for c in best)
        sentence = f"d{self.name}: {says}. {explains(left)}"
        return Finding(first.kind, self.name, sentence, first.formula, max(0.0, 1.0 - left), details)


def by_constants(c: float, constants: dict[str, float]) -> list[tuple[str, str]]:
    """(what it says, formula) for each input that is the same number everywhere, and is that factor, or one over it."""
    found = []
    for name, value in constants.items():
        if abs(abs(value) - 1) < NEAR_ONE and value > 0:
            continue
        if abs(c - value) <= NAMED * abs(value):
            found.append((f"{name}, which is {exactly(value)} everywhere here, is multiplied in once too often", name))
        elif value and abs(c - 1 / value) <= NAMED / abs(value):
            found.append((f"{name}, which is {exactly(value)} everywhere here, is not multiplied in", name))
    return found


def either(says: Sequence[str]) -> str:
    """Explanations that nothing here can tell apart."""
    if len(says) == 1:
        return says[0]
    heads, tails = zip(*(text.rpartition(": ")[::2] for text in says), strict=True)
    if len(set(tails)) == 1 and all(heads):  # the right formula
        return f"either {', or '.join(heads)} (they give the same numbers here): {tails[0]}"
    return f"either {', or '.join(says)}: they give the same numbers here"


def explains(left: float) -> str:
    """How much of the error, with the digits that matter."""
    if left <= 1e-9:
        return "This explains the whole error, to rounding."
    nines = max(2, floor(-log10(left)))
    return f"This explains {'99.' + '9' * (nines - 2) if nines > 2 else '99'} % of the error."


def norm(a: np.ndarray) -> float:
    return float(np.sqrt(np.sum(np.square(a))))


def constants_in(evidence: Evidence) -> dict[str, float]:
    """The inputs that are one number everywhere, as a gamma of ones."""
    found = {}
    for name, x in zip(evidence.names, evidence.inputs, strict=True):
        a = np.asarray(x)
        if a.dtype.kind == "f" and a.size and np.ptp(a) == 0 and np.isfinite(a.flat[0]) and a.flat[0] != 0:
            found[name] = float(a.flat[0])
    return found


def wrong_gradient(recognised: Recognised, evidence: Evidence, i: int, R: np.ndarray | None) -> WrongGradient | None:
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
    symbols = recognised.symbols
    names = Names(symbols.get("sizes", {}), symbols.get("variance", ""))
    return WrongGradient(evidence.names[i], np.asarray(G, dtype=float), R, names, constants_in(evidence))
