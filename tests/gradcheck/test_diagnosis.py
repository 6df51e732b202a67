"""Diagnoses of mistakes that are not in the suite, and silence about those that have no name."""

import numpy as np
import pytest

from tinynorm.gradcheck import check_backward, mistakes
from tinynorm.gradcheck.diagnosis import recognise

RIGHT = {layer.name: layer for layer in mistakes.RIGHT[:-1]}


def diagnosed(name, change, which=0, inputs=None, **options):
    """The report of a right layer, one of whose gradients goes through `change(grad, dout, cache)`."""
    layer = RIGHT[name]

    def backward(dout, cache):
        grads = list(layer.backward(dout, cache))
        grads[which] = change(grads[which], dout, cache)
        return tuple(grads)

    return check_backward(layer.forward, backward, layer.inputs(7) if inputs is None else inputs, names=layer.names, **options)


def kinds(report):
    assert report.ok is False, report
    return [finding.kind for finding in report.findings]


# ---- mistakes with a name, written otherwise than in the suite -----------------------------------------------------------

KNOWN = {
    "three times": ("LayerNorm", lambda g, d, c: 3 * g, "constant_factor"),
    "a tenth": ("BatchNorm", lambda g, d, c: 0.1 * g, "constant_factor"),
    "sign": ("GroupNorm", lambda g, d, c: -g, "sign"),
    "offset": ("ReLU", lambda g, d, c: g + 0.25, "constant_offset"),
    "a column": ("LayerNorm", lambda g, d, c: g * np.where(np.arange(8) == 3, 0, 1), "some_elements"),
    "two elements": ("BatchNorm", lambda g, d, c: _at(g, [(0, 1), (5, 2)], 0.7), "some_elements"),
    "doubled where x < 0": ("RMSNorm", lambda g, d, c: np.where(c[0] < 0, 2 * g, g), "doubled_accumulation"),
    "columns moved": ("LayerNorm", lambda g, d, c: np.roll(g, 1, axis=1), "off_by_one"),
    "NaN": ("LayerNorm", lambda g, d, c: _at(g, [(2, 2)], np.nan), "not_finite"),
    "mean term doubled": ("LayerNorm", lambda g, d, c: g - c[2] * (d * c[4]).mean(1, keepdims=True), "term_factor"),
    "rstd cubed": ("BatchNorm", lambda g, d, c: g * c[3] ** 2, "rstd_squared"),
    "without eps, in the row": ("LayerNorm", lambda g, d, c: g * np.sqrt((c[3] + 1e-5) / c[3]), "eps_forgotten"),
    "gamma and rstd": ("LayerNorm", lambda g, d, c: _layer(d, c[1], 1.0), "gamma_forgotten"),
    "mean and factor": ("LayerNorm", lambda g, d, c: 2 * (g + c[2] * (d * c[4]).mean(1, keepdims=True)), "missing_mean_term"),
}


def _at(g, places, factor):
    g = g.copy()
    for place in places:
        g[place] *= factor
    return g


def _layer(g, x_hat, rstd):
    return rstd * (g - g.mean(1, keepdims=True) - x_hat * (g * x_hat).mean(1, keepdims=True))


@pytest.mark.parametrize("name", KNOWN)
def test_mistakes_with_a_name_are_called_by_it(name):
    layer, change, kind = KNOWN[name]
    assert kinds(diagnosed(layer, change)) == [kind]


def test_the_sentence_has_the_place_and_the_factor():
    report = diagnosed("BatchNorm", lambda g, d, c: _at(g, [(4, 1)], 1.5))
    assert "1 of 40 elements is wrong, at (4, 1): 1.5 times the right value" in report.diagnosis
    report = diagnosed("LayerNorm", lambda g, d, c: g / 5)
    assert report.findings[0].details["factor"] == pytest.approx(0.2)


# ---- no known pattern -------------------------------------------------------------------------------------------------

UNKNOWN = {
    "noise": lambda g, d, c: g + 0.01 * np.random.default_rng(0).standard_normal(g.shape),
    "smooth": lambda g, d, c: np.tanh(g),
    "cubic": lambda g, d, c: g + 0.1 * g**3,
    "odd factors": lambda g, d, c: g * np.linspace(0.9, 1.1, g.size).reshape(g.shape),
    "permuted": lambda g, d, c: g.ravel()[np.random.default_rng(1).permutation(g.size)].reshape(g.shape),
}


@pytest.mark.parametrize(
    "layer", ["LayerNorm", "BatchNorm", "RMSNorm", "GroupNorm", "BatchNormEval", "SoftmaxCrossEntropy", "Linear"]
)
@pytest.mark.parametrize("change", UNKNOWN)
def test_what_has_no_name_is_given_none(layer, change):
    report = diagnosed(layer, UNKNOWN[change])
    assert kinds(report) == []
    assert report.diagnosis.startswith(f"d{report.inputs[0].name}: no known pattern")


def test_a_mixture_with_odd_coefficients_has_no_name():
    report = diagnosed("LayerNorm", lambda g, d, c: g + 0.37 * c[2] * (d * c[4]).mean(1, keepdims=True))
    assert kinds(report) == []


# ---- which layer it is -------------------------------------------------------------------------------------------------


def _normalized(x, axes, eps, centred=True):
    c = x - x.mean(axes, keepdims=True) if centred else x
    return c / np.sqrt((c * c).mean(axes, keepdims=True) + eps)


@pytest.mark.parametrize("eps", [0.0, 1e-8, 1e-5, 1e-3, 0.0123])
@pytest.mark.parametrize(
    ("layer", "shape", "axes", "affine"),
    [
        ("LayerNorm", (4, 6), (1,), (6,)),
        ("LayerNorm", (2, 3, 4), (1, 2), (3, 4)),
        ("BatchNorm", (6, 4), (0,), (4,)),
        ("BatchNorm", (3, 4, 5), (0, 2), (4, 1)),
        ("InstanceNorm", (3, 4, 5), (2,), (4, 1)),
        ("RMSNorm", (4, 6), (1,), (6,)),
    ],
)
def test_layers_are_recognised_by_their_output(layer, shape, axes, affine, eps):
    rng = np.random.default_rng(0)
    x, gamma, beta = 2 * rng.standard_normal(shape) + 1, rng.standard_normal(affine), rng.standard_normal(affine)
    x_hat = _normalized(x, axes, eps, layer != "RMSNorm")
    flat = [gamma.reshape(-1) if affine[-1] == 1 else gamma, beta.reshape(-1) if affine[-1] == 1 else beta]
    for names, inputs, y in [
        (["x", "gamma", "beta"], [x, *flat], gamma * x_hat + beta),
        (["inp", "p", "q"], [x, *flat], gamma * x_hat + beta),
        (["x", "weight"], [x, flat[0]], gamma * x_hat),
        (["x"], [x], x_hat),
    ]:
        found = recognise(names, inputs, y)
        assert found is not None
        if len(inputs) > 1 or layer != "InstanceNorm":  # which without gamma is LayerNorm over the positions
            assert found.layer == layer
        assert found.symbols["axes"] == axes
        assert found.symbols["eps"] == pytest.approx(eps, rel=1e-4, abs=1e-10)
        assert found.symbols["m"] == np.prod([shape[a] for a in axes])


def test_a_hint_settles_what_the_output_leaves_open():
    x = np.random.default_rng(0).standard_normal((3, 2, 4))
    y = _normalized(x, (1, 2), 1e-5)
    assert recognise(["x"], [x], y).layer == "LayerNorm"
    assert recognise(["x"], [x], y, "GroupNorm").layer == "GroupNorm"


def test_what_is_no_layer_is_not_recognised():
    x = np.random.default_rng(0).standard_normal((3, 4))
    for y in (np.exp(x), x * 2, x + 1, np.tanh(x), x.sum()):
        assert recognise(["x"], [x], np.asarray(y)) is None
