"""Inputs that are measured element by element: from three steps where that is enough, else from five."""

import numpy as np

from tinynorm.gradcheck import check_backward

x = np.linspace(0.3, 1, 6)


def of_sine(error):
    """The check of an element whose slope is wrong by this part of it, beside a large number, which makes the steps large."""

    def forward(x):
        return np.concatenate([x[1:] + 1e6, [np.sin(3 * x[0]) / 3]]), x

    def backward(dout, x):
        return (np.concatenate([[dout[-1] * np.cos(3 * x[0]) * (1 + error)], dout[:-1]]),)

    return check_backward(forward, backward, [x])


def test_three_steps_are_enough_where_they_are_exact_and_all_is_right():
    def evaluations(k):
        return check_backward(lambda x: (np.sin(x), x), lambda dout, x: (k * dout * np.cos(x),), [np.tile(x, 10)]).evaluations

    assert 6 * 60 < evaluations(1) < 8 * 60
    assert evaluations(1.001) > 10 * 60


def test_where_they_are_not_exact_an_error_is_found_by_the_others():
    assert of_sine(0).ok
    assert of_sine(1e-6).ok is False
