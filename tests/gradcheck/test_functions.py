"""The doors for Tensors and modules: what they see, what their options do, and that they leave no trace."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import some

import tinynorm as tn
from tinynorm import nn
from tinynorm.autograd import Function, gradcheck, gradgradcheck
from tinynorm.gradcheck import GradcheckError, check_backward, check_function, check_module, check_second
from tinynorm.tensor import version_of

GLOBAL = nn.BatchNorm1d(4)


def leaf(*shape):
    return tn.randn(*shape, dtype="float64", requires_grad=True)


def function_of(backward, forward=lambda x: x * 2):
    """A Function with this backward, `backward(x, y, dy)`."""

    class Made(Function):
        calls = 0

        @staticmethod
        def forward(ctx, x):
            y = forward(x)
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, dy):
            Made.calls += 1
            return backward(*(t.array if isinstance(t, tn.Tensor) else t for t in ctx.saved_tensors), dy)

    return Made


def kinds(report):
    return {fault.kind for fault in report.faults}


# ---- what they see -----------------------------------------------------------------------------------------------------


def test_backward_that_writes_where_it_must_not_is_seen():
    def into_input(x, y, dy):
        x += 1
        return dy * 2

    def into_output(x, y, dy):
        y += 1
        return dy * 2

    def into_dout(x, y, dy):
        dy *= 2
        return dy

    assert "mutates_input" in kinds(check_function(function_of(into_input).apply, leaf(3)))
    assert "mutates_output" in kinds(check_function(function_of(into_output).apply, leaf(3)))
    assert "mutates_dout" in kinds(check_function(function_of(into_dout).apply, leaf(3)))


def test_a_function_that_writes_into_its_input_is_seen():
    def func(x):
        y = x * 2
        x.array[...] += 1
        return y

    assert "mutates_input" in kinds(check_function(func, leaf(3)))


def test_another_gradient_each_time_is_seen():
    made = function_of(lambda x, y, dy: dy * 2 * (1 + 1e-9 * (made.calls % 5)))
    assert "nondeterministic" in kinds(check_function(made.apply, leaf(3)))


def test_a_gradient_that_is_not_linear_is_seen():
    made = function_of(lambda x, y, dy: np.clip(dy, -1.2, 1.2) * 2)
    assert "not_linear" in kinds(check_function(made.apply, leaf(8)))


def test_digits_lost_in_float32_are_seen():
    made = function_of(lambda x, y, dy: (dy * 2 + x.dtype.type(1e6)) - x.dtype.type(1e6))
    report = check_function(made.apply, tn.randn(3, 4, requires_grad=True))
    assert "imprecise" in kinds(report), report
    assert check_function(function_of(lambda x, y, dy: dy * 2).apply, tn.randn(3, 4, requires_grad=True)).ok is True


@pytest.mark.parametrize("m", [2, 3])
def test_small_groups_are_warned_of(m):
    report = check_module(nn.LayerNorm(m).double(), leaf(5, m))
    assert any(f"groups of m = {m}" in warning for warning in report.warnings)


# ---- options -----------------------------------------------------------------------------------------------------------


def test_options_of_gradcheck_reach_the_check():
    wrong = function_of(lambda x, y, dy: dy * 3)
    with pytest.raises(GradcheckError) as caught:
        gradcheck(wrong.apply, leaf(3, 4), fast_mode=True, names=["u"], seed=7)
    found = caught.value.report
    assert (found.inputs[0].name, found.settings["seed"]) == ("u", 7)
    assert found.inputs[0].directions > 0
    assert gradcheck(wrong.apply, leaf(3), atol=10.0)
    assert gradcheck(wrong.apply, leaf(3), rtol=1.0)


def test_options_of_gradgradcheck_reach_the_check():
    """The gradient of the gradient, where a backward hides how it depends on x."""
    hidden = function_of(lambda x, y, dy: dy * 2 * x, lambda x: x * x)
    with pytest.raises(GradcheckError) as caught:
        gradgradcheck(hidden.apply, leaf(3), names=["u"], seed=7)
    assert [found.name for found in caught.value.report.inputs] == ["u", "dout"]
    assert caught.value.report.settings["seed"] == 7


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_options_of_pytorchs_that_there_are_none_of_are_explained(check):
    with pytest.raises(TypeError, match="got check_undefined_grad, nondet_tol"):
        check(lambda x: x * x, leaf(3), check_undefined_grad=True, nondet_tol=1e-5)


def test_second_derivatives_of_a_module_go_by_its_parameters_too():
    """A scale whose gradient hides how it depends on x."""

    class Scale(Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, dy):
            x, w = ctx.saved_tensors
            hidden = w.detach() if isinstance(w, tn.Tensor) else w
            return dy * hidden, dy * x

    class Layer(nn.Module):
        def __init__(self, right):
            super().__init__()
            self.weight, self.right = nn.Parameter(tn.randn(4, dtype="float64")), right

        def forward(self, x):
            return x * self.weight if self.right else Scale.apply(x, self.weight)

    x = leaf(4)
    assert [found.name for found in check_second(Layer(True), x).inputs] == ["x", "dout", "weight"]
    assert check_second(Layer(True), x).ok is True
    assert check_second(Layer(False), x).ok is False


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_what_a_function_writes_into_is_not_the_callers(check):
    def greedy(x, w):
        for t in (x, w):
            np.maximum(t.array, 0, out=t.array)
        return x * w

    x, w = leaf(12), tn.randn(12, dtype="float64")
    before = x.array.copy(), w.array.copy()
    check(greedy, [x, w], raise_exception=False)
    assert np.array_equal(x.array, before[0])
    assert np.array_equal(w.array, before[1])


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_a_step_that_is_given_is_not_looked_for(check):
    hidden = function_of(lambda x, y, dy: dy * 3 * x.copy(), lambda x: x * x)
    counts = []
    for options in ({}, {"eps": 1e-3}):
        with pytest.raises(GradcheckError) as caught:
            check(hidden.apply, tn.tensor([0.5, -1.0, 2.0], dtype="float64", requires_grad=True), **options)
        counts.append(caught.value.report.evaluations)
    assert counts[1] < counts[0]


def test_second_derivatives_are_taken_at_the_cotangent_given():
    """A backward whose dependence on x is hidden where dy is positive."""

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            hidden = isinstance(dy, tn.Tensor) and dy.array.flat[0] > 0
            return dy * 2 * (x.detach() if hidden else x)

    assert check_second(Square.apply, leaf(3), tn.tensor([1.0, 2.0, 3.0], dtype="float64")).ok is False
    assert check_second(Square.apply, leaf(3), tn.tensor([-1.0, 2.0, 3.0], dtype="float64")).ok is True


# ---- no trace ----------------------------------------------------------------------------------------------------------


class Counting(nn.Module):
    """Puts a new tensor in a buffer's place at every call, as some users do."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("seen", tn.zeros(1))
        self.calls = 0

    def forward(self, x):
        self.seen = self.seen + 1
        self.calls += 1
        self.last = x
        self.norm.eval() if self.calls > 10**6 else self.norm.train()
        return self.norm(x)


@pytest.mark.parametrize("check", [check_module, check_function, check_second])
def test_buffers_that_a_forward_replaces_are_those_of_before(check):
    model = Counting().double()
    seen, mean, versions = model.seen, model.norm.running_mean, [version_of(p).count for p in model.parameters()]
    model.norm.eval()
    check(model, leaf(6, 4))
    assert model.seen is seen
    assert (model.calls, hasattr(model, "last"), model.norm.training) == (0, False, False)
    assert seen.item() == 0
    assert model.norm.running_mean is mean
    assert mean.tolist() == [0.0] * 4
    assert [version_of(p).count for p in model.parameters()] == versions


@pytest.mark.parametrize("check", some([check_function, check_second], 2))
def test_modules_are_found_wherever_a_function_has_them(check):
    local = nn.BatchNorm1d(4).double()
    GLOBAL.double()
    layers, net = [local], SimpleNamespace(norm=local)
    functions = [
        *(lambda x: local(x), local.forward, local, lambda x, layer=local: layer(x), lambda x: layers[0](x)),
        *(partial(lambda layer, x: layer(x), local), lambda x: net.norm(x), lambda x: (lambda z: local(z))(x)),
    ]
    for func, module in ((lambda x: GLOBAL(x), GLOBAL), *((func, local) for func in functions)):
        check(func, leaf(6, 4))
        assert module.running_mean.tolist() == [0.0] * 4
        assert module.num_batches_tracked.item() == 0


def random_states():
    return repr(np.random.get_state()), repr(tn.backend.default_generator.get_state())  # noqa: NPY002


def test_random_numbers_go_on_as_if_nothing_had_been_checked():
    x, model = leaf(6, 4), nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)).double()

    def noisy(x):
        return x * np.random.rand(), x  # noqa: NPY002

    for check in (
        lambda: check_function(lambda x: nn.functional.dropout(x), x),
        lambda: check_second(lambda x: nn.functional.dropout(x), x),
        lambda: check_module(model, x),
        lambda: check_backward(noisy, lambda dy, x: (dy,), [np.ones(3)]),
    ):
        before = random_states()
        check()
        assert random_states() == before


def test_grad_and_data_of_the_inputs_are_untouched():
    x = leaf(3, 4)
    x.grad = tn.ones(3, 4, dtype="float64")
    data, grad, values = x.array, x.grad, x.array.copy()
    gradcheck(lambda x: x * x, x)
    gradgradcheck(lambda x: x * x, x)
    assert x.array is data
    assert x.grad is grad
    assert np.array_equal(x.array, values)
    assert grad.tolist() == [[1.0] * 4] * 3
