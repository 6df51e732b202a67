"""The doors of the checker, their options and their errors; precision, complex steps, Hessian-vector products, devices."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn
from tinynorm.autograd import Function, gradcheck, gradgradcheck
from tinynorm.gradcheck import (
    CannotCheck,
    GradcheckError,
    check_backward,
    check_function,
    check_hvp,
    check_module,
    check_second,
)
from tinynorm.gradcheck.mistakes import groupnorm, layernorm
from tinynorm.testing import assert_gradients

X = np.random.default_rng(0).standard_normal((4, 6))


def square(x):
    return x * x, x


def square_backward(dy, x):
    return (2 * x * dy,)


# ---- check_backward: what it takes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("returned", [lambda g: (g,), lambda g: g, lambda g: [g]])
def test_gradients_come_as_tuple_list_or_array(returned):
    assert check_backward(square, lambda dy, x: returned(2 * x * dy), [X]).ok is True


def test_constants_need_no_gradient():
    def forward(x, power, mask, options):
        return x**power * mask + options["shift"], (x, power, mask)

    def backward(dy, cache):
        x, power, mask = cache
        return power * x ** (power - 1) * mask * dy, None, None, None

    inputs = [X, 3, X > 0, {"shift": 1.0}]
    assert check_backward(forward, backward, inputs).ok is True
    assert check_backward(forward, lambda dy, cache: backward(dy, cache)[:1], inputs).ok is True


def test_several_outputs_have_a_cotangent_each():
    def forward(x):
        return (np.sin(x), np.sum(x * x)), x

    def backward(dout, x):
        return (dout[0] * np.cos(x) + dout[1] * 2 * x,)

    assert check_backward(forward, backward, [X]).ok is True
    assert check_backward(forward, lambda dout, x: (dout[0] * np.cos(x),), [X]).ok is False


def test_scalars_and_arrays_of_no_dimensions():
    assert check_backward(lambda x: (float(np.sum(x**3)), x), lambda dy, x: (3 * x**2 * dy,), [X]).ok is True
    assert check_backward(square, square_backward, [np.array(0.7)]).ok is True
    assert check_backward(square, square_backward, [np.zeros((0, 3))]).ok is True


def test_names_come_from_the_signature():
    report = check_backward(layernorm.forward, layernorm.backward, layernorm.inputs(0))
    assert [found.name for found in report.inputs] == ["x", "gamma", "beta"]
    report = check_backward(lambda *xs: (xs[0] * 2, None), lambda dy, c: (2 * dy,), [X])
    assert [found.name for found in report.inputs] == ["input0"]


def test_the_callers_arrays_are_not_touched():
    kept = X.copy()

    def forward(x):
        y = x * x
        x[...] = 7.0
        return y, None

    report = check_backward(forward, lambda dy, c: (2 * dy,), [X])
    assert [fault.kind for fault in report.faults] == ["mutates_input"]
    assert np.array_equal(X, kept)


def test_a_seed_repeats_the_check():
    first, second, other = (check_backward(square, lambda dy, x: (x * dy,), [X], seed=seed) for seed in (3, 3, 4))
    assert first.inputs[0].worst == second.inputs[0].worst
    assert first.inputs[0].worst != other.inputs[0].worst


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"method": "magic"}, ValueError, "expected method to be 'central' or 'complex', got 'magic'"),
        ({"atol": -1.0}, ValueError, "expected atol to be a number >= 0"),
        ({"rtol": float("nan")}, ValueError, "expected rtol to be a number >= 0"),
        ({"eps": 0.0}, ValueError, "expected eps, the step, to be a number > 0 or None"),
        ({"names": ["a", "b"]}, ValueError, "expected 1 names, one for each input, got 2"),
        ({"cotangent": np.ones(3)}, ValueError, "expected a cotangent of the output's shape"),
    ],
)
def test_bad_options_are_told(options, error, says):
    with pytest.raises(error, match=says):
        check_backward(square, square_backward, [X], **options)


def test_bad_pairs_are_told():
    with pytest.raises(TypeError, match="at least one floating-point array among the inputs, got int, ndarray"):
        check_backward(square, square_backward, [3, np.arange(3)])
    with pytest.raises(CannotCheck, match="expected two values, \\(out, cache\\), got ndarray"):
        check_backward(lambda x: x, square_backward, [X])
    with pytest.raises(CannotCheck, match="no floating-point output"):
        check_backward(lambda x: (x > 0, x), square_backward, [X])
    with pytest.raises(ZeroDivisionError):
        check_backward(square, lambda dy, x: 1 / 0, [X])


def test_tolerances_given_come_on_top():
    def off(dy, x):
        return (2 * x * dy * (1 + 1e-5),)

    assert check_backward(square, off, [X]).ok is False
    assert check_backward(square, off, [X], rtol=1e-4).ok is True
    assert check_backward(square, off, [X], atol=1e-2).ok is True


def test_a_step_of_the_callers():
    assert check_backward(square, square_backward, [X], eps=1e-4).ok is True


# ---- what is no number -------------------------------------------------------------------------------------------------


def test_nan_in_the_gradient_is_wrong_and_in_the_output_cannot_be_checked():
    def hole(dy, x):
        dx = 2 * x * dy
        dx[1, 2] = np.nan
        return (dx,)

    report = check_backward(square, hole, [X])
    assert report.ok is False
    assert report.findings[0].kind == "not_finite"
    assert report.inputs[0].worst.index == (1, 2)
    report = check_backward(lambda x: (np.log(x), x), lambda dy, x: (dy / x,), [X])
    assert report.ok is None
    assert "NaN or infinity" in report.warnings[0]


def test_random_forwards_are_held_still_or_refused():
    rng = np.random.default_rng(0)

    def dropout(x):
        mask = np.random.random(x.shape) < 0.5  # noqa: NPY002
        return x * mask, mask

    report = check_backward(dropout, lambda dy, mask: (dy * mask,), [X])
    assert report.ok is True
    assert "the same were drawn each time" in report.notes[0]
    report = check_backward(lambda x: (x * rng.random(x.shape), x), square_backward, [X])
    assert report.ok is None
    assert "another output each time" in report.warnings[0]


def test_a_jump_is_not_resolved_or_passes_beside_it():
    assert check_backward(lambda x: (np.floor(x), x), lambda dy, x: (0 * x,), [X + 0.01]).ok is True
    assert check_backward(lambda x: (np.floor(x), x), lambda dy, x: (0 * x,), [np.array([1.0, 2.5])]).ok is not True


# ---- precision ---------------------------------------------------------------------------------------------------------


def naive_forward(x):
    """The variance as E[x²] - E[x]²."""
    mean = x.mean(axis=1, keepdims=True)
    rstd = 1 / np.sqrt(np.abs((x * x).mean(axis=1, keepdims=True) - mean * mean) + x.dtype.type(1e-5))
    return (x - mean) * rstd, ((x - mean) * rstd, rstd)


def naive_backward(dy, cache):
    x_hat, rstd = cache
    return (rstd * (dy - dy.mean(axis=1, keepdims=True) - x_hat * (dy * x_hat).mean(axis=1, keepdims=True)),)


def test_a_formula_that_loses_its_digits_in_float32_is_named():
    x = (np.random.default_rng(0).standard_normal((4, 16)) + 3e3).astype(np.float32)
    report = check_backward(naive_forward, naive_backward, [x])
    assert [fault.kind for fault in report.faults] == ["imprecise"]
    assert "E[x²] - E[x]²" in report.diagnosis
    assert check_backward(naive_forward, naive_backward, [x.astype(np.float64)]).ok is True
    right = check_backward(layernorm.forward, layernorm.backward, [x, np.ones(16, "f4"), np.zeros(16, "f4")])
    assert right.ok is True, right


def test_code_for_float32_alone_is_checked_in_float32():
    def forward(x):
        if x.dtype != np.float32:
            raise TypeError("float32 only")
        return np.sin(x), x

    x = X.astype(np.float32)
    report = check_backward(forward, lambda dy, x: (dy * np.cos(x),), [x])
    assert report.settings["dtype"] == "float32"
    assert report.ok is not False
    assert check_backward(forward, lambda dy, x: (dy * np.cos(x) * np.float32(1.1),), [x]).ok is False


def test_a_gradient_in_another_dtype_is_a_fault():
    def widened(dy, x):
        return ((2 * x * dy).astype(np.float64),)

    report = check_backward(square, widened, [X.astype(np.float32)])
    assert "expected the dtype of x, float32, got float64" in report.diagnosis


# ---- complex steps -----------------------------------------------------------------------------------------------------


def test_complex_steps_are_exact_for_analytic_functions():
    def backward(dy, x):
        return (dy * np.exp(x) * np.cos(np.exp(x)),)

    def forward(x):
        return np.sin(np.exp(x)), x

    report = check_backward(forward, backward, [X], method="complex")
    assert report.ok is True
    assert report.inputs[0].worst.numeric_error < 1e-13
    assert check_backward(forward, lambda dy, x: (dy * np.cos(np.exp(x)),), [X], method="complex").ok is False


@pytest.mark.parametrize(
    "f", [lambda x: x * np.abs(x), lambda x: x * x.real, lambda x: x / np.linalg.norm(x), lambda x: x * x.var()]
)
def test_complex_steps_that_say_other_than_central_differences_are_refused(f):
    with pytest.raises(CannotCheck, match="along one direction the complex step gives"):
        check_backward(lambda x: (f(x), x), lambda dy, x: (dy * x,), [X], method="complex")


def test_complex_steps_through_what_is_not_analytic_are_refused():
    with pytest.raises(CannotCheck, match="not analytic here"):
        check_backward(lambda x: (np.abs(x), x), lambda dy, x: (dy * np.sign(x),), [X], method="complex")


# ---- rows that depend on each other ---------------------------------------------------------------------------------------


def test_rows_that_should_be_independent_are_checked():
    def forward(x):
        return x * x + x.mean(axis=0), x

    def backward(dy, x):
        return (2 * x * dy + dy.mean(axis=0),)

    assert check_backward(forward, backward, [X]).ok is True
    report = check_backward(forward, backward, [X], batch_independent=True)
    assert [fault.kind for fault in report.faults] == ["batch_dependent"]
    assert check_backward(square, square_backward, [X], batch_independent=True).ok is True
    with pytest.raises(ValueError, match="expected an output with the 4 rows"):
        check_backward(lambda x: (x.sum(), x), lambda dy, x: (np.ones_like(x) * dy,), [X], batch_independent=True)


# ---- Tensors and modules ---------------------------------------------------------------------------------------------------


class Halved(Function):
    """A square, with a backward that is half of what it should be."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return x * dy


def leaf(*shape):
    return tn.randn(*shape, dtype="float64", requires_grad=True)


def test_gradcheck_raises_with_the_report_or_returns_false():
    x = leaf(3, 4)
    with pytest.raises(GradcheckError, match=r"1/2 times the right gradient") as caught:
        gradcheck(Halved.apply, x)
    assert caught.value.report.ok is False
    assert gradcheck(Halved.apply, x, raise_exception=False) is False
    assert gradgradcheck(Halved.apply, x, raise_exception=False) is True  # the derivative of x dy is what it is
    assert gradcheck(Halved.apply, x, raise_exception=False, rtol=2.0) is True
    assert x.grad is None


def test_fast_mode_goes_along_directions():
    x = leaf(20, 30)
    assert gradcheck(lambda x: (x * x).sum(0), x, fast_mode=True)
    assert check_function(lambda x: x * x, x, exhaustive=0).inputs[0].directions >= 3
    assert not gradcheck(Halved.apply, x, fast_mode=True, raise_exception=False)


def test_float32_tensors_are_checked_in_float64():
    report = check_function(lambda x: nn.functional.gelu(x), tn.randn(3, 4, requires_grad=True))
    assert report.ok is True
    assert report.settings["dtype"] == "float64"


def test_inputs_that_do_not_require_grad_are_constants():
    x, w = leaf(3), tn.randn(3, dtype="float64")
    report = check_function(lambda x, w: x * w, [x, w])
    assert [found.name for found in report.inputs] == ["x"]
    with pytest.raises(ValueError, match="at least one input with requires_grad=True"):
        gradcheck(lambda w: w * 2, w)
    with pytest.raises(CannotCheck, match="no floating-point Tensor"):
        gradcheck(lambda x: x > 0, x)


def test_a_gradient_that_forgets_an_input_of_size_1_that_is_1_is_seen():
    x, s = np.array([0.3, -1.0, 2.0]), np.array(1.0)
    assert check_backward(lambda x, s: (x * s, x), lambda dy, x: (dy + 0, (dy * x).sum()), [x, s]).ok is False


def test_a_backward_that_returns_nothing_is_wrong():
    report = check_backward(lambda x: (np.tanh(x), x), lambda dy, x: None, [X])
    assert report.ok is False
    assert report.diagnosis == "backward returned None for x, and the output depends on it; return its gradient"


def test_a_wrong_gradient_does_not_hide_another_that_only_random_gamma_shows():
    def backward(dy, cache):
        dx, dgamma, _ = layernorm.backward(dy, (*cache[:-1], np.ones_like(cache[-1])))
        return dx, dgamma, dy.mean(axis=0)

    report = check_backward(layernorm.forward, backward, [layernorm.inputs(0)[0], np.ones(8), np.zeros(8)])
    assert {found.name for found in report.inputs if found.ok is False} == {"x", "beta"}
    assert [f.kind for f in report.findings] == ["gamma_forgotten", "mean_for_sum"]


def test_complex_steps_are_not_for_tensors():
    with pytest.raises(ValueError, match="complex steps are for plain arrays"):
        gradcheck(lambda x: x * x, leaf(3), method="complex")


def test_second_derivatives_with_the_callers_cotangent():
    x = leaf(2, 3)
    assert gradgradcheck(lambda x: x**3, x, tn.ones(2, 3, dtype="float64"))
    assert check_second(lambda x: (x.sin() if hasattr(x, "sin") else x.exp(), x * x), x).ok is True
    assert gradgradcheck(lambda x: x * 2.0, x)  # linear: its second derivative is 0
    assert gradgradcheck(lambda x: x.detach(), x)


def test_check_module_wants_a_module():
    with pytest.raises(TypeError, match="expected a Module, got function"):
        check_module(lambda x: x, leaf(3))


def test_shared_parameters_are_checked_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(4, 4)
            self.two = self.one

        def forward(self, x):
            return self.two(nn.functional.relu(self.one(x)))

    report = check_module(Tied(), tn.randn(5, 4))
    assert report.ok is True, report
    assert [found.name for found in report.inputs] == ["x", "one.weight", "one.bias"]


def test_hessian_vector_products():
    A = np.random.default_rng(1).standard_normal((5, 5))

    def gradient(x):  # of Σ sin(A x)
        return A.T @ np.cos(A @ x)

    def hvp(v, x):
        return -A.T @ (np.sin(A @ x) * (A @ v))

    x = np.random.default_rng(2).standard_normal(5)
    assert check_hvp(gradient, hvp, [x]).ok is True
    assert check_hvp(gradient, lambda v, x: -hvp(v, x), [x]).findings[0].kind == "sign"


# ---- in test suites ---------------------------------------------------------------------------------------------------


def test_assert_gradients_takes_arrays_tensors_and_modules():
    assert_gradients(nn.functional.gelu, X, second=True)
    assert_gradients(lambda a, b: a * b, [leaf(3), leaf(3)])
    assert_gradients(nn.LayerNorm(6), tn.randn(4, 6), second=True)
    assert_gradients(groupnorm.forward, groupnorm.inputs(0), groupnorm.backward)
    with pytest.raises(TypeError, match="second derivatives are checked of functions of Tensors"):
        assert_gradients(square, X, square_backward, second=True)


def test_the_report_is_the_assertions_message():
    with pytest.raises(AssertionError, match="WRONG in dx"):
        assert_gradients(square, X, lambda dy, x: (x * dy,))


# ---- devices -------------------------------------------------------------------------------------------------------------


def test_arrays_on_a_gpu(gpu):
    """Plain pairs and modules on CuPy's arrays (or a stand-in that refuses NumPy's)."""
    tn.manual_seed(0)
    x, gamma, beta = (tn.tensor(a).to("cuda").array for a in layernorm.inputs(0))

    xp = tn.backend.namespace(x)

    def forward(x, gamma, beta):
        c = x - xp.mean(x, axis=1, keepdims=True)
        rstd = 1 / xp.sqrt(xp.mean(c * c, axis=1, keepdims=True) + 1e-5)
        return gamma * (c * rstd) + beta, (c * rstd, rstd, gamma)

    def backward(dy, cache):
        x_hat, rstd, gamma = cache
        g = dy * gamma
        dx = rstd * (g - xp.mean(g, axis=1, keepdims=True) - x_hat * xp.mean(g * x_hat, axis=1, keepdims=True))
        return dx, xp.sum(dy * x_hat, axis=0), xp.sum(dy, axis=0)

    report = check_backward(forward, backward, [x, gamma, beta])
    assert report.ok is True, report
    assert report.layer == "LayerNorm"
    assert check_backward(forward, lambda dy, c: (-backward(dy, c)[0], *backward(dy, c)[1:]), [x, gamma, beta]).ok is False
    module = nn.BatchNorm1d(4).to("cuda")
    assert check_module(module, tn.randn(8, 4).to("cuda")).ok is True
    assert module.weight.is_cuda
