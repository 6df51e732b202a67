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
    arrays = [p.grad.array for p in ps]
    total = clip_grad_norm_(ps, max_norm=2.5)
    assert total.item() == 5
    assert total.device.type == device
    np.testing.assert_allclose(ps[0].grad.tolist() + ps[1].grad.tolist(), [1.5, 0, 2], rtol=1e-6)
    assert all(p.grad.array is a for p, a in zip(ps, arrays, strict=True))


def test_a_small_norm_is_left_as_it_is():
    ps = with_grads([3.0], [4.0])
    clip_grad_norm_(ps, 6.0)
    assert [p.grad.tolist() for p in ps] == [[3.0], [4.0]]


@pytest.mark.parametrize(("p", "norm"), [(1, 7.0), (2.0, 5.0), (3, (27 + 64) ** (1 / 3)), (math.inf, 4.0)])
def test_norm_types(p, norm):
    assert clip_grad_norm_(iter(with_grads([3.0], [-4.0])), 1.0, norm_type=p).item() == pytest.approx(norm, rel=1e-6)


def test_what_pytorch_programs_pass_is_accepted():
    ps = with_grads([3.0], [-4.0])
    assert clip_grad_norm_(ps, 1.0, "inf", False, True).item() == 4.0
    clip_grad_value_(ps, clip_value=0.5, foreach=True)
    assert [p.grad.tolist() for p in ps] == [[0.5], [-0.5]]


def test_float16_is_summed_in_float32():
    (p,) = with_grads([300.0, 400.0], dtype=tinynorm.float16)  # 300² is beyond float16
    total = clip_grad_norm_(p, 1.0)
    assert total.dtype == tinynorm.float32
    assert total.item() == 500
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-3)
    assert p.grad.dtype == tinynorm.float16


@pytest.mark.parametrize("max_norm", [1.0, 1e-2])
def test_a_factor_that_float16_has_no_digits_for(max_norm):
    (p,) = with_grads(np.full(1000, 60_000.0), dtype=tinynorm.float16)
    total = tinynorm.nn.utils.clip_grad_norm_([p], max_norm)
    np.testing.assert_allclose(float(total), 60_000 * 1000**0.5, rtol=1e-5)
    np.testing.assert_allclose(p.grad.numpy().astype("f8"), max_norm / 1000**0.5, rtol=1e-3)


def test_the_largest_float32_is_clipped():
    (p,) = with_grads([np.finfo("f4").max, 0.0])
    tinynorm.nn.utils.clip_grad_norm_([p], 1.0)
    np.testing.assert_allclose(p.grad.numpy(), [1, 0], rtol=1e-6)


def test_clips_arrays_of_the_standard_on_their_own_device():
    xp = pytest.importorskip("array_api_strict")
    where = xp.Device("device1")  # refuses to become a NumPy array
    p = tinynorm.as_tensor(xp.zeros((2,), dtype=xp.float32, device=where))
    for norm_type in (2, 3, math.inf):
        p.grad = tinynorm.as_tensor(xp.asarray([30.0, 40.0], dtype=xp.float32, device=where))
        clip_grad_norm_(p, 1.0, norm_type)
        assert 0.5 < float(p.grad.array[0]) < 0.76
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


# ---- numbers whose powers have no room -------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 2, 3, 10, math.inf])
@pytest.mark.parametrize("size", [1e-45, 1e-30, 1e-22, 3e-21, 1e-19, 1e-10, 1.0, 1e10, 1e19, 1e25, 1e37])
@pytest.mark.parametrize("max_norm", [0.01, 1.0])
def test_the_norm_is_right_from_the_smallest_to_the_largest_numbers(p, size, max_norm, anywhere):
    if anywhere == "cuda" and size < np.finfo("float32").tiny:
        size = 1e-37  # CuPy's kernels take anything smaller for 0
    numbers = [np.float32([3, -4, 1, 0, 2]) * np.float32(size), np.float32([5]) * np.float32(size)]
    exact = np.concatenate(numbers).astype(np.float64)
    norm = float(np.linalg.norm(exact / size, p)) * size
    ps = with_grads(*numbers, device=anywhere)
    assert clip_grad_norm_(ps, max_norm, norm_type=p).item() == pytest.approx(norm, rel=1e-6, abs=1e-45)
    got = np.concatenate([p.grad.cpu().numpy() for p in ps])
    np.testing.assert_allclose(got, exact * min(1.0, max_norm / (norm + 1e-6)), rtol=2e-6, atol=1e-45)


def test_float64_is_scaled_too():
    (p,) = with_grads([3e200, 4e200], dtype=tinynorm.float64)
    assert clip_grad_norm_(p, 1.0).item() == pytest.approx(5e200, rel=1e-12)
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-12)


def test_gradients_whose_norm_itself_has_no_room_are_clipped_all_the_same():
    (p,) = with_grads([3e38, -3e38, 3e38, 0.0])
    with pytest.raises(RuntimeError, match="norm of the gradients is inf"):
        clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
    assert p.grad.tolist()[3] == 0.0
    assert p.grad.tolist()[0] > 2e38
    assert clip_grad_norm_(p, 1.0).item() == math.inf
    np.testing.assert_allclose(p.grad.numpy(), np.array([1, -1, 1, 0]) / math.sqrt(3), rtol=1e-5)


def test_an_infinite_gradient_shows():
    ps = with_grads([math.inf, 1.0], [1e30])
    assert clip_grad_norm_(ps, 1.0).item() == math.inf
    assert math.isnan(ps[0].grad.tolist()[0])


def test_on_a_gpu_the_norm_is_right_and_nobody_waits(gpu):
    for size in (1e-30, 1.0, 1e25):
        (p,) = with_grads([3 * size, 4 * size], device="cuda")
        before = dict(gpu.crossings) if gpu else {}
        total = clip_grad_norm_(p, 1.0)
        assert gpu is None or dict(gpu.crossings) == before
        assert total.item() == pytest.approx(5 * size, rel=1e-6)
        np.testing.assert_allclose(p.grad.cpu().numpy(), np.array([3, 4]) * size * min(1, 1 / (5 * size + 1e-6)), rtol=1e-5)


def test_error_if_nonfinite_lets_a_finite_norm_pass():
    ps = with_grads([3.0], [4.0])
    assert clip_grad_norm_(ps, 1.0, error_if_nonfinite=True).item() == 5
    np.testing.assert_allclose([p.grad.item() for p in ps], [0.6, 0.8], rtol=1e-6)


# ---- all or nothing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_gradients_that_cannot_be_written_to_are_refused_before_any_is_changed(clip):
    ps = with_grads([3.0, 3.0], [4.0, 4.0])
    ps[1].grad.array = np.broadcast_to(np.float32(4), (2,))
    with pytest.raises(RuntimeError, match=rf"{clip.__name__}: expected gradients whose memory can be written to.*clone"):
        clip(ps, 1.0)
    assert [p.grad.tolist() for p in ps] == [[3.0, 3.0], [4.0, 4.0]]


def test_a_gradient_that_two_parameters_share_is_clipped_once():
    ps = with_grads([3.0, 4.0], [0.0, 0.0])
    ps[1].grad = ps[0].grad
    assert clip_grad_norm_(ps, 1.0).item() == 5
    np.testing.assert_allclose(ps[1].grad.numpy(), [0.6, 0.8], rtol=1e-6)


def test_a_vector_is_written_back_whole_or_not_at_all():
    a, b = nn.Parameter(tinynorm.zeros(2)), nn.Parameter(tinynorm.zeros(2))
    b.array = np.broadcast_to(np.float32(0), (2,))
    with pytest.raises(RuntimeError, match="Nothing has changed"):
        vector_to_parameters(tinynorm.ones(4), [a, b])
    assert a.tolist() == [0.0, 0.0]
    whole = tinynorm.arange(4.0)
    vector_to_parameters(whole, [whole[1:3].detach(), tinynorm.zeros(2)])
    assert whole.tolist() == [0.0, 0.0, 1.0, 3.0]
