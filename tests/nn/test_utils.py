"""Clipping of gradients, and parameters as one vector."""

import math

import numpy as np
import pytest

import tinynorm
from tinynorm import nn
from tinynorm.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters


def with_grads(*grads, device="cpu", dtype=None):
    parameters = []
    for g in grads:
        p = nn.Parameter(tinynorm.zeros(len(g), device=device, dtype=dtype))
        p.grad = tinynorm.tensor(g, device=device, dtype=dtype or tinynorm.float32)
        parameters.append(p)
    return parameters


def test_a_large_norm_is_scaled_to_the_bound(device):
    ps = with_grads([3.0, 0.0], [4.0], device=device)
    arrays = [p.grad.data for p in ps]
    total = clip_grad_norm_(ps, max_norm=2.5)
    assert total.item() == 5
    assert total.device.type == device
    np.testing.assert_allclose(ps[0].grad.tolist() + ps[1].grad.tolist(), [1.5, 0, 2], rtol=1e-6)
    assert all(p.grad.data is a for p, a in zip(ps, arrays, strict=True))


def test_a_small_norm_is_left_as_it_is():
    ps = with_grads([3.0], [4.0])
    clip_grad_norm_(ps, 6.0)
    assert [p.grad.tolist() for p in ps] == [[3.0], [4.0]]


@pytest.mark.parametrize(("p", "norm"), [(1, 7.0), (2.0, 5.0), (3, (27 + 64) ** (1 / 3)), (math.inf, 4.0)])
def test_norm_types(p, norm):
    assert clip_grad_norm_(iter(with_grads([3.0], [-4.0])), 1.0, norm_type=p).item() == pytest.approx(norm, rel=1e-6)


def test_float16_is_summed_in_float32():
    (p,) = with_grads([300.0, 400.0], dtype=tinynorm.float16)  # 300² is beyond float16
    total = clip_grad_norm_(p, 1.0)
    assert total.dtype == tinynorm.float32
    assert total.item() == 500
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-3)
    assert p.grad.dtype == tinynorm.float16


def test_clips_arrays_of_the_standard_on_their_own_device():
    xp = pytest.importorskip("array_api_strict")
    where = xp.Device("device1")  # refuses to become a NumPy array
    p = tinynorm.Tensor(xp.zeros((2,), dtype=xp.float32, device=where))
    for norm_type in (2, 3, math.inf):
        p.grad = tinynorm.Tensor(xp.asarray([30.0, 40.0], dtype=xp.float32, device=where))
        clip_grad_norm_(p, 1.0, norm_type)
        assert 0.5 < float(p.grad.data[0]) < 0.76
    p.grad = None
    clip_grad_norm_(p, 1.0)


def test_nothing_to_clip():
    assert clip_grad_norm_([nn.Parameter(tinynorm.zeros(2))], 1.0).item() == 0
    assert clip_grad_norm_([], 1.0).item() == 0
    (p,) = with_grads([])
    assert clip_grad_norm_(p, 1.0, norm_type=math.inf).item() == 0
    (p,) = with_grads([0.0])
    clip_grad_norm_(p, 0.0)
    assert p.grad.tolist() == [0.0]


def test_a_norm_that_is_not_finite_is_shown_or_refused():
    ps = with_grads([math.nan], [1.0])
    with pytest.raises(RuntimeError, match="norm of the gradients is nan"):
        clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
    assert ps[1].grad.tolist() == [1.0]
    assert math.isnan(clip_grad_norm_(ps, 1.0).item())
    assert math.isnan(ps[1].grad.item())


def test_values_are_clamped():
    ps = with_grads([3.0, -0.5], [-4.0])
    clip_grad_value_(ps, 1.0)
    assert [p.grad.tolist() for p in ps] == [[1.0, -0.5], [-1.0]]


def test_bad_bounds_are_refused():
    ps = with_grads([3.0])
    with pytest.raises(ValueError, match="expected max_norm >= 0, got -1"):
        clip_grad_norm_(ps, -1)
    with pytest.raises(ValueError, match="expected norm_type > 0, got 0"):
        clip_grad_norm_(ps, 1, norm_type=0)
    with pytest.raises(ValueError, match="expected clip_value >= 0, got -1"):
        clip_grad_value_(ps, -1)
    assert ps[0].grad.tolist() == [3.0]


def test_parameters_as_a_vector_and_back():
    net, other = nn.Linear(3, 2), nn.Linear(3, 2, dtype=tinynorm.float64)
    vector = parameters_to_vector(net.parameters())
    assert vector.shape == (8,)
    vector.sum().backward()
    assert (net.weight.grad == 1).all()
    vector_to_parameters(vector, other.parameters())
    assert other.weight.dtype == tinynorm.float64
    assert other.weight.requires_grad
    assert other.weight.tolist() == net.weight.tolist()
    assert other.bias.tolist() == net.bias.tolist()
    with pytest.raises(RuntimeError, match=r"expected a vector of 8 numbers, as the parameters, got \(7,\)"):
        vector_to_parameters(tinynorm.zeros(7), net.parameters())


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
@pytest.mark.parametrize("parameters", [nn.Linear(1, 1), [np.ones(1)], list(nn.Linear(1, 1).named_parameters())])
def test_clipping_asks_for_tensors(clip, parameters):
    with pytest.raises(TypeError, match=rf"{clip.__name__}: expected Tensors, got .*; pass model\.parameters"):
        clip(parameters, 1.0)
