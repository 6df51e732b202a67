"""Weight normalisation: a length and a direction in place of a weight."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn.utils import remove_weight_norm, weight_norm


def test_the_layer_computes_what_it_did_before():
    layer, x = nn.Conv2d(2, 3, 3), tn.randn(1, 2, 5, 5)
    before = layer(x)
    assert weight_norm(layer) is layer
    assert [name for name, _ in layer.named_parameters()] == ["bias", "weight_g", "weight_v"]
    np.testing.assert_allclose(layer(x).detach().numpy(), before.detach().numpy(), rtol=1e-5, atol=1e-6)
    remove_weight_norm(layer)
    assert [name for name, _ in layer.named_parameters()] == ["bias", "weight"]
    np.testing.assert_allclose(layer(x).detach().numpy(), before.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_the_gradient_of_v_is_orthogonal_to_it():
    layer = weight_norm(nn.Linear(4, 3))
    (layer(tn.randn(5, 4)) ** 2).sum().backward()
    np.testing.assert_allclose((layer.weight_v.grad * layer.weight_v).sum(1).detach().numpy(), 0, atol=1e-5)


def test_a_step_on_g_and_v_changes_the_weight_at_the_next_call():
    layer = weight_norm(nn.Linear(4, 3))
    with tn.no_grad():
        layer.weight_g.mul_(2.0)
    layer(tn.zeros(1, 4))
    lengths = tn.norm(layer.weight, dim=1)
    np.testing.assert_allclose(lengths.detach().numpy(), layer.weight_g.detach().numpy().ravel(), rtol=1e-6)


def test_errors():
    layer = weight_norm(nn.Linear(4, 3))
    with pytest.raises(RuntimeError, match="'weight' of Linear is normalised already; remove_weight_norm undoes it"):
        weight_norm(layer)
    with pytest.raises(ValueError, match="expected 'kernel' to be a parameter of Linear, which has: weight, bias"):
        weight_norm(nn.Linear(4, 3), "kernel")
    with pytest.raises(ValueError, match="remove_weight_norm: 'bias' of Linear is not normalised"):
        remove_weight_norm(layer, "bias")
    with pytest.raises(TypeError, match="weight_norm: expected a Module, got Parameter"):
        weight_norm(layer.bias)


@pytest.mark.parametrize(("dim", "error"), [(2, IndexError), (-3, IndexError), ("0", TypeError)])
def test_a_dimension_that_the_weight_has_not_leaves_the_module_as_it_was(dim, error):
    layer = nn.Linear(4, 3)
    with pytest.raises(error, match=r"weight_norm: .*dim"):
        weight_norm(layer, dim=dim)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert layer(tn.zeros(1, 4)).shape == (1, 3)
