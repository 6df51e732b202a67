"""Jacobians, Hessians and products with them: against difference quotients, against each other, and PyTorch's shapes."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.autograd import functional as AF

A = tn.tensor(np.random.default_rng(0).normal(size=(3, 2)))
B = tn.tensor(np.random.default_rng(1).normal(size=(2,)))


def f(a, b):
    return (a @ b).exp(), (a * b).sum(0)


def quotients(f, x, h=1e-6):
    """(*output.shape, *input.shape), by central differences."""
    columns = []
    for k in range(x.size):
        d = np.zeros(x.size)
        d[k] = h
        d = d.reshape(x.shape)
        columns.append((f(tn.tensor(x + d)).detach().numpy() - f(tn.tensor(x - d)).detach().numpy()) / (2 * h))
    return np.stack(columns, -1).reshape(columns[0].shape + x.shape)


def test_a_jacobian_is_what_differences_give():
    J = AF.jacobian(f, (A, B))
    for i in range(2):
        np.testing.assert_allclose(J[i][0].numpy(), quotients(lambda a, i=i: f(a, B)[i], A.numpy()), atol=1e-7)
        np.testing.assert_allclose(J[i][1].numpy(), quotients(lambda b, i=i: f(A, b)[i], B.numpy()), atol=1e-7)


def test_shapes_follow_the_outputs_and_inputs():
    assert AF.jacobian(lambda x: x.sum(), A).shape == (3, 2)
    assert AF.jacobian(lambda x: (x.sum(),), A)[0].shape == (3, 2)
    assert AF.jacobian(lambda x, y: x @ y, (A, B))[1].shape == (3, 2)
    assert AF.hessian(lambda x: x.exp().sum(), A).shape == (3, 2, 3, 2)
    assert AF.jacobian(lambda x: x[:0], B).shape == (0, 2)


def test_a_hessian_is_the_jacobian_of_the_gradient():
    def g(a, b):
        return ((a @ b) ** 3).sum() + b.exp().sum()

    H = AF.hessian(g, (A, B))
    gradient = lambda a, b: AF.vjp(g, (a, b), create_graph=True)[1]  # noqa: E731
    for i in range(2):
        np.testing.assert_allclose(
            H[i][0].numpy(), quotients(lambda a, i=i: gradient(a.requires_grad_(), B)[i], A.numpy()), atol=1e-6
        )
        np.testing.assert_allclose(H[i][1].numpy(), H[1][i].numpy().transpose(1, 2, 0) if i == 0 else H[1][1].numpy().T)


def test_products_are_products_with_the_jacobian():
    x, v, u = A, tn.ones_like(A) * 0.3, tn.tensor([1.0, -2.0, 0.5], dtype=tn.float64)

    def h(x):
        return (x * x).sum(1).exp()

    J = AF.jacobian(h, x)
    y, back = AF.vjp(h, x, u)
    assert tn.allclose(back, (u.reshape(3, 1, 1) * J).sum(0))
    y2, forth = AF.jvp(h, x, v)
    assert tn.allclose(forth, (J * v).sum((1, 2)))
    assert tn.allclose(y, h(x))
    assert tn.allclose(y2, y)
    H = AF.hessian(lambda x: h(x).sum(), x)
    for product in (AF.hvp, AF.vhp):
        loss, Hv = product(lambda x: h(x).sum(), x, v)
        assert tn.allclose(Hv, (H * v).sum((2, 3)))
        assert tn.allclose(loss, h(x).sum())


def test_the_callers_graph_stays_as_it_is():
    x = A.clone().requires_grad_()
    J = AF.jacobian(lambda x: x * x, x)
    assert (x.grad, J.requires_grad) == (None, False)
    J = AF.jacobian(lambda x: x**3, x, create_graph=True)
    J.sum().backward()
    assert tn.allclose(x.grad, 6 * x.detach())
    with tn.no_grad():
        assert AF.jacobian(lambda x: x * 2, B).tolist() == [[2, 0], [0, 2]]


def test_an_input_without_influence_has_zeros_or_with_strict_an_error():
    assert AF.jacobian(lambda a, b: b * 2, (A, B))[0].abs().sum() == 0
    assert AF.jacobian(lambda a: tn.ones(2), B).abs().sum() == 0
    with pytest.raises(RuntimeError, match="expected the outputs to depend on every input"):
        AF.jacobian(lambda a, b: b * 2, (A, B), strict=True)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: AF.jacobian(lambda x: 3, B), "expected the function's result to be a Tensor or a tuple of Tensors, got"),
        (lambda: AF.hessian(lambda x: x, B), r"expected a function with one scalar result, got shapes \[\(2,\)\]"),
        (lambda: AF.vjp(lambda x: x, B), r"expected v in the shapes \[\(2,\)\]; it may be left out of a scalar only"),
        (lambda: AF.jvp(lambda x: x, B, A), r"expected v in the shapes \[\(2,\)\], got \[\(3, 2\)\]"),
    ],
)
def test_errors_say_what_was_expected(call, says):
    with pytest.raises((RuntimeError, TypeError), match=says):
        call()
