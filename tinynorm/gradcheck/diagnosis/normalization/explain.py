"""What is wrong with the backward pass of a normalisation layer: the wrong gradient, projected on the known terms.

dx = rstd (g - mean(g) - x_hat mean(g x_hat)) has three terms. A wrong dx is fitted as a combination of the three, each as it
is or as people get it wrong (`terms`); the coefficients name the rest: 0 for a term that is missing, -1 for a wrong sign, m for
a sum in place of a mean (`wording`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...report.evidence import Evidence, Finding, Recognised
from ..hypotheses import Candidate, WrongGradient, wrong_gradient
from .affine import explain_beta, explain_gamma
from .recognise import recognise
from .search import TRIED, Combination, Search
from .terms import Ingredients, ingredients, traits
from .wording import Clause, Wording

__all__ = ["explain", "recognise"]

DEAREST = 3  # what an explanation may suppose
EXACT = 1e-9  # of the error, that an explanation leaves to which no other is preferred


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding for each wrong input."""
    found = []
    by_input = {i: role for role, i in recognised.roles.items()}
    for i in evidence.wrong:
        explainer = {"x": _dx, "gamma": explain_gamma, "beta": explain_beta}.get(by_input.get(i, ""))
        finding = explainer(recognised, evidence, i) if explainer else None
        if finding is not None:
            found.append(finding)
    return found


def _dx(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    s = recognised.symbols
    right = {"RMSNorm": (True, False, True), "BatchNormEval": (True, False, False)}.get(
        recognised.layer.split(" ")[0], (True, True, True)
    )
    base = ingredients(recognised, evidence)
    R = sum(base.term(k) for k in range(3) if right[k])
    suspect = wrong_gradient(recognised, evidence, i, np.asarray(R).reshape(evidence.inputs[i].shape))
    if suspect is None:
        return None
    suspect.G, suspect.R = suspect.G.reshape(s["view"]), suspect.R.reshape(s["view"])
    words = Wording(recognised, suspect, right)
    found = _explanations(suspect, base, recognised, words, None)
    if base.gamma is not None and (not found or min(c.cost for c in found) > 1):
        forgotten = Clause("gamma_forgotten", "gamma is forgotten, dy alone stands for g", "g = dy * gamma")
        found += _explanations(suspect, replace(base, gamma=None), recognised, words, forgotten)
    return suspect.finding([c for c in found if c.cost <= DEAREST], words.finished)


def _explanations(
    suspect: WrongGradient, base: Ingredients, recognised: Recognised, words: Wording, clause: Clause | None
) -> list[Candidate]:
    """The cheapest explanations by what `base` is made of; `clause` says what is wrong with that itself."""
    search = Search(suspect, [base.term(k) for k in range(3)], list(traits(base, recognised)))
    promising = sorted(search.promising(), key=lambda found: _supposed(found, words))
    best: list[Candidate] = []
    for found in promising[:TRIED]:
        supposed = _supposed(found, words) + (clause is not None)
        if any(c.cost < supposed and c.left < EXACT for c in best):
            break
        fitted = search.coefficients(found)
        candidate = words.candidate(found, *fitted, clause) if fitted else None
        if candidate is not None and _holds(suspect, base, found, fitted[0]):  # type: ignore[index]
            best.append(candidate)
    return best


def _supposed(found: Combination, words: Wording) -> int:
    """How much a combination supposes, whatever its coefficients."""
    causes = {o.trait.cause for o in found if o.trait is not None}
    missing = {o.term == 0 for o in found if o.absent and words.right[o.term]}
    extra = any(not o.absent and not words.right[o.term] for o in found)
    return len(causes) + len(missing) + extra


def _holds(suspect: WrongGradient, base: Ingredients, found: Combination, c: np.ndarray) -> bool:
    """Whether a combination is G in all elements, and not only in those that were looked at."""
    terms = [c[o.term] * (o.trait.make() if o.trait else base.term(o.term)) for o in found if not o.absent]
    return suspect.explained(np.sum(terms, axis=0)) is not None
