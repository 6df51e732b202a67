"""sort, argsort and topk: order, ties, NaN, gradients, edges."""

import numpy as np
import pytest

import tinynorm as tn

NAN = float("nan")


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_values_are_numpys_and_the_indices_lead_to_them(dim, descending, device):
    a = np.random.default_rng(0).integers(0, 4, (5, 3, 6)).astype("f4")
    values, indices = tn.tensor(a, device=device).sort(dim=dim, descending=descending)
    expected = np.sort(a, axis=dim)
    np.testing.assert_array_equal(values.cpu().numpy(), np.flip(expected, dim) if descending else expected)
    at = indices.cpu().numpy()
    assert at.dtype == np.int64
    np.testing.assert_array_equal(np.take_along_axis(a, at, dim), values.cpu().numpy())
    equal = np.diff(values.cpu().numpy(), axis=dim) == 0
    assert equal.any()
    assert (np.diff(at, axis=dim)[equal] > 0).all()  # equal elements keep their order, both ways


def test_nan_is_the_largest_number(anywhere):
    x = tn.tensor([1.0, NAN, 3.0, NAN], device=anywhere)
    assert x.argsort().tolist() == [0, 2, 1, 3]
    assert x.argsort(descending=True).tolist() == [1, 3, 2, 0]
    assert x.topk(3).indices.tolist() == [1, 3, 2]
    assert x.topk(2, largest=False).values.tolist() == [1.0, 3.0]


def test_a_gradient_goes_to_the_place_that_the_value_came_from(anywhere):
    x = tn.tensor([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]], device=anywhere, requires_grad=True)
    weights = tn.tensor([1.0, 10.0, 100.0], device=anywhere)
    (x.sort(dim=1).values * weights).sum().backward()
    assert x.grad.tolist() == [[100.0, 1.0, 10.0], [1.0, 100.0, 10.0]]
    x.grad = None
    x.topk(1, dim=0).values.sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    assert not x.sort().indices.requires_grad


def test_both_are_named_pairs():
    x = tn.tensor([3, 1, 2])
    for pair in (x.sort(), x.topk(3, largest=False), tn.sort(x, axis=0), tn.topk(x, 3, axis=0, largest=False)):
        values, indices = pair
        assert (values.tolist(), indices.tolist()) == ([1, 2, 3], [1, 2, 0])
        assert pair.values is values
        assert pair.indices is indices
    assert repr(x.sort()).startswith("torch.return_types.sort(")


def test_edges():
    assert tn.zeros(0, 2).sort(0).values.shape == (0, 2)
    assert tn.tensor([2, 1]).topk(0).values.tolist() == []
    for k in (3, -1):
        with pytest.raises(RuntimeError, match=rf"topk: expected k from 0 to 2, the size of dimension 0, got {k}"):
            tn.tensor([2, 1]).topk(k)
    with pytest.raises(IndexError, match="sort: dim 1 is out of range"):
        tn.tensor([2, 1]).sort(1)
