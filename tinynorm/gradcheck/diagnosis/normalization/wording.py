"""A combination of terms and coefficients in words: what is wrong with a normalisation layer's dx, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...report.evidence import Recognised
from ..hypotheses import Candidate, WrongGradient
from ..naming import NAMED, NEAR_ONE, PLAIN, exactly, explained, near, remedy
from .search import Combination, Option
from .terms import FIRST, MEAN, PROJECTION, Trait

TERMS = ("rstd * g", "rstd * mean(g)", "rstd * x_hat * mean(g * x_hat)")
CALLED = ("the first term", "the mean term", "the x_hat term")
GROUPS = {"BatchNorm": "a channel's", "LayerNorm": "a row's", "RMSNorm": "a row's", "GroupNorm": "a group's"}


@dataclass
class Clause:
    """One thing that is wrong."""

    kind: str
    says: str
    formula: str = ""


class Wording:
    """The words for one layer."""

    def __init__(self, recognised: Recognised, suspect: WrongGradient, right: Sequence[bool]) -> None:
        self.layer, self.symbols, self.suspect = recognised.layer, recognised.symbols, suspect
        self.right = right  # which terms belong there
        self.m, self.names = recognised.symbols["m"], suspect.names
        self.over = f"{GROUPS.get(self.layer.split(' ')[0], 'a group of')} m = {self.m} numbers"
        k = "k * " if recognised.symbols.get("correction") is not None else ""
        inside = ["g", "mean(g)", f"{k}x_hat * mean(g * x_hat)"]
        there = [inside[i] for i in range(3) if right[i]]
        self.formula = f"d{suspect.name} = rstd * ({' - '.join(there)})" if len(there) > 1 else f"d{suspect.name} = rstd * g"

    def candidate(self, found: Combination, c: np.ndarray, left: float, base: Clause | None) -> Candidate | None:
        """The explanation, as cheap as it can be put; None where a coefficient has no name."""
        there = [k for k in range(3) if not found[k].absent]
        if np.min(np.abs(c[there])) <= NAMED * np.max(np.abs(c[there])):
            return None  # that term is not there
        clauses = self._traits(found)
        if base is not None:
            clauses.insert(0, base)
        absent = [*self._missing(found), *self._extra(there, c)]
        if not clauses and not absent and np.ptp(c[there]) <= NAMED * abs(c[there[0]]):
            whole = self.suspect.factor(float(c[there[0]]), left)
            return whole[0] if whole else None
        factors = self._factors([k for k in there if self.right[k]], c)
        if factors is None or any(not near(abs(c[k]), 1.0) and self.names.of(float(c[k])) is None for k in there):
            return None
        clauses += [*absent, *factors]
        if not clauses:
            return None
        cost = len(clauses) + len(self._odd_extras(found, c))
        says = "; and ".join(clause.says for clause in clauses)
        return Candidate(cost, left, clauses[0].kind, says, "; ".join(clause.formula for clause in clauses))

    # ---- traits ------------------------------------------------------------------------------------------------------------

    def _traits(self, found: Combination) -> list[Clause]:
        grouped: dict[str, list[Trait]] = {}
        for option in found:
            if option.trait is not None and self.right[option.term]:
                grouped.setdefault(option.trait.cause, []).append(option.trait)
        there = [o.term for o in found if not o.absent and self.right[o.term]]
        return [self._trait(traits, there) for traits in grouped.values()]

    def _trait(self, traits: list[Trait], there: list[int]) -> Clause:
        one, terms = traits[0], [trait.term for trait in traits]
        if one.power and terms == [PROJECTION]:
            return self._power_of_projection(one)
        everywhere = [k for k in there if k in one.everywhere]
        where = "" if (terms == everywhere and len(everywhere) > 1) or there == [FIRST] else f"in {listed(terms)}, "
        return Clause(one.kind, where + one.says, one.formula)

    def _power_of_projection(self, trait: Trait) -> Clause:
        """rstd^k (x - mu) mean(g (x - mu)), of which k is wrong."""
        c, power = "x" if self.layer.startswith("RMSNorm") else "(x - mu)", 3 + trait.power
        raised = "rstd" if power == 1 else f"rstd^{power}"
        says = f"the x_hat term, which is rstd^3 * {c} * mean(g * {c}), has {raised} for rstd^3"
        if power in (1, 2):
            kind, bare = "x_for_x_hat", c.strip("()")
            which = f", or {bare} stands for x_hat " + ("in one place" if power == 2 else "in both places")
            says += f": {'a factor rstd' if power == 2 else 'rstd^2'} is missing{which}"
            return Clause(kind, says, trait.formula)
        return Clause("rstd_power", says, trait.formula)

    # ---- terms that are missing, or too many -------------------------------------------------------------------------------

    def _missing(self, found: Combination) -> list[Clause]:
        missing = [k for k in range(3) if found[k].absent and self.right[k]]
        clauses = []
        if FIRST in missing:
            clauses.append(Clause("missing_first_term", f"the first term is missing: add {TERMS[FIRST]}", TERMS[FIRST]))
        projections = [k for k in missing if k != FIRST]
        if len(projections) == 2:
            formula = "rstd * (mean(g) + x_hat * mean(g * x_hat))"
            says = "mean and variance are treated as constants, both projection terms are missing: subtract " + formula
            clauses.append(Clause("statistics_as_constants", says, f"- {formula}"))
        elif projections == [MEAN]:
            says = f"the mean term is missing: subtract {TERMS[MEAN]}, the mean over {self.over}"
            clauses.append(Clause("missing_mean_term", says, f"- {TERMS[MEAN]}"))
        elif projections:
            why = ", as if the root mean square were a constant" if self.layer.startswith("RMSNorm") else ""
            says = f"the x_hat term is missing{why}: subtract {TERMS[PROJECTION]}, the mean over {self.over}"
            clauses.append(Clause("missing_x_hat_term", says, f"- {TERMS[PROJECTION]}"))
        return clauses

    def _extra(self, there: list[int], c: np.ndarray) -> list[Clause]:
        extra = [k for k in there if not self.right[k]]
        if not extra:
            return []
        if self.layer == "BatchNormEval":
            says = (
                "it has terms as training's formula has, which differentiate the batch's own statistics; in eval mode "
                "the running statistics are constants: "
                f"d{self.suspect.name} = gamma * rstd * dy"
            )
            return [Clause("constants_as_statistics", says, " - ".join(TERMS[k] for k in extra))]
        factor = float(c[MEAN])
        sign, size = ("-" if factor > 0 else "+"), abs(factor)
        what = TERMS[MEAN] if near(size, 1.0) else f"{self.names.of(size)} * {TERMS[MEAN]}"
        if near(size, self.m):
            what = "rstd * sum(g)"
        says = f"it has a mean term, {sign} {what}, as a layer that centres; RMSNorm does not: take it out"
        return [Clause("extra_mean_term", says, f"{sign} {what}")]

    def _odd_extras(self, found: Combination, c: np.ndarray) -> list[Option]:
        """Terms that do not belong there, and are not even what they are elsewhere: these suppose more."""
        odd = [o for o in found if not o.absent and not self.right[o.term]]
        return [o for o in odd if (o.trait is not None and o.trait.cause != "batch") or not near(abs(float(c[o.term])), 1.0)]

    # ---- coefficients ------------------------------------------------------------------------------------------------------

    def _factors(self, terms: list[int], c: np.ndarray) -> list[Clause] | None:
        """Each wrong coefficient, once for the terms that share it; a factor of all of them where that says it shorter."""
        best: list[Clause] | None = None
        for scale in dict.fromkeys([1.0, *(float(c[k]) for k in terms)]):
            groups: dict[float, list[int]] = {}
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
        which = listed(terms)
        if near(ratio, -1.0):
            return Clause("term_sign", f"the sign of {which} is wrong: multiply by -1", "; ".join(TERMS[k] for k in terms))
        if FIRST not in terms and near(ratio, self.m) and self.m > 1:
            says = f"a sum stands for a mean over {self.over} in {which}: divide by m = {self.m}"
            return Clause("sum_for_mean", says, "; ".join(TERMS[k] for k in terms))
        divided = self._divided(ratio, terms)
        if divided:
            says = f"in {which}, it is as if the sum were divided by {divided}, not by m = {self.m}"
            says += f": multiply by {exactly(1 / ratio)}"
            return Clause("wrong_count", says, "; ".join(TERMS[k] for k in terms))
        named = self.names.of(ratio)
        if named is None or abs(ratio - 1) < NEAR_ONE:
            return None
        says = f"{which} {'has' if len(terms) == 1 else 'have'} the factor {named} in place of 1: {remedy(ratio, self.names)}"
        return Clause("term_factor", says, f"{named} * ({'; '.join(TERMS[k] for k in terms)})")

    def _divided(self, ratio: float, terms: list[int]) -> str | None:
        """By what the sums are divided, where that is one of the sizes; one plain factor in one term is rather a factor."""
        count, plain = self.m / ratio, any(near(abs(ratio), p) for p in PLAIN)
        if FIRST in terms or ratio < 0 or count < 1.5 or not near(count, round(count)) or (plain and len(terms) == 1):
            return None
        n = round(count)
        symbol = self.names.symbol(n)
        if n == self.m - 1:
            symbol = f"{symbol[:-1]}, or m - 1)" if symbol else " (= m - 1)"
        return f"{n}{symbol}" if symbol else None

    def finished(self, says: str) -> str:
        """With the right formula, where terms are spoken of, and what the symbols are."""
        if f"d{self.suspect.name} = " not in says and any(name in says.replace("term is missing", "") for name in CALLED):
            says += f". Right is {self.formula}"
        return explained(says, self.symbols)


def listed(terms: Iterable[int]) -> str:
    names = [CALLED[k] for k in terms]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
