"""What a mistake looks like: by the formula of the layer where it is known, else by patterns that any gradient may show."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..report.evidence import Evidence, Finding, Recognised
from . import activation, cross_entropy, general, linear, softmax
from .hypotheses import explain
from .normalization import explain as normalization
from .swapped import swapped

RECOGNISERS = (activation, linear, softmax, cross_entropy, normalization)
HYPOTHESES = {
    **dict.fromkeys(("ReLU", "LeakyReLU", "PReLU", "Tanh", "Sigmoid"), activation.hypotheses),
    **dict.fromkeys(("Linear", "Linear (columns)"), linear.hypotheses),
    **dict.fromkeys(("Softmax", "LogSoftmax"), softmax.hypotheses),
    "SoftmaxCrossEntropy": cross_entropy.hypotheses,
}
LARGE = 4_000_000  # numbers; the formulas of larger ones are not tried


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None = None) -> Recognised | None:
    """The layer whose formula gives `output` from `inputs`; None where no known one does.

    Parameters
    ----------
    names : list of str
    inputs : list
        NumPy arrays, in float64 where they are floating-point, and other arguments.
    output : array
    hint : str, optional
        The layer's name; case, digits and a final "d" do not matter. Settles which of two equal formulas is meant.
    """
    if output.size > LARGE:
        return None
    with np.errstate(all="ignore"):
        for layer in RECOGNISERS:
            found = layer.recognise(names, inputs, output, hint)
            if found is not None:
                return found
    return None


def diagnose(evidence: Evidence, recognised: Recognised | None = None) -> list[Finding]:
    """One finding for each wrong input whose mistake has a name."""
    with np.errstate(all="ignore"):
        found = {finding.input: finding for finding in swapped(evidence)}
        if recognised is not None:
            of = HYPOTHESES.get(recognised.layer)
            told = explain(recognised, evidence, of) if of else normalization.explain(recognised, evidence)
            found = {finding.input: finding for finding in told} | found
        for i in evidence.wrong:
            name = evidence.names[i]
            if name not in found:
                finding = general.explain(evidence, i)
                if finding is not None:
                    found[name] = finding
    return [found[evidence.names[i]] for i in evidence.wrong if evidence.names[i] in found]
