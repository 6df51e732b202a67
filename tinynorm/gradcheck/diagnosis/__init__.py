"""What the mistake is: by the formula of the layer if it is known, else by patterns that any gradient may show."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from . import activation, attention, cross_entropy, linear, patterns, recurrent, selection, softmax, windows
from .hypotheses import explain
from .normalization import explain as normalization
from .questions import another_question
from .wrong_elements import some_elements, wrong_where

FAMILIES = (activation, linear, softmax, cross_entropy)
HYPOTHESES = {
    **dict.fromkeys(("ReLU", "LeakyReLU", "PReLU", "Tanh", "Sigmoid"), activation.hypotheses),
    **dict.fromkeys(("Linear", "Linear (columns)"), linear.hypotheses),
    **dict.fromkeys(("Softmax", "LogSoftmax"), softmax.hypotheses),
    "SoftmaxCrossEntropy": cross_entropy.hypotheses,
    "Windows": windows.hypotheses,
    "RNN": recurrent.hypotheses,
    "Attention": attention.hypotheses,
    **dict.fromkeys(("Dropout", "Embedding"), selection.hypotheses),
}
ONLY_WRONG = (windows, recurrent, selection, attention)  # looked for only where a gradient is wrong
PATTERNS = (  # the first that fits is told
    patterns.not_finite,
    patterns.zero,
    patterns.factor,
    patterns.plus_dy,
    some_elements,
    patterns.plus,
    patterns.moved,
    patterns.reduced,
    patterns.times,
    patterns.of_dy,
    another_question,
    wrong_where,
)
# The number of outputs up to which layers are recognised. Each formula takes a few arrays of this size and up to a second.
LARGE = 4_000_000


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None = None) -> Recognised | None:
    """The layer whose formula gives `output` from `inputs`; None if no known layer does.

    Parameters
    ----------
    names : list of str
    inputs : list
        NumPy arrays, in float64 if they are floating-point, and other arguments.
    output : array
    hint : str, optional
        The layer's name; case, digits and a final "d" do not matter. It decides between layers whose formulas give the same.
    """
    if output.size > LARGE:
        return None
    with np.errstate(all="ignore"):
        for family in FAMILIES:
            recognised = family.recognise(names, inputs, output)
            if recognised is not None:
                return recognised
        return normalization.recognise(names, inputs, output, hint)


def diagnose(evidence: Evidence, recognised: Recognised | None = None) -> list[Finding]:
    """One finding for each wrong input whose mistake has a name."""
    with np.errstate(all="ignore"):
        found = {finding.input: finding for finding in patterns.swapped(evidence)}
        for family in ONLY_WRONG if evidence.output.size <= LARGE // 100 else ():  # each takes arrays of many windows
            recognised = recognised or family.recognise(evidence.names, evidence.inputs, evidence.output)
        if recognised is not None:
            of = HYPOTHESES.get(recognised.layer)
            by_formula = explain(recognised, evidence, of) if of else normalization.explain(recognised, evidence)
            found = {finding.input: finding for finding in by_formula} | found
        for i in evidence.wrong:
            finding = None if evidence.names[i] in found else _by_pattern(evidence, i)
            if finding is not None:
                found[finding.input] = finding
    return [found[evidence.names[i]] for i in evidence.wrong if evidence.names[i] in found]


def _by_pattern(evidence: Evidence, i: int) -> Finding | None:
    """The first pattern that fits the wrong gradient of input `i`; None if none does."""
    comparison = patterns.Comparison.of(evidence, i)
    found = (pattern(comparison) for pattern in PATTERNS) if comparison and np.any(comparison.wrong) else ()
    return next((finding for finding in found if finding is not None), None)
