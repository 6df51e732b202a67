"""Selecting by bits gives what `where` gives, infinities and NaN included, or leaves the case alone."""

import numpy as np
import pytest

from tinynorm.kernels.masks import keep_bits


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_equals_where_for_every_kind_of_number(dtype):
    numbers = np.array([1.5, -2.5, 0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).tiny], dtype)
    g = np.concatenate([numbers, numbers]).reshape(2, -1)
    mask = np.repeat([[True], [False]], numbers.size, axis=1)
    y = keep_bits(mask, g)
    assert y.dtype == g.dtype
    np.testing.assert_array_equal(y, np.where(mask, g, 0).astype(dtype))
    assert np.signbit(y[0, 3])  # -0 is kept as it is
    assert not np.signbit(y[1]).any()


@pytest.mark.parametrize(
    ("mask", "g"),
    [
        (np.ones((2, 3), bool), np.ones((3, 2), "float32").T),
        (np.ones((1, 3), bool), np.ones((2, 3), "float32")),
        (np.ones((2, 3), int), np.ones((2, 3), "float32")),
        (np.ones((2, 3), bool), np.ones((2, 3), int)),
        (np.asarray(True), np.asarray(1.0)),
    ],
)
def test_unsuited_cases_are_left_alone(mask, g):
    assert keep_bits(mask, g) is None


def test_the_gradient_that_goes_in_is_not_written_to():
    g = np.ones((2, 3), "float32")
    keep_bits(np.zeros((2, 3), bool), g)
    assert (g == 1).all()
