"""What goes to the same place is added up without losing digits: right to 2e-6 in float32, the same each time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.ops.indexing import add_at
from tinynorm.ops.scatter import FEW, add_rows_in_pairs


def add_in_pairs(shape, index, g):
    return add_rows_in_pairs(np, np.zeros(shape, g.dtype), index, g)


HOST_AND_GPU = pytest.mark.parametrize("add", [add_at, add_in_pairs], ids=["host", "GPU's"])


def exact(shape, index, g):
    """The sums, and the sums of the absolute values (by which rounding is judged), in float64."""
    sums, sizes = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, index, g.astype("float64"))
    np.add.at(sizes, index, np.abs(g.astype("float64")))
    return sums, sizes


def assert_right(add, shape, index, g, rtol=2e-6):
    found = add(shape, index, g)
    assert found.dtype == g.dtype
    assert found.shape == shape
    sums, sizes = exact(shape, index, g)
    assert (np.abs(found - sums) <= rtol * sizes + 1e-30).all(), np.max(np.abs(found - sums) / np.maximum(sizes, 1e-30))
    np.testing.assert_array_equal(add(shape, index, g), found)  # and once more, the same bits


@HOST_AND_GPU
@pytest.mark.parametrize("n", [10**6, 2_000_003])
def test_a_million_equal_numbers_for_one_place(add, n):
    assert_right(add, (3,), (np.zeros(n, np.int64),), np.full(n, 0.1, "float32"))


@HOST_AND_GPU
def test_a_hundred_thousand_rows_for_two_places(add):
    index = (np.arange(100_000) % 2,)
    assert_right(add, (4, 24), index, np.full((100_000, 24), 0.1, "float32"))


@HOST_AND_GPU
def test_few_places_of_many(add):
    """There are far more places than numbers, and one of them gets nearly all."""
    assert_right(add, (3_000_000,), (np.r_[np.full(100_000, 7), np.arange(1000)],), np.full(101_000, 0.1, "float32"))


def test_twenty_million_numbers_for_one_place():
    n = 20_000_000
    found = add_at((1,), (np.zeros(n, np.int8),), np.broadcast_to(np.float32(0.1), (n,)))
    assert found[0] == pytest.approx(n * float(np.float32(0.1)), rel=2e-6)


@HOST_AND_GPU
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    inner=st.sampled_from([(), (1,), (3,), (20,), (2, 9)]),
    rows=st.sampled_from([1, 2, 7, 100, 5000]),
    n=st.sampled_from([0, 1, FEW - 1, FEW + 1, 200, 3000]),
    kind=st.sampled_from(["rows", "negative", "columns", "pairs", "broadcast", "mask"]),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**16),
)
def test_every_kind_of_index_adds_up_as_in_float64(add, inner, rows, n, kind, dtype, seed):
    rng = np.random.default_rng(seed)
    at = rng.integers(0, rng.integers(1, rows + 1), n)
    if kind == "columns":
        shape, index, out = (2, rows, *inner), (slice(None), at), (2, n, *inner)
    elif kind == "pairs":
        shape, index, out = (2, rows, *inner), (rng.integers(-2, 2, n), at), (n, *inner)
    elif kind == "broadcast":
        shape, index, out = (2, rows, *inner), (np.array([[1], [1], [0]]), at), (3, n, *inner)
    elif kind == "mask":
        shape, index, out = (2, rows, *inner), (np.array([True, False]), at), (n, *inner)
    else:
        shape, index, out = (rows, *inner), (at - rows if kind == "negative" else at,), (n, *inner)
    assert_right(add, shape, index, (rng.standard_normal(out) + 1).astype(dtype), 1e-13 if dtype == "float64" else 2e-6)


@pytest.mark.parametrize("op", ["index", "take_along_dim", "gather"])
def test_the_gradient_of_a_lookup_repeated_a_million_times(op, anywhere):
    n = 1_000_000
    table = tn.zeros(2, requires_grad=True, device=anywhere)
    at = tn.zeros(n, dtype="int64", device=anywhere)
    y = table[at] if op == "index" else table.take_along_dim(at, 0) if op == "take_along_dim" else table.gather(0, at)
    (y * 0.1).sum().backward()
    assert table.grad.tolist() == [pytest.approx(n * float(np.float32(0.1)), rel=2e-6), 0.0]


def test_infinities_and_nan_stay_in_their_places(anywhere):
    table = tn.zeros(3, 2, requires_grad=True, device=anywhere)
    at = np.arange(90) % 3
    g = np.ones((90, 2), "float32")
    g[0], g[1, 1], g[4, 1] = np.inf, np.inf, -np.inf
    table[tn.tensor(at, device=anywhere)].backward(tn.tensor(g, device=anywhere))
    np.testing.assert_array_equal(table.grad.cpu().numpy(), [[np.inf, np.inf], [30, np.nan], [30, 30]])


@HOST_AND_GPU
@pytest.mark.parametrize("n", [128, 256, 1000, 4000])
@pytest.mark.parametrize("rows", [1, 100_000])
def test_as_few_as_some_hundred_equal_numbers_lose_no_digits(add, n, rows):
    for value in np.random.default_rng(0).uniform(1, 2, 50).astype("f4"):  # (in a row, the worst is off by 1.9e-6 to 6e-5)
        y = add((rows,), (np.zeros(n, np.int64),), np.full(n, value))
        assert abs(float(y[0]) / (n * float(value)) - 1) < 1e-6
