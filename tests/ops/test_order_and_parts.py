"""Parts, their order and diagonals: what is refused, what is a view, and the ends of the ranges."""

import numpy as np
import pytest

import tinynorm as tn

X = tn.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: X.narrow(1, 2, 2), "narrow: expected a part of the 3 along dim 1, got start=2, length=2"),
        (lambda: X.narrow(1, -4, 1), "got start=-4"),
        (lambda: X.masked_select(X), "masked_select: expected a mask of booleans, got torch.float32"),
        (lambda: X.repeat_interleave(tn.tensor([1, 2]), 1), "a vector of 3 integers as repeats, got int64 of shape"),
        (lambda: X.repeat_interleave(-1), "repeats that are not negative, got -1"),
        (lambda: X.roll((1, 2), 0), "a shift for each of the dimensions 0"),
        (lambda: tn.tensor(1.0).diff(), "at least 1 dimension"),
        (lambda: X.diff(n=-1), "diff: expected n >= 0, got -1"),
        (lambda: X[0].fliplr(), "at least 2 dimensions"),
        (lambda: X.movedim((0, 1), 0), "as many places as dimensions"),
        (lambda: X.unflatten(1, (2, -1)), "sizes with a product of 3, the length of dim 1, got"),
        (lambda: X[0].diagonal(), "diagonal: expected a tensor of at least 2 dimensions"),
        (lambda: X[None].diag(), "diag: expected a vector or a matrix"),
        (lambda: X[None].trace(), "trace: expected a matrix"),
        (lambda: X[None].fill_diagonal_(1), "fill_diagonal_: expected a matrix"),
        (lambda: tn.addmm(X, X, X), r"addmm: expected shapes \(n, k\) @ \(k, m\), got \(2, 3\) @ \(2, 3\)"),
        (lambda: tn.tensordot(X, X, 1), r"equal sizes along \[1\] of \(2, 3\) and along \[0\] of \(2, 3\)"),
        (lambda: X.clone().index_add_(0, tn.tensor([0]), X), "index_add_: expected a source in torch.float32 of shape"),
        (lambda: X.clone().index_fill_(0, tn.tensor([0]), X), "index_fill_: expected a number or a 0-d tensor"),
        (lambda: X.clone().lerp_(tn.zeros(4, 2, 3), 0.5), "does not fit in place"),
        (lambda: tn.ones(2, dtype=tn.int64).exp_(), "cannot be written in place into int64"),
    ],
)
def test_what_is_refused_is_told(call, says):
    with pytest.raises(RuntimeError, match=says):
        call()


def test_parts_and_diagonals_are_views_and_the_rest_are_copies():
    for make, shares in (
        (lambda x: x.narrow(1, 0, 2), True),
        (lambda x: x.diagonal(), True),
        (lambda x: x.ravel(), True),
        (lambda x: x.movedim(0, 1), True),
        (lambda x: x.unflatten(1, (1, 3)), True),
        (lambda x: x.T.ravel(), False),
        (lambda x: x[:, 0].ravel(), False),
        (lambda x: x.diag(), False),
        (lambda x: x.roll(1), False),
        (lambda x: x.roll(0), False),
        (lambda x: x.diff(n=0), False),
        (lambda x: x.fliplr(), False),
        (lambda x: x.repeat_interleave(1), False),
        (lambda x: x.masked_select(x >= 0), False),
        (lambda x: x[0].cumprod(0), False),
        (lambda x: x.nan_to_num(), False),
        (lambda x: x.int().nan_to_num(), False),
        (lambda x: tn.hstack([x]), False),
    ):
        x = X.clone()
        make(x).fill_(-1)
        assert (-1 in x) == shares


def test_empty_tensors():
    empty = tn.zeros(0, 3)
    for y, shape in (
        (empty.roll(1, 0), (0, 3)), (empty.diff(dim=0), (0, 3)), (empty.cumprod(0), (0, 3)), (empty.diagonal(), (0,)),
        (tn.diag(tn.zeros(0)), (0, 0)), (empty.repeat_interleave(2, 0), (0, 3)), (empty.masked_select(empty > 0), (0,)),
        (tn.vstack([empty, X]), (2, 3)), (X.narrow(0, 2, 0), (0, 3)), (X.diagonal(7), (0,)),
        (X.diff(n=0, append=X), (2, 3)),
    ):  # fmt: skip
        assert y.shape == shape
    assert empty.trace().item() == 0.0
    with pytest.raises(RuntimeError, match="median: expected at least one element"):
        empty.median()


def test_numbers_without_dimensions():
    x = tn.tensor(2.0, requires_grad=True)
    assert (x.median().item(), x.median(0).indices.item(), x.cumprod(0).item()) == (2.0, 0, 2.0)
    assert (x.roll(1).item(), x.ravel().shape, x.repeat_interleave(2).tolist()) == (2.0, (1,), [2.0, 2.0])
    assert (tn.hstack([x, x]).tolist(), tn.vstack([x, x]).tolist()) == ([2.0, 2.0], [[2.0], [2.0]])
    assert x.masked_select(x > 1).tolist() == [2.0]
    assert x.unflatten(0, (1, 1)).tolist() == [[2.0]]


def test_a_median_of_an_even_number_is_the_lower_of_the_two(anywhere):
    x = tn.tensor([[4.0, 1.0, 3.0, 2.0], [float("nan"), 0.0, float("nan"), 5.0]], device=anywhere)
    assert x[0].median().item() == 2.0
    values, at = x.median(1)
    assert (values[0].item(), at.tolist()) == (2.0, [3, 0])
    assert values[1].isnan().item()
    assert x.median(1, keepdim=True).values.shape == (2, 1)


def test_a_median_shares_its_gradient_among_equals():
    x = tn.tensor([1.0, 2.0, 2.0, 3.0], requires_grad=True)
    x.median().backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.5, 0.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint8"])
def test_the_remainder_of_c_has_the_sign_of_the_dividend(dtype):
    a = np.array([7, 0, 3, 250, 5]) if dtype == "uint8" else np.array([7, -7, 0, -3, 5])
    b = np.array([3, 3, 4, 7, 5]) if dtype == "uint8" else np.array([-3, 3, 4, 3, 7])
    y = tn.fmod(tn.tensor(a, dtype=dtype), tn.tensor(b, dtype=dtype))
    assert (y.tolist(), y.dtype) == (np.fmod(a, b).tolist(), dtype)


def test_a_remainder_is_exact_where_the_quotient_is_rounded():
    a, b = np.float32([1e10, -1e-20, 5.5]), np.float32([0.7, 1.0, np.inf])
    assert tn.fmod(tn.tensor(a), tn.tensor(b)).tolist() == np.fmod(a, b).tolist()
    assert tn.fmod(tn.tensor([1.0, float("inf")]), 0.0).isnan().all()
    assert tn.fmod(5.0, tn.tensor([3.0, -7.0])).tolist() == [2.0, 5.0]
    with pytest.raises(ZeroDivisionError):
        tn.fmod(tn.tensor([1]), 0)


def test_both_ends_of_an_interpolation_are_exact():
    a, b = tn.tensor([0.1, 1e8]), tn.tensor([0.7, 1.0])
    assert tn.lerp(a, b, 0.0).tolist() == a.tolist()
    assert tn.lerp(a, b, 1.0).tolist() == b.tolist()


def test_running_products_of_float16_are_multiplied_in_float32():
    x = tn.tensor([300.0, 300.0, 0.01], dtype="float16", requires_grad=True)
    y = x.cumprod(0)
    assert y[2].item() == pytest.approx(900, rel=2e-3)
    y[2].backward()
    np.testing.assert_allclose(x.grad.tolist(), [3.0, 3.0, np.inf], rtol=2e-3)


def test_the_largest_numbers_of_the_dtype_stand_for_infinity():
    for dtype in ("float16", "float32", "float64"):
        x = tn.tensor([float("inf"), -float("inf"), float("nan")], dtype=dtype, requires_grad=True)
        y = x.nan_to_num()
        assert y.tolist() == [np.finfo(dtype).max, np.finfo(dtype).min, 0.0]
        (g,) = tn.autograd.grad(y.sum(), x)
        assert g.tolist() == [0.0, 0.0, 0.0]


def test_beta_0_leaves_out_what_may_be_nan():
    a, b = tn.ones(2, 3), tn.ones(3, 4)
    assert tn.addmm(tn.full((4,), float("nan")), a, b, beta=0).tolist() == (a @ b).tolist()
