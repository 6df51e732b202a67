"""Large normalisation layers go by blocks of samples: with the numbers, and the accuracy, of the formula on whole arrays."""

import math

import numpy as np
import pytest
from helpers import some
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.autograd import gradcheck, gradgradcheck
from tinynorm.nn import functional as F
from tinynorm.ops import normalization_blocks as in_blocks

LAYERS = {
    "layer": (lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b), [(7, 5), (3, 4, 5), (2, 3, 2, 5), (9, 1)], lambda s: s[-1:]),
    "layer of two": (lambda x, w, b: F.layer_norm(x, x.shape[-2:], w, b), [(7, 2, 5), (2, 3, 4, 5)], lambda s: s[-2:]),
    "rms": (lambda x, w, b: F.rms_norm(x, x.shape[-1:], w), [(7, 5), (3, 4, 5)], lambda s: s[-1:]),
    "group": (lambda x, w, b: F.group_norm(x, 2, w, b), [(7, 4), (5, 6, 3), (3, 4, 2, 3)], lambda s: s[1:2]),
    "batch": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), [(7, 4), (5, 3, 6), (3, 2, 4, 5)], lambda s: s[1:2]),
    "instance": (lambda x, w, b: F.instance_norm(x, None, None, w, b), [(7, 4, 3), (5, 3, 2, 6)], lambda s: s[1:2]),
}
CASES = [(name, shape) for name, (_, shapes, _) in LAYERS.items() for shape in shapes]


@pytest.fixture(autouse=True)
def small_blocks(formulas, monkeypatch):
    monkeypatch.setattr(in_blocks, "LARGE", 1)
    monkeypatch.setattr(in_blocks, "BLOCK", 12)


def results(name, x, dy, gamma, beta, needs=(True, True, True)):
    """y and the gradients."""
    inputs = [None if a is None else tn.tensor(a, requires_grad=need) for a, need in zip((x, gamma, beta), needs, strict=True)]
    y = LAYERS[name][0](*inputs)
    if any(needs):
        y.backward(tn.tensor(dy))
    return [y.detach().numpy(), *(t.grad.numpy() for t in inputs if t is not None and t.grad is not None)]


def numbers(seed, name, shape, dtype, offset=0.0):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=shape) + offset, rng.normal(size=shape)
    gamma, beta = (rng.normal(size=LAYERS[name][2](shape)) + 1 for _ in "gb")
    return [a.astype(dtype) for a in (x, dy, gamma, beta)]


def whole(*args, **kwargs):
    """The same by the formula on whole arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_blocks, "LARGE", math.inf)
        return results(*args, **kwargs)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(CASES), st.sampled_from(["float64", "float32", "float16"]), st.booleans())
def test_blocks_give_what_the_whole_gives(seed, case, dtype, affine):
    name, shape = case
    x, dy, gamma, beta = numbers(seed, name, shape, dtype)
    gamma, beta = (gamma, beta) if affine else (None, None)
    allowed = {"float64": 1e-13, "float32": 2e-5, "float16": 4e-3}[dtype]
    for a, b in zip(results(name, x, dy, gamma, beta), whole(name, x, dy, gamma, beta), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=allowed, atol=allowed * max(np.abs(b).max(), 1))


@pytest.mark.parametrize("needs", [(True, False, False), (False, True, False), (False, False, True), (False, False, False)])
@pytest.mark.parametrize("name", LAYERS)
def test_only_what_is_needed(name, needs):
    shape = LAYERS[name][1][0]
    if name == "rms" and needs == (False, False, True):
        return
    arrays = numbers(0, name, shape, "float64")
    for a, b in zip(results(name, *arrays, needs=needs), whole(name, *arrays, needs=needs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", some(LAYERS, 5))
def test_first_and_second_derivatives(name):
    x, _, gamma, beta = (tn.tensor(a, requires_grad=True) for a in numbers(1, name, LAYERS[name][1][0], "float64"))
    inputs = (x, gamma) if name == "rms" else (x, gamma, beta)
    f = (lambda x, w: LAYERS[name][0](x, w, None)) if name == "rms" else LAYERS[name][0]
    assert gradcheck(f, inputs)
    assert gradgradcheck(f, inputs)


@pytest.mark.parametrize("offset", [1e4, 1e6])
@pytest.mark.parametrize("name", ["layer", "group", "batch", "instance"])
def test_a_large_mean_costs_no_accuracy(name, offset):
    shape = {"layer": (300, 40), "group": (300, 8, 5), "batch": (300, 8), "instance": (30, 8, 50)}[name]
    arrays = numbers(2, name, shape, "float32", offset)
    exact = whole(name, *(a.astype("float64") for a in arrays))
    for a, b, e in zip(results(name, *arrays), whole(name, *arrays), exact, strict=True):
        scale = max(np.abs(e).max(), 1)
        assert np.abs(a - e).max() <= max(2 * np.abs(b - e).max(), 3e-6 * scale)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("name", ["layer", "group", "batch", "instance"])
def test_equal_numbers_give_beta(name, value):
    shape = LAYERS[name][1][-1]
    x, dy, gamma, beta = numbers(3, name, shape, "float32")
    y = results(name, np.full_like(x, value), dy, gamma, beta)[0]
    np.testing.assert_array_equal(y, whole(name, np.full_like(x, value), dy, gamma, beta)[0])


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e25, 1e-30])
def test_special_numbers(name, value):
    shape = LAYERS[name][1][0]
    x, dy, gamma, beta = numbers(4, name, shape, "float32")
    x = x * np.float32(value) if np.isfinite(value) else x
    x.flat[3] = value
    for a, b in zip(results(name, x, dy, gamma, beta), whole(name, x, dy, gamma, beta), strict=True):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.nanmax(np.abs(b), initial=1))


def test_other_layouts_and_a_single_sample_are_taken_whole():
    x = tn.randn(6, 8)
    for y in (x.t(), x[:, ::2], x[:1]):
        assert not in_blocks.fits(y.array)
        np.testing.assert_allclose(F.layer_norm(y, y.shape[-1:]).mean(1).numpy(), 0, atol=1e-6)


def test_running_statistics_are_those_of_the_whole():
    x = tn.randn(40, 6, 5)
    found = []
    for large in (1, math.inf):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(in_blocks, "LARGE", large)
            mean, var = tn.zeros(6), tn.ones(6)
            F.batch_norm(x, mean, var, None, None, True)
            found.append((mean.numpy(), var.numpy()))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_captured_step_with_blocks(name):
    found = []
    for capture in (False, True):
        _, *arrays = numbers(5, name, LAYERS[name][1][0], "float32")
        dy, gamma, beta = (tn.tensor(a, requires_grad=k > 0) for k, a in enumerate(arrays))

        def step(x, dy=dy, gamma=gamma, beta=beta):
            gamma.grad = beta.grad = None
            y = LAYERS[name][0](x * gamma.sum(), gamma, beta)
            y.backward(dy)
            return y

        step = tn.capture(step) if capture else step
        xs = [tn.tensor(numbers(k, name, dy.shape, "float32")[0]) for k in range(6)]
        ys = [step(x).detach().numpy().tobytes() for x in xs]
        found.append((ys, gamma.grad.numpy().tobytes()))
    assert found[0] == found[1]
    assert step.replays == 3
