"""Memory of large outputs is used again when nobody holds it any more, and not before."""

import gc

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.kernels import buffers, use

SIZE = (512, 1024)  # 2 MiB of float32


@pytest.fixture(autouse=True)
def nothing_kept():
    buffers.empty_cache()
    yield
    buffers.empty_cache()


def address(x):
    return x.__array_interface__["data"][0]


def test_memory_is_used_again_when_the_last_view_is_gone():
    x = buffers.empty(SIZE, np.float32)
    view, at = x[3:5].T, address(x)
    del x
    gc.collect()
    assert buffers.kept() == 0
    other = buffers.empty(SIZE, np.float32)
    assert address(other) != at
    del view
    assert buffers.kept() == 2**21
    again = buffers.empty((1024, 512), np.float32)  # the size counts, not the shape
    assert address(again) == at
    assert buffers.kept() == 0
    again[...] = 1
    assert other.flags.carray
    assert again.flags.writeable


def test_small_arrays_are_numpys_own():
    x = buffers.empty((10, 10), np.float64)
    del x
    assert buffers.kept() == 0


def test_two_outputs_of_128_mib_and_what_belongs_to_them_are_kept():
    arrays = [buffers.empty(shape, np.float32) for shape in ((2**15, 1024), (2**15, 1024), (5, 2**16))]
    size = sum(x.nbytes for x in arrays)
    del arrays
    assert buffers.kept() == size


def test_memory_begins_with_a_page():
    """So that each of its rows can be written past the cache, if they are whole pieces."""
    assert all(address(buffers.empty((n, 1024), np.float32)) % buffers.PAGE == 0 for n in range(256, 264))


def test_what_is_kept_makes_room_for_other_sizes(monkeypatch):
    monkeypatch.setattr(buffers, "KEPT", 5 * 2**20)
    arrays = [buffers.empty(SIZE, np.float32) for _ in range(2)]
    del arrays
    assert buffers.kept() == 4 * 2**20
    other = buffers.empty((600, 1024), np.float32)
    size = other.nbytes
    del other
    assert buffers.kept() == size  # a batch of another length may come again, those of before may not
    larger = buffers.empty((2048, 1024), np.float32)
    del larger
    assert buffers.kept() == 0


def test_outputs_that_live_are_never_overwritten():
    layer = tn.nn.LayerNorm(1024)
    with use("numba"):
        xs = [tn.randn(512, 1024, requires_grad=True) for _ in range(3)]
        ys = [layer(x) for x in xs]
        copies = [y.detach().numpy().copy() for y in ys]
        for y in ys:
            y.square().sum().backward()
        for _ in range(5):
            layer(xs[0]).sum().backward()
        assert all(np.array_equal(y.detach().numpy(), copy) for y, copy in zip(ys, copies, strict=True))
        grads = [x.grad.numpy().copy() for x in xs[1:]]
        layer(tn.randn(512, 1024))
        assert all(np.array_equal(x.grad.numpy(), g) for x, g in zip(xs[1:], grads, strict=True))


def test_a_step_finds_the_memory_of_the_one_before():
    layer, x = tn.nn.LayerNorm(1024), tn.randn(512, 1024, requires_grad=True)
    with use("numba"):
        seen = set()
        for _ in range(4):
            y = layer(x)
            y.backward(y.detach())
            seen |= {address(y.array), address(x.grad.array)}
            x.grad = None
            del y
    assert len(seen) == 2


def test_an_array_can_be_pickled_and_handed_on():
    x = buffers.empty(SIZE, np.float32)
    x[...] = 3
    t = tn.from_numpy(x)
    assert t.clone().sum() == 3 * x.size
    assert np.from_dlpack(t)[0, 0] == 3
