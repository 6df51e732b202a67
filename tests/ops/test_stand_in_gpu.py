"""Every op and its derivatives on CuPy's arrays against NumPy's: on a stand-in, and on a GPU where there is one."""

from fractions import Fraction

import numpy as np
import pytest
import test_gradients
from helpers import cotangents, floating, outputs_of

import tinynorm as tn


def run(op, arrays, device):
    """The outputs, their gradients and the gradients of those, where there are any; on the CPU."""
    xs = [tn.tensor(a, requires_grad=a.dtype.kind == "f", device=device) for a in arrays]
    targets = [xs[i] for i in floating(arrays)]
    found = [outputs_of(op(*xs))]
    for _ in range(2):
        live = [y for y in found[-1] if y.requires_grad]
        if live:
            directions = [v.to(device) for v in cotangents(live)]
            gs = tn.autograd.grad(live, targets, directions, create_graph=True, allow_unused=True)
            found.append([g for g in gs if g is not None])
    assert all(y.device == tn.device(device, 0 if device == "cuda" else None) for ys in found for y in ys)
    return [y.detach().cpu().numpy() for ys in found for y in ys]


@pytest.mark.parametrize("name", test_gradients.ALL)
def test_an_op_and_its_derivatives_stay_on_the_gpu_and_agree_with_numpys(name, gpu, monkeypatch):
    _, op, arrays = test_gradients.ALL[name]
    expected = run(op, arrays, "cpu")
    for constant in test_gradients.CONSTANTS:
        monkeypatch.setattr(test_gradients, constant, getattr(test_gradients, constant).to("cuda"))
    for a, b in zip(run(op, arrays, "cuda"), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_division_with_a_remainder_is_exact(dtype, anywhere):
    """CuPy's own a // b is ⌊a / b⌋ of the rounded a / b: 10 for 1 // 0.1. (0.1 is a little more than a tenth.)"""
    rng = np.random.default_rng(0)
    b = np.concatenate([[0.1, 0.1, 0.2, -0.1, 3.0], rng.choice([0.1, 0.3, -0.7, 5.0, -2.5], 200)]).astype(dtype)
    a = np.concatenate([[1.0, -1.0, 1.0, 1.0, 0.0], np.round(b[5:] * rng.integers(-999, 999, 200), 1)]).astype(dtype)
    exact = [divmod(Fraction(float(x)), Fraction(float(y))) for x, y in zip(a, b, strict=True)]
    quotients, remainders = (np.array([float(f) for f in parts], dtype) for parts in zip(*exact, strict=True))
    x, y = tn.tensor(a, device=anywhere), tn.tensor(b, device=anywhere, requires_grad=True)
    for found in (x // y.detach(), tn.div(x, y, rounding_mode="floor"), -tn.autograd.grad((x % y).sum(), y)[0]):
        np.testing.assert_array_equal(found.detach().cpu().numpy(), quotients)
    np.testing.assert_array_equal((x % y).detach().cpu().numpy(), remainders)
    for number in (0.1, -0.1):  # in place of a tensor
        for found, by_tensor in [(x // number, x // tn.full_like(x, number)), (number % x, tn.full_like(x, number) % x)]:
            np.testing.assert_array_equal(found.cpu().numpy(), by_tensor.cpu().numpy())


def test_a_quotient_of_zero_has_its_sign_and_a_divisor_of_zero_gives_infinity(anywhere):
    x, y = (tn.tensor(values, device=anywhere) for values in ([1.0, -1.0, 0.0, -2.0, 2.0], [4.0, -4.0, -3.0, 0.0, 0.0]))
    found = (x // y).cpu().numpy()
    np.testing.assert_array_equal(found, [0.0, 0.0, -0.0, -np.inf, np.inf])
    np.testing.assert_array_equal(np.signbit(found[:3]), [False, False, True])
