"""Local response normalisation: what it takes as its size, and what it refuses."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F


def test_the_size_may_be_any_integer_and_larger_than_the_channels():
    x = tn.randn(2, 3, 4)
    np.testing.assert_array_equal(F.local_response_norm(x, np.int64(2)).numpy(), F.local_response_norm(x, 2).numpy())
    expected = x.numpy() * (1 + 0.5 / 9 * (x.numpy() ** 2).sum(1, keepdims=True)) ** -0.75
    np.testing.assert_allclose(F.local_response_norm(x, 9, alpha=0.5).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("x", "size", "error", "said"),
    [
        (tn.zeros(2, 3), 2, ValueError, r"expected x \(N, C, \*\) with 3 dimensions or more, got \(2, 3\)"),
        (tn.zeros(2, 3, 4), 0, ValueError, "expected size to be an int >= 1, got 0"),
        (tn.zeros(2, 3, 4), True, ValueError, "expected size to be an int >= 1, got True"),
        (tn.zeros(2, 3, 4), 2.0, ValueError, "expected size to be an int >= 1, got 2.0"),
        (tn.zeros(2, 3, 4).long(), 2, TypeError, "expected a floating-point Tensor as input, got int64"),
    ],
)
def test_what_does_not_fit_is_told(x, size, error, said):
    with pytest.raises(error, match=f"local_response_norm: {said}"):
        F.local_response_norm(x, size)
