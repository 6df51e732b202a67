"""Right gradients of functions on which finite differences mislead: never called wrong; called right where it can be told."""

import math

import numpy as np
import pytest
from helpers import examples, some

from tinynorm.gradcheck import check_backward

pytestmark = pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too
rng = np.random.default_rng(0)
Phi = np.vectorize(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2, otypes=[float])
phi = np.vectorize(lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi), otypes=[float])
sech2 = np.vectorize(lambda t: 1 / math.cosh(min(t, 300.0)) ** 2, otypes=[float])

HARD = {  # f, its derivative, points
    "goes up in stairs of its rounding": (lambda x: x * Phi(x), lambda x: Phi(x) + x * phi(x), -rng.uniform(3, 7.5, (40, 3))),
    "rounds what the last digits do not reach": (
        lambda x: np.sin(1 / (x * x + 1e-3)),
        lambda x: -np.cos(1 / (x * x + 1e-3)) * 2 * x / (x * x + 1e-3) ** 2,
        rng.standard_normal((40, 8)) * 1e-6,
    ),
    "levels off beyond the steps": (
        lambda x: np.tanh(np.log1p(x * x)),
        lambda x: sech2(np.log1p(x * x)) * 2 * x / (1 + x * x),
        rng.standard_normal((40, 10)) * 1e4,
    ),
    "has a chaotic neighbour": (
        lambda x: np.sin(np.exp(x)),
        lambda x: np.cos(np.exp(x)) * np.exp(x),
        np.concatenate([rng.uniform(-1, 2, (40, 3)), rng.uniform(40, 200, (40, 3))], axis=1),
    ),
    "swings within the steps": (lambda x: np.sin(1e9 * x), lambda x: 1e9 * np.cos(1e9 * x), rng.uniform(1, 2, (40, 3))),
    "jumps beside the point": (np.floor, np.zeros_like, rng.integers(-9, 9, (40, 5)) + rng.uniform(0.1, 0.9, (40, 5))),
}


@pytest.mark.parametrize("name", some(HARD, 3))
@examples(10, 40)
def test_a_right_gradient_is_never_called_wrong(name, examples):
    f, df, points = HARD[name]
    for k, x in enumerate(points[:examples]):
        report = check_backward(lambda x: (f(x), x), lambda dy, x: (dy * df(x),), [x], seed=k)
        assert report.ok is not False, report


@pytest.mark.parametrize("factor", [0.5, 1.001])
@pytest.mark.parametrize("name", ["rounds what the last digits do not reach", "swings within the steps"])
@examples(10, 40)
def test_a_wrong_one_is_not_let_through(name, factor, examples):
    f, df, points = HARD[name]
    for k, x in enumerate(points[:examples]):
        assert check_backward(lambda x: (f(x), x), lambda dy, x: (factor * dy * df(x),), [x], seed=k).ok is not True


@examples(10, 40)
def test_a_jump_beside_the_point_is_resolved(examples):
    f, df, points = HARD["jumps beside the point"]
    for x in points[:examples]:
        assert check_backward(lambda x: (f(x), x), lambda dy, x: (dy * df(x),), [x]).ok is True
        assert check_backward(lambda x: (f(x), x), lambda dy, x: (dy,), [x]).ok is False  # straight through


# ---- what is not resolved is never right -------------------------------------------------------------------------------


def checked(f, g, x, **options):
    """f, and the gradients `g` whatever the inputs are (not even their last digits change them)."""
    return check_backward(lambda x: (f(x), None), lambda dy, _: (dy * g,), [x], **options).ok


X = np.random.default_rng(1).standard_normal(12)


@pytest.mark.parametrize("offset", [1e14, 1e15])
def test_an_offset_that_swallows_the_function_leaves_nothing_to_be_right(offset):
    right = 1 / np.cosh(X) ** 2
    assert checked(lambda x: offset + np.tanh(x), right, X) is not False
    for factor in (2, 0, -1):
        assert checked(lambda x: offset + np.tanh(x), factor * right, X) is not True


def test_a_small_part_beside_a_large_one_is_not_forgotten():
    def forward(x, z):
        return np.sin(x) + 1e-14 * np.sin(z), x

    assert check_backward(forward, lambda dy, x: (dy * np.cos(x), 0 * dy), [X, X[::-1].copy()]).ok is not True


@pytest.mark.parametrize("k", [1e3, 1e5, 1e6, 1e8])
@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
def test_a_bend_is_no_kink_however_sharp(k, slope):
    x = np.array([0.0, 0.7])
    assert checked(lambda x: np.logaddexp(0, k * x) / k, np.array([0.5, 1.0]), x) is True
    assert checked(lambda x: np.logaddexp(0, k * x) / k, np.array([slope, 1.0]), x) is False
    assert checked(lambda x: np.sqrt(x * x + 1 / k**2), np.array([slope - 0.5, 1.0]), x) is False


@pytest.mark.parametrize("distance", [1e-6, 1e-12, 1e-15, 1e-20, 1e-300])
def test_beside_a_kink_the_mean_of_two_slopes_is_wrong(distance):
    x = X.copy()
    x[7] = distance
    for slope in (0.0, 0.5, 1.0):
        g = np.where(np.arange(12) == 7, slope, x > 0)
        assert checked(lambda x: np.maximum(x, 0), g, x) is (slope == 1.0)


def test_a_small_element_is_told_by_an_output_of_its_own():
    x = np.array([0.3, -1.0, 2.0, -35.0])
    right = np.exp(-x) / (1 + np.exp(-x)) ** 2
    assert checked(lambda x: 1 / (1 + np.exp(-x)), right, x) is True
    assert checked(lambda x: 1 / (1 + np.exp(-x)), np.where(x < -30, 0, right), x) is False
    assert checked(lambda x: 1 / (1 + np.exp(-x)), np.where(x < -30, 1 + 1e-4, 1) * right, x) is False
