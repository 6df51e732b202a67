"""Losses refuse what does not fit, and say what was expected. (Their values are PyTorch's: tests/pytorch/losses.py.)"""

import tracemalloc

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

INDEX_LOSSES = [F.cross_entropy, F.nll_loss]


@pytest.mark.parametrize("loss", INDEX_LOSSES)
@pytest.mark.parametrize("label", [3, -1, 255])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_label_out_of_range_is_named(loss, label, reduction, device):
    x = tn.zeros(2, 3, device=device, requires_grad=True)
    with pytest.raises(IndexError, match=rf"{loss.__name__}: expected class indices from 0 to C-1 = 2 .*, got {label} "):
        loss(x, tn.tensor([0, label], device=device), reduction=reduction)
    assert x.grad is None


@pytest.mark.parametrize("loss", INDEX_LOSSES)
def test_only_ignore_index_itself_is_passed_over(loss):
    x = tn.zeros(2, 3)
    assert np.isfinite(loss(x, tn.tensor([0, 7]), ignore_index=7).item())
    with pytest.raises(IndexError, match="got -100"):
        loss(x, tn.tensor([0, -100]), ignore_index=7)


@pytest.mark.parametrize("loss", INDEX_LOSSES)
@pytest.mark.parametrize(
    ("x", "target", "options", "error", "says"),
    [
        (tn.zeros(2, 3), tn.tensor([0, 1, 2]), {}, ValueError, r"class indices \(N, \*\) = \(2,\).*\(2, 3\), got \(3,\)"),
        (tn.zeros(2, 3, 4), tn.tensor([0, 1]), {}, RuntimeError, r"= \(2, 4\) .* got \(2,\)"),
        (tn.zeros(2, 3), tn.tensor([0, 1]), {"weight": tn.ones(2)}, RuntimeError, r"weight \(C,\) = \(3,\), got \(2,\)"),
        (tn.zeros(2, 3), tn.tensor([0, 1]), {"reduction": "average"}, ValueError, "'mean', 'sum', 'none', got 'average'"),
        (tn.zeros(2, 3, dtype="int64"), tn.tensor([0, 1]), {}, TypeError, "floating-point Tensor as input, got int64"),
        (tn.zeros(2, 3), [0, 1], {}, TypeError, "expected target to be a Tensor"),
    ],
)
def test_what_does_not_fit_is_named(loss, x, target, options, error, says):
    with pytest.raises(error, match=rf"{loss.__name__}: .*{says}"):
        loss(x, target, **options)


@pytest.mark.parametrize("target", [tn.zeros(2), tn.zeros(2, 4), tn.tensor([True, False])])
def test_probabilities_have_the_shape_of_the_input(target):
    with pytest.raises(RuntimeError, match=r"cross_entropy: .*class indices \(int64\) of shape \(2,\) or class probabilities"):
        F.cross_entropy(tn.zeros(2, 3), target)


def test_nll_loss_takes_no_probabilities():
    with pytest.raises(TypeError, match="nll_loss: expected target to be a Tensor of class indices"):
        F.nll_loss(tn.zeros(2, 3), tn.zeros(2, 3))


@pytest.mark.parametrize("amount", [-0.1, 1.5, float("nan")])
def test_label_smoothing_is_a_share(amount):
    with pytest.raises(ValueError, match="cross_entropy: expected label_smoothing from 0 to 1, got"):
        F.cross_entropy(tn.zeros(2, 3), tn.tensor([0, 1]), label_smoothing=amount)


def test_mse_loss_does_not_broadcast():
    with pytest.raises(RuntimeError, match=r"mse_loss: expected input and target of one shape, got \(4, 1\) and \(4,\)"):
        F.mse_loss(tn.zeros(4, 1), tn.zeros(4))
    with pytest.raises(TypeError, match="mse_loss: expected target to be a Tensor, got float"):
        F.mse_loss(tn.zeros(()), 0.0)


@pytest.mark.parametrize("target", [tn.tensor([2, 0]), tn.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])])
def test_cross_entropy_is_one_node(target):
    x = tn.randn(2, 3, requires_grad=True)
    loss = F.cross_entropy(x, target, weight=tn.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1)
    assert loss.grad_fn.op_name == "CrossEntropy"
    assert loss.grad_fn.edges[0] is x


def peak(compute, unit):
    """The most memory that is held meanwhile, in units of an array's."""
    tracemalloc.start()
    try:
        kept = compute()
        return tracemalloc.get_traced_memory()[1] / unit.array.nbytes, kept
    finally:
        tracemalloc.stop()


def test_class_indices_take_no_memory_of_the_size_of_the_scores():
    """An indicator of the classes, (N, C), would be one more array of the scores' size, in each of these."""
    x, y = tn.randn(128, 5000, requires_grad=True), tn.randint(0, 5000, (128,))
    w = tn.rand(5000)
    F.cross_entropy(x, y).backward()  # the first time, kernels are loaded, and compiled where they were not
    x.grad = None
    for options in ({}, {"weight": w}, {"ignore_index": 7}):
        forward, loss = peak(lambda o=options: F.nll_loss(x, y, **o), x)
        backward, _ = peak(loss.backward, x)
        assert (forward < 0.1, backward < 1.2) == (True, True), options  # the gradient itself
        loss = F.nll_loss(x, y, **options)
        assert peak(lambda loss=loss: tn.autograd.grad(loss, x, create_graph=True), x)[0] < 1.2
        forward, loss = peak(lambda o=options: F.cross_entropy(x, y, **o), x)
        x.grad = None
        backward, _ = peak(loss.backward, x)
        assert (forward < 2.2, backward < 1.2) == (True, True), options  # log p and what it is made of; the gradient
        x.grad = None


def dense(x, y, weight, ignored, smoothing, reduction):
    """The loss by its definition, q as an array of x's shape, in float64."""
    C = x.shape[1]
    q = np.moveaxis((1 - smoothing) * np.eye(C)[np.where(ignored, 0, y)] + smoothing / C, -1, 1)
    q = np.where(ignored[:, None], 0.0, q * weight.reshape(1, C, *(1,) * (x.ndim - 2)))
    log_p = x - x.max(1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(1, keepdims=True))
    rows = -(q * log_p).sum(1)
    divisor = {"mean": np.where(ignored, 0.0, weight[np.where(ignored, 0, y)]).sum(), "sum": 1, "none": None}[reduction]
    g = np.ones(()) if divisor is None else 1 / divisor
    return rows if divisor is None else rows.sum() / divisor, g * (np.exp(log_p) * q.sum(1, keepdims=True) - q)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 2), (2, 3, 2, 3), (40, 3)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_cross_entropy_is_its_definition(reduction, smoothing, shape, create_graph, anywhere):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal(shape), rng.uniform(0.5, 2, shape[1])
    y = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    for ignore_index, weight in ((-100, w), (1, w), (-7, None)):
        labels = np.where(rng.random(y.shape) < 0.2, ignore_index, y) if ignore_index < 0 else y
        ignored = labels == ignore_index
        value, slope = dense(x, labels, np.ones(shape[1]) if weight is None else w, ignored, smoothing, reduction)
        t, target = tn.tensor(x, device=anywhere, requires_grad=True), tn.tensor(labels, device=anywhere)
        options = {"weight": None if weight is None else tn.tensor(w, device=anywhere), "reduction": reduction}
        loss = F.cross_entropy(t, target, ignore_index=ignore_index, label_smoothing=smoothing, **options)
        np.testing.assert_allclose(loss.detach().cpu().numpy(), value, rtol=1e-12)
        (g,) = tn.autograd.grad(loss.sum(), t, create_graph=create_graph)
        np.testing.assert_allclose(g.detach().cpu().numpy(), slope, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("loss", INDEX_LOSSES)
def test_the_weight_of_a_class_without_targets_may_be_infinite(loss):
    """As 1 / count is for a class that has none."""
    x, y = tn.tensor([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]], requires_grad=True), tn.tensor([0, 1])
    w, finite = 1 / tn.tensor([1.0, 1.0, 0.0]), tn.ones(3)
    for reduction in ("mean", "sum", "none"):
        a, b = (loss(x, y, weight=v, reduction=reduction) for v in (w, finite))
        assert a.tolist() == b.tolist()
        assert tn.autograd.grad(a.sum(), x)[0].tolist() == tn.autograd.grad(b.sum(), x)[0].tolist()


def test_a_mean_over_weights_that_sum_to_0_is_no_number():
    x, y = tn.randn(2, 3, requires_grad=True), tn.tensor([0, 1])
    for smoothing in (0.0, 0.1):
        loss = F.cross_entropy(x, y, weight=tn.tensor([0.0, 0.0, 1.0]), label_smoothing=smoothing)
        assert np.isnan(loss.item())
        assert np.isnan(tn.autograd.grad(loss, x)[0].array).all()
    nothing = F.cross_entropy(x, tn.tensor([-100, -100]))  # no row has a part in it
    assert np.isnan(nothing.item())
    assert tn.autograd.grad(nothing, x)[0].tolist() == [[0.0] * 3] * 2


def test_a_nan_in_the_logits_shows_though_no_class_has_probability():
    x, q = tn.tensor([[np.nan, 1.0], [1.0, -np.inf]], requires_grad=True), tn.tensor([[0.0, 0.0], [1.0, 0.0]])
    loss = F.cross_entropy(x, q, reduction="none")
    np.testing.assert_array_equal(loss.detach().numpy(), [np.nan, 0])


def test_a_target_changed_before_backward_does_not_change_the_gradient():
    x = tn.tensor([[0.0, 1.0], [2.0, 0.0]], requires_grad=True)
    target = tn.tensor([1, 0])
    loss = F.cross_entropy(x, target)
    expected = tn.autograd.grad(loss, x, retain_graph=True)[0].tolist()
    target.fill_(1)
    assert tn.autograd.grad(loss, x)[0].tolist() == expected


# ---- losses of pairs ---------------------------------------------------------------------------------------------------

PAIR_LOSSES = [
    F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.kl_div, F.binary_cross_entropy, F.binary_cross_entropy_with_logits,
]  # fmt: skip


@pytest.mark.parametrize("loss", PAIR_LOSSES)
@pytest.mark.parametrize(
    ("x", "target", "options", "error", "says"),
    [
        (tn.zeros(2, 1), tn.zeros(2), {}, None, r"expected input and target of one shape, got \(2, 1\) and \(2,\)"),
        (tn.zeros(2), [0.0, 1.0], {}, TypeError, "expected target to be a Tensor, got list; use tinynorm.tensor"),
        (tn.arange(2), tn.arange(2), {}, TypeError, "expected a floating-point Tensor as input, got int64"),
        ([0.0], tn.zeros(1), {}, TypeError, "expected a floating-point Tensor as input, got list"),
        (tn.zeros(2), tn.zeros(2), {"reduction": "avg"}, ValueError, "expected reduction to be one of 'mean', 'sum', .*'avg'"),
    ],
)
def test_pairs_that_do_not_fit_are_named(loss, x, target, options, error, says):
    of_shape = ValueError if loss.__name__.startswith("binary") else RuntimeError  # as in PyTorch
    with pytest.raises(error or of_shape, match=rf"{loss.__name__}: {says}"):
        loss(x, target, **options)


@pytest.mark.parametrize("loss", PAIR_LOSSES[4:])
def test_a_target_of_integers_is_refused_where_pytorch_refuses_it(loss):
    with pytest.raises(RuntimeError, match=rf"{loss.__name__}: .* Tensor as target, got int64; use target.float"):
        loss(tn.ones(2), tn.tensor([1, 0]))


def test_what_is_no_probability_is_refused_but_nan_comes_out():
    half = tn.tensor([0.5])
    with pytest.raises(RuntimeError, match="elements of input should be between 0 and 1; apply sigmoid first"):
        F.binary_cross_entropy(tn.tensor([1.5]), half)
    with pytest.raises(RuntimeError, match="elements of target should be between 0 and 1"):
        F.binary_cross_entropy(half, tn.tensor([-0.1]))
    assert np.isnan(F.binary_cross_entropy(tn.tensor([np.nan]), half).item())


@pytest.mark.parametrize("name", ["weight", "pos_weight"])
def test_weights_broadcast_to_the_input_and_are_constants(name):
    x, t, w = tn.zeros(2, 3, requires_grad=True), tn.ones(2, 3), tn.tensor([1.0, 2.0, 4.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, t, reduction="none", **{name: w})
    np.testing.assert_allclose(loss.detach().numpy(), np.log(2) * np.array([[1, 2, 4]] * 2), rtol=1e-6)
    loss.sum().backward()
    assert x.grad.tolist() == [[-0.5, -1.0, -2.0]] * 2
    assert w.grad is None
    for wrong in (tn.ones(2), tn.ones(1, 2, 3)):
        with pytest.raises(RuntimeError, match=rf"expected {name} to broadcast to the input's shape \(2, 3\), got"):
            F.binary_cross_entropy_with_logits(x, t, **{name: wrong})
    with pytest.raises(TypeError, match=f"expected {name} to be a Tensor or None, got float"):
        F.binary_cross_entropy_with_logits(x, t, **{name: 2.0})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_binary_cross_entropies_of_logits_keep_their_digits(dtype):
    x = tn.tensor([-17.0, 17.0, -80.0, 80.0], dtype=dtype, requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, tn.tensor([0.0, 1.0, 0.0, 1.0], dtype=dtype), reduction="none")
    small = np.exp(np.array([-17.0, -17.0, -80.0, -80.0]))
    np.testing.assert_allclose(loss.detach().numpy(), np.log1p(small), rtol=1e-6)
    loss.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.array([1, -1, 1, -1]) * small / (1 + small), rtol=1e-6)


def test_binary_cross_entropy_is_finite_at_its_ends():
    x = tn.tensor([0.0, 1.0, 0.0, 1.0], dtype="float64", requires_grad=True)
    t = tn.tensor([0.0, 1.0, 1.0, 0.0], dtype="float64", requires_grad=True)
    loss = F.binary_cross_entropy(x, t, reduction="none")
    assert loss.tolist() == [0.0, 0.0, 100.0, 100.0]
    loss.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.0, 0.0, -1e12, 1e12])
    assert t.grad.tolist() == [100.0, -100.0, 100.0, -100.0]


def test_the_mean_of_float16_losses_does_not_overflow():
    x, t = tn.full((70_000,), 300.0, dtype="float16", requires_grad=True), tn.zeros(70_000, dtype="float16")
    for loss, expected in ((F.l1_loss, 300.0), (F.smooth_l1_loss, 299.5), (F.binary_cross_entropy_with_logits, 300.0)):
        y = loss(x, t)
        assert y.dtype == "float16"
        assert y.item() == expected


def test_a_probability_of_0_costs_nothing_and_nan_comes_out():
    x = tn.tensor([[-np.inf, -1.0], [np.nan, -1.0]])
    loss = F.kl_div(x, tn.tensor([[0.0, 0.5], [0.0, 0.5]]), reduction="none")
    np.testing.assert_allclose(loss.numpy(), [[0.0, 0.5 * (np.log(0.5) + 1)], [np.nan, 0.5 * (np.log(0.5) + 1)]], rtol=1e-6)


def test_nothing_has_no_mean():
    for loss in PAIR_LOSSES:
        x = tn.zeros(0, 3, requires_grad=True)
        y = loss(x, tn.zeros(0, 3))
        assert np.isnan(y.item())
        y.backward()
        assert x.grad.shape == (0, 3)
        assert loss(x, tn.zeros(0, 3), reduction="sum").item() == 0.0


@pytest.mark.parametrize(("loss", "setting"), [(F.smooth_l1_loss, {"beta": -1.0}), (F.huber_loss, {"delta": 0.0})])
def test_the_end_of_the_squares_is_not_negative(loss, setting):
    with pytest.raises(ValueError, match=f"{loss.__name__}: expected {next(iter(setting))} >=? 0, got"):
        loss(tn.zeros(1), tn.zeros(1), **setting)


# ---- the old arguments ---------------------------------------------------------------------------------------------------

CALLS = {
    F.cross_entropy: (tn.tensor([[1.0, 3.0], [0.5, 0.0]]), tn.tensor([0, 1])),
    F.nll_loss: (tn.tensor([[-1.0, -3.0], [-0.5, 0.0]]), tn.tensor([0, 1])),
    **{f: (tn.tensor([0.25, 0.5]), tn.tensor([0.0, 1.0])) for f in PAIR_LOSSES if f is not F.huber_loss},
}
OLD = [
    ({"size_average": False}, "sum"), ({"size_average": True}, "mean"), ({"reduce": False}, "none"), ({"reduce": True}, "mean"),
    ({"size_average": False, "reduce": False}, "none"), ({"size_average": False, "reduce": True}, "sum"),
]  # fmt: skip


@pytest.mark.parametrize("loss", CALLS)
@pytest.mark.parametrize(("old", "reduction"), OLD)
def test_size_average_and_reduce_say_what_reduction_says_and_warn(loss, old, reduction):
    with pytest.warns(UserWarning, match=rf"{loss.__name__}: size_average= .* write reduction='{reduction}'") as told:
        y = loss(*CALLS[loss], **old)
    assert told[0].filename == __file__  # it points at the call
    assert y.tolist() == loss(*CALLS[loss], reduction=reduction).tolist()


def test_size_average_has_its_old_place():
    x, t = CALLS[F.cross_entropy]
    with pytest.warns(UserWarning, match="size_average"):
        y = F.cross_entropy(x, t, None, False)
    assert y.item() == F.cross_entropy(x, t, reduction="sum").item()


NAMES = [  # what PyTorch 2.13 calls the op
    (lambda x, t: F.l1_loss(x, t), "MeanBackward0"), (lambda x, t: F.l1_loss(x, t, reduction="sum"), "SumBackward0"),
    (lambda x, t: F.l1_loss(x, t, reduction="none"), "AbsBackward0"), (lambda x, t: F.huber_loss(x, t), "HuberLossBackward0"),
    (lambda x, t: F.smooth_l1_loss(x, t), "SmoothL1LossBackward0"), (lambda x, t: F.kl_div(x, t), "MeanBackward0"),
    (lambda x, t: F.kl_div(x, t, reduction="none"), "SubBackward0"),
    (lambda x, t: F.kl_div(x, t, reduction="batchmean"), "DivBackward0"),
    (lambda x, t: F.kl_div(x, t, reduction="none", log_target=True), "MulBackward0"),
    (lambda x, t: F.binary_cross_entropy(x, t), "BinaryCrossEntropyBackward0"),
    (lambda x, t: F.binary_cross_entropy_with_logits(x, t), "BinaryCrossEntropyWithLogitsBackward0"),
    (lambda x, t: F.embedding(tn.tensor([0]), x), "EmbeddingBackward0"),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "name"), NAMES)
def test_the_graph_shows_a_losss_name_as_pytorch_does(loss, name):
    assert f"grad_fn=<{name}>" in repr(loss(tn.full((3, 2), 0.5, requires_grad=True), tn.full((3, 2), 0.25)))
