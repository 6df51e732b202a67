"""Convolution layers: what stands beside the input, how they are drawn, and what they refuse."""

import math

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F


@pytest.mark.parametrize(("mode", "of_numpy"), [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_the_numbers_beside_the_input_are_its_own(mode, of_numpy):
    layer, x = nn.Conv2d(2, 3, 4, padding="same", padding_mode=mode), tn.randn(2, 2, 5, 6)
    beside = np.pad(x.numpy(), [(0, 0), (0, 0), (1, 2), (1, 2)], of_numpy)  # an even window reaches further behind than before
    expected = F.conv2d(tn.tensor(beside), layer.weight, layer.bias)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer(x[0]).detach().numpy(), expected[0].detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("layer", [nn.Conv1d(8, 40, 25, groups=2), nn.Conv2d(4, 80, (5, 5)), nn.Linear(100, 100)])
def test_the_parameters_are_uniform_within_one_over_the_root_of_what_an_output_sees(layer):
    for parameter in (layer.weight, layer.bias):
        assert 0.08 < parameter.abs().max().item() <= np.float32(1 / math.sqrt(100))  # an output sees 100 numbers


X = tn.zeros(1, 2, 4, 5)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: nn.Conv2d(4, 3, 1, groups=2), ValueError, "Conv2d: expected in_channels and out_channels that groups divides"),
        (lambda: nn.Conv2d(4, 4, 1, groups=0), ValueError, "got in_channels=4, out_channels=4, groups=0"),
        (lambda: nn.Conv1d(4, -1, 1), ValueError, "Conv1d: expected out_channels to be an int >= 0, got -1"),
        (lambda: nn.Conv1d(4, 4, (1, 2)), RuntimeError, r"Conv1d: expected kernel_size to be an int >= 1, got \(1, 2\)"),
        (lambda: nn.Conv2d(2, 2, 3, 2, "same"), RuntimeError, "Conv2d: expected stride 1 with padding='same'"),
        (lambda: nn.Conv2d(2, 2, 3, padding_mode="mirror"), ValueError, "padding_mode to be one of zeros, .*, got 'mirror'"),
        (lambda: nn.Conv2d(2, 2, 3, 1, 4, padding_mode="reflect")(X), RuntimeError, "'reflect': expected .* got 4 and 4"),
        (lambda: nn.Conv2d(2, 2, 3, 1, 5, padding_mode="circular")(X), RuntimeError, "'circular': expected .*, 4 long"),
        (lambda: nn.Conv2d(2, 2, 3, 1, 1, padding_mode="replicate")(X[:, :, :0]), RuntimeError, "'replicate': .*, 0 long"),
        (lambda: nn.Conv2d(2, 2, 3, padding_mode="reflect")([1.0]), TypeError, "expected input to be a Tensor, got list"),
        (lambda: nn.Conv2d(2, 2, 3, 1, 1, padding_mode="circular")(X[0, 0]), RuntimeError, r"or \(C, H, W\), got \(4, 5\)"),
        (lambda: nn.Conv1d(2, 2, 3, 1, 1, padding_mode="circular")(tn.ones(2)), RuntimeError, r"\(C, L\), got \(2,\)"),
    ],
)
def test_what_does_not_fit_is_told(call, error, said):
    with pytest.raises(error, match=said):
        call()
