"""Integers and booleans given to activations, distances and losses: PyTorch's dtype and numbers, or an error that says so."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

CLIPPED = {  # these stay integers
    "relu": (F.relu, [0, 0, 3, 9], [0, 1, 3, 9]),
    "relu6": (F.relu6, [0, 0, 3, 6], [0, 1, 3, 6]),
    "hardtanh": (lambda x, **o: F.hardtanh(x, -0.9, 2.7, **o), [0, 0, 2, 2], [0, 1, 2, 2]),  # the limits 0 and 2
    "hardtanh -2": (lambda x, **o: F.hardtanh(x, -2.0, 4, **o), [-2, 0, 3, 4], None),
    "threshold": (lambda x, **o: F.threshold(x, 1.9, 2.5, **o), [2, 2, 3, 9], [2, 2, 3, 9]),  # x > 1, else 2
    "threshold -5": (lambda x, **o: F.threshold(x, -5, 7, **o), [-4, 0, 3, 9], [7, 7, 7, 7]),  # as uint8, -5 is 251
}


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
@pytest.mark.parametrize("name", CLIPPED)
def test_what_clips_keeps_integers_and_cuts_off_the_fractions_of_its_limits(name, dtype, inplace, anywhere):
    f, signed, unsigned = CLIPPED[name]
    x = tn.tensor([0, 1, 3, 9] if dtype == "uint8" else [-4, 0, 3, 9], dtype=dtype, device=anywhere)
    if dtype == "uint8" and unsigned is None:
        with pytest.raises(RuntimeError, match=r"expected a number that fits into uint8, from 0 to 255, got -2"):
            f(x, inplace=inplace)
        return
    y = f(x, inplace=inplace)
    assert (y.tolist(), y.dtype) == (unsigned if dtype == "uint8" else signed, getattr(tn, dtype))
    assert (y is x) == inplace


@pytest.mark.parametrize("limit", [256, 300.5, float("inf"), float("nan")])
def test_a_limit_beyond_the_integers_is_refused(limit):
    x = tn.tensor([1, 2], dtype=tn.uint8)
    for f in (lambda: F.threshold(x, 1, limit), lambda: F.hardtanh(x, limit, limit)):
        with pytest.raises(RuntimeError, match="a number that fits into uint8"):
            f()


FLOATS_ONLY = {
    **{name: getattr(F, name) for name in ("elu", "gelu", "hardsigmoid", "hardswish", "leaky_relu", "logsigmoid", "mish")},
    **{name: getattr(F, name) for name in ("selu", "silu", "softplus", "glu", "gumbel_softmax")},
    **{name: lambda x, name=name: getattr(F, name)(x, dim=0) for name in ("softmax", "log_softmax")},
    "prelu": lambda x: F.prelu(x, tn.ones(1)),
    "cosine_similarity": lambda x: F.cosine_similarity(x, x, dim=0),
    "cdist": lambda x: tn.cdist(x, x),
}


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
@pytest.mark.parametrize("name", FLOATS_ONLY)
def test_integers_are_refused_where_pytorch_refuses_them(name, dtype):
    x = tn.ones(2, 2, dtype=dtype)
    with pytest.raises(TypeError, match=f"^{name}: expected a floating-point Tensor as input, got {dtype}; use .float"):
        FLOATS_ONLY[name](x)
    if name in ("elu", "hardsigmoid", "hardswish", "leaky_relu", "mish", "selu", "silu"):
        with pytest.raises(TypeError, match=f"^{name}: expected a floating-point Tensor"):
            FLOATS_ONLY[name](x, inplace=True)
        assert x.tolist() == [[1, 1], [1, 1]]  # it was once overwritten with what is left of the floats


@pytest.mark.parametrize("f", [F.relu, F.relu6, F.hardtanh, lambda x, **o: F.threshold(x, 0, 1, **o)])
def test_booleans_are_no_numbers_to_clip(f):
    for options in ({}, {"inplace": True}):
        with pytest.raises(TypeError, match=r"expected numbers as input, got booleans; use .float\(\)"):
            f(tn.tensor([True]), **options)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_losses_of_integers_are_float32(dtype, anywhere):
    x, y, n = (tn.tensor(rows, dtype=dtype, device=anywhere) for rows in ([[5, 1], [6, 5]], [[2, 1], [6, 1]], [[5, 0], [6, 4]]))
    one = tn.ones(2, 2, dtype=dtype, device=anywhere)
    for loss, expected in (
        (F.triplet_margin_loss(x, y, n, p=1, reduction="none"), [3.0, 4.0]),  # 3 - 1 + 1, 4 - 1 + 1
        (F.margin_ranking_loss(x, x, one, 2, reduction="none"), [[2.0, 2.0], [2.0, 2.0]]),
        (F.margin_ranking_loss(x, x, one, 0.5), 0.5),
        (F.cosine_embedding_loss(x, y, one[0], reduction="none"), [1 - 11 / 130**0.5, 1 - 41 / (61 * 37) ** 0.5]),
        (F.pairwise_distance(x, y), [3.0, 4.0]),
        (F.poisson_nll_loss(y, y, reduction="sum"), np.sum(np.exp([2, 1, 6, 1])) - 42),
    ):
        assert loss.dtype == tn.float32
        np.testing.assert_allclose(loss.tolist(), expected, rtol=1e-6, atol=3e-6)


HALF, SINGLE, DOUBLE = (tn.full((2, 2), 0.5, dtype=dtype) for dtype in ("float16", "float32", "float64"))


@pytest.mark.parametrize(
    ("loss", "dtype"),
    [
        (lambda: F.cross_entropy(HALF, SINGLE), tn.float32),
        (lambda: F.cross_entropy(SINGLE, HALF), tn.float32),
        (lambda: F.cross_entropy(SINGLE, DOUBLE), tn.float64),
        (lambda: F.gaussian_nll_loss(HALF, HALF, SINGLE), tn.float32),
        (lambda: F.gaussian_nll_loss(SINGLE, SINGLE, DOUBLE), tn.float64),
        (lambda: F.gaussian_nll_loss(HALF, HALF, 2.0), tn.float16),
        (lambda: F.margin_ranking_loss(HALF, HALF, SINGLE), tn.float32),
        (lambda: F.margin_ranking_loss(HALF, HALF, tn.ones(2, 2, dtype=tn.int64)), tn.float16),
        (lambda: F.hinge_embedding_loss(HALF, SINGLE), tn.float16),  # the target only says which
        (lambda: F.hinge_embedding_loss(SINGLE, DOUBLE), tn.float32),
        (lambda: F.triplet_margin_loss(HALF, SINGLE, HALF), tn.float32),
        (lambda: F.cosine_embedding_loss(HALF, HALF, tn.ones(2)), tn.float16),
    ],
)
def test_the_dtype_of_a_loss_of_several_dtypes(loss, dtype):
    assert loss().dtype == dtype
