"""The mutation suite: each mistake is one, and the checker catches it and calls it by its name."""

from collections import Counter

import numpy as np
import pytest
from helpers import some

import tinynorm as tn
from tinynorm.gradcheck import KINDS, check_backward, mistakes
from tinynorm.gradcheck.report.catalogue import FAULTS
from tinynorm.nn import functional as F

no_cover = pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too

NUMERIC = [m for m in mistakes.ALL if m.kind in KINDS]
FAULTY = [m for m in mistakes.ALL if m.kind in FAULTS]


def check(m, seed=0):
    return check_backward(m.forward, m.backward, m.inputs(seed), names=m.names, seed=seed)


def right(m):
    return next(layer for layer in mistakes.RIGHT if layer.name == m.layer and layer.names == m.names)


def test_there_are_enough_and_each_has_a_name_of_its_own():
    assert len(NUMERIC) >= 60
    assert len({m.name for m in mistakes.ALL}) == len(mistakes.ALL)
    layers = Counter(m.layer for m in mistakes.ALL)
    assert set(layers) == {
        *("Linear", "ReLU", "SoftmaxCrossEntropy", "BatchNorm", "BatchNormEval", "LayerNorm", "RMSNorm", "GroupNorm"),
    }
    assert min(layers.values()) >= 6
    assert all(m.kind in KINDS or m.kind in FAULTS for m in mistakes.ALL)
    assert all(len(m.why) > 10 and "def " in m.source for m in mistakes.ALL)


TRUTH = {
    ("Linear", "W"): lambda x, W, b: F.linear(x, W, b),
    ("Linear", "w"): lambda x, w, b: x @ w + b,
    ("ReLU", ""): F.relu,
    ("SoftmaxCrossEntropy", "t"): F.cross_entropy,
    ("BatchNorm", "gamma"): lambda x, g, b: F.batch_norm(x, None, None, g, b, training=True),
    ("BatchNormEval", "gamma"): lambda x, g, b, mean, var: F.batch_norm(x, mean, var, g, b),
    ("LayerNorm", "gamma"): lambda x, g, b: F.layer_norm(x, g.shape, g, b),
    ("RMSNorm", "gamma"): lambda x, g: F.rms_norm(x, g.shape, g, eps=1e-5),
    ("GroupNorm", "gamma"): lambda x, g, b: F.group_norm(x, 2, g, b),
}


@pytest.mark.parametrize("layer", mistakes.RIGHT, ids=lambda layer: f"{layer.name}-{layer.names[-1]}")
def test_the_right_ones_agree_with_the_ops(layer):
    truth = TRUTH[layer.name, layer.names[1] if len(layer.names) > 1 else ""]
    inputs = layer.inputs(3)
    y, cache = layer.forward(*inputs)
    dy = np.random.default_rng(1).standard_normal(np.shape(y))
    grads = layer.backward(dy if dy.ndim else float(dy), cache)
    wanted = [i for i, g in enumerate(grads) if g is not None]
    xs = [tn.tensor(a, requires_grad=i in wanted) for i, a in enumerate(inputs)]
    out = truth(*xs)
    np.testing.assert_allclose(y, out.array, rtol=1e-12, atol=1e-12)
    expected = tn.autograd.grad(out, [xs[i] for i in wanted], tn.tensor(dy))
    for i, g in zip(wanted, expected, strict=True):
        np.testing.assert_allclose(grads[i], g.array, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("m", NUMERIC, ids=lambda m: m.name)
def test_a_mistake_is_wrong_where_it_says_and_right_elsewhere(m):
    inputs, layer = m.inputs(5), right(m)
    y, cache = m.forward(*inputs)
    dy = np.random.default_rng(2).choice([-1.3, 0.8], np.shape(y))
    dy = dy if dy.ndim else float(dy)
    found = m.backward(dy, cache)
    expected = layer.backward(dy, layer.forward(*inputs)[1])
    for name, g, e in zip(m.names, found, expected, strict=True):
        if e is None:
            assert g is None
        elif name in m.wrong:
            assert np.max(np.abs(g - e)) > 1e-6 * np.max(np.abs(e))
        else:
            np.testing.assert_allclose(g, e, rtol=1e-12, atol=1e-13)


@no_cover
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("m", some(mistakes.ALL, 4), ids=lambda m: m.name)
def test_every_mistake_is_caught(m, seed):
    report = check(m, seed)
    assert report.ok is False
    if m.kind in KINDS:
        assert {found.name for found in report.inputs if found.ok is False} == set(m.wrong)


@no_cover
@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.long)])
def test_at_least_nine_in_ten_are_named_rightly_and_none_wrongly(every):
    named = other = 0
    chosen = mistakes.ALL[::every]
    for m in chosen:
        report = check(m, seed=2)
        kinds = [f.kind for f in report.findings] + [f.kind for f in report.faults]
        named += m.kind in kinds[:1] or (m.kind in FAULTS and m.kind in kinds)
        other += bool(report.findings) and report.findings[0].kind != m.kind
    assert named >= 0.9 * len(chosen), named
    assert other == 0


@no_cover
@pytest.mark.parametrize("layer", mistakes.RIGHT, ids=lambda layer: f"{layer.name}-{layer.names[-1]}")
def test_the_right_ones_pass(layer):
    report = check_backward(layer.forward, layer.backward, layer.inputs(1), names=layer.names)
    assert report.ok is True, report
    assert report.layer == layer.name
    assert not report.warnings


def test_a_name_that_is_none_lists_those_that_are():
    with pytest.raises(KeyError, match="layernorm_missing_mean_term"):
        mistakes.find("nonsense")
