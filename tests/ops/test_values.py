"""Values of the ops against NumPy's, at the edges: broadcasting, ranks, ties, infinities, NaN, nothing at all."""

import math
import warnings

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.backend import namespace
from tinynorm.ops.scatter import add_rows_in_pairs

INF, NAN = float("inf"), float("nan")
rng = np.random.default_rng(0)


def f64(*values, **kwargs):
    return tn.tensor(list(values), dtype="float64", **kwargs)


def gradient(f, x):
    x = x.detach().requires_grad_()
    (g,) = tn.autograd.grad(f(x).sum(), x)
    return g.tolist()


# ---- arithmetic ------------------------------------------------------------------------------------------------------


def test_booleans_have_no_sign():
    b = tn.tensor([True, False])
    with pytest.raises(TypeError, match="neg: expected numbers, got a tensor of booleans; use ~x"):
        _ = -b
    with pytest.raises(TypeError, match="sub: expected numbers, got two tensors of booleans; use a \\^ b"):
        _ = b - b


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((0, 3), (3,)), ((4, 1, 2), (3, 1))])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "maximum", "minimum"])
def test_binary_ops_broadcast_and_their_gradients_come_back_in_shape(name, shapes, device):
    numpys = {"sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power}
    a, b = (rng.uniform(0.5, 2, s) for s in shapes)
    x, y = (tn.tensor(v, device=device, requires_grad=True) for v in (a, b))
    z = getattr(tn, name)(x, y)
    np.testing.assert_allclose(z.detach().cpu().numpy(), numpys.get(name, getattr(np, name, None))(a, b), rtol=1e-14)
    z.sum().backward()
    assert (x.grad.shape, y.grad.shape) == shapes


def test_shapes_that_do_not_broadcast_are_named_with_the_op():
    for op, name in ((tn.add, "Add"), (tn.mul, "Mul"), (tn.maximum, "Maximum")):
        with pytest.raises(RuntimeError, match=rf"{name}.*\(2,\) and \(3,\)"):
            op(tn.ones(2), tn.ones(3))


def test_power_at_zero():
    assert gradient(lambda x: x**2, f64(0.0, -3.0)) == [0.0, -6.0]
    assert gradient(lambda x: x**0, f64(0.0, 2.0)) == [0.0, 0.0]
    zero = f64(0.0, 0.0, 0.0, requires_grad=True)
    b = f64(0.0, 1.0, 2.0, requires_grad=True)
    (zero**b).sum().backward()
    assert zero.grad.tolist() == [0.0, 1.0, 0.0]
    assert b.grad.tolist() == [0.0, 0.0, 0.0]


def test_remainder_and_floor_divide_are_pythons(device):
    a, b = [5.5, -5.5, 5.5, -5.5, 6.0], [2.0, 2.0, -2.0, -2.0, 3.0]
    x, y = (tn.tensor(v, dtype="float64", device=device) for v in (a, b))
    assert (x % y).tolist() == [p % q for p, q in zip(a, b, strict=True)]
    assert (x // y).tolist() == [p // q for p, q in zip(a, b, strict=True)]
    n = tn.tensor([7, -7], device=device)
    assert ((n % 3).tolist(), (n // 3).tolist(), (9 % n).tolist(), (9 // n).tolist()) == ([1, 2], [2, -3], [2, -5], [1, -2])
    assert ((n % 3).dtype, (n // 3).dtype, (n % 2.0).dtype, (n // 2.0).dtype) == (tn.int64, tn.int64, tn.float32, tn.float32)


def test_a_remainder_of_zero_has_the_sign_of_the_dividend(device):
    x = f64(-4.0, 0.0, 4.0, -0.0).to(device)
    for y in (x % 2, x % -2.0, x % f64(2.0).to(device)):
        assert np.signbit(y.cpu().numpy()).tolist() == [True, False, False, True]
    assert [np.signbit((n % x[2:3]).item()) for n in (-4, 4, -4.0, 4.0)] == [True, False, True, False]
    assert (x.long() % 2).tolist() == [0, 0, 0, 0]
    assert (x % 0).isnan().all()


def test_division_by_zero_has_a_remainder_without_a_number():
    x = f64(1.0, 0.0, requires_grad=True)
    np.testing.assert_array_equal((x % 0.0).detach(), [NAN, NAN])
    np.testing.assert_array_equal(x // 0.0, [INF, NAN])


@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_a_rounded_quotient_is_flat(mode, device):
    x = f64(7.0, -7.0, requires_grad=True).to(device)
    y = tn.div(x, 2, rounding_mode=mode)
    assert y.tolist() == ([3.0, -4.0] if mode == "floor" else [3.0, -3.0])
    (g,) = tn.autograd.grad((x * y).sum(), x)
    assert g.tolist() == y.tolist()
    big = tn.tensor([2**62 + 1, -(2**62) - 1], device=device)  # more digits than float64 has
    assert big.div(2, rounding_mode=mode).tolist() == [2**61, -(2**61) - 1 if mode == "floor" else -(2**61)]


def test_alpha_is_refused_where_it_would_change_the_dtype():
    with pytest.raises(RuntimeError, match=r"add: expected an integer alpha beside integer operands, got 0\.5"):
        tn.tensor([1]).add(tn.tensor([2]), alpha=0.5)
    with pytest.raises(RuntimeError, match="add_: a float32 result cannot be written in place into int64"):
        tn.tensor([1]).add_(tn.tensor([2.0]), alpha=0.5)


def test_what_is_flat_between_steps_has_a_gradient_of_zero(device):
    x = f64(-1.5, 1.5, requires_grad=True).to(device)
    steps = [x.floor(), x.ceil(), x.round(), x.sign()]
    assert tn.tensor([True, False]).sign().tolist() == [True, False]
    assert [y.tolist() for y in steps] == [[-2.0, 1.0], [-1.0, 2.0], [-2.0, 2.0], [-1.0, 1.0]]
    for y in steps:
        (g,) = tn.autograd.grad((x * y).sum(), x)
        assert g.tolist() == y.tolist()
        (g,) = tn.autograd.grad(y.sum(), x)
        assert g.tolist() == [0.0, 0.0]
    assert not (x // 1).requires_grad  # PyTorch has no derivative of it
    assert tn.tensor([3], device=device).floor().dtype == tn.int64


def test_ties_share_the_gradient():
    a, b = f64(1.0, 2.0, requires_grad=True), f64(1.0, 3.0, requires_grad=True)
    (tn.maximum(a, b) + 10 * tn.minimum(a, b)).sum().backward()
    assert a.grad.tolist() == [5.5, 10.0]
    assert b.grad.tolist() == [5.5, 1.0]
    assert gradient(lambda x: x.amax(), f64(2.0, 1.0, 2.0)) == [0.5, 0.0, 0.5]
    assert gradient(lambda x: x.max(0).values, f64(2.0, 1.0, 2.0)) == [1.0, 0.0, 0.0]


def test_kinks():
    assert gradient(tn.relu, f64(-1.0, 0.0, 1.0)) == [0.0, 0.0, 1.0]
    assert gradient(tn.abs, f64(-1.0, 0.0, 1.0)) == [-1.0, 0.0, 1.0]
    assert gradient(lambda x: x.clamp(0.0, 1.0), f64(-1.0, 0.0, 0.5, 1.0, 2.0)) == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert tn.tensor([1.0, 5.0]).clamp(tn.tensor([2.0, 2.0]), 3.0).tolist() == [2.0, 3.0]
    with pytest.raises(ValueError, match="min, max or both"):
        tn.ones(1).clamp()


# ---- matmul ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3,), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3,)),
        ((3,), (5, 3, 4)),
        ((5, 2, 3), (3, 4)),
        ((5, 2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (6, 3, 4)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
    ],
)
def test_matmul_of_every_rank(a, b, device):
    A, B = rng.standard_normal(a), rng.standard_normal(b)
    x, y = (tn.tensor(v, device=device, requires_grad=True) for v in (A, B))
    z = x @ y
    np.testing.assert_allclose(z.detach().cpu().numpy(), A @ B, rtol=1e-12, atol=1e-12)
    z.sum().backward()
    assert (x.grad.shape, y.grad.shape) == (a, b)


@pytest.mark.parametrize(("a", "b"), [((2, 3), (2, 3)), ((), (2,)), ((3,), (4,))])
def test_matmul_of_what_does_not_fit(a, b):
    with pytest.raises(RuntimeError, match=r"matmul: expected"):
        tn.ones(a) @ tn.ones(b)


def test_float16_sums_are_accumulated_in_float32():
    x = tn.ones(4096, dtype="float16") + 0.0
    assert x.sum().item() == 4096  # in float16, 2048 + 1 = 2048
    assert x.mean().item() == 1
    assert (x @ x).item() == 4096
    assert (x.reshape(1, -1) @ x.reshape(-1, 1)).item() == 4096
    assert x.var(correction=0).item() == 0
    assert x.exp().log_softmax(0).dtype == tn.float16
    w = tn.zeros(1, dtype="float16", requires_grad=True)
    (x * w).sum().backward()
    assert w.grad.item() == 4096
    table = tn.zeros(1, dtype="float16", requires_grad=True)
    table[tn.zeros(4096, dtype="int64")].sum().backward()
    assert table.grad.item() == 4096


# ---- reductions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2), (-1, 1), np.int64(1)])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "var", "std", "all", "any", "logsumexp"])
def test_reductions_over_dims_by_either_name(name, dim, keep, device):
    a = rng.standard_normal((2, 3, 4))
    a = a > 0 if name in ("all", "any") else a
    x = tn.tensor(a, device=device)
    if name == "logsumexp":
        dim = (0, 1, 2) if dim is None else dim
        expected = np.log(np.sum(np.exp(a), axis=dim, keepdims=keep))
    elif name in ("var", "std"):
        expected = getattr(np, name)(a, axis=dim, keepdims=keep, ddof=1)
    else:
        expected = getattr(np, name)(a, axis=dim, keepdims=keep)
    for y in (getattr(x, name)(dim=dim, keepdim=keep), getattr(x, name)(axis=dim, keepdims=keep)):
        np.testing.assert_allclose(y.cpu().numpy(), expected, rtol=1e-12)


WITH_KEEPDIM = ["argmax", "argmin", "max", "min", "norm", "prod"]
WITHOUT = ["argsort", "cumsum", "normalize", "softmax", "log_softmax", "sort", "squeeze", "unsqueeze", "cat", "stack"]


@pytest.mark.parametrize("name", WITH_KEEPDIM + WITHOUT)
def test_axis_stands_for_dim_in_every_op_that_has_one(name):
    x = tn.tensor(rng.standard_normal((2, 1, 3)))
    inputs = [x, x] if name in ("cat", "stack") else x
    op = getattr(tn.ops, name)
    pairs = [(op(inputs, dim=1), op(inputs, axis=1))]
    if name in WITH_KEEPDIM:
        pairs.append((op(inputs, dim=1, keepdim=True), op(inputs, axis=1, keepdims=True)))
    for ours, numpys in pairs:
        assert str(ours) == str(numpys)


def test_names_of_dims_that_are_wrong():
    x = tn.ones(2, 3)
    for ask in (lambda: x.sum(2), lambda: x.argmax(5), lambda: x.unsqueeze(4), lambda: x.transpose(0, 2)):
        with pytest.raises(IndexError, match="out of range"):
            ask()
    with pytest.raises(TypeError, match="pass one"):
        x.sum(dim=0, axis=0)
    with pytest.raises(ValueError, match="twice"):
        x.sum((0, -2))
    with pytest.raises(TypeError, match="int"):
        x.sum(0.5)


def test_var_and_its_corrections():
    a = rng.standard_normal(5)
    x = tn.tensor(a)
    for y, ddof in ((x.var(), 1), (x.var(unbiased=False), 0), (x.var(correction=2), 2), (x.var(0, False), 0)):
        assert y.item() == pytest.approx(a.var(ddof=ddof), rel=1e-13)
    assert np.isnan(tn.ones(1).var().item())
    with pytest.raises(TypeError, match="pass one"):
        x.var(unbiased=True, correction=1)
    assert tn.tensor([1e4 + 1, 1e4 - 1, 1e4]).var().item() == pytest.approx(1.0, rel=1e-6)
    assert gradient(lambda x: x.std(), f64(2.0, 2.0)) == [0.0, 0.0]


def test_max_along_a_dim_is_a_named_pair():
    x = tn.tensor([[1.0, 5.0], [7.0, 2.0]])
    values, indices = tn.max(x, 1)
    assert (values.tolist(), indices.tolist(), indices.dtype) == ([5.0, 7.0], [1, 0], tn.int64)
    assert x.min(1, keepdim=True).values.tolist() == [[1.0], [2.0]]
    assert (x.max().item(), tn.max(x, tn.tensor(3.0)).tolist()) == (7.0, [[3.0, 5.0], [7.0, 3.0]])
    assert (x.argmax().item(), x.argmin(0).tolist(), x.argmax(1, keepdim=True).tolist()) == (2, [0, 1], [[1], [0]])


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 13])
def test_a_product_of_any_length(n, device):
    a = rng.uniform(0.5, 1.5, (2, n, 3))
    x = tn.tensor(a, device=device, requires_grad=True)
    for dim, axis in ((1, 1), (None, None), ((0, -1), (0, 2))):
        for keep in (False, True):
            y = x.prod(dim=dim, keepdim=keep)
            np.testing.assert_allclose(y.detach().cpu().numpy(), a.prod(axis=axis, keepdims=keep), rtol=1e-13)
    (g,) = tn.autograd.grad(x.prod(1).sum(), x)
    np.testing.assert_allclose(g.cpu().numpy(), a.prod(1, keepdims=True) / a, rtol=1e-13)


def test_a_product_of_one_number_is_a_tensor_of_its_own():
    x = tn.tensor([2.0])
    x.prod().add_(1)
    x.prod(0, keepdim=True).add_(1)
    assert x.tolist() == [2.0]


def test_a_products_gradient_needs_no_division():
    assert gradient(lambda x: x.prod(), f64(0.0, 3.0, 5.0)) == [15.0, 0.0, 0.0]
    assert gradient(lambda x: x.prod(), f64(0.0, 0.0, 5.0)) == [0.0, 0.0, 0.0]
    assert gradient(lambda x: x.prod(), f64(INF, 2.0)) == [2.0, INF]


def test_norms_by_name():
    x = f64(3.0, -4.0, 0.0)
    expected = {None: 5.0, "fro": 5.0, 2: 5.0, tn.tensor(2): 5.0, 1: 7.0, INF: 4.0, -INF: 0.0, 0: 2.0}
    assert {p: x.norm(p).item() for p in expected} == expected
    assert tn.norm(x.reshape(1, 3), dim=(0, 1), keepdim=True).tolist() == [[5.0]]
    with pytest.raises(ValueError, match="norm: expected p to be a number or 'fro', got 'nuc'"):
        x.norm("nuc")
    with pytest.raises(RuntimeError, match=r"norm: expected a floating-point tensor, got .*int64"):
        tn.norm(tn.tensor([3, 4]))
    with pytest.raises(RuntimeError, match="norm: expected at least one element"):
        tn.zeros(0).norm(INF)


# ---- infinities, NaN, nothing ----------------------------------------------------------------------------------------


def test_logsumexp_and_softmax_at_the_extremes():
    x = f64(-INF, -INF)
    assert x.logsumexp(0).item() == -INF
    assert f64(INF, 1.0).logsumexp(0).item() == INF
    assert f64(1000.0, -INF).logsumexp(0).item() == 1000.0
    assert gradient(lambda x: x.logsumexp(0), x) == [0.0, 0.0]
    assert f64(1000.0, -1000.0).softmax(0).tolist() == [1.0, 0.0]
    assert f64(1000.0, -INF).log_softmax(0).tolist() == [0.0, -INF]
    assert np.isnan(x.softmax(0).tolist()).all()


def test_gelu_keeps_its_digits_for_negative_numbers():
    x = [-20.0, -8.0, -6.0, -1.0, 3.0]
    right = [v * math.erfc(-v / math.sqrt(2)) / 2 for v in x]
    np.testing.assert_allclose(tn.nn.functional.gelu(f64(*x)).numpy(), right, rtol=1e-13)
    slopes = [math.erfc(-v / math.sqrt(2)) / 2 + v * math.exp(-v * v / 2) / math.sqrt(2 * math.pi) for v in x]
    np.testing.assert_allclose(gradient(tn.nn.functional.gelu, f64(*x)), slopes, rtol=1e-13)


def test_activations_keep_their_digits_for_small_and_for_large_numbers():
    x = [-700.0, -30.0, -1e-9, 1e-9, 15.0, 700.0]
    F = tn.nn.functional
    np.testing.assert_allclose(F.elu(f64(*x)).numpy(), [math.expm1(v) if v < 0 else v for v in x], rtol=1e-14)
    soft = [math.log1p(math.exp(v)) if v < 20 else v for v in x]
    np.testing.assert_allclose(F.softplus(f64(*x)).numpy(), soft, rtol=1e-14)
    np.testing.assert_allclose(F.silu(f64(*x)).numpy(), [v / (1 + math.exp(-v)) for v in x], rtol=1e-13)
    soft[-1] = math.log1p(math.exp(700.0))
    np.testing.assert_allclose(F.softplus(f64(*x), threshold=1e9).numpy(), soft, rtol=1e-14)
    for f in (F.elu, F.silu, F.softplus):
        x2 = f64(-1e4, 1e4, requires_grad=True)
        (g,) = tn.autograd.grad(f(x2).sum(), x2, create_graph=True)
        assert g.tolist() == [0.0, 1.0]
        (h,) = tn.autograd.grad(g.sum(), x2)
        assert h.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_hardsigmoid_keeps_its_digits_near_its_lower_end(dtype):
    x = np.nextafter(np.array([-3.0, -2.99], dtype), np.array(0, dtype))
    y = tn.nn.functional.hardsigmoid(tn.tensor(x, dtype=dtype)).numpy()
    np.testing.assert_allclose(y, (x.astype("f8") + 3) / 6, rtol=2 * np.finfo(dtype).eps)


def test_sigmoid_and_tanh_saturate_without_overflow():
    assert tn.tensor([-1e4, 0.0, 1e4, -INF, INF]).sigmoid().tolist() == [0.0, 0.5, 1.0, 0.0, 1.0]
    assert gradient(tn.sigmoid, f64(-1e4, 1e4)) == [0.0, 0.0]
    assert tn.tensor([-1e4, 1e4]).tanh().tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    "op",
    [
        tn.exp, tn.log, tn.sqrt, tn.rsqrt, tn.abs, tn.relu, tn.sigmoid, tn.tanh, tn.ops.gelu, tn.sum, tn.mean, tn.var, tn.amax,
        tn.amin, lambda x: x.max(0).values, lambda x: tn.maximum(x, 1.0), lambda x: x.clamp(0, 1), lambda x: x.softmax(0),
        lambda x: x.log_softmax(0), lambda x: x.logsumexp(0), lambda x: x * 0, lambda x: x @ tn.zeros(2),
        tn.sin, tn.cos, tn.log2, tn.log10, tn.log1p, tn.square, tn.prod, tn.norm, lambda x: x.norm(1), lambda x: x.norm(INF),
        lambda x: x.norm(0), lambda x: x.cumsum(0), tn.nn.functional.elu, tn.nn.functional.silu, tn.nn.functional.softplus,
        tn.nn.functional.leaky_relu, lambda x: tn.nn.functional.normalize(x, dim=0), lambda x: x.round(decimals=1),
    ],
)  # fmt: skip
def test_nan_is_propagated_never_hidden(op):
    assert np.isnan(op(tn.tensor([NAN, 0.5])).numpy()).any()


def test_infinities_and_nan_come_without_warnings_forward_and_backward():
    """One policy for all ops, PyTorch's and the GPU's: they pass through in silence; `isfinite` finds them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for op in (
            lambda x: tn.log(x - x),
            lambda x: x / (x - x),
            lambda x: (x - x) / (x - x),
            lambda x: tn.exp(x * 1e4),
            lambda x: (x * 1e38) * 1e38,
            lambda x: tn.sqrt(-x),
            lambda x: tn.rsqrt(x - x),
            lambda x: (x - x) ** -1,
            lambda x: (x / 0.0) - (x / 0.0),
            lambda x: (x * -INF).softmax(0),
            lambda x: tn.ops.layer_norm(x * INF, 2),
            lambda x: (x * 1e30).double().mul(1e30).float(),
        ):
            x = tn.tensor([1.0, 2.0], requires_grad=True)
            y = op(x)
            assert not tn.isfinite(y).all()
            y.sum().backward()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        np.log(np.zeros(1))  # NumPy's own setting is as it was
    assert tn.log(tn.zeros(1)).item() == -INF


def test_empty_tensors(device):
    x = tn.zeros(0, 3, device=device, requires_grad=True)
    assert x.sum().item() == 0
    assert np.isnan(x.mean().item())
    assert x.softmax(1).shape == x.softmax(0).shape == (0, 3)
    assert x.logsumexp(0).tolist() == [-INF] * 3
    assert tn.cat([x, tn.ones(1, 3, device=device)]).shape == (1, 3)
    assert x.reshape(3, 0).T.flatten().shape == (0,)
    (x * 2).exp().sum().backward()
    assert x.grad.shape == (0, 3)
    assert x[[]].shape == (0, 3)
    for ask in (x.amax, x.max, lambda: x.max(0)):
        with pytest.raises((RuntimeError, IndexError), match="at least one element"):
            ask()


# ---- shapes ----------------------------------------------------------------------------------------------------------


def test_shapes_that_do_not_fit():
    x = tn.ones(2, 3)
    for ask, match in (
        (lambda: x.reshape(4), r"product of 6.*\(2, 3\)"),
        (lambda: x.reshape(-1, -1), "product of 6"),
        (lambda: x.reshape(-2, -3), "product of 6"),
        (lambda: x.reshape(4, -1), "product of 6"),
        (lambda: x.expand(3, 3), r"\(2, 3\)"),
        (lambda: x.expand(-1, 2, 3), r"\(2, 3\)"),
        (lambda: x.permute(0), "2 dimensions"),
        (lambda: tn.cat([x, tn.ones(2, 4)]), r"\(2, 3\), \(2, 4\)"),
        (lambda: tn.stack([x, tn.ones(3, 2)]), "equal shapes"),
        (lambda: tn.zeros(2, 2, 2).t(), "at most 2"),
    ):
        with pytest.raises(RuntimeError, match=match):
            ask()
    for ask in (tn.cat, tn.stack):
        with pytest.raises(ValueError, match="at least one"):
            ask([])


def test_moves_are_numpys():
    a = rng.standard_normal((2, 1, 3))
    x = tn.tensor(a)
    for got, expected in (
        (x.permute(2, 0, 1), a.transpose(2, 0, 1)),
        (x.transpose(0, -1), a.swapaxes(0, -1)),
        (x.squeeze(), a.squeeze()),
        (x.squeeze(0), a),
        (x.unsqueeze(-1), a[..., None]),
        (x.flatten(1), a.reshape(2, 3)),
        (x.expand(4, -1, 5, -1), np.broadcast_to(a, (4, 2, 5, 3))),
        (tn.stack([x, x], 1), np.stack([a, a], 1)),
        (tn.cat([x, x], axis=-1), np.concatenate([a, a], -1)),
        (tn.tensor(1.0).flatten(), np.ones(1)),
    ):
        np.testing.assert_array_equal(got.numpy(), expected)


# ---- indexing --------------------------------------------------------------------------------------------------------

MASK = np.array([[True, False, True, False], [False, False, True, True], [True, True, False, False]])
INDICES = [
    1, -1, slice(None, None, 2), slice(None, None, -1), (slice(1, None), 2), ..., None, (..., 1), (0, None, slice(2)),
    [0, 0, 2], [], np.array([2, 2]), ([0, 1], [3, 3]), (slice(None), [1, 1]), MASK, (None, MASK), MASK[:, 0], (MASK[:, 0], 1),
    np.int64(2), True, range(2), (np.array([[0], [1]]), np.array([0, 2])),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_every_kind_of_index_reads_adds_back_and_writes_as_numpy(index):
    a = rng.standard_normal((3, 4))
    numpys = list(index) if isinstance(index, range) else np.empty(0, int) if isinstance(index, list) and not index else index
    x = tn.tensor(a, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.detach().numpy(), a[numpys])
    g = rng.standard_normal(a[numpys].shape)
    y.backward(tn.tensor(g, dtype="float64"))
    expected = np.zeros_like(a)
    np.add.at(expected, numpys, g)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-13)
    z = tn.tensor(a)
    z[index] = 7.0
    b = a.copy()
    b[numpys] = 7.0
    np.testing.assert_array_equal(z.numpy(), b)


def test_tensors_index_and_errors_say_why():
    x = tn.tensor([1.0, 2.0, 3.0])
    assert x[tn.tensor([0, 0])].tolist() == [1.0, 1.0]
    assert x[x > 1].tolist() == [2.0, 3.0]
    assert x[tn.tensor(1) :].tolist() == [2.0, 3.0]
    x[x > 2] = tn.tensor([9], dtype="int64")
    assert x.tolist() == [1.0, 2.0, 9.0]
    with pytest.raises(IndexError):
        x[3]
    with pytest.raises(IndexError):
        x[tn.tensor([5])]
    with pytest.raises(IndexError, match=r"index.*long\(\)"):
        x[tn.tensor([0.0])]
    with pytest.raises(RuntimeError, match=r"SetItem.*\(2,\)"):
        x[:3] = tn.ones(2)
    with pytest.raises(RuntimeError, match="2 dimensions"):
        tn.ones(2, 2).gather(1, tn.tensor([0]))


def test_gather_and_take_along_dim():
    a, at = rng.standard_normal((3, 4)), np.array([[0, 0, 3], [1, 2, 1], [3, 3, 3]])
    x = tn.tensor(a)
    np.testing.assert_array_equal(x.take_along_dim(tn.tensor(at), 1).numpy(), np.take_along_axis(a, at, 1))
    np.testing.assert_array_equal(x.gather(1, tn.tensor(at[:2])).numpy(), np.take_along_axis(a[:2], at[:2], 1))


def test_the_sorted_scatter_of_gpus_adds_as_numpys_does():
    for n, size in ((0, 4), (1, 1), (50, 7), (64, 100)):
        at, g = rng.integers(0, size, n), rng.standard_normal(n)
        expected = np.zeros(size)
        np.add.at(expected, at, g)
        np.testing.assert_allclose(add_rows_in_pairs(namespace(g), np.zeros(size), at, g), expected, rtol=1e-12, atol=1e-14)


def test_where_takes_numbers_and_tensors():
    mask = tn.tensor([True, False])
    assert tn.where(mask, 1.0, 0.0).dtype == tn.float32
    assert tn.where(mask, 1, 2).tolist() == [1, 2]
    assert tn.where(mask, tn.ones(2, dtype="float16"), 0.5).dtype == tn.float16
    assert gradient(lambda x: tn.where(mask, x, x * 10.0), f64(1.0, 1.0)) == [1.0, 10.0]
