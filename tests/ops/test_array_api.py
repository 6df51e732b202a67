"""The formulas on arrays of the Python array API standard, on a device that refuses conversion to NumPy.

What runs here takes its functions from the array it was given and never converts in silence: what a GPU's arrays need.
"""

import array_api_strict as xp
import numpy as np
import pytest
import test_gradients
from helpers import cotangents, floating, outputs_of

import tinynorm as tn
from tinynorm.nn import functional as F
from tinynorm.tensor import tensor_of

DEVICE = xp.Device("device1")

# what the standard has no notation for
WITHOUT = {
    "embedding": "an index array for fewer dimensions than there are",
    "embedding, padding": "an index array for fewer dimensions than there are",
    "index, slices": "assignment to an index with None (the backward's)",
    "index, repeated": "an index array for fewer dimensions than there are",
    "index, twice": "an index array for fewer dimensions than there are",
    **dict.fromkeys(["index_add", "index_fill"], "assignment to an index array"),
    "repeat_interleave, each": "an index array for fewer dimensions than there are",
    "in place, the diagonal": "a diagonal that can be written to",
    "index_select": "an index array for fewer dimensions than there are",
    "scatter": "assignment to an index array",
    "scatter, number": "assignment to an index array",
    "setitem, array": "assignment to an index array",
}


def strict(a, device=DEVICE):
    return xp.asarray(np.ascontiguousarray(a) if a.ndim else a, device=device)


def numpy_of(x):
    """To NumPy, openly."""
    assert x.device == DEVICE
    return np.asarray(xp.asarray(x, device=xp.Device("CPU_DEVICE")))


@pytest.fixture
def constants_on_the_device(monkeypatch):
    for name in test_gradients.CONSTANTS:
        monkeypatch.setattr(test_gradients, name, tensor_of(strict(getattr(test_gradients, name).array)))


def run(op, arrays, create_graph, put):
    """(outputs, first gradients), each as arrays."""
    xs = [tensor_of(put(a), requires_grad=a.dtype.kind == "f") for a in arrays]
    ys = outputs_of(op(*xs))
    directions = [tensor_of(put(v.array)) for v in cotangents(ys)]
    gs = tn.autograd.grad(ys, [xs[i] for i in floating(arrays)], directions, create_graph=create_graph)
    return [y.array for y in ys], [g.array for g in gs]


@pytest.mark.parametrize("create_graph", [False, True], ids=["first", "create_graph"])
@pytest.mark.parametrize("name", [name for name in test_gradients.ALL if name not in WITHOUT])
def test_forward_and_backward_stay_on_the_device_and_agree_with_numpy(name, create_graph, request):
    _, op, arrays = test_gradients.ALL[name]
    expected = run(op, arrays, create_graph, np.array)
    request.getfixturevalue("constants_on_the_device")
    got = run(op, arrays, create_graph, strict)
    for ours, theirs in zip(got, expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(numpy_of(a), b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", WITHOUT)
def test_what_the_standard_lacks_is_refused_by_it(name, constants_on_the_device):
    _, op, arrays = test_gradients.ALL[name]
    with pytest.raises((IndexError, ValueError)):
        run(op, arrays, False, strict)


def test_the_device_refuses_conversion_to_numpy():
    with pytest.raises(Exception, match=r"(?i)device"):
        np.asarray(strict(np.ones(2)))


def test_running_statistics_are_updated_on_the_device():
    x = np.random.default_rng(0).standard_normal((5, 3))
    mean, var = tensor_of(strict(np.zeros(3))), tensor_of(strict(np.ones(3)))
    F.batch_norm(tensor_of(strict(x)), mean, var, training=True)
    np.testing.assert_allclose(numpy_of(mean.array), 0.1 * x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(numpy_of(var.array), 0.9 + 0.1 * x.var(0, ddof=1), rtol=1e-12)


def test_mixed_devices_raise_naming_both():
    a, b = tensor_of(strict(np.ones(2))), tn.ones(2, dtype="float64")
    for op in (tn.add, tn.eq, tn.maximum, F.mse_loss):
        with pytest.raises(RuntimeError, match=r"device1.*cpu|cpu.*device1"):
            op(a, b)
    with pytest.raises(RuntimeError, match=r"device1.*cpu|cpu.*device1"):
        b[tensor_of(strict(np.array([0, 1])))]
    assert a[tn.tensor([1, 0])].device == DEVICE  # indices of the CPU are taken on any device, as in PyTorch
    with pytest.raises(RuntimeError, match=r"device1.*cpu|cpu.*device1"):
        a[:1] = b[:1]


def test_python_numbers_and_lists_come_to_the_device_of_the_tensor():
    x = tensor_of(strict(np.array([1.0, 2.0])))
    for y in (x + 1, 2.0 * x, x * [3.0, 4.0], tn.where(x > 1, x, 0.0), x.clamp(min=1.5)):
        assert y.device == DEVICE
    assert numpy_of((x * [3.0, 4.0]).array).tolist() == [3.0, 8.0]


def test_dtypes_promote_as_numpys_do():
    f32, f64 = (tensor_of(xp.ones((2,), dtype=dtype, device=DEVICE)) for dtype in (xp.float32, xp.float64))
    i64 = tensor_of(xp.ones((2,), dtype=xp.int64, device=DEVICE))
    assert (f32 * i64).dtype == xp.float32
    assert (f32 * f64).dtype == xp.float64
    assert (i64 * 2.0).dtype == xp.float32
    assert (f32 * f64[0]).dtype == xp.float32
    assert f32.to(tn.float64).dtype == xp.float64


def test_item_is_a_python_number():
    for value, kind in ((1.5, float), (3, int), (True, bool)):
        item = tensor_of(xp.asarray([value], device=DEVICE)).item()
        assert type(item) is kind
        assert item == value
