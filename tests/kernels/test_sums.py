"""Sums and means in float32 are right to 2e-6, along any axis of any layout; the same each time; and leave nothing behind."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynorm.kernels import sums
from tinynorm.kernels.sums import blocked_sum
from tinynorm.ops.common import mean_over, sum_over

RTOL = 2e-6


@st.composite
def numbers_and_axes(draw):
    """Positive float32 numbers, of which a sum added up one after another loses digits; in any layout."""
    ndim = draw(st.integers(1, 4))
    longest = {1: 300_000, 2: 3000, 3: 200, 4: 40}[ndim]
    lengths = st.one_of(st.integers(1, 5), st.integers(1, longest), st.sampled_from([64, 127, 128, 129, 511, 512, 513, 1009]))
    shape = draw(st.lists(lengths, min_size=ndim, max_size=ndim).filter(lambda s: np.prod(s) <= 1_000_000))
    rng = np.random.default_rng(draw(st.integers(0, 100)))
    x = draw(st.sampled_from([rng.random(shape, dtype="f4") + np.float32(0.1), np.full(shape, 0.1, "f4")]))
    x = x.transpose(draw(st.permutations(range(ndim))))
    layouts = [x, x[::-1], x[..., ::2], np.broadcast_to(x[:1], x.shape), x[1:] if len(x) > 1 else x]
    return draw(st.sampled_from(layouts)), tuple(sorted(draw(st.sets(st.integers(0, ndim - 1)))))


@pytest.mark.parametrize("add", [sum_over, blocked_sum])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(case=numbers_and_axes())
def test_a_sum_is_that_of_float64_along_any_axes_of_any_layout(add, case):
    x, axes = case
    y = add(x, axes)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, x.sum(axis=axes, keepdims=True, dtype="f8"), rtol=RTOL, strict=False)
    assert y.shape == tuple(1 if i in axes else n for i, n in enumerate(x.shape))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(case=numbers_and_axes())
def test_a_mean_too(case):
    x, axes = case
    np.testing.assert_allclose(mean_over(x, axes), x.mean(axis=axes, keepdims=True, dtype="f8"), rtol=RTOL)


LONG = [((20_000_000,), (0,)), ((10_000_000, 2), (0,)), ((2, 9_999_991), (1,))]
LONG += [((2, 3_000_001, 3), (1,)), ((2, 3_000_001, 3), (0, 2))]


@pytest.mark.parametrize(("shape", "axes"), LONG, ids=lambda v: "x".join(map(str, v)))
@pytest.mark.parametrize("value", [0.1, 0.7, 1 / 3])
def test_twenty_million_equal_numbers(shape, axes, value):
    """The worst case: where all are alike, all roundings go the same way."""
    x = np.full(shape, value, "f4")
    n = np.prod([shape[i] for i in axes])
    np.testing.assert_allclose(sum_over(x, axes), n * float(np.float32(value)), rtol=RTOL)
    np.testing.assert_allclose(mean_over(x, axes), float(np.float32(value)), rtol=RTOL)


@pytest.mark.parametrize(("shape", "axes"), [((1000, 37), (0,)), ((37, 1000), (1,)), ((5, 999, 4), (1,)), ((700, 1009), (1,))])
def test_float64_keeps_its_digits(shape, axes):
    x = np.random.default_rng(0).random(shape) + 0.1
    np.testing.assert_allclose(sum_over(x, axes), x.sum(axis=axes, keepdims=True, dtype=np.longdouble).astype("f8"), rtol=2e-15)


def test_the_same_numbers_give_the_same_sum():
    x = np.random.default_rng(0).standard_normal((100_003, 7), dtype="f4")
    first = sum_over(x, (0,)).tobytes()
    assert {sum_over(x.copy(), (0,)).tobytes() for _ in range(5)} == {first}


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_a_mean_of_large_numbers_does_not_overflow(axes):
    x = np.full((1000, 1000), 3e38, "f4")
    np.testing.assert_allclose(mean_over(x, axes), 3e38, rtol=RTOL)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_of_whole_numbers_is_sum_by_n_to_the_last_digit(dtype):
    """PyTorch divides the sum by n; 41 · (1 / 41) is not 1."""
    numbers = np.random.default_rng(0).integers(-9, 10, (700, 3)).astype(dtype)
    for n in [*range(1, 150), 300, 513, 699]:
        x = numbers[:n]
        for y, axes in ((x, (0,)), (x.T.copy(), (1,)), (x, (0, 1))):
            expected = y.sum(axes, keepdims=True) / y.dtype.type(math.prod(y.shape[i] for i in axes))
            assert (mean_over(y, axes) == expected).all(), (n, axes)


def test_nothing_to_add_up_gives_a_copy():
    x = np.ones((2, 3), "f4")
    y = sum_over(x, ())
    y += 1
    assert (x == 1).all()


@pytest.mark.parametrize("add", [sum_over, blocked_sum])
@pytest.mark.parametrize(("shape", "axes"), [((0, 3), (0,)), ((0, 3), (1,)), ((0, 3), (0, 1)), ((2, 0, 3), (0, 2)), ((0,), ())])
def test_nothing_adds_up_to_nothing(add, shape, axes):
    x = np.ones(shape, "f4")
    np.testing.assert_array_equal(add(x, axes), x.sum(axis=axes, keepdims=True), strict=True)


@pytest.mark.parametrize("x", [np.ones((4, 5), "float16"), np.ones((4, 5), "int64"), np.ones((0, 5), "float32")])
def test_what_it_does_not_add_up_is_left_to_numpy(x):
    assert sums.plan(x.shape, (0,), x.dtype, False) is None
    np.testing.assert_array_equal(sum_over(x, (0,)), np.sum(x, axis=0, keepdims=True), strict=True)


def test_nan_and_infinity_stay_in_their_own_row_and_column():
    x = np.ones((300, 600), "f4")
    x[1, 2], x[200, 3] = np.nan, np.inf
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(sum_over(x, (0,)))), [2])
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(sum_over(x, (1,)))), [1])
    np.testing.assert_array_equal(np.flatnonzero(np.isinf(sum_over(x, (0,)))), [3])


def test_lengths_that_come_once_leave_little_behind():
    """Every length used to leave a vector of ones behind: 400 near a million, 2 GB."""
    sums.plan.cache_clear()
    x = np.ones((1_000_400, 1), "f4")
    tracemalloc.start()
    for n in range(1_000_000, 1_000_400):
        sum_over(x[:n], (0,))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2_000_000
