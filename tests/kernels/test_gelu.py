"""GELU by kernels: what the formula gives, also far out."""

import math

import numpy as np
import pytest
from helpers import step_of
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.gradcheck import check_function, check_second
from tinynorm.kernels import use
from tinynorm.nn import functional as F

RTOL = {"float32": 4e-6, "float64": 1e-13}
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 1e30, -1e30, 40.0, -40.0]


def run(choice, x, dy, approximate, dtype):
    with use(choice):
        t = tn.tensor(x.astype(dtype), requires_grad=True)
        y = F.gelu(t, approximate)
        y.backward(tn.tensor(dy.astype(dtype)))
    return [a.numpy().astype(float) for a in (y.detach(), t.grad)]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from(sorted(RTOL)), st.sampled_from([(0,), (1,), (7, 3), (2, 3, 500), ()]),
    st.sampled_from(["none", "tanh"]), st.sampled_from([0.1, 1, 10]),
)  # fmt: skip
def test_the_kernel_equals_the_formula(seed, dtype, shape, approximate, scale):
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=shape).astype(dtype) * scale, rng.normal(size=shape)
    x = np.where(rng.random(shape) < 0.2, rng.choice(SPECIAL, shape), x).astype(dtype)
    exact = run("numpy", x, dy.astype(dtype), approximate, "float64")
    for a, e in zip(run("numba", x, dy, approximate, dtype), exact, strict=True):
        np.testing.assert_allclose(a, e, rtol=RTOL[dtype], atol=RTOL[dtype] * max(scale, 1))


@pytest.mark.parametrize("dtype", sorted(RTOL))
def test_a_small_output_keeps_its_digits(dtype):
    """As long as the exponent -x²/2 has them: its rounding costs x²/2 units of the last place."""
    x = np.linspace(-12, -1e-3, 5001).astype(dtype)
    exact = np.array([v * math.erfc(-v / math.sqrt(2)) / 2 for v in x.astype(float)])
    y, _ = run("numba", x, x, "none", dtype)
    assert (np.abs(y / exact - 1) <= np.finfo(dtype).eps * (4 + x.astype(float) ** 2)).all()


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gradients_and_second_derivatives_with_kernels(approximate):
    x = tn.tensor(np.random.default_rng(0).normal(size=(3, 5)) * 2, requires_grad=True)
    with use("numba"):
        assert check_function(lambda x: F.gelu(x, approximate), [x])
        assert check_second(lambda x: F.gelu(x, approximate), [x])


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_captured(approximate):
    def model():
        tn.manual_seed(0)
        return tn.nn.Sequential(tn.nn.Linear(5, 6), tn.nn.GELU(approximate), tn.nn.Linear(6, 1))

    eager = step_of(model())
    with use("numba"):
        captured = tn.capture(step_of(model()))
        for _ in range(8):
            x = tn.randn(7, 5)
            assert captured(x).numpy().tobytes() == eager(x).detach().numpy().tobytes()
    assert captured.replays
