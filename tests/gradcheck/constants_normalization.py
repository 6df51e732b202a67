"""The constants of the diagnosis of normalisation layers, and of the mistakes: each check fails if its constant is changed."""

from importlib import import_module

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.gradcheck import Evidence, Sample
from tinynorm.gradcheck.diagnosis import hypotheses, recognise
from tinynorm.gradcheck.mistakes import batchnorm, batchnorm_eval, groupnorm, layernorm, rmsnorm
from tinynorm.nn import functional as F

NORMALIZATION = "tinynorm.gradcheck.diagnosis.normalization"
ONLY_DOUBLED = (2.0,)


def mean(a):
    return a.mean(-1, keepdims=True)


class Given:
    """A LayerNorm of some rows with the parts of its derivation, and the evidence of a wrong dx."""

    def __init__(self, *shape):
        rng = np.random.default_rng(0)
        self.x, self.gamma, self.beta = (rng.standard_normal(s) for s in (shape, shape[-1:], shape[-1:]))
        self.y, (_, self.h, self.s, _, _) = layernorm.forward(self.x, self.gamma, self.beta)
        self.dy = rng.uniform(0.5, 1.5, shape)
        self.g = self.dy * self.gamma
        self.right = self.s * (self.g - mean(self.g) - self.h * mean(self.g * self.h))

    def explained(self, dx):
        """The kind of the explanation of this dx, or None."""
        names, inputs, none = ["x", "gamma", "beta"], [self.x, self.gamma, self.beta], [None, None]
        flat = self.right.ravel()
        sample = Sample(np.arange(flat.size), flat, 1e-10 * np.abs(flat).max() * np.ones(flat.size))
        evidence = Evidence(names, inputs, self.y, self.dy, [dx, *none], [sample, *none], [0])
        findings = import_module(f"{NORMALIZATION}.explain").explain(recognise(names, inputs, self.y), evidence)
        return findings[0].kind if findings else None


def close():
    """A forward with a relative error of 0.8e-7 is recognised, one with 1.6e-7 is not."""
    a = Given(5, 8)
    for error, known in ((0.8e-7, True), (1.6e-7, False)):
        y = a.y.copy()
        y[2, 3] += error * np.abs(a.y - a.beta).max()
        assert (recognise(["x", "gamma", "beta"], [a.x, a.gamma, a.beta], y) is not None) is known


def most_mistakes():
    """Two mistakes at once have a name, four have none."""
    a = Given(5, 8)
    assert a.explained(a.s * (a.g + a.h * mean(a.g * a.h))) == "missing_mean_term"
    assert a.explained(a.s * (a.g * a.gamma - mean(a.g * a.h) + a.x * mean(a.g * a.h))) is None


def promising():
    """A wrong dx with a relative rounding error of 2.7e-6 has a name, one with 3.9e-6 has none."""
    a = Given(5, 8)
    wrong = -a.s * (mean(a.g) + a.h * mean(a.g * a.h))
    noise = np.random.default_rng(1).standard_normal(wrong.shape)
    noise *= np.linalg.norm(wrong) / np.linalg.norm(noise)
    assert a.explained(wrong + 2.7e-6 * noise) == "missing_first_term"
    assert a.explained(wrong + 3.9e-6 * noise) is None


def sample():
    """The search in 20,000 elements takes few MB. (Half as many elements tell the usual mistakes as well.)"""
    a, search, sizes = Given(200, 100), import_module(f"{NORMALIZATION}.search"), []
    with pytest.MonkeyPatch.context() as patch:
        original = search.Search.promising
        patch.setattr(search.Search, "promising", lambda s: sizes.append(held_bytes(s)) or original(s))
        assert a.explained(a.s * (a.g - a.h * mean(a.g * a.h))) == "missing_mean_term"
    assert max(sizes) < 2.5e6


def held_bytes(search):
    return sum(v.nbytes for of_term in search.vectors for v in of_term.values())


def tried():
    """A dx of one row without a name costs few fits. (Half as many do for the mistakes that have one.)"""
    a, calls = Given(7), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hypotheses.WrongGradient, "fit", lambda *args: calls.append(args))  # finds no coefficients
        assert a.explained(a.s * (a.g - 0.37 * mean(a.g) - 1.61 * a.h * mean(a.g * a.h))) is None
    assert len(calls) < 4000


def layers():
    """The layers agree with the library's own, with eps = 1e-5 and two groups."""
    truth = {
        batchnorm: lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True),
        batchnorm_eval: lambda x, g, b, mean, var: F.batch_norm(x, mean, var, g, b),
        layernorm: lambda x, g, b: F.layer_norm(x, g.shape, g, b),
        rmsnorm: lambda x, g: F.rms_norm(x, g.shape, g, eps=1e-5),
        groupnorm: lambda x, g, b: F.group_norm(x, 2, g, b),
    }
    for layer, right in truth.items():
        inputs = layer.inputs(3)
        np.testing.assert_allclose(layer.forward(*inputs)[0], right(*map(tn.tensor, inputs)).array, rtol=1e-10, atol=1e-10)


HELD = {
    "diagnosis.normalization.recognise.CLOSE": close,
    "diagnosis.normalization.explain.MOST_MISTAKES": most_mistakes,
    "diagnosis.normalization.search.PROMISING": promising,
    "diagnosis.normalization.search.SAMPLE": (sample, ONLY_DOUBLED),
    "diagnosis.normalization.search.TRIED": (tried, ONLY_DOUBLED),
    "mistakes.suite.EPS": layers,
    "mistakes.groupnorm.G": layers,
}
