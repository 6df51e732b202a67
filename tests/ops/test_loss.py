"""Losses refuse what does not fit, and say what was expected. (Their values are PyTorch's: tests/pytorch/losses.py.)"""

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
        (tn.zeros(2, 3), tn.tensor([0, 1, 2]), {}, RuntimeError, r"class indices \(N, \*\) = \(2,\).*\(2, 3\), got \(3,\)"),
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
    assert loss.grad_fn.name == "CrossEntropy"
    assert loss.grad_fn.edges[0] is x
