"""What other gradient checkers do not see, or see where it is not: each has been reproduced in one of them."""

from itertools import count

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn
from tinynorm.autograd import Function, gradcheck
from tinynorm.gradcheck import check_backward, check_function, check_module, mistakes
from tinynorm.gradcheck.mistakes import layernorm, linear, relu, rmsnorm

LAYER_NORM = mistakes.find("layernorm_zero")


def elementwise(f, df):
    return (lambda x: (f(x), x)), (lambda dy, x: (dy * df(x),))


# ---- a cotangent of ones -----------------------------------------------------------------------------------------------


def test_zero_for_dx_of_a_normalisation_is_seen():
    """With a cotangent of ones it passes: the sum of y is constant."""
    assert check_backward(LAYER_NORM.forward, LAYER_NORM.backward, LAYER_NORM.inputs(0)).ok is False


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return p, p


def test_zero_for_dx_of_softmax_is_seen():
    x = np.random.default_rng(0).standard_normal((4, 5))
    assert check_backward(softmax, lambda dy, p: (np.zeros_like(p),), [x]).ok is False


@pytest.mark.parametrize("backward", [layernorm.backward, LAYER_NORM.backward])
def test_a_cotangent_of_ones_is_refused_by_name(backward):
    """Right or wrong: it cannot see."""

    def without_gamma(x):
        return layernorm.forward(x, np.ones(8), np.zeros(8))

    def only_dx(dy, cache):
        return (backward(dy, cache)[0],)

    x = LAYER_NORM.inputs(0)[0]
    report = check_backward(without_gamma, only_dx, [x], cotangent=np.ones((5, 8)))
    assert report.ok is None
    assert "the sum of LayerNorm's output does not depend on x" in report.warnings[-1]


@pytest.mark.parametrize("right", [True, False])
def test_a_cotangent_of_ones_is_refused_for_softmax(right):
    def backward(dy, p):
        return (right * p * (dy - (dy * p).sum(1, keepdims=True)),)

    report = check_backward(softmax, backward, [np.random.default_rng(0).standard_normal((4, 5))], cotangent=np.ones((4, 5)))
    assert report.ok is None
    assert "the sum of Softmax's output does not depend on x" in report.warnings[-1]


@pytest.mark.parametrize("layer", [linear.RIGHT, relu.RIGHT, rmsnorm.RIGHT, layernorm.RIGHT], ids=lambda layer: layer.name)
def test_a_cotangent_of_ones_is_taken_where_the_sum_of_y_depends_on_x(layer):
    """As behind LayerNorm, if gamma differs within a group."""
    inputs = layer.inputs(0)
    ones = np.ones_like(layer.forward(*inputs)[0])
    report = check_backward(layer.forward, layer.backward, inputs, names=layer.names, cotangent=ones)
    assert (report.ok, report.layer, report.warnings) == (True, layer.name, [])
    report = check_backward(layer.forward, lambda dy, cache: layer.backward(0 * dy, cache), inputs, cotangent=ones)
    assert report.inputs[0].ok is False  # dx = 0 does not pass


def test_a_loss_of_the_sum_is_refused():
    report = check_function(lambda x: nn.functional.layer_norm(x, 6).sum(), tn.randn(4, 6, dtype="float64", requires_grad=True))
    assert report.ok is None
    assert "does not change with x" in report.warnings[0]


# ---- steps and tolerances that are absolute ------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-12, 1e-7, 1.0, 1e7, 1e12])
def test_a_factor_of_2_is_seen_at_any_scale(scale):
    forward, backward = elementwise(lambda x: scale * np.sin(x), lambda x: 2 * scale * np.cos(x))
    report = check_backward(forward, backward, [np.array([0.3, -1.0, 2.0])])
    assert report.ok is False
    assert report.findings[0].details["factor"] == pytest.approx(2.0)


def test_a_gradient_of_zero_for_a_small_parabola_is_seen():
    forward, backward = elementwise(lambda x: 1e-3 * x * x, lambda x: 0 * x)
    assert check_backward(forward, backward, [np.array([1e-3, 2e-3, -1e-3])]).ok is False


@pytest.mark.parametrize("x0", [1e-12, 1e-5, 1.0, 1e12])
def test_a_right_gradient_of_1_over_x_passes_anywhere(x0):
    forward, backward = elementwise(lambda x: 1 / x, lambda x: -1 / x**2)
    report = check_backward(forward, backward, [np.array([x0, -2 * x0, 3 * x0])])
    assert report.ok is True, report


@pytest.mark.parametrize("x0", [1e-12, 1.0, 1e12])
def test_an_error_of_1e_4_in_one_element_is_seen_at_any_scale(x0):
    wrong = np.array([1, 1, 1 + 1e-4, 1])
    forward, backward = elementwise(lambda x: 1 / x, lambda x: -wrong / x**2)
    report = check_backward(forward, backward, [x0 * np.array([1.0, -2.0, 3.0, 0.7])])
    assert report.ok is False
    assert report.inputs[0].wrong == 1
    assert report.inputs[0].worst.index == (2,)


# ---- directions ----------------------------------------------------------------------------------------------------------


def layer_norm_with(change):
    def backward(dy, cache):
        dx, dgamma, dbeta = layernorm.backward(dy, cache)
        change(dx)
        return dx, dgamma, dbeta

    return backward


def inputs_of(rows, columns):
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, columns)), rng.standard_normal(columns), rng.standard_normal(columns)


@pytest.mark.parametrize("n", [1_000, 10_000])
def test_one_zeroed_element_is_found_by_index(n):
    def zero(dx):
        dx[3, n // 20] = 0

    report = check_backward(layernorm.forward, layer_norm_with(zero), inputs_of(10, n // 10), exhaustive=100)
    assert report.ok is False
    assert report.inputs[0].worst.index == (3, n // 20)


def test_one_row_wrong_by_half_is_found_and_named():
    def half_as_much_again(dx):
        dx[20] *= 1.5

    report = check_backward(layernorm.forward, layer_norm_with(half_as_much_again), inputs_of(64, 64))
    assert report.inputs[0].worst.index[0] == 20
    assert "only row 20 is wrong: 1.5 times the right value" in report.diagnosis


@pytest.mark.parametrize("n", [100, 10_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_the_tolerance_does_not_grow_with_the_size(n):
    forward, backward = elementwise(np.sin, lambda x: 1.5 * np.cos(x))
    report = check_backward(forward, backward, [np.random.default_rng(0).standard_normal(n)])
    assert report.ok is False
    assert report.findings[0].kind == "constant_factor"


@pytest.mark.long
def test_an_error_of_1e_4_in_one_of_1e5_elements_is_found():
    def slightly(dx):
        dx[7, 70] *= 1 + 1e-4

    report = check_backward(layernorm.forward, layer_norm_with(slightly), inputs_of(1000, 100))
    assert report.inputs[0].worst.index == (7, 70)


@pytest.mark.long
def test_a_right_gradient_of_a_large_input_passes_with_few_evaluations():
    report = check_backward(layernorm.forward, layernorm.backward, inputs_of(1000, 100))
    assert report.ok is True, report
    assert report.inputs[0].directions < 12  # three, and two for each band of smaller gradients
    assert report.evaluations < 4000  # of which most are for the 200 elements of gamma and beta


# ---- what backward does beside its numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["relu_in_place", "relu_nothing_to_mask", "relu_in_the_input", "layernorm_threads", "layernorm_standardised_in_place"],
)
def test_writing_aliasing_and_chance_are_seen(name):
    m = mistakes.find(name)
    report = check_backward(m.forward, m.backward, m.inputs(0), names=m.names)
    assert report.ok is False
    assert m.kind in {fault.kind for fault in report.faults}


def test_an_alias_can_be_allowed():
    m = mistakes.find("relu_nothing_to_mask")
    assert check_backward(m.forward, m.backward, m.inputs(0), allow_alias=True).ok is True


def test_a_function_that_writes_into_the_incoming_gradient_is_seen():
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, dy):
            dy *= 2
            return dy

    report = check_function(Bad.apply, tn.randn(3, dtype="float64", requires_grad=True))
    assert {fault.kind for fault in report.faults} == {"mutates_dout"}


@pytest.mark.parametrize("training", [True, False])
def test_a_module_is_the_same_after_the_check(training):
    bn = nn.BatchNorm1d(4).train(training)
    model = nn.Sequential(nn.Linear(3, 4), bn, nn.ReLU(), nn.Dropout(0.5))
    model(tn.randn(6, 3)).sum().backward() if training else None
    tensors = dict([*model.named_parameters(), *model.named_buffers()])
    before = {name: (id(t), id(t.array), t.array.tobytes(), str(t.dtype)) for name, t in tensors.items()}
    grads = {name: (None if t.grad is None else t.grad.array.tobytes()) for name, t in tensors.items()}
    x, random = tn.randn(6, 3), tn.backend.default_generator.get_state()
    report = check_module(model, x)
    assert report.ok is True, report
    now = dict([*model.named_parameters(), *model.named_buffers()])
    assert {name: (id(t), id(t.array), t.array.tobytes(), str(t.dtype)) for name, t in now.items()} == before
    assert {name: (None if t.grad is None else t.grad.array.tobytes()) for name, t in now.items()} == grads
    assert bn.training is training
    assert tn.backend.default_generator.get_state() == random


def test_a_module_in_a_closure_is_the_same_after_gradcheck():
    bn = nn.BatchNorm1d(4).double()
    assert gradcheck(lambda x: bn(x), tn.randn(6, 4, dtype="float64", requires_grad=True))
    assert bn.running_mean.tolist() == [0.0] * 4
    assert bn.num_batches_tracked.item() == 0


def test_a_module_is_the_same_after_a_check_that_raises():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(3)
            self.calls = count(1)  # (a number would be put back after each)

        def forward(self, x):
            if next(self.calls) > 5:
                raise ZeroDivisionError("at the sixth")
            return self.norm(x)

    model = Broken()
    with pytest.raises(ZeroDivisionError):
        check_module(model, tn.randn(6, 3))
    assert model.norm.running_mean.tolist() == [0.0] * 3
    assert model.norm.weight.dtype == np.float32


# ---- kinks -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_zero", [0.0, 0.3, 0.5, 1.0])
def test_any_subgradient_of_relu_passes_at_zero_and_is_noted(at_zero):
    forward, backward = elementwise(lambda x: np.maximum(x, 0), lambda x: np.where(x == 0, at_zero, x > 0))
    report = check_backward(forward, backward, [np.array([[0.0, 1.0, -1.0], [2.0, 0.0, -3.0]])])
    assert report.ok is True, report
    assert report.inputs[0].kinks == [(0, 0), (1, 1)]
    assert "(0, 0), (1, 1): any value between the slopes" in str(report)


@pytest.mark.parametrize("at_zero", [-0.1, 1.1, 2.0])
def test_what_is_no_subgradient_fails_at_zero(at_zero):
    forward, backward = elementwise(lambda x: np.maximum(x, 0), lambda x: np.where(x == 0, at_zero, x > 0))
    report = check_backward(forward, backward, [np.array([[0.0, 1.0, -1.0], [2.0, 0.5, -3.0]])])
    assert report.ok is False
    assert report.inputs[0].worst.index == (0, 0)


@pytest.mark.parametrize("distance", [1e-3, 1e-6])
def test_a_kink_nearby_is_no_kink(distance):
    """The step is made smaller than the distance."""
    forward, backward = elementwise(lambda x: np.maximum(x, 0), lambda x: x > 0)
    report = check_backward(forward, backward, [np.array([distance, -distance, 1.0, -2.0])])
    assert report.ok is True, report


def test_kinks_in_a_large_input_are_left_out_of_directions_and_counted():
    x = np.maximum(np.random.default_rng(0).standard_normal((100, 60)), 0)  # half of them 0
    forward, backward = elementwise(lambda x: np.maximum(x, 0), lambda x: x > 0)
    report = check_backward(forward, backward, [x])
    assert report.ok is True, report
    assert report.inputs[0].left_out == np.sum(x == 0)
    forward, backward = elementwise(lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 2.0))
    assert check_backward(forward, backward, [x]).ok is False


def test_where_the_slope_is_infinite_the_verdict_is_not_resolved():
    forward, backward = elementwise(lambda x: np.sqrt(np.abs(x)), lambda x: np.full_like(x, 1e6))
    report = check_backward(forward, backward, [np.zeros(1)])
    assert report.ok is not True


# ---- the report ------------------------------------------------------------------------------------------------------------


def test_the_report_has_the_worst_index_the_numbers_and_their_own_error():
    m = mistakes.find("layernorm_one_element_slightly_wrong")
    report = check_backward(m.forward, m.backward, m.inputs(0), names=m.names)
    worst = report.inputs[0].worst
    assert worst.index == (3, 5)
    assert worst.analytic == pytest.approx(worst.numeric * (1 + 1e-4), rel=1e-8)
    assert 0 < worst.numeric_error < 1e-8
    text = str(report)
    for part in ("(3, 5)", "1 of 40 wrong", f"{worst.analytic:.7g}", f"{worst.numeric:.7g}"):
        assert part in text


# ---- random gamma, small groups ------------------------------------------------------------------------------------------


def test_a_forgotten_gamma_is_seen_though_gamma_is_1():
    m = mistakes.find("layernorm_gamma_forgotten")
    x, _, _ = m.inputs(0)
    report = check_backward(m.forward, m.backward, (x, np.ones(8), np.zeros(8)), names=m.names)
    assert report.ok is False
    assert report.findings[0].kind == "gamma_forgotten"
    assert "seen only with random numbers for gamma, beta" in report.notes[-1]


@pytest.mark.parametrize("m", [2, 3])
def test_small_groups_are_warned_of(m):
    report = check_backward(layernorm.forward, layernorm.backward, inputs_of(5, m))
    assert any(f"groups of m = {m}" in warning for warning in report.warnings)
