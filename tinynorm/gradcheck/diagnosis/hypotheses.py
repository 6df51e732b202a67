"""How a hypothesis about a mistake is tested: it must predict the wrong gradient, up to rounding.

Let G be the wrong gradient and R the right one. A hypothesis is a formula that somebody may have written in place of the right
one. It predicts a gradient P. The hypothesis holds if |G - P| is next to nothing compared with the error |G - R|. It also holds
if this is so for c P, where the factor c has a name: -1, 2, 1/2, the number of rows. Chance does not produce such a match.
Several hypotheses may predict the same numbers at the given inputs. Then the finding tells them all: "either ..., or ...".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from .naming import NAMED, NEAR_ONE, Names, exactly, remedy

# The share of the error that an explanation may leave, because the user's code rounds. Code in float32 has a rounding error
# of about 1e-7 of the gradient. If the mistake is small, say 1 % of the gradient, that is already 1e-5 of the mistake.
REMAINDER = 1e-5
# The rounding error of a gradient, relative to its norm: about a thousand times the spacing of float64, for sums with
# cancellation.
ROUNDING = 2e-13
# The smallest share of the elements that a wrong formula changes. If fewer are wrong, their places say more than a formula.
SPREAD = 0.04
# The largest number of explanations that one sentence offers. If more fit equally well, the inputs are too special to tell
# anything.
MANY = 3


@dataclass
class Hypothesis:
    """A formula that somebody may have written in place of the right one.

    `says` tells the mistake in words. The kind "" stands for the right formula, which can still be wrong by a factor.
    """

    kind: str
    prediction: np.ndarray
    says: str = ""
    formula: str = ""
    is_factor: bool = False  # for all inputs the prediction is the right gradient times a number, e.g. a mean for a sum


Mistake = tuple[str, np.ndarray, str, str]  # kind, prediction, what it says ({right} is the right formula), the term at fault


@dataclass
class Candidate:
    """An explanation that fits: its cost is the number of its assumptions, `left` the share of the error that it leaves."""

    cost: int
    left: float
    kind: str
    says: str
    formula: str = ""
    details: dict[str, Any] | None = None


class WrongGradient:
    """The wrong gradient G, the right one R, and what can give a factor its name: the sizes and the constant inputs."""

    def __init__(self, name: str, G: np.ndarray, R: np.ndarray, names: Names, constants: dict[str, float]) -> None:
        self.name, self.G, self.R, self.names, self.constants = name, G, R, names, constants
        self.error = norm(G - R)
        self.allowed = REMAINDER * self.error + ROUNDING * norm(R)

    def explained(self, prediction: np.ndarray) -> float | None:
        """The share of the error that the prediction leaves, if that is next to nothing; else None."""
        left = norm(self.G - prediction)
        if not left <= min(self.allowed, REMAINDER * norm(self.G)) or not self.error > 3 * self.allowed:
            return None
        return left / self.error

    def fit(self, terms: Sequence[np.ndarray]) -> tuple[np.ndarray, float] | None:
        """(coefficients, share of the error left) of the linear combination of the terms that is G; None if none is."""
        if self.G.size <= len(terms):
            return None  # any terms would fit
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
        """The finding of the hypotheses that hold; None if none holds."""
        found = [candidate for h in hypotheses if np.shape(h.prediction) == self.G.shape for candidate in self._test(h)]
        return self.finding(found, finished)

    def _test(self, h: Hypothesis) -> list[Candidate]:
        """The hypothesis as it is, or times a factor with a name."""
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
        return [Candidate(2, left, h.kind, f"{h.says}; and all is {named} times that", h.formula)] if named else []

    def factor(self, c: float, left: float) -> list[Candidate]:
        """The explanations of G = c R: the factor itself, and each constant input whose value is c or 1/c."""
        if min(abs(c - 1), abs(c)) < NEAR_ONE:
            return []
        kind, says, formula, factor = as_factor(c, self.names)
        cost = 1 if self.names.of(c) else 3  # a number without a name is a stronger assumption
        constants = [Candidate(1, left, kind, says, name) for says, name in by_constants(c, self.constants)]
        return [Candidate(cost, left, kind, says, formula, {"factor": factor}), *constants]

    def finding(self, found: Sequence[Candidate], finished: Callable[[str], str] = str) -> Finding | None:
        """The candidate with the lowest cost, or all such candidates in one sentence; None if there are too many.

        `finished` adds the definitions of the symbols to the sentence.
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


def listed(formula: str, right: np.ndarray, mistakes: Iterable[Mistake], factors: Iterable[Mistake] = ()) -> list[Hypothesis]:
    """The right gradient as the first hypothesis, then the mistakes; `factors` are the right gradient times a number.

    `formula` is the right formula in words. It replaces {right} in the sentences.
    """
    rows = [*((row, True) for row in factors), *((row, False) for row in mistakes)]
    wrong = [Hypothesis(kind, P, says.replace("{right}", formula), term, by) for (kind, P, says, term), by in rows]
    return [Hypothesis("", right), *wrong]


def explain(
    recognised: Recognised, evidence: Evidence, hypotheses_of: Callable[[Recognised, Evidence, str], list[Hypothesis]]
) -> list[Finding]:
    """At most one finding for each wrong input. `hypotheses_of` gives the hypotheses about the input with the given role."""
    findings = []
    for role, i in recognised.roles.items():
        hypotheses = hypotheses_of(recognised, evidence, role) if i in evidence.wrong else []
        wrong = wrong_gradient(recognised, evidence, i, hypotheses[0].prediction) if hypotheses else None
        finding = wrong.judge(hypotheses) if wrong else None
        if finding is not None:
            findings.append(finding)
    return findings


def wrong_gradient(recognised: Recognised, evidence: Evidence, i: int, R: np.ndarray) -> WrongGradient | None:
    """The wrong gradient of input `i`; None if R is not what was measured, or if too few elements are wrong."""
    G, sample = evidence.analytic[i], evidence.numeric[i]
    if G is None or sample is None or G.shape != R.shape or not np.all(np.isfinite(G)):
        return None
    measured, right = sample.value, R.ravel()[sample.index]
    typical = float(np.sqrt(np.mean(right**2))) if right.size else 0.0
    if np.any(np.abs(measured - right) > 20 * sample.error + 1e-6 * (np.abs(right) + typical)):
        return None
    differs = np.abs(G - R) > 1e-9 * (np.abs(R) + typical)
    if np.mean(differs) < SPREAD and G.size > 1 / SPREAD:
        return None
    symbols = recognised.symbols
    names = Names(symbols.get("sizes", {}), symbols.get("variance", ""))
    return WrongGradient(evidence.names[i], np.asarray(G, dtype=float), R, names, constants_in(evidence))


def constants_in(evidence: Evidence) -> dict[str, float]:
    """The inputs whose elements are all the same number, as a gamma of ones."""
    found = {}
    for name, x in zip(evidence.names, evidence.inputs, strict=True):
        a = np.asarray(x)
        if a.dtype.kind == "f" and a.size and np.ptp(a) == 0 and np.isfinite(a.flat[0]) and a.flat[0] != 0:
            found[name] = float(a.flat[0])
    return found


def as_factor(c: float, names: Names) -> tuple[str, str, str, float]:
    """(kind, what it says, formula, factor) of a gradient that is c times the right one."""
    if abs(c + 1) < NAMED:
        return "sign", "it has the wrong sign; multiply by -1", "-1", -1.0
    named, size = (names.of(k) or exactly(k) for k in (c, abs(c)))
    says = f"it is {named} times the right gradient" if c > 0 else f"it has the wrong sign, and is {size} times as large"
    return "constant_factor", f"{says}; {remedy(c, names)}", named, c


def by_constants(c: float, constants: dict[str, float]) -> list[tuple[str, str]]:
    """(what it says, formula) for each constant input whose value is the factor c, or 1/c."""
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
    """One sentence for explanations that give the same numbers."""
    if len(says) == 1:
        return says[0]
    heads, tails = zip(*(text.rpartition(": ")[::2] for text in says), strict=True)
    if len(set(tails)) == 1 and all(heads):  # all end with the right formula
        return f"either {', or '.join(heads)} (they give the same numbers here): {tails[0]}"
    return f"either {', or '.join(says)}: they give the same numbers here"


def explains(left: float) -> str:
    """A sentence on how much of the error is explained, with the digits that matter."""
    if left <= 1e-9:
        return "This explains the whole error, to rounding."
    nines = max(2, floor(-log10(left)))
    return f"This explains {'99.' + '9' * (nines - 2) if nines > 2 else '99'} % of the error."


def norm(a: np.ndarray) -> float:
    return float(np.sqrt(np.sum(np.square(a))))
