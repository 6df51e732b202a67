"""Linear is one node with one matrix product for each of forward, dX and dW, and none for what needs no gradient."""

import importlib

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

linear_module = importlib.import_module("tinynorm.ops.linear")  # the package has a function of the same name


@pytest.fixture
def products(monkeypatch):
    """Counts the matrix products that `ops.linear` makes."""
    calls = []
    product = linear_module.product
    monkeypatch.setattr(linear_module, "product", lambda a, b: calls.append((a.shape, b.shape)) or product(a, b))
    return calls


@pytest.mark.parametrize(
    ("x_needs", "w_needs", "expected"), [(True, True, 2), (False, True, 1), (True, False, 1), (False, False, 0)]
)
def test_one_product_for_forward_and_one_for_each_gradient_wanted(products, x_needs, w_needs, expected):
    x = tn.randn(3, 4, 5, requires_grad=x_needs)
    W = tn.randn(2, 5, requires_grad=w_needs)
    b = tn.zeros(2, requires_grad=True)
    y = F.linear(x, W, b)
    assert products == [((12, 5), (5, 2))]
    y.sum().backward()
    assert len(products) - 1 == expected


def test_is_one_node_on_leaves():
    x, W, b = tn.randn(3, 5), tn.randn(2, 5, requires_grad=True), tn.zeros(2, requires_grad=True)
    y = F.linear(x, W, b)
    assert y.grad_fn.op_name == "Linear"
    assert y.grad_fn.edges[0] is None
    assert y.grad_fn.edges[1] is W
    assert y.grad_fn.edges[2] is b


@pytest.mark.parametrize("shape", [(5,), (4, 5), (3, 4, 5), (2, 3, 4, 5), (0, 5)])
def test_gradients_are_the_products_they_should_be(shape, device):
    x = tn.randn(*shape, dtype="float64", device=device, requires_grad=True)
    W = tn.randn(2, 5, dtype="float64", device=device, requires_grad=True)
    b = tn.randn(2, dtype="float64", device=device, requires_grad=True)
    g = tn.randn(*shape[:-1], 2, dtype="float64", device=device)
    F.linear(x, W, b).backward(g)
    rows, G = x.detach().cpu().numpy().reshape(-1, 5), g.cpu().numpy().reshape(-1, 2)
    np.testing.assert_allclose(x.grad.cpu().numpy(), (G @ W.detach().cpu().numpy()).reshape(shape), rtol=1e-12)
    np.testing.assert_allclose(W.grad.cpu().numpy(), G.T @ rows, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(b.grad.cpu().numpy(), G.sum(0), rtol=1e-12)


@pytest.mark.parametrize(
    ("x", "W", "b", "words"),
    [
        ((3, 4), (2, 5), None, "x ends in 4, weight takes 5"),
        ((3, 5), (5,), None, "weight \\(out, in\\)"),
        ((3, 5), (2, 5), (3,), "bias \\(3,\\)"),
        ((), (2, 5), None, "x \\(…, in\\)"),
    ],
)
def test_shapes_that_do_not_fit_are_named(x, W, b, words):
    with pytest.raises(RuntimeError, match=words):
        F.linear(tn.zeros(*x), tn.zeros(*W), None if b is None else tn.zeros(*b))


def test_mixed_dtypes_are_refused():
    with pytest.raises(RuntimeError, match="float32 and float64"):
        F.linear(tn.zeros(3, 5), tn.zeros(2, 5, dtype="float64"))


def test_float16_accumulates_in_float32():
    x = tn.ones(1, 4096, dtype="float16")
    W = tn.full((1, 4096), 1.0, dtype="float16")
    assert F.linear(x, W).item() == 4096  # float16 alone would stop growing at 2048


@pytest.mark.parametrize("product", [tn.matmul, tn.mm, lambda a, b: a @ b])
def test_a_product_of_two_dtypes_is_refused_as_in_pytorch(product):
    with pytest.raises(RuntimeError, match="expected two tensors of one dtype, got"):
        product(tn.ones(2, 2, dtype=tn.int64), tn.ones(2, 2))
