"""ReLU's backward and BatchNorm's running statistics by kernels: what the formula gives, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.kernels import use
from tinynorm.nn import functional as F

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3.0]


def gradient(choice, x, dy):
    with use(choice):
        t = tn.tensor(x, requires_grad=True)
        F.relu(t).backward(tn.tensor(dy))
    return t.grad.numpy().tobytes()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["float32", "float64"]), st.sampled_from([(0,), (1,), (7, 3), (2, 3, 5), ()]))
def test_relu(seed, dtype, shape):
    rng = np.random.default_rng(seed)
    x, dy = (np.where(rng.random(shape) < 0.3, rng.choice(SPECIAL, shape), rng.normal(size=shape)).astype(dtype) for _ in "xg")
    assert gradient("numba", x, dy) == gradient("numpy", x, dy)


def test_relu_of_other_layouts():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(6, 5)), np.broadcast_to(rng.normal(size=5), (6, 5))
    for a, g in ((x.T, dy.T), (x[::2], dy[::2]), (x, dy)):
        assert gradient("numba", a, g) == gradient("numpy", a, g)


def running(choice, x, momentum, dtype, start):
    with use(choice):
        mean, var = (tn.tensor(np.full(x.shape[1], v, dtype)) for v in start)
        for scale in (1, 1e3, 1e15, 1):
            F.batch_norm(tn.tensor(x * np.asarray(scale, dtype)), mean, var, None, None, True, momentum)
    return mean.numpy(), var.numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("momentum", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("start", [(0.0, 1.0), (np.nan, np.inf), (3.0, np.nan)])
def test_running_statistics(dtype, momentum, start):
    """Of the same batch statistics: their own last digits differ between kernel and formula."""
    rng = np.random.default_rng(0)
    for shape in ((30, 40), (8, 5, 20)):
        x = rng.integers(-4, 5, shape).astype(dtype)
        # so the mean is 0, in both: also that of the numbers that a kernel looks at first
        x = np.concatenate([x, -x], 2) if len(shape) > 2 else np.stack([x, -x], 1).reshape(-1, shape[1])
        for a, b in zip(running("numba", x, momentum, dtype, start), running("numpy", x, momentum, dtype, start), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6 if dtype == "float32" else 1e-14)


def test_the_running_variance_stays_finite():
    x = np.array([[-1e19], [1e19]] * 300, "f")
    for choice in ("numba", "numpy"):
        _, var = running(choice, x / np.float32(1e15), 1.0, "f", (0.0, 1.0))
        assert np.isfinite(var).all()
        with use(choice):
            v = tn.tensor([np.finfo("f").max])
            F.batch_norm(tn.tensor(x[:, :1] / np.float32(2)), tn.zeros(1), v, None, None, True, 1.0)
        assert np.isfinite(v.numpy()).all()
