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
    assert y.grad_fn.op_name == "Dropout"
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


@pytest.mark.parametrize("layer", [nn.ReLU(inplace=True), nn.Threshold(0, 0, inplace=True), nn.Dropout(0.5, inplace=True)])
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
        (nn.ReLU6(), F.relu6),
        (nn.Hardtanh(-0.5, 0.7), lambda x: F.hardtanh(x, -0.5, 0.7)),
        (nn.SELU(), F.selu),
        (nn.Mish(), F.mish),
        (nn.Hardsigmoid(), F.hardsigmoid),
        (nn.Hardswish(), F.hardswish),
        (nn.LogSigmoid(), F.logsigmoid),
        (nn.Softsign(), F.softsign),
        (nn.Tanhshrink(), F.tanhshrink),
        (nn.Threshold(0.1, 20), lambda x: F.threshold(x, 0.1, 20)),
        (nn.Softmin(dim=1), lambda x: F.softmin(x, 1)),
        (nn.GLU(dim=0), lambda x: F.glu(x, 0)),
        (nn.PReLU(3, init=0.5), lambda x: F.prelu(x, tinynorm.full((3,), 0.5))),
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
        assert y.grad_fn.op_name == "Linear"
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
        (lambda: nn.Hardtanh(1.0, 1.0), "Hardtanh: expected min_val < max_val, got 1.0 and 1.0"),
        (lambda: nn.TripletMarginLoss(0), "TripletMarginLoss: expected margin > 0, got 0"),
        (lambda: nn.Bilinear(1, 2, -3), "Bilinear: expected out_features to be an int >= 0, got -3"),
        (lambda: nn.GELU("exact"), "GELU: expected approximate='none' or 'tanh', got 'exact'"),
        (lambda: nn.MSELoss(reduction="avg"), "MSELoss: expected reduction to be one of 'mean', 'sum', 'none', got 'avg'"),
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
        *(nn.Softmax(dim=0), nn.LogSoftmax(dim=0), F.mish, F.hardtanh, F.logsigmoid, F.glu, nn.PReLU()),
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


def test_pair_losses_as_modules_hand_their_settings_on():
    x, t, w = tinynorm.rand(4, 3), tinynorm.rand(4, 3), tinynorm.tensor([1.0, 2.0, 3.0])
    for module, function, settings, weights in (
        (nn.MSELoss, F.mse_loss, {}, {}),
        (nn.L1Loss, F.l1_loss, {}, {}),
        (nn.SmoothL1Loss, F.smooth_l1_loss, {"beta": 0.2}, {}),
        (nn.HuberLoss, F.huber_loss, {"delta": 0.2}, {}),
        (nn.KLDivLoss, F.kl_div, {"log_target": True}, {}),
        (nn.BCELoss, F.binary_cross_entropy, {}, {"weight": w}),
        (nn.BCEWithLogitsLoss, F.binary_cross_entropy_with_logits, {}, {"weight": w, "pos_weight": 2 * w}),
    ):
        for reduction in ("mean", "sum", "none") + (("batchmean",) if module is nn.KLDivLoss else ()):
            loss = module(**weights, **settings, reduction=reduction)
            assert loss(x, t).tolist() == function(x, t, **weights, **settings, reduction=reduction).tolist()
            assert list(loss.state_dict()) == list(weights)
        with pytest.raises(ValueError, match=f"{module.__name__}: expected reduction to be one of 'mean', .* got 'average'"):
            module(reduction="average")


def test_a_loss_takes_the_old_arguments_in_their_old_places():
    x, target = tinynorm.randn(4, 3), tinynorm.tensor([0, 2, 1, 2])
    for make, reduction in (
        (lambda: nn.CrossEntropyLoss(None, False), "sum"),
        (lambda: nn.CrossEntropyLoss(reduce=False), "none"),
        (lambda: nn.NLLLoss(None, False), "sum"),
    ):
        with pytest.warns(UserWarning, match=f"Loss: size_average= .* write reduction='{reduction}'") as told:
            loss = make()
        assert told[0].filename == __file__
        assert loss(x, target).tolist() == type(loss)(reduction=reduction)(x, target).tolist()
    with pytest.warns(UserWarning, match="MSELoss: size_average"):
        assert nn.MSELoss(False)(x, 0 * x).item() == F.mse_loss(x, 0 * x, reduction="sum").item()


# ---- Embedding and Unflatten -----------------------------------------------------------------------------------------


def test_embedding_adds_the_gradients_of_a_row_and_leaves_out_the_padding():
    layer = nn.Embedding(4, 2, padding_idx=-4)
    assert layer.weight[0].tolist() == [0.0, 0.0]
    assert (layer.weight.array[1:] != 0).all()
    y = layer(tinynorm.tensor([[1, 1], [0, 3]]))
    assert y.tolist() == layer.weight.array[[[1, 1], [0, 3]]].tolist()
    (y * tinynorm.tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0, 0.0], [4.0, 6.0], [0.0, 0.0], [7.0, 8.0]]
    assert F.embedding(tinynorm.tensor(3), layer.weight).tolist() == layer.weight[3].tolist()
    for index in (tinynorm.tensor(0), tinynorm.tensor([0])):  # nothing but padding
        assert (tinynorm.autograd.grad(layer(index).sum(), layer.weight)[0] == 0).all()


def test_a_padding_selects_and_does_not_multiply():
    w = tinynorm.ones(2, 1, requires_grad=True)
    F.embedding(tinynorm.tensor([0, 1]), w, padding_idx=0).backward(tinynorm.tensor([[np.inf], [2.0]]))
    assert w.grad.tolist() == [[0.0], [2.0]]


@pytest.mark.parametrize("index", [4, -1, 100])
def test_a_symbol_that_has_no_row_is_named(index, device):
    layer = nn.Embedding(4, 2).to(device)
    with pytest.raises(IndexError, match=rf"embedding: expected indices from 0 to 3 .*, got {index}"):
        layer(tinynorm.tensor([0, index, 2], device=device))


def test_what_does_not_fit_an_embedding_is_named():
    w = tinynorm.zeros(3, 2)
    for call, error, message in (
        (lambda: F.embedding(tinynorm.tensor([0.0]), w), RuntimeError, r"Tensor of indices \(int64\), got a tensor of float32"),
        (lambda: F.embedding(tinynorm.tensor([True]), w), RuntimeError, r"got a tensor of bool; use .long\(\)"),
        (lambda: F.embedding([0], w), TypeError, "got list"),
        (lambda: F.embedding(tinynorm.tensor([0]), w[0]), RuntimeError, r"expected weight \(V, D\), got \(2,\)"),
        (lambda: F.embedding(tinynorm.tensor([0]), w, 3), RuntimeError, "expected padding_idx to be a row of the 3"),
        (lambda: nn.Embedding(3, 2, padding_idx=-4), ValueError, "expected padding_idx to be a row of 3, got -4"),
        (lambda: nn.Embedding(3, 2.5), ValueError, "Embedding: expected embedding_dim to be an int >= 0, got 2.5"),
        (lambda: nn.Embedding.from_pretrained(w[0]), ValueError, r"expected embeddings to be a Tensor \(V, D\)"),
        (lambda: nn.Unflatten(1, 3), TypeError, "expected unflattened_size to be a tuple of sizes, got 3"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_word_vectors_can_be_given_and_frozen():
    vectors = tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]])
    frozen, learnt = nn.Embedding.from_pretrained(vectors), nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=1)
    assert frozen(tinynorm.tensor([1])).tolist() == [[3.0, 4.0]]
    assert (frozen.weight.requires_grad, learnt.weight.requires_grad) == (False, True)
    assert repr(learnt) == "Embedding(2, 2, padding_idx=1)"


def test_unflatten_undoes_flatten():
    x = tinynorm.randn(2, 3, 4, 5)
    for dim, size in ((1, (3, 4)), (1, (3, -1)), (-2, [3, 4])):
        assert nn.Unflatten(dim, size)(nn.Flatten(1, 2)(x)).tolist() == x.tolist()
