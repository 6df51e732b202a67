"""The functions and the modules that hand on to them: dropout's own numbers, PyTorch's keywords, in place, losses."""

import numpy as np
import pytest

import tinynorm
from tinynorm import nn
from tinynorm.nn import functional as F

# ---- dropout ---------------------------------------------------------------------------------------------------------


def test_dropout_drops_with_probability_p_and_scales_the_rest(device):
    x = tinynorm.ones(200, 100, device=device, requires_grad=True)
    y = F.dropout(x, p=0.3)
    values, counts = np.unique(y.detach().cpu().numpy(), return_counts=True)
    np.testing.assert_allclose(values, [0, 1 / 0.7], rtol=1e-6)
    assert counts[0] == pytest.approx(0.3 * 20000, rel=0.03)
    assert y.grad_fn.name == "Dropout"
    y.sum().backward()
    assert (x.grad == y).all()  # dx = mask, as x = 1 and dy = 1


def test_dropout_is_the_identity_in_eval_and_for_p_0():
    x = tinynorm.randn(3)
    assert F.dropout(x, 0.9, training=False) is x
    assert F.dropout(x, 0.0) is x
    layer = nn.Dropout(0.9)
    assert (layer(tinynorm.ones(100)) == 0).any()
    assert layer.eval()(x) is x


def test_dropout_with_p_1_leaves_nothing():
    x = tinynorm.ones(5, requires_grad=True)
    y = F.dropout(x, 1.0)
    y.sum().backward()
    assert y.tolist() == x.grad.tolist() == [0.0] * 5


def test_dropout_is_drawn_by_the_seed_alike_on_every_device(device):
    draws = []
    for where in ("cpu", device):
        tinynorm.manual_seed(5)
        draws.append(F.dropout(tinynorm.ones(50, device=where)).tolist())
    assert draws[0] == draws[1]
    assert F.dropout(tinynorm.ones(50)).tolist() != draws[0]


def test_dropout_keeps_the_dtype_and_can_be_differentiated_twice():
    assert F.dropout(tinynorm.ones(4, dtype=tinynorm.float16)).dtype == tinynorm.float16
    x = tinynorm.randn(50, dtype=tinynorm.float64, requires_grad=True)
    y = F.dropout(x, 0.5)
    (dx,) = tinynorm.autograd.grad((y * y * y).sum(), x, create_graph=True)
    (ddx,) = tinynorm.autograd.grad(dx.sum(), x)
    np.testing.assert_allclose(ddx.numpy(), np.where(y.detach().numpy() == 0, 0, 6 * 8 * x.array), rtol=1e-12)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), "half", None])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="dropout: expected p to be a probability from 0 to 1"):
        F.dropout(tinynorm.ones(1), p)
    with pytest.raises(ValueError, match="Dropout: expected p"):
        nn.Dropout(p)


def test_dropout_refuses_integers():
    with pytest.raises(RuntimeError, match="dropout: expected a floating-point input, got int64"):
        F.dropout(tinynorm.arange(3))


# ---- in place --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [nn.ReLU(inplace=True), nn.Dropout(0.5, inplace=True)])
def test_inplace_layers_write_into_their_input_and_differentiate(layer):
    x = tinynorm.tensor([-1.0, 2.0, 3.0, -4.0], requires_grad=True)
    h = x * 2
    y = layer(h)
    assert y is h
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * y.detach().numpy() / (2 * x.detach().numpy()))
    plain = tinynorm.tensor([-1.0, 2.0])
    assert layer(plain) is plain


def test_inplace_refuses_a_leaf_that_requires_grad():
    x = tinynorm.tensor([-1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="relu_: a leaf that requires grad"):
        F.relu(x, inplace=True)
    assert x.item() == -1


def test_inplace_after_an_op_that_saved_its_output_is_noticed():
    x = tinynorm.tensor([0.5], requires_grad=True)
    h = F.sigmoid(x)
    y = F.relu(h, inplace=True)
    with pytest.raises(RuntimeError, match=r"Sigmoid saved its output .* relu_ then changed it"):
        y.backward()


# ---- PyTorch's keywords, and modules as functions ---------------------------------------------------------------------


def test_functions_take_pytorchs_keywords():
    x, W = tinynorm.randn(2, 3), tinynorm.randn(4, 3)
    assert F.linear(input=x, weight=W, bias=None).shape == (2, 4)
    assert F.relu(input=x, inplace=False).shape == (2, 3)
    assert F.gelu(input=x, approximate="tanh").shape == (2, 3)
    assert F.softmax(input=x, dim=1).shape == F.log_softmax(input=x, dim=1, dtype=tinynorm.float64).shape == (2, 3)
    assert F.dropout(input=x, p=0.5, training=True, inplace=False).shape == (2, 3)
    target = tinynorm.tensor([0, 2])
    for loss in (
        F.cross_entropy(input=x, target=target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.1),
        F.nll_loss(input=x, target=target, weight=None, ignore_index=-100, reduction="sum"),
        F.mse_loss(input=x, target=x * 2, reduction="mean"),
        F.sigmoid(input=x).sum() + F.tanh(input=x).sum(),
    ):
        assert loss.shape == ()


@pytest.mark.parametrize(
    ("module", "function"),
    [
        (nn.ReLU(), F.relu),
        (nn.GELU(), F.gelu),
        (nn.GELU(approximate="tanh"), lambda x: F.gelu(x, "tanh")),
        (nn.Sigmoid(), F.sigmoid),
        (nn.Tanh(), F.tanh),
        (nn.Softmax(dim=1), lambda x: F.softmax(x, 1)),
        (nn.LogSoftmax(dim=0), lambda x: F.log_softmax(x, 0)),
        (nn.Identity(54, unused=1), lambda x: x),
        (nn.Flatten(0), lambda x: x.reshape(-1)),
        (nn.LayerNorm(3), lambda x: F.layer_norm(x, (3,))),
        (nn.RMSNorm(3, eps=0.5), lambda x: F.rms_norm(x, (3,), eps=0.5)),
        (nn.GroupNorm(1, 3, eps=0.5), lambda x: F.group_norm(x, 1, eps=0.5)),
        (nn.BatchNorm1d(3, eps=0.5), lambda x: F.batch_norm(x, training=True, eps=0.5)),
    ],
)
def test_a_module_is_its_function(module, function):
    x = tinynorm.randn(4, 3)
    assert module(x).tolist() == function(x).tolist()


def test_linear_is_one_node_with_or_without_bias(device):
    for bias in (True, False):
        layer = nn.Linear(3, 2, bias=bias, device=device)
        y = layer(tinynorm.randn(5, 4, 3, device=device))
        assert y.shape == (5, 4, 2)
        assert y.grad_fn.name == "Linear"
        y.sum().backward()
        np.testing.assert_allclose(layer.bias.grad.tolist() if bias else [20, 20], [20, 20])
    assert list(nn.Linear(3, 2, bias=False).state_dict()) == ["weight"]
    with pytest.raises(RuntimeError, match=r"linear: expected x .* x ends in 4, weight takes 3"):
        nn.Linear(3, 2)(tinynorm.zeros(1, 4))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Linear(-1, 2), "Linear: expected in_features to be an int >= 0, got -1"),
        (lambda: nn.Linear(1, 2.0), "Linear: expected out_features to be an int >= 0, got 2.0"),
        (lambda: nn.GELU("exact"), "GELU: expected approximate='none' or 'tanh', got 'exact'"),
        (lambda: nn.MSELoss(reduction="average"), "MSELoss: expected reduction to be one of 'mean', 'sum', 'none', got 'average'"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=2), "CrossEntropyLoss: expected label_smoothing from 0 to 1, got 2"),
    ],
)
def test_bad_settings_are_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("x", [[1.0], None, "text"])
@pytest.mark.parametrize(
    "layer",
    [
        *(F.relu, F.gelu, F.sigmoid, F.tanh, F.dropout, tinynorm.exp, nn.Linear(2, 3), nn.GELU(), nn.BatchNorm1d(2)),
        *(nn.Softmax(dim=0), nn.LogSoftmax(dim=0)),
    ],
)
def test_what_is_no_tensor_is_named(layer, x):
    with pytest.raises(TypeError, match=rf"expected .*a Tensor, got {type(x).__name__}; .*tinynorm.tensor"):
        layer(x)


def test_weights_that_are_no_tensors_are_named():
    with pytest.raises(TypeError, match="linear: expected a Tensor, got list"):
        F.linear(tinynorm.ones(2), tinynorm.ones(3, 2), [1.0, 2.0, 3.0])


# ---- losses ----------------------------------------------------------------------------------------------------------


def test_loss_modules_hand_their_settings_on():
    x, target, weight = tinynorm.randn(4, 3), tinynorm.tensor([0, 2, 1, 2]), tinynorm.tensor([1.0, 2.0, 3.0])
    for settings in ({}, {"ignore_index": 2}, {"reduction": "sum"}, {"reduction": "none"}):
        loss = nn.CrossEntropyLoss(weight, label_smoothing=0.1, **settings)
        assert loss(x, target).tolist() == F.cross_entropy(x, target, weight, label_smoothing=0.1, **settings).tolist()
        assert nn.NLLLoss(weight, **settings)(x, target).tolist() == F.nll_loss(x, target, weight, **settings).tolist()
    assert nn.MSELoss(reduction="sum")(x, x * 0).item() == F.mse_loss(x, x * 0, reduction="sum").item()


@pytest.mark.parametrize("target", [[1.0, 2.0], 1.0, None])
def test_mse_loss_of_what_is_no_tensor_says_so(target):
    with pytest.raises(TypeError, match="mse_loss: expected target to be a Tensor, got"):
        F.mse_loss(tinynorm.ones(2), target)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
def test_losses_of_classes_say_what_they_need(loss):
    with pytest.raises(TypeError, match=f"{loss.__name__}: expected weight to be a Tensor or None, got list"):
        loss(tinynorm.ones(2, 2), tinynorm.tensor([0, 1]), weight=[1.0, 2.0])
    with pytest.raises(RuntimeError, match=rf"{loss.__name__}: expected input \(C\), .* got a 0-d tensor"):
        loss(tinynorm.tensor(1.0), tinynorm.tensor(1))


def test_class_weights_move_with_the_loss():
    loss = nn.CrossEntropyLoss(tinynorm.ones(3)).double()
    assert loss.weight.dtype == tinynorm.float64
    assert list(loss.state_dict()) == ["weight"]
