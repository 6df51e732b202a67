"""from_arrays: an op of two functions of plain arrays."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.autograd import from_arrays, grad
from tinynorm.gradcheck import check_function, mistakes


def forward(x, gamma, eps=1e-5):
    """LayerNorm without β."""
    assert type(x) is np.ndarray
    c = x - x.mean(1, keepdims=True)
    rstd = 1 / np.sqrt((c * c).mean(1, keepdims=True) + eps)
    return c * rstd * gamma, (c * rstd, rstd, gamma)


def backward(dout, cache):
    x_hat, rstd, gamma = cache
    assert type(dout) is np.ndarray
    g = dout * gamma
    dx = rstd * (g - g.mean(1, keepdims=True) - x_hat * (g * x_hat).mean(1, keepdims=True))
    return dx, (dout * x_hat).sum(0), None


norm = from_arrays(forward, backward)
RNG = np.random.default_rng(0)


def leaves():
    return [tn.tensor(RNG.normal(size=shape), requires_grad=True) for shape in ((4, 3), (3,))]


def test_it_works_in_a_network_and_gives_the_layers_gradients():
    x, gamma = leaves()
    y = norm(x * 2, gamma, 1e-5)
    assert y.grad_fn.op_name == norm.__name__ == "forward"
    expected = tn.nn.functional.layer_norm(x * 2, (3,), gamma)
    dy = tn.tensor(RNG.normal(size=(4, 3)))
    np.testing.assert_allclose(y.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    for found, right in zip(grad(y, [x, gamma], dy), grad(expected, [x, gamma], dy), strict=True):
        np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-9, atol=1e-12)


def test_the_checker_takes_it():
    x, gamma = leaves()
    assert check_function(lambda x, gamma: norm(x, gamma, 1e-5), [x, gamma]).ok
    wrong = from_arrays(forward, lambda dout, cache: (2 * backward(dout, cache)[0], *backward(dout, cache)[1:]))
    assert check_function(lambda x, gamma: wrong(x, gamma, 1e-5), [x, gamma]).ok is False


@pytest.mark.parametrize("m", mistakes.ALL[::12], ids=lambda m: m.name)
def test_the_wrong_pairs_of_the_gallery_are_taken_as_they_are(m):
    inputs = [tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in m.inputs(0)]
    y = from_arrays(m.forward, m.backward)(*inputs)
    ours, cache = m.forward(*m.inputs(0))
    np.testing.assert_array_equal(y.detach().numpy(), ours)
    wanted = [i for i, x in enumerate(inputs) if x.requires_grad]
    expected = m.backward(np.ones_like(ours), cache)
    found = grad(y, [inputs[i] for i in wanted], tn.ones_like(y))
    for i, g in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(g.numpy(), expected[i])


def test_several_outputs_have_a_tuple_of_gradients():
    both = from_arrays(lambda x: ([x * x, x * 3], x), lambda douts, x: [2 * x * douts[0] + 3 * douts[1]])
    x = tn.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    square, triple = both(x)
    (square + triple * 10).sum().backward()
    assert x.grad.tolist() == [32.0, 34.0]


def test_what_does_not_fit_is_named():
    x, gamma = leaves()
    with pytest.raises(TypeError, match=r"forward: expected forward to return the pair \(out, cache\), got ndarray"):
        from_arrays(named(lambda x: x * 2), backward)(x)
    with pytest.raises(RuntimeError, match=r"forward.backward: expected 3 gradients.*got 1"):
        from_arrays(forward, lambda dout, cache: dout)(x, gamma, 1e-5).sum().backward()
    with pytest.raises(RuntimeError, match=r"gradient 1 of 3: expected shape \(3,\).*got \(4, 3\)"):
        from_arrays(forward, lambda dout, cache: (dout, dout, None))(x, gamma, 1e-5).sum().backward()
    with pytest.raises(RuntimeError, match=r"forward: with create_graph=True.*arrays have no history.*Function"):
        grad(norm(x, gamma, 1e-5).sum(), x, create_graph=True)


def named(f):
    f.__name__ = "forward"
    return f


def test_an_input_is_not_written_into():
    def writing(x):
        x += 1
        return x, None

    x = tn.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"writing.forward writes into its input"):
        from_arrays(writing, backward)(x)
    assert x.tolist() == [1.0, 1.0]


def test_on_a_gpu_it_gets_the_gpus_arrays(anywhere):
    kinds = []

    def double(x):
        kinds.append(type(x))
        return x * 2, None

    x = tn.ones(3, device=anywhere, requires_grad=True)
    y = from_arrays(double, lambda dout, cache: (kinds.append(type(dout)), dout * 2)[1])(x)
    y.sum().backward()
    assert kinds == [type(x.array)] * 2
    assert x.grad.tolist() == [2.0, 2.0, 2.0]
