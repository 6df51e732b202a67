"""Large inputs, along random directions: one wrong element is found wherever it hides, and a right gradient is told so."""

import numpy as np
import pytest
from helpers import some

from tinynorm.gradcheck import check_backward, mistakes
from tinynorm.gradcheck.mistakes import layernorm

pytestmark = pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too
rng = np.random.default_rng(0)
NORMAL = rng.standard_normal(5000)


def elementwise(f, df, place=None, factor=1 + 1e-4):
    """A forward and a backward; with a `place`, one element is wrong by a factor."""

    def backward(dy, x):
        g = dy * df(x)
        if place is not None:
            g[place] *= factor
        return (g,)

    return (lambda x: (f(x), x)), backward


def sech2(x):
    return 1 / np.cosh(np.clip(x, -300, 300)) ** 2


@pytest.mark.parametrize("quantile", some([0.001, 0.01, 0.5], 3))
def test_an_error_of_1e_4_is_found_in_an_element_much_smaller_than_the_others(quantile):
    inputs = rng.standard_normal((100, 100)), rng.standard_normal(100), rng.standard_normal(100)
    places = []

    def backward(dy, cache):
        dx, *others = layernorm.backward(dy, cache)
        if not places:
            places.append(int(np.argsort(np.abs(dx.ravel()))[int(quantile * dx.size)]))
        dx.flat[places[0]] *= 1 + 1e-4
        return dx, *others

    report = check_backward(layernorm.forward, backward, inputs)
    assert report.ok is False
    assert report.inputs[0].worst.index == np.unravel_index(places[0], (100, 100))


@pytest.mark.parametrize("share", some([0.5, 0.02, 0.95], 3))
def test_a_wrong_element_among_many_on_kinks_is_found(share):
    x = NORMAL.copy()
    x[: int(share * x.size)] = 0
    relu = lambda x: np.maximum(x, 0)  # noqa: E731
    assert check_backward(*elementwise(relu, lambda x: x >= 0), [x]).ok is True
    report = check_backward(*elementwise(relu, lambda x: x >= 0, place=10, factor=5), [x])
    assert report.ok is False
    assert report.inputs[0].worst.index == (10,)


@pytest.mark.parametrize("place", [None, 9, 44])
def test_a_steep_element_does_not_hide_the_others(place):
    k = np.where(np.arange(5000) == 9, 1e6, 1.0)
    x = np.where(np.arange(5000) == 9, 1e-7, NORMAL)
    report = check_backward(*elementwise(lambda x: np.tanh(k * x), lambda x: k * sech2(k * x), place), [x])
    assert report.ok is (place is None), report
    assert place is None or report.inputs[0].worst.index == (place,)


@pytest.mark.parametrize("place", [None, 44])
def test_gradients_of_many_sizes(place):
    x = np.exp(rng.uniform(-20, 20, 5000)) * rng.choice([-1, 1], 5000)
    report = check_backward(*elementwise(lambda x: 1 / x, lambda x: -1 / x**2, place), [x])
    assert report.ok is (place is None), report


def test_an_error_below_the_rounding_of_a_whole_direction_is_found_in_a_part_of_it():
    report = check_backward(*elementwise(lambda x: np.tanh(x) + 1e6, sech2, place=77), [NORMAL])
    assert report.ok is False
    assert report.inputs[0].worst.index == (77,)


def test_what_is_called_right_is_resolved_to_1e_4():
    """Kinks within the step of a hundred thousand elements, and rounding of an offset, are no excuse."""
    x = np.random.default_rng(1).standard_normal(100_000)
    for f, df in ((lambda x: np.maximum(x, 0), lambda x: x > 0), (lambda x: np.tanh(x) + 1e3, sech2)):
        report = check_backward(*elementwise(f, df), [x])
        assert report.ok is True, report
        assert 0 < report.inputs[0].resolution <= 1e-4


def test_a_gradient_of_zero_is_right_where_nothing_moves_and_told_of():
    softmax = lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)  # noqa: E731
    for f, x in ((np.floor, np.abs(NORMAL) % 0.8 + 0.1), (lambda x: softmax(x).sum(1), NORMAL.reshape(50, 100))):
        report = check_backward(lambda x, f=f: (f(x), x), lambda dy, x: (0 * x,), [x])
        assert report.ok is True, report
        assert "a gradient of zero would pass" in report.warnings[0]


def test_a_gradient_of_zero_is_not_right_where_rounding_hides_what_moves():
    forward, _ = elementwise(lambda x: np.tanh(x) + 1e14, sech2)
    assert check_backward(forward, lambda dy, x: (0 * x,), [NORMAL]).ok is not True


@pytest.mark.long
def test_a_right_backward_never_fails_along_directions():
    """Elements that are measured one by one elsewhere, here along directions."""
    answers = []
    for k in range(135):
        draw = np.random.default_rng(k)
        layer = mistakes.RIGHT[k % len(mistakes.RIGHT)]
        scale, offset = 10.0 ** draw.integers(-12, 13), float(draw.choice([0, 1, -100, 1e4, 1e6]))
        inputs = layer.inputs_at(k, scale, offset, "float64", bool(draw.integers(2)))
        report = check_backward(layer.forward, layer.backward, inputs, names=layer.names, seed=k, exhaustive=0)
        assert report.ok is not False, report
        answers.append(report.ok)
    assert answers.count(True) > 0.8 * len(answers)
