"""argmax and argmin: without dim the index is the flattened tensor's, and keepdim keeps every dimension, with length 1."""

import numpy as np
import pytest

import tinynorm as tn


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (3, 1, 4), (2, 2, 2, 2)])
def test_without_dim_keepdim_keeps_every_dimension(name, shape, device):
    array = np.random.default_rng(3).permutation(int(np.prod(shape))).reshape(shape) + 0.5
    expected = int(getattr(np, name)(array))
    x = tn.tensor(array, device=device)
    for kept in (getattr(x, name)(keepdim=True), getattr(tn, name)(x, None, True), getattr(x, name)(keepdims=True)):
        assert kept.shape == (1,) * len(shape)  # what PyTorch 2.13.0 gives
        assert (kept.item(), kept.dtype) == (expected, tn.int64)
    flat = getattr(x, name)()
    assert (flat.shape, flat.item()) == ((), expected)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_along_a_dim_keepdim_keeps_that_one(name, device):
    array = np.random.default_rng(4).standard_normal((3, 4, 2))
    x = tn.tensor(array, device=device)
    for dim in (0, 1, 2, -1, -3):
        expected = getattr(np, name)(array, axis=dim)
        assert getattr(x, name)(dim).tolist() == expected.tolist()
        assert getattr(x, name)(dim, keepdim=True).tolist() == np.expand_dims(expected, dim).tolist()


def test_the_first_of_equals_wins(device):
    x = tn.tensor([[2.0, 7.0, 7.0], [7.0, 2.0, 2.0]], device=device)
    assert (x.argmax().item(), x.argmin().item()) == (1, 0)
    assert (x.argmax(1).tolist(), x.argmin(1, keepdim=True).tolist()) == ([1, 0], [[0], [1]])
