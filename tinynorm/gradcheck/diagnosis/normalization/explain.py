"""What is wrong with the gradients of a normalisation layer.

A wrong dx is decomposed into the terms of its formula: `terms` lists the variants of each term, `search` finds those whose
combination is dx, `wording` makes the sentence. `affine` compares dgamma and dbeta with wrong sums.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...report.evidence import Evidence, Finding, Recognised
from ..hypotheses import wrong_gradient
from .affine import explain_beta, explain_gamma
from .recognise import recognise
from .search import explanations
from .terms import RIGHT_TERMS, TERMS, Terms
from .wording import Clause, Wording

__all__ = ["explain", "recognise"]

# The largest number of mistakes that an explanation may assume. People make two or three at once. More of them fit too much by
# chance.
MOST_MISTAKES = 3


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding for each wrong input."""
    explainers = {"x": _explain_x, "gamma": explain_gamma, "beta": explain_beta}
    by_input = {i: explainers[role] for role, i in recognised.roles.items() if role in explainers}
    findings = [by_input[i](recognised, evidence, i) for i in evidence.wrong if i in by_input]
    return [finding for finding in findings if finding is not None]


def _explain_x(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    """The finding about dx. Without a cheap one, rarer mistakes are tried, then all with gamma forgotten in each."""
    terms, view = Terms.of(recognised, evidence), recognised.symbols["view"]
    right = sum(terms.term(k) for k in RIGHT_TERMS.get(recognised.layer, TERMS))
    wrong = wrong_gradient(recognised, evidence, i, np.asarray(right).reshape(evidence.inputs[i].shape))
    if wrong is None:
        return None
    wrong.G, wrong.R = wrong.G.reshape(view), wrong.R.reshape(view)
    words = Wording(recognised, wrong)
    found = explanations(wrong, terms, recognised, words, None)
    if all(c.cost > 1 for c in found):
        found += explanations(wrong, replace(terms, rare=True), recognised, words, None)
    if isinstance(terms.gamma, np.ndarray) and all(c.cost > 1 for c in found):
        forgotten = Clause("gamma_forgotten", "gamma is forgotten, dy alone stands for g", "g = dy * gamma")
        found += explanations(wrong, replace(terms, gamma=1.0), recognised, words, forgotten)
    return wrong.finding([c for c in found if c.cost <= MOST_MISTAKES], words.finished)
