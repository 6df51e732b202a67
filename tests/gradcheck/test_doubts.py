"""Right code on which the measurement fails, or digits are lost that nobody can keep: it is never called wrong."""

import numpy as np
import pytest
from helpers import examples, some

import tinynorm as tn
from tinynorm import nn
from tinynorm.gradcheck import check_backward, check_function, check_module
from tinynorm.gradcheck.mistakes import batchnorm
from tinynorm.nn import functional as F


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def pair(f, df):
    return (lambda x: (f(x), x)), (lambda dy, x: (dy * df(x),))


O = 1e5
NAIVE = {  # f, its derivative, inputs
    "a kink beside a large number": (lambda x: np.clip(x, O - 0.5, O + 0.5), lambda x: np.abs(x - O) <= 0.5, O, 1.0),
    "steps": (np.floor, np.zeros_like, 3e4, 1e4),
    "1 swallows exp(x)": (lambda x: np.log(1 + np.exp(x)), sigmoid, -45.0, 8.0),
    "all of them in a sum": (lambda x: np.log(1 + np.exp(x)).sum(), sigmoid, -45.0, 8.0),
    "1 - 1": (lambda x: 1 - np.cos(x), np.sin, 0.0, 1e-9),
    "1 - 1 with a root": (lambda x: np.sqrt(1 + x * x) - 1, lambda x: x / np.sqrt(1 + x * x), 0.0, 1e-8),
    "swings a little": (lambda x: x + 1e-9 * np.sin(1e9 * x), lambda x: 1 + np.cos(1e9 * x), 1.5, 0.2),
}


@pytest.mark.parametrize("name", some(NAIVE, 3))
def test_a_forward_that_hides_its_slope_in_rounding_makes_nothing_wrong(name):
    f, df, center, spread = NAIVE[name]
    for seed in range(12):
        x = center + spread * np.random.default_rng(seed).standard_normal(5)
        assert check_backward(*pair(f, df), [x], seed=seed).ok is not False


def test_a_wrong_one_beside_such_a_kink_is_still_wrong():
    x = O + np.array([-0.3, 0.1, 2.0, -1.0, 0.4])
    forward, backward = pair(lambda x: np.clip(x, O - 0.5, O + 0.5), lambda x: 1.5 * (np.abs(x - O) <= 0.5))
    assert check_backward(forward, backward, [x]).ok is not True
    forward, backward = pair(lambda x: np.log(1 + np.exp(x)), lambda x: 2 * sigmoid(x))
    assert check_backward(forward, backward, [np.array([0.3, -1.0, 2.0])]).ok is False


@examples(4, 12)
def test_several_kinks_at_once_are_not_resolved(examples):
    """A row of zeros in front of ReLUs without a bias: backward gives 0, which is not between the slopes of the sides."""

    def forward(x, w, v):
        h = np.maximum(x @ w, 0)
        return h @ v, (x, w, v, h)

    def backward(dy, cache):
        x, w, v, h = cache
        dh = dy @ v.T * (h > 0)
        return dh @ w.T, x.T @ dh, h.T @ dy

    for seed in range(examples):
        rng = np.random.default_rng(seed)
        x, w, v = rng.standard_normal((6, 4)), rng.standard_normal((4, 8)), rng.standard_normal((8, 3))
        x[0] = 0
        report = check_backward(forward, backward, [x, w, v], seed=seed)
        assert report.ok is not False, report
        wrong = check_backward(forward, lambda dy, cache: tuple(2 * g for g in backward(dy, cache)), [x, w, v], seed=seed)
        assert wrong.ok is False


@pytest.mark.parametrize("scale", [10, 30, 100])
@examples(6, 20)
def test_a_saturated_softmax_is_linear(scale, examples):
    def forward(x):
        e = np.exp(x - x.max(-1, keepdims=True))
        y = e / e.sum(-1, keepdims=True)
        return y, y

    def backward(dy, y):
        return (y * (dy - (dy * y).sum(-1, keepdims=True)),)

    for seed in range(examples):
        rng = np.random.default_rng(seed)
        x = scale * rng.standard_normal((3, int(rng.integers(2, 7))))
        assert check_backward(forward, backward, [x], seed=seed).ok is not False


def test_a_cast_to_float32_inside_is_no_nonlinearity():
    def forward(x):
        return (x.astype("f4") ** 3).astype("f8"), x.astype("f4")

    def backward(dy, x):
        return ((3 * x**2 * dy.astype("f4")).astype("f8"),)

    assert check_backward(forward, backward, [np.random.default_rng(0).standard_normal(5)]).ok is not False


@pytest.mark.parametrize("layer", [nn.Tanh, nn.Sigmoid, lambda: nn.RMSNorm(8), lambda: nn.LayerNorm(8), lambda: nn.Softmax(1)])
@pytest.mark.parametrize("scale", some([0.03, 0.1, 1.0, 100.0], 4))
def test_our_layers_in_float32_are_precise(layer, scale):
    for _ in range(5):
        report = check_module(layer(), tn.randn(4, 8) * scale)
        assert report.ok is not False, report


def test_a_loss_that_cannot_see_is_refused_in_float32_too():
    report = check_function(lambda x: F.layer_norm(x, 6).sum(), tn.randn(4, 6, requires_grad=True))
    assert report.ok is None
    assert "does not change with x" in report.warnings[0]


@pytest.mark.parametrize("x", [[1.0, 5e-320], [0.0, 1e-310], [1e-300, 1e300]])
def test_numbers_at_the_end_of_what_there_is(x):
    assert check_backward(*pair(np.abs, np.sign), [np.array(x)]).ok is not False


def test_a_forward_that_refuses_what_is_beyond_its_domain():
    def forward(x):
        assert np.all(np.abs(x) <= 1)
        return np.arcsin(x), x

    assert check_backward(forward, lambda dy, x: (dy / np.sqrt(1 - x * x),), [np.array([1 - 1e-6, 0.3])]).ok is True


def test_constant_inputs_are_not_taken_for_another_layer():
    """BatchNorm of ones looks like ReLU, which promises that rows do not depend on each other."""
    layer = batchnorm
    report = check_backward(layer.forward, layer.backward, [np.ones((4, 2)), np.ones(2), np.ones(2)])
    assert not report.faults


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_matrices_and_masked_arrays_are_refused_by_name():
    for x in (np.matrix([[1.0, 2.0]]), np.ma.array([1.0, 2.0])):
        with pytest.raises(TypeError, match="expected plain arrays, got"):
            check_backward(*pair(np.abs, np.sign), [x])


@examples(1, 15)
def test_stacks_of_layers_in_float32_are_not_called_imprecise(examples):
    """What saturates or cancels between layers loses digits that no layer's formula could keep."""
    kinds = [nn.Tanh, nn.Sigmoid, nn.GELU, nn.ReLU, lambda: nn.BatchNorm1d(5), lambda: nn.LayerNorm(5), lambda: nn.RMSNorm(5)]
    for seed in range(examples):
        rng = np.random.default_rng(seed)
        tn.manual_seed(seed)
        layers = [m for _ in range(3) for m in (nn.Linear(5, 5), kinds[int(rng.integers(len(kinds)))]())]
        report = check_module(nn.Sequential(*layers), tn.randn(8, 5) * float(rng.choice([0.03, 1, 30])), seed=seed)
        assert report.ok is not False, report
