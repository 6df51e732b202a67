"""What would leave the dtype's range is scaled first: norms, deviations and means of very large and very small numbers."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

NORMS = {
    "layer_norm": lambda x, eps: F.layer_norm(x, x.shape[1:], eps=eps),
    "rms_norm": lambda x, eps: F.rms_norm(x, x.shape[1:], eps=eps),
    "group_norm": lambda x, eps: F.group_norm(x, 2, eps=eps),
    "instance_norm": lambda x, eps: F.instance_norm(x, eps=eps),
    "batch_norm": lambda x, eps: F.batch_norm(x, training=True, eps=eps),
}
SCALES = [*((s, 1e-5) for s in (1e15, 1.9e19, 1e20, 1e30, 1e38)), (1e20, 0.0), (1e-20, 0.0), (1e-30, 0.0), (1e-25, 1e-40)]

MAX = float(np.finfo("f4").max)  # whose log2 is rounded to 128


def numbers():
    return np.random.default_rng(0).uniform(-3, 3, (4, 4, 6)).astype("f4")


@pytest.mark.parametrize(("scale", "eps"), SCALES)
@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_norm_of_any_scale_is_that_of_float64(name, scale, eps, create_graph):
    x, g = numbers() * np.float32(scale), np.random.default_rng(1).standard_normal((4, 4, 6))
    found = []
    for dtype in ("f4", "f8"):
        t = tn.tensor(x.astype(dtype), requires_grad=True)
        y = NORMS[name](t, eps)
        (d,) = tn.autograd.grad(y, t, tn.tensor(g.astype(dtype)), create_graph=create_graph)
        found.append((y.detach().numpy(), d.detach().numpy()))
    (y, d), (y64, d64) = found
    np.testing.assert_allclose(y, y64, rtol=0, atol=2e-6 * np.abs(y64).max())
    digits = 2e-6 if scale < 1e35 else 0.02  # a slope of 1e-38 is below float32's normal numbers
    np.testing.assert_allclose(d, d64, rtol=0, atol=digits * np.abs(d64).max())


@pytest.mark.parametrize(("name", "row", "expected"), [
    ("layer_norm", [1e20, -1e20, 0], [1.5**0.5, -(1.5**0.5), 0]),
    ("layer_norm", [3e38, -3e38, -3e38], [2**0.5, -(0.5**0.5), -(0.5**0.5)]),
    ("rms_norm", [3e38, 0, 4e37], [3 / (9.16 / 3) ** 0.5, 0, 0.4 / (9.16 / 3) ** 0.5]),
    ("layer_norm", [MAX, -MAX, 0], [1.5**0.5, -(1.5**0.5), 0]),
    ("rms_norm", [MAX, 0, 0], [3**0.5, 0, 0]),
])  # fmt: skip
def test_the_ends_of_the_range(name, row, expected, gpu):
    for device in ("cpu", "cuda"):
        y = NORMS[name](tn.tensor([row, [1.0, 2.0, 4.0]], device=device), 1e-5).cpu().numpy()
        np.testing.assert_allclose(y[0], expected, rtol=2e-6, atol=1e-6)
        np.testing.assert_allclose(y[1], NORMS[name](tn.tensor([[1.0, 2.0, 4.0]]), 1e-5).numpy()[0], rtol=2e-6)


def test_second_derivatives_of_large_and_common_rows_together():
    x, v = np.array([[1e20, -2e20, 0], [1, 2, 3.5]]), np.array([[1.0, -2, 3], [1, 2, -3]])
    found = []
    for dtype in ("f4", "f8"):
        t = tn.tensor(x.astype(dtype), requires_grad=True)
        (g,) = tn.autograd.grad(F.layer_norm(t, 3), t, tn.tensor(v.astype(dtype)), create_graph=True)
        (h,) = tn.autograd.grad((g * g)[1].sum(), t)
        found.append(h.numpy())
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-15, 1e-12, 1, 1e9, 1e18])
@pytest.mark.parametrize("name", NORMS)
def test_second_derivatives_of_any_scale_without_eps(name, scale):
    rng, found = np.random.default_rng(1), []
    g, v = rng.standard_normal((2, 4, 4, 6))
    for dtype in ("f4", "f8"):
        t = tn.tensor((numbers() * scale).astype(dtype), requires_grad=True)
        (d,) = tn.autograd.grad(NORMS[name](t, 0.0), t, tn.tensor(g.astype(dtype)), create_graph=True)
        (h,) = tn.autograd.grad(d, t, tn.tensor(v.astype(dtype)))
        found.append(h.numpy())
    h, h64 = found
    np.testing.assert_allclose(h, h64, rtol=0, atol=5e-6 * np.abs(h64).max())


def test_nan_and_infinity_still_come_out():
    y = F.layer_norm(tn.tensor([[np.nan, 1e20], [np.inf, 1.0], [1e20, 0.0]]), 2).numpy()
    assert np.isnan(y[:2]).all()
    np.testing.assert_allclose(y[2], [1, -1])


def test_a_running_variance_stays_finite_and_recovers():
    mean, var = tn.zeros(2), tn.ones(2)
    F.batch_norm(tn.tensor([[1e20, 1.0], [-1e20, 2.0]]), mean, var, training=True)
    np.testing.assert_array_equal(var.numpy()[0], np.finfo("f4").max)
    assert var.numpy()[1] == np.float32(0.9 + 0.05)
    for _ in range(3):
        F.batch_norm(tn.tensor([[1.0, 1.0], [2.0, 2.0]]), mean, var, training=True)
    assert var.numpy()[0] < 0.8 * np.finfo("f4").max
    F.batch_norm(tn.tensor([[np.nan, 1.0], [2.0, 2.0]]), mean, var, training=True)
    assert np.isnan(var.numpy()[0])


@pytest.mark.parametrize("norm", [F.batch_norm, F.instance_norm])
def test_running_statistics_that_overflow(norm):
    def running_var(momentum):
        mean, var = tn.zeros(1), tn.ones(1)
        norm(tn.tensor([[[1e20, -1e20]], [[1.0, 2.0]]]), mean, var, momentum=momentum, **training)
        return var.item()

    training = {"training": True} if norm is F.batch_norm else {}
    assert running_var(0.0) == 1
    assert running_var(0.1) == np.finfo("f4").max


def test_float16s_default_eps_is_that_of_float32():
    y = F.rms_norm(tn.tensor([[0.01, -0.01]], dtype="float16"), 2).numpy()
    np.testing.assert_allclose(y, [[0.9995, -0.9995]], rtol=1e-3)


def test_deviations():
    def of(*x, dtype="float32"):
        return float(tn.tensor(x, dtype=dtype).std())

    assert of(1e20, -1e20) == pytest.approx(2**0.5 * 1e20, rel=1e-6)
    assert of(1e-25, -1e-25) == pytest.approx(2**0.5 * 1e-25, rel=1e-6)
    assert of(300, -300, dtype="float16") == pytest.approx(424.26, rel=1e-3)
    assert of(2, 2) == 0
    assert np.isnan(of(1))
    assert np.isnan(of(np.nan, 1))
    x = tn.tensor([1e20, -1e20, 0], requires_grad=True)
    x.std().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.5, -0.5, 0], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-39, 1e-25, 1.0, 1e25, 5e37])
@pytest.mark.parametrize("p", [2, 3, 1.5, 1, float("inf")])
def test_norms_and_their_slopes_of_any_scale(p, scale, anywhere):
    if anywhere != "cpu" and scale < 1e-38:
        pytest.skip("a GPU has no numbers below 1e-38")
    found = []
    for dtype in ("f4", "f8"):
        rows = scale * np.array([[3.0, -1.0, 0.5], [0.25, 2.0, 0.0]])
        x = tn.tensor(rows.astype(dtype), device=anywhere, requires_grad=True)
        y = x.norm(p, dim=1)
        (g,) = tn.autograd.grad(y.sum(), x)
        found.append((y.detach().cpu().numpy() / scale, g.cpu().numpy()))
    (y, g), (y64, g64) = found
    np.testing.assert_allclose(y, y64, rtol=1e-4 if scale < 1e-38 else 2e-6)
    np.testing.assert_allclose(g, g64, rtol=1e-4 if scale < 1e-38 else 5e-6)


def test_a_row_of_zeros_has_a_norm_without_slope_and_stays_zero():
    x = tn.tensor([[0.0, 0.0], [3e30, 4e30], [3e-30, 4e-30]], requires_grad=True)
    y = F.normalize(x)
    np.testing.assert_allclose(y.detach().numpy(), [[0, 0], [0.6, 0.8], [3e-18, 4e-18]], rtol=1e-6)  # eps is 1e-12
    for p in (1, 2, 3, float("inf")):
        (g,) = tn.autograd.grad(x.norm(p, dim=1).sum(), x)
        assert g[0].tolist() == [0.0, 0.0]
    half = F.normalize(tn.tensor([[0.0, 0.0], [300.0, 400.0]], dtype="float16"))
    np.testing.assert_allclose(half.numpy(), [[0, 0], [0.6, 0.8]], rtol=1e-3)


def test_deviations_at_the_ends_of_the_range():
    assert float(tn.tensor([MAX, -MAX, 0]).std()) == pytest.approx(MAX, rel=1e-6)
    assert float(tn.tensor([MAX, MAX, MAX]).std()) == 0
    x = tn.tensor([1e-39, -1e-39, 0], requires_grad=True)
    x.std().backward()  # its slope c / y is about 1, though 1 / y is none of float32's numbers
    np.testing.assert_allclose(x.grad.numpy(), [0.5, -0.5, 0], rtol=1e-5)


def test_a_variance_and_a_mean_of_squares_have_room_where_the_sum_has_none(gpu):
    x = np.repeat(np.float32([[1e18], [-1e18]]), 1000, axis=1)
    for device in ("cpu", "cuda"):
        t = tn.tensor(x, device=device)
        np.testing.assert_allclose(t.var().cpu().numpy(), 1e36 * (2000 / 1999), rtol=2e-6)
        np.testing.assert_allclose(t.var(0, correction=0).cpu().numpy(), 1e36, rtol=2e-6)
    assert float(F.mse_loss(tn.tensor(x), tn.zeros(2, 1000))) == pytest.approx(1e36, rel=2e-6)


@pytest.mark.parametrize("name", ["mean", "std", "var", "mse_loss", "mse_loss of numbers far apart"])
def test_slopes_of_means_in_float16(name):
    x = tn.ones(70_000, dtype="float16", requires_grad=True)  # more numbers than float16 can count
    if name == "mean":
        x.mean().backward()
        expected = 1 / 70_000
    elif name in ("var", "std"):
        signs = np.where(np.arange(70_000) % 2, -1, 1)
        x = tn.tensor(signs * (64.0 if name == "std" else 32.0), dtype="float16", requires_grad=True)
        getattr(x, name)(correction=0).backward(tn.tensor(64.0 if name == "std" else 1.0, dtype="float16"))
        expected = 64 / 70_000 * signs[:2]
    elif name == "mse_loss":
        F.mse_loss(x, tn.full((70_000,), -999.0, dtype="float16")).backward()
        expected = 2000 / 70_000
    else:
        x = tn.tensor([60_000.0], dtype="float16", requires_grad=True)
        F.mse_loss(x, -x.detach()).backward(tn.tensor(1e-3, dtype="float16"))
        expected = 240
    np.testing.assert_allclose(x.grad.numpy()[:2].astype("f8"), expected, rtol=5e-3 if name == "mean" else 1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelus_slope_is_1_or_0_for_large_numbers(dtype):
    for approximate in ("none", "tanh"):
        x = tn.tensor([1e20, -1e20, 1e38, 33.0, -33.0], dtype=dtype, requires_grad=True)
        (d,) = tn.autograd.grad(F.gelu(x, approximate=approximate).sum(), x, create_graph=True)
        np.testing.assert_allclose(d.detach().numpy(), [1, 0, 1, 1, 0], rtol=1e-6, atol=1e-200)
        (h,) = tn.autograd.grad(d.sum(), x)
        np.testing.assert_allclose(h.numpy(), 0, atol=1e-200)


@pytest.mark.parametrize("base", [2, 2.0, "tensor"])
@pytest.mark.parametrize("create_graph", [False, True])
def test_the_gradient_of_a_power_beyond_float16s_range(base, create_graph):
    """2^20 is infinite in float16; 2^20 log(2) / 1000 is not."""
    g = tn.tensor([1.0, 1e-3], dtype=tn.float16)
    b = tn.tensor([3.0, 20.0], dtype=tn.float16, requires_grad=True)
    a = tn.tensor(2.0, dtype=tn.float16) if base == "tensor" else base
    (db,) = tn.autograd.grad(a**b, b, g, create_graph=create_graph)
    np.testing.assert_allclose(db.detach().numpy(), np.log(2) * 2.0 ** np.array([3, 20]) * g.numpy(), rtol=2e-3)


def test_the_gradient_of_rsqrt_has_room_where_y_cubed_has_none():
    for dtype, x, g, expected in (("float32", 1e-30, 1e-20, -5e24), ("float16", 2**-12, 2**-6, -(2.0**11))):
        t = tn.tensor([x], dtype=dtype, requires_grad=True)
        (d,) = tn.autograd.grad(t.rsqrt(), t, tn.tensor([g], dtype=dtype))
        np.testing.assert_allclose(d.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "size"), [("float16", 1000), ("float16", -6e4), ("float32", 1e6), ("float32", -1e30), ("float64", 1e15)]
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_logsumexps_gradient_sums_to_1_beside_large_numbers(dtype, size, create_graph):
    x = tn.tensor([size, size, -np.inf], dtype=dtype, requires_grad=True)
    (d,) = tn.autograd.grad(x.logsumexp(0), x, create_graph=create_graph)
    np.testing.assert_allclose(d.detach().numpy(), [0.5, 0.5, 0], rtol=1e-6)


@pytest.mark.parametrize(("dtype", "a", "b", "g"), [
    ("float32", 1e38, 1e18, 1e20), ("float32", 1e30, 1e10, 1e-30), ("float16", 1.0, 1e-3, 1e-3), ("float16", 6e4, 600, 1e-4),
])  # fmt: skip
def test_a_quotients_gradient_has_room_whatever_the_order_of_its_factors(dtype, a, b, g):
    t = tn.tensor([b], dtype=dtype, requires_grad=True)
    (d,) = tn.autograd.grad(tn.tensor([a], dtype=dtype) / t, t, tn.tensor([g], dtype=dtype))
    np.testing.assert_allclose(d.numpy().astype("f8"), -g * (a / b) / b, rtol=1e-6 if dtype == "float32" else 5e-3)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_mean_of_the_largest_numbers(dtype):
    x = np.full((5, 700), np.finfo(dtype).max / 2, dtype)
    for dim in (0, 1, None):
        y = tn.tensor(x).mean(dim).numpy()
        np.testing.assert_allclose(y, np.finfo(dtype).max / 2, rtol=1e-3 if dtype == "float16" else 2e-6)


@pytest.mark.parametrize("n", [1000, 70_000])
@pytest.mark.parametrize("name", ["amax", "amin"])
def test_ties_in_float16_share_one_gradient(name, n):
    x = tn.ones(n, 2, dtype="float16", requires_grad=True)
    getattr(x, name)(0).sum().backward()
    np.testing.assert_allclose(x.grad.float().sum(0).numpy(), 1, rtol=5e-3)  # 1 / 70,000 is no normal float16


def test_ties_do_not_multiply_what_is_no_maximum():
    x = tn.tensor([1.0, 2.0, 2.0], requires_grad=True)
    (g,) = tn.autograd.grad(x.amax(), x, tn.tensor(np.inf))
    np.testing.assert_array_equal(g.numpy(), [0, np.inf, np.inf])


@pytest.mark.parametrize("name", ["amax", "amin"])
def test_a_nan_shows_in_the_gradient_of_its_extremum(name):
    x = tn.tensor([[np.nan, 1.0], [2.0, 1.0]], requires_grad=True)
    (g,) = tn.autograd.grad(getattr(x, name)(0).sum(), x)
    np.testing.assert_array_equal(g.numpy(), [[np.nan, 0.5], [np.nan, 0.5]])


def test_groups_of_one_value_are_refused():
    with pytest.raises(ValueError, match=r"groups of more than one value.*4 groups.*3, 4"):
        F.group_norm(tn.ones(3, 4), 4)
