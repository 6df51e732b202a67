"""The BLAS sums give what NumPy's sums give, where they take the case, and leave the other cases alone."""

import numpy as np
import pytest

from tinynorm.kernels.sums import blas_sum
from tinynorm.ops.common import sum_over

SUITED = [
    ((5, 7), (0,)),
    ((5, 7), (1,)),
    ((5, 7), (0, 1)),
    ((3, 4, 5, 6), (0, 2, 3)),
    ((3, 4, 5, 6), (2, 3)),
    ((3, 4, 5, 6), (3,)),
    ((3, 4, 5, 6), (0,)),
    ((1, 1), (0, 1)),
    ((9,), (0,)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "axes"), SUITED)
def test_equals_numpys_sum(shape, axes, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    y = blas_sum(x, axes)
    assert y is not None
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y, x.sum(axis=axes, keepdims=True), rtol=0, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize(
    ("x", "axes"),
    [
        (np.ones((4, 5), "float32").T, (0,)),  # not row-major
        (np.ones((4, 5), "float16"), (0,)),
        (np.ones((4, 5), "int64"), (0,)),
        (np.ones((0, 5), "float32"), (0,)),
        (np.ones((2, 3, 4), "float32"), (1,)),  # neither the first axis nor the last
        (np.ones((2, 3, 4), "float32"), (0, 1)),
    ],
)
def test_unsuited_cases_are_left_to_numpy_and_come_out_right(x, axes):
    assert blas_sum(x, axes) is None
    np.testing.assert_array_equal(sum_over(x, axes), x.sum(axis=axes, keepdims=True))


def test_nan_stays_in_its_own_row_and_column():
    x = np.ones((4, 5), "float32")
    x[1, 2] = np.nan
    np.testing.assert_array_equal(np.isnan(blas_sum(x, (0,)))[0], [False, False, True, False, False])
    np.testing.assert_array_equal(np.isnan(blas_sum(x, (1,)))[:, 0], [False, True, False, False])


def test_rounds_less_than_numpy_along_the_first_axis():
    x = np.random.default_rng(0).standard_normal((4096, 64)).astype("float32") ** 2
    exact = x.astype("float64").sum(0)

    def error(y):
        return np.abs(y.reshape(-1) / exact - 1).max()

    assert error(blas_sum(x, (0,))) < error(x.sum(axis=0))
