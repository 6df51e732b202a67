"""Every reduction in float32 is right to 2e-6 of float64's, over many rows, along any axis; on the stand-in for a GPU too."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

N = 1_000_000
RTOL = 2e-6


def column(value=0.1, n=N, width=2):
    return np.full((n, width), value, "f4")


def uniform(shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype="f4") + np.float32(0.1)


def grads(loss, *tensors):
    return [g.numpy() for g in tn.autograd.grad(loss, tensors)]


@pytest.mark.parametrize("dim", [0, 1, None, (0, 1)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std"])
def test_reductions(name, dim, turned):
    x = uniform((200_003, 3))
    t = tn.tensor(x.T).T if turned else tn.tensor(x)
    y = getattr(t, name)(dim=dim)
    expected = getattr(x.astype("f8"), name)(axis=dim, **({"ddof": 1} if name in ("var", "std") else {}))
    np.testing.assert_allclose(y.numpy(), expected, rtol=RTOL)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_norms_and_running_sums(dim):
    x = uniform((200_003, 3))
    t, wide = tn.tensor(x), x.astype("f8")
    np.testing.assert_allclose(t.norm(dim=dim).numpy(), np.sqrt((wide * wide).sum(dim)), rtol=RTOL)
    np.testing.assert_allclose(t.norm(3, dim=dim).numpy(), (wide**3).sum(dim) ** (1 / 3), rtol=RTOL)
    if dim is not None:
        np.testing.assert_allclose(t.cumsum(dim).numpy(), wide.cumsum(dim), rtol=RTOL)


def test_the_mean_of_a_column():
    np.testing.assert_allclose(tn.tensor(column()).mean(0).numpy(), np.float32(0.1), rtol=RTOL)


def test_the_variance_of_normal_rows():
    x = np.random.default_rng(0).standard_normal((N, 1), dtype="f4")
    np.testing.assert_allclose(tn.tensor(x).var(0).numpy(), x.astype("f8").var(0, ddof=1), rtol=RTOL)


def test_the_gradient_of_a_bias():
    layer = tn.nn.Linear(1, 2)
    layer(tn.zeros(N, 1)).mean().backward()
    np.testing.assert_allclose(layer.bias.grad.numpy(), 0.5, rtol=RTOL)


@pytest.mark.parametrize("shape", [(2,), (1, 2), (1, 1), ()])
def test_the_gradient_of_what_was_broadcast(shape):
    b = tn.zeros(*shape, requires_grad=True)
    g = column(0.7)
    (d,) = tn.autograd.grad(tn.tensor(column()) + b, b, tn.tensor(g))
    expected = g.astype("f8").sum(0) if shape and shape[-1] == 2 else g.sum(dtype="f8")
    np.testing.assert_allclose(d.numpy().reshape(-1), np.broadcast_to(expected, d.numpy().reshape(-1).shape), rtol=RTOL)


LAYERS = {
    "batch_norm": ((300_000, 3), lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True)),
    "batch_norm, positions": ((7, 3, 50_001), lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True)),
    "instance_norm": ((2, 3, 200_003), lambda x, w, b: F.instance_norm(x, None, None, w, b)),
    "group_norm": ((2, 4, 100_003), lambda x, w, b: F.group_norm(x, 2, w, b)),
    "layer_norm": ((100_003, 5), lambda x, w, b: F.layer_norm(x, 5, w, b)),
    "layer_norm, long rows": ((3, 300_007), lambda x, w, b: F.layer_norm(x, 300_007, w, b)),
    "rms_norm": ((100_003, 5), lambda x, w, b: F.rms_norm(x, 5, w, eps=1e-6)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_of_the_layers(name):
    """Against the same formula in float64; relative to the largest entry."""
    shape, layer = LAYERS[name]
    C = shape[-1] if name.startswith(("layer", "rms")) else shape[1]
    x, g = uniform(shape), uniform(shape, 1)
    if name == "group_norm":  # its dγ adds up x̂ times a positive gradient over half a group, which all but cancels
        g -= g.mean()
    found = []
    for dtype in ("f4", "f8"):
        tensors = [tn.tensor(a.astype(dtype), requires_grad=True) for a in (x, np.full(C, 1.5), np.full(C, 0.5))]
        y = layer(*tensors)
        wanted = tensors if "rms" not in name else tensors[:2]
        found.append([y.detach().numpy(), *(d.numpy() for d in tn.autograd.grad(y, wanted, tn.tensor(g.astype(dtype))))])
    for single, double in zip(*found, strict=True):
        np.testing.assert_allclose(single, double, rtol=0, atol=RTOL * np.abs(double).max())


@pytest.mark.parametrize("value", [100.0, 0.1, 1e6])
@pytest.mark.parametrize("n", [N, 2_000_003])
def test_a_channel_of_equal_numbers_is_normalised_to_zero(n, value):
    y = F.batch_norm(tn.tensor(column(value, n, 1)), training=True)
    assert np.abs(y.numpy()).max() < 1e-6


@pytest.mark.parametrize(("n", "value"), [(4_194_301, 1e6), (4_194_301, 123.456), (8_388_607, 7.7e8)])
def test_millions_of_equal_numbers_do_not_deviate(n, value):
    assert float(tn.tensor(column(value, n, 1)).std(0)[0]) == 0


def test_running_statistics():
    x = uniform((N, 2))
    mean, var = tn.zeros(2), tn.ones(2)
    F.batch_norm(tn.tensor(x), mean, var, training=True, momentum=1.0)
    np.testing.assert_allclose(mean.numpy(), x.mean(0, dtype="f8"), rtol=RTOL)
    np.testing.assert_allclose(var.numpy(), x.astype("f8").var(0, ddof=1), rtol=RTOL)


def test_on_a_gpus_arrays(gpu):
    x = uniform((N, 2))
    t = tn.tensor(x, device="cuda")
    np.testing.assert_allclose(t.sum(0).cpu().numpy(), x.sum(0, dtype="f8"), rtol=RTOL)
    np.testing.assert_allclose(t.T.contiguous().sum(1).cpu().numpy(), x.sum(0, dtype="f8"), rtol=RTOL)
    np.testing.assert_allclose(t.var(0).cpu().numpy(), x.astype("f8").var(0, ddof=1), rtol=RTOL)
    b = tn.zeros(2, device="cuda", requires_grad=True)
    (t + b).mean().backward()
    np.testing.assert_allclose(b.grad.cpu().numpy(), 0.5, rtol=RTOL)
    y = F.batch_norm(tn.tensor(column(100.0), device="cuda"), training=True)
    assert float(y.abs().max()) < 1e-6


@pytest.mark.parametrize(("rows", "ins", "outs"), [(N, 1, 1), (N, 1, 2), (N, 3, 2), (300_001, 16, 8), (60_001, 64, 32)])
def test_the_gradient_of_a_weight(rows, ins, outs):
    """A matrix product is BLAS's, which adds up some hundred numbers in a row: a digit less than sums, but no more lost."""
    W = tn.zeros(outs, ins, requires_grad=True)
    y = F.linear(tn.tensor(column(0.1, rows, ins)), W)
    (d,) = tn.autograd.grad(y, W, tn.tensor(column(0.7, rows, outs)))
    np.testing.assert_allclose(d.numpy(), rows * float(np.float32(0.1)) * float(np.float32(0.7)), rtol=1e-5)


@pytest.mark.parametrize(("left", "right"), [
    ((3, 2, 40_001), (3, 40_001, 2)), ((2, 40_001), (3, 40_001, 1)), ((2, 1, 1, 40_001), (3, 40_001, 2)),
    ((40_001,), (3, 40_001, 2)), ((3, 1, 40_001), (40_001,)), ((0, 2, 40_001), (40_001, 2)),
])  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_stacks_of_products_over_many_numbers(left, right, turned, gpu):
    a, b = uniform(left), uniform(right, 1)
    if turned and len(left) > 1:
        a = a.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    for device in ("cpu", "cuda"):
        y = tn.tensor(a, device=device) @ tn.tensor(b, device=device)
        np.testing.assert_allclose(y.cpu().numpy(), a.astype("f8") @ b.astype("f8"), rtol=RTOL)


@pytest.mark.parametrize("samples", [1, 2])
def test_the_gradient_of_a_weight_that_multiplies_a_stack(samples):
    w = tn.zeros(1, 2, requires_grad=True)
    x = tn.full((samples, N, 1), 0.1)
    (d,) = tn.autograd.grad((x @ w).sum(), w)
    np.testing.assert_allclose(d.numpy(), samples * N * np.float64(np.float32(0.1)), rtol=RTOL)


@pytest.mark.parametrize("ndims", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_a_product_over_many_numbers(ndims):
    a, b = uniform((N, 2)).T, uniform((N, 2), 1)
    a, b = a[0] if ndims[0] == 1 else a, b[:, 0] if ndims[1] == 1 else b
    np.testing.assert_allclose((tn.tensor(a) @ tn.tensor(b)).numpy(), a.astype("f8") @ b.astype("f8"), rtol=RTOL)
