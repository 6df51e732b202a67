"""Trigonometric functions at the ends of their ranges. (Values and slopes: test_gradients.py and tests/pytorch.)"""

import math

import numpy as np
import pytest

import tinynorm as tn


def slopes(f, *inputs, dtype="float32"):
    xs = [tn.tensor(x, dtype=dtype, requires_grad=True) for x in inputs]
    return [g.tolist() for g in tn.autograd.grad(f(*xs).sum(), xs)]


def test_the_slope_of_arctan_does_not_vanish_in_float16_before_it_must():
    (g,) = slopes(tn.atan, [300.0, 0.5], dtype="float16")
    np.testing.assert_allclose(g, [1 / 90001, 0.8], rtol=0.01)


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_squares_that_leave_the_range_are_not_formed(scale):
    a, b = 3 * scale, 4 * scale
    assert tn.hypot(tn.tensor(a), tn.tensor(b)).item() == pytest.approx(5 * scale, rel=1e-6)
    np.testing.assert_allclose(slopes(tn.hypot, a, b), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(slopes(tn.atan2, a, b), [0.16 / scale, -0.12 / scale], rtol=1e-5)


def test_at_the_origin_the_slopes_are_0():
    assert slopes(tn.hypot, 0.0, 0.0) == slopes(tn.atan2, 0.0, 0.0) == [0.0, 0.0]


def test_near_1_the_slope_of_arcsin_keeps_its_digits():
    x = 1 - 2.0**-24
    (g,) = slopes(tn.asin, x)
    assert g == pytest.approx(1 / math.sqrt((1 - x) * (1 + x)), rel=1e-6)
    assert slopes(tn.acos, x) == [-g]
    assert tn.asin(tn.tensor(1.5)).isnan().item()
    assert slopes(tn.asin, 1.0) == [math.inf]


@pytest.mark.parametrize(("f", "sign"), [(tn.asin, 1), (tn.acos, -1)])
def test_at_1_the_slope_of_the_slope_is_infinite(f, sign):
    x = tn.tensor([-1.0, 0.0, 1.0], dtype="float64", requires_grad=True)
    (slope,) = tn.autograd.grad(f(x).sum(), x, create_graph=True)
    assert tn.autograd.grad(slope.sum(), x)[0].tolist() == [-sign * math.inf, 0.0, sign * math.inf]


def test_integers_become_floats(anywhere):
    x = tn.tensor([1, 2], device=anywhere)
    for y in (x.sin(), x.tan(), x.atan(), x.cosh(), tn.hypot(x, x), tn.atan2(x, x), x.expm1(), x.reciprocal()):
        assert (y.dtype, y.device) == (tn.float32, x.device)
