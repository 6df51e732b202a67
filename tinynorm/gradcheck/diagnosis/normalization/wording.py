"""What is wrong with a dx, in a sentence: from the variant and the coefficient of each term.

A wrong dx is c0 * (first term) + c1 * (mean term) + c2 * (x_hat term), where each term is right or a wrong variant, or absent.
Each of these gives a clause: a wrong variant says what it is, an absent term "is missing", a coefficient of -1 is "the wrong
sign", a coefficient of m "a sum for a mean". The sentence joins the clauses. Its cost is their number: the fewer mistakes an
explanation assumes, the likelier it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...report.evidence import Recognised
from ..hypotheses import Candidate, WrongGradient
from ..naming import NAMED, NEAR_ONE, PLAIN, exactly, explained, near, remedy
from .terms import FIRST, FORMULAS, MEAN, PROJECTION, RIGHT_TERMS, TERMS, Variant

CALLED = ("the first term", "the mean term", "the x_hat term")
GROUPS = {"BatchNorm": "a channel's", "LayerNorm": "a row's", "RMSNorm": "a row's", "GroupNorm": "a group's"}

Combination = tuple[Variant | None, ...]  # a variant of each term; None where the term is absent


class Clause(NamedTuple):
    """One mistake."""

    kind: str
    says: str
    formula: str = ""


class Wording:
    """The words for the wrong dx of one layer."""

    def __init__(self, recognised: Recognised, wrong: WrongGradient) -> None:
        self.layer, self.symbols, self.wrong = recognised.layer, recognised.symbols, wrong
        self.right = RIGHT_TERMS.get(self.layer, TERMS)
        self.m, self.names = recognised.symbols["m"], wrong.names
        self.over = f"{GROUPS.get(self.layer.split(' ')[0], 'a group of')} m = {self.m} numbers"

    def assumptions(self, found: Combination) -> int:
        """How many mistakes the combination assumes, whatever its coefficients are."""
        causes = {v.cause for v in found if v and v.cause}
        absent = {k == FIRST for k in self.right if found[k] is None}  # both other terms together are one mistake
        extra = any(found[k] for k in TERMS if k not in self.right)
        return len(causes) + len(absent) + extra

    def candidate(self, found: Combination, c: np.ndarray, left: float, about_gamma: Clause | None) -> Candidate | None:
        """The explanation by the variants `found` with the coefficients `c`; None if a coefficient has no name.

        `left` is the share of the error that it leaves. `about_gamma` is a mistake that all variants share.
        """
        there = [k for k in TERMS if found[k]]
        if np.min(np.abs(c[there])) <= NAMED * np.max(np.abs(c[there])):
            return None  # the combination without that term says the same
        clauses = ([about_gamma] if about_gamma else []) + self._wrong_variants(found)
        absent = self._missing(found) + self._extra(there, c)
        if not clauses and not absent and np.ptp(c[there]) <= NAMED * abs(c[there[0]]):
            whole = self.wrong.factor(float(c[there[0]]), left)
            return whole[0] if whole else None
        factors = self._factors([k for k in there if k in self.right], c)
        if factors is None or any(not near(abs(c[k]), 1.0) and self.names.of(float(c[k])) is None for k in there):
            return None
        clauses += absent + factors
        if not clauses:
            return None
        # a term that does not belong there, and is not even right in the layers where it belongs, is one more mistake
        extra = [(v.cause, float(c[v.term])) for v in found if v and v.term not in self.right]
        cost = len(clauses) + sum(cause not in ("", "batch") or not near(abs(factor), 1.0) for cause, factor in extra)
        says = "; and ".join(clause.says for clause in clauses)
        return Candidate(cost, left, clauses[0].kind, says, "; ".join(clause.formula for clause in clauses))

    def finished(self, says: str) -> str:
        """The sentence with the right formula, if it speaks of terms, and with the definitions of its symbols."""
        dx = f"d{self.wrong.name} = "
        if dx not in says and any(name in says.replace("term is missing", "") for name in CALLED):
            k = "k * " if self.symbols.get("correction") is not None else ""
            inside = ["g", "mean(g)", f"{k}x_hat * mean(g * x_hat)"]
            right = " - ".join(inside[term] for term in self.right)
            says += f". Right is {dx}rstd * ({right})" if len(self.right) > 1 else f". Right is {dx}rstd * {right}"
        return explained(says, self.symbols)

    def _wrong_variants(self, found: Combination) -> list[Clause]:
        """A clause for each cause. It names the terms, unless all terms that can have this mistake have it."""
        there = [v for k in self.right if (v := found[k])]
        clauses = []
        for cause in dict.fromkeys(v.cause for v in there if v.cause):
            terms = [v.term for v in there if v.cause == cause]
            one = next(v for v in there if v.cause == cause)
            possible = [v.term for v in there if v.term != FIRST or not one.needs_mean]
            in_all = (terms == possible and len(possible) > 1) or [v.term for v in there] == [FIRST]
            clause = Clause(one.kind, one.says if in_all else f"in {_listed(terms)}, {one.says}", one.formula)
            clauses.append(self._power_in_projection(one) if one.power and terms == [PROJECTION] else clause)
        return clauses

    def _power_in_projection(self, variant: Variant) -> Clause:
        """The x_hat term, written as rstd^3 (x - mu) mean(g (x - mu)), has another power of rstd."""
        c, power = "x" if self.layer == "RMSNorm" else "(x - mu)", 3 + variant.power
        raised = "rstd" if power == 1 else f"rstd^{power}"
        says = f"the x_hat term, which is rstd^3 * {c} * mean(g * {c}), has {raised} for rstd^3"
        if power not in (1, 2):
            return Clause("rstd_power", says, variant.formula)
        missing, places = ("a factor rstd", "in one place") if power == 2 else ("rstd^2", "in both places")
        says += f": {missing} is missing, or {c.strip('()')} stands for x_hat {places}"
        return Clause("x_for_x_hat", says, variant.formula)

    def _missing(self, found: Combination) -> list[Clause]:
        """A clause for each term that is absent; one for both if the mean term and the x_hat term are."""
        missing = {k for k in self.right if found[k] is None}
        clauses = []
        if FIRST in missing:
            says = f"the first term is missing: add {FORMULAS[FIRST]}"
            clauses.append(Clause("missing_first_term", says, FORMULAS[FIRST]))
        if missing >= {MEAN, PROJECTION}:
            formula = "rstd * (mean(g) + x_hat * mean(g * x_hat))"
            says = "mean and variance are treated as constants, both projection terms are missing: subtract " + formula
            clauses.append(Clause("statistics_as_constants", says, f"- {formula}"))
            return clauses
        for k, kind in ((MEAN, "missing_mean_term"), (PROJECTION, "missing_x_hat_term")):
            if k in missing:
                why = ", as if the root mean square were a constant" if self.layer == "RMSNorm" else ""
                says = f"{CALLED[k]} is missing{why}: subtract {FORMULAS[k]}, the mean over {self.over}"
                clauses.append(Clause(kind, says, f"- {FORMULAS[k]}"))
        return clauses

    def _extra(self, there: list[int], c: np.ndarray) -> list[Clause]:
        """A clause for the terms that do not belong into this layer's dx."""
        extra = [k for k in there if k not in self.right]
        if not extra:
            return []
        if self.layer == "BatchNormEval":
            says = (
                "it has terms as training's formula has, which differentiate the batch's own statistics; in eval mode "
                f"the running statistics are constants: d{self.wrong.name} = gamma * rstd * dy"
            )
            return [Clause("constants_as_statistics", says, " - ".join(FORMULAS[k] for k in extra))]
        sign, size = "-" if c[MEAN] > 0 else "+", abs(float(c[MEAN]))
        what = FORMULAS[MEAN] if near(size, 1.0) else f"{self.names.of(size)} * {FORMULAS[MEAN]}"
        what = "rstd * sum(g)" if near(size, self.m) else what
        says = f"it has a mean term, {sign} {what}, as a layer that centres; RMSNorm does not: take it out"
        return [Clause("extra_mean_term", says, f"{sign} {what}")]

    def _factors(self, terms: list[int], c: np.ndarray) -> list[Clause] | None:
        """The fewest clauses that tell the coefficients of the terms; None if they have no names.

        Terms with the same coefficient share a clause. A factor of all terms may come first, and the rest be relative to it.
        """
        best: list[Clause] | None = None
        for scale in dict.fromkeys([1.0, *(float(c[k]) for k in terms)]):
            groups: dict[float, list[int]] = {}  # coefficient -> terms
            for k in terms:
                ratio = float(c[k]) / scale
                if not near(ratio, 1.0):
                    groups.setdefault(next((r for r in groups if near(ratio, r)), ratio), []).append(k)
            clauses = [self._factor(r, some) if len(some) < len(terms) else self._whole(r) for r, some in groups.items()]
            if not near(scale, 1.0):
                clauses.append(self._whole(scale))
            if all(clauses) and (best is None or len(clauses) < len(best)):
                best = [clause for clause in clauses if clause]
        return best

    def _whole(self, scale: float) -> Clause | None:
        named = self.names.of(scale)
        return Clause("constant_factor", f"all is {named} times that", named) if named else None

    def _factor(self, ratio: float, terms: list[int]) -> Clause | None:
        """A wrong coefficient of some terms; None if it has no name."""
        which, formula = _listed(terms), "; ".join(FORMULAS[k] for k in terms)
        if near(ratio, -1.0):
            return Clause("term_sign", f"the sign of {which} is wrong: multiply by -1", formula)
        if FIRST not in terms and near(ratio, self.m) and self.m > 1:
            says = f"a sum stands for a mean over {self.over} in {which}: divide by m = {self.m}"
            return Clause("sum_for_mean", says, formula)
        divisor = self._divisor(ratio, terms)
        if divisor:
            says = f"in {which}, it is as if the sum were divided by {divisor}, not by m = {self.m}"
            return Clause("wrong_count", f"{says}: multiply by {exactly(1 / ratio)}", formula)
        named = self.names.of(ratio)
        if named is None or abs(ratio - 1) < NEAR_ONE:
            return None
        says = f"{which} {'has' if len(terms) == 1 else 'have'} the factor {named} in place of 1: {remedy(ratio, self.names)}"
        return Clause("term_factor", says, f"{named} * ({formula})")

    def _divisor(self, ratio: float, terms: list[int]) -> str | None:
        """The size by which the sum is divided instead of m; None if it is no size, or a plain factor such as 2 of one term."""
        count, is_plain = self.m / ratio, any(near(abs(ratio), p) for p in PLAIN)
        if FIRST in terms or ratio < 0 or count < 1.5 or not near(count, round(count)) or (is_plain and len(terms) == 1):
            return None
        n = round(count)
        symbol = self.names.symbol(n)
        if n == self.m - 1:
            symbol = f"{symbol[:-1]}, or m - 1)" if symbol else " (= m - 1)"
        return f"{n}{symbol}" if symbol else None


def _listed(terms: Iterable[int]) -> str:
    *others, last = [CALLED[k] for k in terms]
    return f"{', '.join(others)} and {last}" if others else last
