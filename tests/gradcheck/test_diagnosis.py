"""Diagnoses of mistakes that are not in the suite, and silence about those that have no name."""

import numpy as np
import pytest
from helpers import some

from tinynorm.gradcheck import Evidence, Sample, check_backward, mistakes
from tinynorm.gradcheck.diagnosis import diagnose, recognise
from tinynorm.gradcheck.diagnosis.naming import Names

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
    "doubled where x < 0": ("RMSNorm", lambda g, d, c: np.where(c[0] < 0, 2 * g, g), "factor_in_part"),
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


def _mean(a):
    return a.mean(1, keepdims=True)


# layer, what its dx is in terms of (g, dy, x, c, h, s, gamma), kind, what the sentence has to say
SAYS = {
    "first term missing": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: -s * (_mean(g) + h * _mean(g * h)),
        "missing_first_term",
        "add rstd * g",
    ),
    "mean term missing": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - h * _mean(g * h)),
        "missing_mean_term",
        "the mean term is missing: subtract rstd * mean(g), the mean over a row's m = 8 numbers, with g = dy * gamma, "
        "rstd = 1 / sqrt(var + eps). This explains the whole error, to rounding.",
    ),
    "two terms": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g + h * _mean(g * h)),
        "missing_mean_term",
        "; and the sign of the x_hat term is wrong: multiply by -1",
    ),
    "both signs": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g + _mean(g) + h * _mean(g * h)),
        "term_sign",
        "the sign of the mean term and the x_hat term is wrong",
    ),
    "divided by N": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - (_mean(g) + h * _mean(g * h)) * 8 / 5),
        "wrong_count",
        "divided by 5 (= N), not by m = 8: multiply by 5/8",
    ),
    "divided by m - 1": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g) - h * _mean(g * h) * 8 / 7),
        "wrong_count",
        "divided by 7 (= m - 1), not by m = 8",
    ),
    "parenthesis": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g)) - h * _mean(g * h),
        "x_for_x_hat",
        "a factor rstd is missing, or x - mu stands for x_hat in one place",
    ),
    "both outside": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * g - _mean(g) - h * _mean(g * h),
        "rstd_forgotten",
        "in the mean term and the x_hat term, rstd is missing: multiply by it",
    ),
    "rstd^1": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g)) - s * c * _mean(g * c),
        "x_for_x_hat",
        "has rstd for rstd^3: rstd^2 is missing, or x - mu stands for x_hat in both",
    ),
    "rstd^4": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g)) - s**4 * c * _mean(g * c),
        "rstd_power",
        "has rstd^4 for rstd^3",
    ),
    "rstd in the first": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: g - s * (_mean(g) + h * _mean(g * h)),
        "rstd_forgotten",
        "in the first term, rstd is missing",
    ),
    "times the deviation": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: (g - _mean(g) - h * _mean(g * h)) / s,
        "rstd_power",
        "1 / rstd stands for rstd",
    ),
    "gamma in both means": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(d) - h * _mean(d * h)),
        "gamma_forgotten",
        "in the mean term and the x_hat term, gamma is forgotten",
    ),
    "gamma twice": (
        "BatchNorm",
        lambda g, d, x, c, h, s, w: w * s * (g - g.mean(0) - h * (g * h).mean(0)),
        "extra_gamma",
        "gamma is multiplied in twice",
    ),
    "one mean elsewhere": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - g.mean() - h * _mean(g * h)),
        "wrong_axes",
        "in the mean term, the mean runs over axes 0, 1, and has to run over axis 1",
    ),
    "x_hat missing inside": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g) - h * _mean(g)),
        "x_hat_forgotten",
        "x_hat is missing inside the mean",
    ),
    "mu not subtracted": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g) - s * x * _mean(g * h)),
        "x_for_x_hat",
        "mu is not subtracted from x, before the mean",
    ),
    "x": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g) - x * _mean(g * x)),
        "x_for_x_hat",
        "x stands for x_hat = (x - mu) * rstd, before the mean and inside",
    ),
    "residual": (
        "LayerNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g) - h * _mean(g * h)) + d,
        "doubled_accumulation",
        "dy once more: take dy out",
    ),
    "a mean term, added": (
        "RMSNorm",
        lambda g, d, x, c, h, s, w: s * (g + _mean(g) - h * _mean(g * h)),
        "extra_mean_term",
        "+ rstd * mean(g), as a layer that centres",
    ),
    "a mean term, as a sum": (
        "RMSNorm",
        lambda g, d, x, c, h, s, w: s * (g - 8 * _mean(g) - h * _mean(g * h)),
        "extra_mean_term",
        "- rstd * sum(g)",
    ),
    "half a mean term": (
        "RMSNorm",
        lambda g, d, x, c, h, s, w: s * (g - 0.5 * _mean(g) - h * _mean(g * h)),
        "extra_mean_term",
        "- 1/2 * rstd * mean(g)",
    ),
    "only a mean term": (
        "RMSNorm",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g)),
        "missing_x_hat_term",
        "; and it has a mean term",
    ),
    "y": (
        "RMSNorm",
        lambda g, d, x, c, h, s, w: s * (g - w * h * _mean(g * h)),
        "extra_gamma",
        "either in the x_hat term, gamma is multiplied in twice, or in the x_hat term, y stands",
    ),
    "eval, axis 1": (
        "BatchNormEval",
        lambda g, d, x, c, h, s, w: s * (g - _mean(g)),
        "constants_as_statistics",
        "the running statistics are constants: dx = gamma * rstd * dy",
    ),
    "eval, by the batch": (
        "BatchNormEval",
        lambda g, d, x, c, h, s, w: g / np.sqrt(x.var(0) + 1e-5),
        "constants_as_statistics",
        "the batch's own statistics stand for the running ones",
    ),
}


@pytest.mark.parametrize("name", some(SAYS, 2))
def test_the_terms_of_a_normalisation_are_told_one_by_one(name):
    layer, of, kind, says = SAYS[name]

    def change(grad, dout, cache):
        x, *_, gamma = cache
        h, s = {"BatchNorm": (2, 3), "LayerNorm": (1, 2), "RMSNorm": (1, 2), "BatchNormEval": (1, 2)}[layer]
        return of(dout * gamma, dout, x, cache[h] / cache[s], cache[h], cache[s], gamma)

    report = diagnosed(layer, change)
    assert kinds(report) == [kind]
    assert says in report.diagnosis


AFFINE = {
    "rstd twice": (
        1,
        lambda d, c: (d * c[1] * c[2]).sum(0),
        "rstd_squared",
        "rstd is multiplied in twice: dgamma = Σ dy * x_hat",
    ),
    "mu forgotten": (
        1,
        lambda d, c: (d * c[0] * c[2]).sum(0),
        "x_for_x_hat",
        "mu is not subtracted, x * rstd stands for x_hat",
    ),
    "the last row": (1, lambda d, c: d[-1] * c[1][-1], "missing_accumulation", "only the last slice of axis 0 counts"),
    "a mean": (2, lambda d, c: d.mean(0), "mean_for_sum", "a mean over axis 0, 5 numbers, stands for the sum"),
}


@pytest.mark.parametrize("name", AFFINE)
def test_the_gradients_of_gamma_and_beta(name):
    which, of, kind, says = AFFINE[name]
    report = diagnosed("LayerNorm", lambda g, d, c: of(d, c), which)
    assert kinds(report) == [kind]
    assert says in report.diagnosis


def test_two_gradients_in_each_others_place():
    layer = RIGHT["LayerNorm"]

    def backward(dout, cache):
        dx, dgamma, dbeta = layer.backward(dout, cache)
        return dx, dbeta, dgamma

    report = check_backward(layer.forward, backward, layer.inputs(7), names=layer.names)
    assert kinds(report) == ["swapped", "swapped"]
    assert report.diagnosis.startswith("dgamma: it is dbeta, and dbeta is dgamma: the two are swapped.")


# ---- other layers ------------------------------------------------------------------------------------------------------


def _softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def _sum(a):
    return a.sum(1, keepdims=True)


def _leaky(a, slope):
    return np.where(a > 0, a, slope * a)


MATRIX = np.random.default_rng(3).standard_normal((4, 4))
MEAN, RSTD = np.array([0.3, -1.0, 0.5, 0.1]), np.array([0.7, 1.3, 0.4, 2.0])

# forward of x; dx; the layer; the kind; what the sentence has to say
OTHERS = {
    "precedence": (lambda x: np.maximum(x, 0), lambda d, x: (d * x > 0) * 1.0, "ReLU", "mask_of_dy", "> binds less than *"),
    "sign for mask": (lambda x: np.maximum(x, 0), lambda d, x: d * np.sign(x), "ReLU", "x_for_mask", "the sign of x"),
    "leaky for plain": (
        lambda x: np.maximum(x, 0),
        lambda d, x: np.where(x > 0, d, 0.3 * d),
        "ReLU",
        "mask_forgotten",
        "where x < 0 it is 0.3 times dy",
    ),
    "threshold": (
        lambda x: np.maximum(x, 0),
        lambda d, x: d * (x > 0.5),
        "ReLU",
        "mask_threshold",
        "x > t, for some t between",
    ),
    "plain for leaky": (
        lambda x: _leaky(x, 0.1),
        lambda d, x: d * (x > 0),
        "LeakyReLU",
        "slope_forgotten",
        "0 where x < 0, as of a plain ReLU",
    ),
    "slope twice": (
        lambda x: _leaky(x, 0.1),
        lambda d, x: np.where(x > 0, d, 0.01 * d),
        "LeakyReLU",
        "wrong_slope",
        "and 0.1 * dy elsewhere",
    ),
    "slope of a half": (
        lambda x: _leaky(x, 0.5),
        lambda d, x: d * 1.0,
        "LeakyReLU",
        "slope_forgotten",
        "or where x < 0 the slope is 2 times",
    ),
    "tanh without square": (
        np.tanh,
        lambda d, x: d * (1 - np.tanh(x)),
        "Tanh",
        "wrong_function",
        "it is dy * (1 - y): dx = dy * (1 - y²)",
    ),
    "tanh of x": (np.tanh, lambda d, x: d * (1 - x**2), "Tanh", "x_for_y", "x stands for y = tanh(x)"),
    "sigmoid, plus": (
        lambda x: 1 / (1 + np.exp(-x)),
        lambda d, x: d * (1 + np.exp(-x)) ** -2 * (2 + np.exp(-x)),
        "Sigmoid",
        "term_sign",
        "a plus stands",
    ),
    "sigmoid, no dy": (
        lambda x: 1 / (1 + np.exp(-x)),
        lambda d, x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        "Sigmoid",
        "dy_forgotten",
        "dy is not",
    ),
    "softmax, sum of dy": (
        _softmax,
        lambda d, x: _softmax(x) * (d - _sum(d)),
        "Softmax",
        "extra_softmax_factor",
        "p is forgotten inside the sum",
    ),
    "softmax, plus": (
        _softmax,
        lambda d, x: _softmax(x) * (d + _sum(d * _softmax(x))),
        "Softmax",
        "term_sign",
        "the sign of the sum is wrong",
    ),
    "softmax, all": (
        _softmax,
        lambda d, x: _softmax(x) * (d - (d * _softmax(x)).sum()),
        "Softmax",
        "wrong_axes",
        "over all elements",
    ),
    "log-softmax, no sum": (
        lambda x: np.log(_softmax(x)),
        lambda d, x: d - _softmax(x),
        "LogSoftmax",
        "sum_term_forgotten",
        "dy - p stands",
    ),
    "log-softmax as softmax": (
        lambda x: np.log(_softmax(x)),
        lambda d, x: _softmax(x) * (d - _sum(d * _softmax(x))),
        "LogSoftmax",
        "wrong_function",
        "it is softmax's",
    ),
    "skip path": (
        lambda x: x + np.sin(x),
        lambda d, x: d * np.cos(x),
        None,
        "missing_accumulation",
        "dy itself is missing: add it",
    ),
    "skip path twice": (lambda x: x + np.sin(x), lambda d, x: d * (2 + np.cos(x)), None, "doubled_accumulation", "take dy out"),
    "in a part": (
        lambda x: np.where(x > 0, x * x, x),
        lambda d, x: d * np.where(x > 0, x, 1),
        None,
        "factor_in_part",
        "are 1/2 times the right value, and the others right: where x is positive",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_mistakes_of_other_layers(name):
    f, backward, layer, kind, says = OTHERS[name]
    x = np.random.default_rng(1).standard_normal((5, 6))
    report = check_backward(lambda x: (f(x), x), lambda d, x: (backward(d, x),), [x], names=["x"])
    assert report.layer == layer
    assert kinds(report) == [kind]
    assert says in report.diagnosis


# forward of the inputs; the gradients; inputs; names; the layer; the kinds; what is said
LINEAR = {
    "columns": (
        lambda A, W, b: W @ A + b,
        lambda d, A, W, b: (W @ d, d @ A.T / 6, d.sum(0)[:4, None]),
        [(4, 6), (4, 4), (4, 1)],
        "Linear (columns)",
        ["transposed", "constant_factor"],
        ["dA_prev = weightᵀ dy", "1/6 (= 1/N)"],
    ),
    "the last of a batch": (
        lambda A, W, b: A @ W + b,
        lambda d, A, W, b: (d @ W.T, A[-1].T @ d[-1], d.sum((0, 1))),
        [(3, 5, 4), (4, 2), (2,)],
        "Linear",
        ["missing_accumulation"],
        ["only the last slice of axis 0 counts"],
    ),
    "a mean over one axis": (
        lambda A, W, b: A @ W + b,
        lambda d, A, W, b: (d @ W.T, np.einsum("bti,bto->io", A, d), d.mean(1).sum(0)),
        [(3, 5, 4), (4, 2), (2,)],
        "Linear",
        ["mean_for_sum"],
        ["a mean over axis 1, 5 numbers, stands for the sum"],
    ),
    "another product": (
        lambda A, W: A @ W,
        lambda d, A, W: (d @ W.T, A @ d),
        [(4, 4), (4, 4)],
        "Linear",
        ["transposed"],
        ["dweight: it is A_prev dy: dweight = A_prevᵀ dy"],
    ),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_layers_of_other_conventions(name):
    f, backward, shapes, layer, found, says = LINEAR[name]
    rng = np.random.default_rng(2)
    inputs = [rng.standard_normal(shape) for shape in shapes]
    names = ["A_prev", "weight", "b"][: len(inputs)]
    report = check_backward(lambda *a: (f(*a), a), lambda d, a: backward(d, *a), inputs, names=names)
    assert report.layer == layer
    assert kinds(report)[: len(found)] == found
    assert all(words in report.diagnosis for words in says)


CROSS_ENTROPY = {
    "all rows": (lambda p, q: p - np.any(q, axis=0), "wrong_target", "p[:, t] -= 1"),
    "added": (lambda p, q: p + q, "term_sign", "the target's 1 is added"),
    "by p": (lambda p, q: -q / p, "wrong_function", "the derivative by p"),
    "the target only": (lambda p, q: (p - q) * q, "some_elements", "only the target's element"),
    "divided by C": (lambda p, q: (p - q) * 7 / 4, "constant_factor", "it is 7/4 (= N/C) times the right gradient"),
}


@pytest.mark.parametrize("name", CROSS_ENTROPY)
def test_mistakes_of_cross_entropy(name):
    of, kind, says = CROSS_ENTROPY[name]
    t, x = np.array([0, 1, 2, 2, 1, 0, 0]), np.random.default_rng(0).standard_normal((7, 4))
    report = diagnosed("SoftmaxCrossEntropy", lambda g, d, c: d * of(c[1], np.eye(4)[t]) / 7, inputs=[x, t])
    assert kinds(report) == [kind]
    assert says in report.diagnosis


def test_running_statistics_that_are_no_inputs():
    def forward(x, gamma, beta):
        return gamma * (x - MEAN) * RSTD + beta, ((x - MEAN) * RSTD, gamma)

    def backward(dout, cache):
        g = dout * cache[1]
        return RSTD * (g - g.mean(0)), (dout * cache[0]).sum(0), dout.sum(0)

    x, gamma, beta = (np.random.default_rng(0).standard_normal(shape) for shape in ((7, 4), 4, 4))
    report = check_backward(forward, backward, [x, gamma, beta])
    assert report.layer == "BatchNormEval"
    assert kinds(report) == ["constants_as_statistics"]


@pytest.mark.parametrize(("ddof", "outside"), [(1, True), (1, False), (0, True)])
def test_layers_that_divide_by_another_deviation(ddof, outside):
    def forward(x, a, b):
        c, var = x - _mean(x), x.var(1, ddof=ddof, keepdims=True)
        t = np.sqrt(var) + 1e-3 if outside else np.sqrt(var + 1e-3)
        return a * c / t + b, (c, t, np.sqrt(var) if outside else t, a)

    def backward(dout, cache, k=None):
        c, t, std, a = cache
        g, n = dout * a, c.shape[1]
        last = c * (g * c).sum(1, keepdims=True) / (t**2 * std * (n - ddof))
        last = last if k is None else c * _mean(g * c) / t**3
        mean = _mean(g) if missing is None else 0.0
        return (g - mean) / t - last, (dout * c / t).sum(0), dout.sum(0)

    x, a, b = (np.random.default_rng(0).standard_normal(shape) for shape in ((4, 6), 6, 6))
    missing = "mean"
    report = check_backward(forward, backward, [x, a, b], names=["x", "gamma", "beta"])
    assert report.layer == "LayerNorm"
    assert kinds(report) == ["missing_mean_term"]
    missing = None
    report = check_backward(forward, lambda d, c: backward(d, c, "usual"), [x, a, b], names=["x", "gamma", "beta"])
    assert "the factor k is missing" in report.diagnosis
    assert check_backward(forward, backward, [x, a, b]).ok


def test_one_row_is_normalised_too():
    def backward(dout, cache):
        _, h, s, gamma = cache
        g = dout * gamma
        return s * (g - h * (g * h).mean()), dout * h, dout * 1.0

    def forward(x, gamma, beta):
        s = 1 / np.sqrt(x.var() + 1e-5)
        h = (x - x.mean()) * s
        return gamma * h + beta, (x, h, s, gamma)

    report = check_backward(forward, backward, [np.random.default_rng(k).standard_normal(7) for k in range(3)])
    assert kinds(report) == ["missing_mean_term"]
    assert not report.faults


def test_symbols_go_by_the_users_names():
    layer = RIGHT["LayerNorm"]

    def backward(dout, cache):
        _, h, s, _, gamma = cache
        g = dout * gamma
        return s * (g - h * _mean(g * h)), *layer.backward(dout, cache)[1:]

    report = check_backward(layer.forward, backward, layer.inputs(7), names=["inp", "scale", "shift"])
    assert "dinp: the mean term is missing: subtract rstd * mean(g)" in report.diagnosis
    assert "with gamma = scale, g = dy * gamma" in report.diagnosis
    report = check_backward(layer.forward, backward, layer.inputs(7), names=["x", "g", "b"])
    assert "subtract rstd * mean(dy * g)" in report.diagnosis


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
@pytest.mark.parametrize("change", some(UNKNOWN, 3))
def test_what_has_no_name_is_given_none(layer, change):
    report = diagnosed(layer, UNKNOWN[change])
    assert kinds(report) == []
    assert report.diagnosis.startswith(f"d{report.inputs[0].name}: no known pattern")


def test_a_mixture_with_odd_coefficients_has_no_name():
    report = diagnosed("LayerNorm", lambda g, d, c: g + 0.37 * c[2] * (d * c[4]).mean(1, keepdims=True))
    assert kinds(report) == []


# ---- never a wrong name --------------------------------------------------------------------------------------------------


def evidence_of(layer, inputs, change, which=0, seed=0):
    """What a check would have measured, at once; `change(right, dy, cache)` is the wrong gradient of one input."""
    rng = np.random.default_rng(seed)
    y, cache = layer.forward(*inputs)
    dy = rng.choice([-1, 1], np.shape(y)) * rng.uniform(0.5, 1.5, np.shape(y))
    right = list(layer.backward(dy if np.ndim(dy) else float(dy), cache))
    samples = [
        None if g is None else Sample(np.arange(g.size), g.ravel(), 1e-10 * (abs(g).ravel() + abs(g).max())) for g in right
    ]
    analytic = list(right)
    analytic[which] = change(right[which], dy, cache)
    return Evidence(list(layer.names), list(inputs), np.asarray(y), np.asarray(dy), analytic, samples, [which])


def named(evidence):
    return diagnose(evidence, recognise(evidence.names, evidence.inputs, evidence.output))


def _gamma_inputs(layer, shape, gamma, rng, standardised=False):
    x = 2 * rng.standard_normal(shape) + 1
    if standardised:
        axis = 0 if layer.startswith("Batch") else 1
        x = (x - x.mean(axis, keepdims=True)) / x.std(axis, keepdims=True)
    n = shape[-1] if len(shape) == 2 else shape[1]
    gamma = rng.standard_normal(n) if gamma is None else np.full(n, float(gamma))
    beta, mean, var = rng.standard_normal(n), rng.standard_normal(n), rng.uniform(0.5, 2, n)
    return {"RMSNorm": [x, gamma], "BatchNormEval": [x, gamma, beta, mean, var]}.get(layer, [x, gamma, beta])


ODD = {
    "noise": lambda rng, g, terms: g + 0.003 * rng.standard_normal(g.shape),
    "elements": lambda rng, g, terms: g * rng.uniform(0.6, 1.4, g.shape),
    "rows": lambda rng, g, terms: g * rng.uniform(0.6, 1.4, (len(g), *(1,) * (g.ndim - 1))),
    "columns": lambda rng, g, terms: g * rng.uniform(0.6, 1.4, g.shape[-1]),
    "permuted": lambda rng, g, terms: rng.permuted(g),
    "a mixture": lambda rng, g, terms: sum(rng.uniform(0.1, 3) * rng.choice([-1, 1]) * t for t in terms),
    "plus a term": lambda rng, g, terms: g + rng.uniform(0.05, 0.45) * terms[rng.integers(len(terms))],
    "times and plus": lambda rng, g, terms: rng.uniform(1.1, 1.9) * g + rng.uniform(0.05, 0.45) * terms[0],
}


@pytest.mark.no_cover  # twice as slow where each line is counted; the tests above run these lines too
@pytest.mark.parametrize("how", some(ODD, 8))
@pytest.mark.parametrize("layer", some(["LayerNorm", "BatchNorm", "RMSNorm", "BatchNormEval", "GroupNorm"], 2))
def test_no_random_wrong_gradient_is_given_a_name(layer, how):
    rng = np.random.default_rng([len(layer), len(how)])
    shapes = [(2, 4, 3, 2), (3, 4, 2, 2)] if layer == "GroupNorm" else [(5, 8), (6, 6), (7, 5), (4, 4)]
    for shape in shapes:
        for gamma, standardised in ((None, False), (1, False), (2, False), (None, True)):

            def change(g, dy, cache):
                w = cache[-1].reshape(-1, *(1,) * (dy.ndim - 2))
                axis = 0 if layer.startswith("Batch") else 1
                rows = dy.mean(axis, keepdims=True) + 0 * dy
                return ODD[how](rng, g, [dy * w * w + rows, rows * np.cos(dy), dy * cache[0] * np.ones_like(dy)])

            inputs = _gamma_inputs(layer, shape, gamma, rng, standardised and layer != "GroupNorm")
            found = named(evidence_of(RIGHT[layer], inputs, change, seed=int(rng.integers(99))))
            assert not found, (shape, gamma, standardised, found[0].sentence)


@pytest.mark.parametrize("gamma", [2.0, 0.5, -1.0])
def test_what_a_constant_gamma_hides_is_told_as_either_or(gamma):
    inputs = _gamma_inputs("LayerNorm", (5, 6), gamma, np.random.default_rng(0))
    (found,) = named(evidence_of(RIGHT["LayerNorm"], inputs, lambda g, d, c: _layer(d, c[1], c[2])))
    assert "either" in found.sentence
    assert "gamma is forgotten" in found.sentence
    assert "they give the same numbers here" in found.sentence


def test_eps_in_a_unit_variance_is_no_factor_of_one():
    inputs = _gamma_inputs("BatchNorm", (8, 5), None, np.random.default_rng(0), standardised=True)
    (found,) = named(evidence_of(RIGHT["BatchNorm"], inputs, lambda g, d, c: g / c[3]))
    assert "either rstd is missing: multiply by it, or eps is left out of rstd" in found.sentence
    (found,) = named(evidence_of(RIGHT["BatchNorm"], inputs, lambda g, d, c: g * c[3]))
    assert "either rstd is multiplied in twice" in found.sentence
    assert "eps is added to the standard deviation" in found.sentence


def test_a_number_with_two_reasons_is_given_none():
    names = Names({"N": 6, "C": 5}, "N")
    assert names.of(6 / 5) == "1.2"
    assert names.of(6.0) == "6 (= N)"
    assert names.of(-1 / 6) == "-1/6 (= -1/N)"
    assert names.of(1 / 5) == "1/5"  # 1/C, or 1/(N - 1)
    assert names.of(0.37) is None


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
    for y in (np.exp(x), x * 2, x + 1, np.sin(x), x.sum()):
        assert recognise(["x"], [x], np.asarray(y)) is None


@pytest.mark.parametrize("axis", [0, None])
def test_a_sum_over_wrong_axes_that_is_divided_by_m_gets_no_factor_on_top(axis):
    """Its axes alone are to be mended."""

    def change(dx, dy, cache):
        _, x_hat, rstd, _, gamma = cache
        g, m = dy * gamma, dy.shape[1]
        return rstd / m * (m * g - g.sum(axis) - x_hat * (g * x_hat).sum(axis))

    sentence = diagnosed("LayerNorm", change).diagnosis
    assert "the sum, which is divided by m = 8, runs over ax" in sentence
    assert "multiply by" not in sentence
