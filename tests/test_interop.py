"""Tensors among NumPy's arrays: its functions are recorded, its arrays shared."""

import numpy as np
import pytest

import tinynorm
from tinynorm import interop, no_grad
from tinynorm.autograd import Function, grad

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 2.0, (2, 3))
Y = RNG.uniform(0.5, 2.0, (2, 3))


def leaf(array, **kwargs):
    return tinynorm.tensor(array, requires_grad=True, **kwargs)


def slope(f, x, h=1e-6):
    """The gradient of f, a function to a number, by central differences."""
    g = np.zeros_like(x)
    for i in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[i] = h
        g[i] = (f(x + step) - f(x - step)) / (2 * h)
    return g


# ---- ufuncs ----------------------------------------------------------------------------------------------------------

SMOOTH = [np.absolute, np.exp, np.log, np.negative, np.positive, np.reciprocal, np.rint, np.sign, np.sqrt, np.square, np.tanh]
SMOOTH += [np.ceil, np.cos, np.floor, np.log10, np.log1p, np.log2, np.sin]
SMOOTH += [np.arctan, np.cosh, np.expm1, np.sinh, np.tan, np.trunc]
WITHIN_1 = [np.arccos, np.arcsin]
SMOOTH_2 = [np.add, np.divide, np.maximum, np.minimum, np.multiply, np.power, np.remainder, np.subtract]
SMOOTH_2 += [np.arctan2, np.fmod, np.hypot]
STEPS = [np.isfinite, np.isinf, np.isnan, np.logical_not]
STEPS_2 = [np.equal, np.floor_divide, np.greater, np.greater_equal, np.less, np.less_equal, np.not_equal]
STEPS_2 += [np.logical_and, np.logical_or, np.logical_xor]
BOOLEAN = [np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert]


def test_the_tests_below_cover_the_table():
    assert {f.__name__ for f in SMOOTH + WITHIN_1 + SMOOTH_2 + STEPS + STEPS_2 + BOOLEAN + [np.matmul]} == set(interop.UFUNCS)


@pytest.mark.parametrize("f", SMOOTH + WITHIN_1, ids=lambda f: f.__name__)
def test_a_unary_ufunc_has_numpys_value_and_is_recorded(f):
    a = X / 4 if f in WITHIN_1 else X
    x = leaf(a)
    y = f(x)
    np.testing.assert_allclose(y.detach().numpy(), f(a), rtol=1e-12)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slope(lambda a: f(a).sum(), a), atol=1e-6)


@pytest.mark.parametrize("f", SMOOTH_2, ids=lambda f: f.__name__)
@pytest.mark.parametrize("tensors", ["first", "second", "both"])
def test_a_binary_ufunc_is_recorded_with_the_tensor_on_either_side(f, tensors):
    a = leaf(X) if tensors != "second" else X
    b = leaf(Y) if tensors != "first" else Y
    y = f(a, b)
    np.testing.assert_allclose(y.detach().numpy(), f(X, Y), rtol=1e-12)
    y.sum().backward()
    if a is not X:
        np.testing.assert_allclose(a.grad.numpy(), slope(lambda x: f(x, Y).sum(), X), atol=1e-6)
    if b is not Y:
        np.testing.assert_allclose(b.grad.numpy(), slope(lambda y: f(X, y).sum(), Y), atol=1e-6)


@pytest.mark.parametrize("f", STEPS + STEPS_2, ids=lambda f: f.__name__)
def test_a_ufunc_without_gradient_has_numpys_value(f):
    y = f(leaf(X)) if f in STEPS else f(X.round(), leaf(Y).round())
    assert isinstance(y, tinynorm.Tensor)
    assert not y.requires_grad
    np.testing.assert_array_equal(y.numpy(), f(X) if f in STEPS else f(X.round(), Y.round()))


def test_integers_are_inverted_bit_by_bit():
    np.testing.assert_array_equal(np.invert(tinynorm.tensor([0, 1, 2])).numpy(), [-1, -2, -3])


@pytest.mark.parametrize("f", BOOLEAN, ids=lambda f: f.__name__)
def test_boolean_ufuncs_have_numpys_value(f):
    a, b = X > 1, Y > 1
    y = f(tinynorm.tensor(a)) if f is np.invert else f(a, tinynorm.tensor(b))
    assert isinstance(y, tinynorm.Tensor)
    np.testing.assert_array_equal(y.numpy(), f(a) if f is np.invert else f(a, b))


@pytest.mark.parametrize(
    "f",
    [lambda a, t: a + t, lambda a, t: a - t, lambda a, t: a * t, lambda a, t: a / t, lambda a, t: a**t, lambda a, t: a @ t.T],
    ids=["+", "-", "*", "/", "**", "@"],
)
def test_an_arrays_operators_are_recorded(f):
    t = leaf(Y)
    y = f(X, t)
    assert isinstance(y, tinynorm.Tensor)
    np.testing.assert_allclose(y.detach().numpy(), f(X, Y), rtol=1e-12)
    y.sum().backward()
    np.testing.assert_allclose(t.grad.numpy(), slope(lambda b: f(X, b).sum(), Y), atol=1e-6)


def test_an_arrays_comparison_gives_a_tensor():
    array, t = Y, leaf(X)
    assert isinstance(array > t, tinynorm.Tensor)
    assert (array > t).tolist() == (Y > X).tolist()


def test_a_numpy_number_does_not_change_the_dtype(device):
    t = leaf(X, dtype="float32", device=device)
    for y in (np.float64(2) * t, t * np.float64(2), np.multiply(np.float64(2), t), np.exp(t), np.maximum(t, 0.0)):
        assert (y.dtype, y.device.type, y.requires_grad) == (np.float32, device, True)


# ---- what has no op --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: np.arctanh(t), r"np\.arctanh: tinynorm has no op for it; use .*t\.detach\(\)\.numpy\(\)"),
        (lambda t: np.heaviside(1.0, t), r"np\.heaviside: tinynorm has no op"),
        (lambda t: np.add.reduce(t), r"np\.add\.reduce: tinynorm has no op"),
        (lambda t: np.multiply.outer(t, t), r"np\.multiply\.outer"),
        (lambda t: np.exp(t, dtype="float64"), r"np\.exp: on Tensors it takes no dtype="),
        (lambda t: np.exp(t, where=np.array(True)), "no where="),
        (lambda t: np.exp(np.ones(3), out=t.detach()), r"expected out= to be an array, got a Tensor; use .* in-place method"),
    ],
)
def test_a_ufunc_without_an_op_says_what_to_use(call, says):
    with pytest.raises(TypeError, match=says):
        call(leaf(X))


@pytest.mark.parametrize("call", [np.cumsum, lambda t: np.vstack([t, t]), lambda t: np.sum(t, where=np.array(True))])
def test_a_function_without_an_op_refuses_to_lose_a_gradient(call):
    with pytest.raises(TypeError, match=r"requires grad.*t\.detach\(\)\.numpy\(\)"):
        call(leaf(X))


def test_the_error_shows_the_arguments_that_tensors_take():
    with pytest.raises(TypeError, match=r"np\.var on Tensors takes \(a, axis=None, \*, ddof=0, keepdims=False\)"):
        np.var(leaf(X), where=True)


def test_a_function_without_an_op_works_on_what_needs_no_gradient():
    t = tinynorm.tensor(X)
    np.testing.assert_array_equal(np.cumsum(t), np.cumsum(X))
    assert np.array_equal(t, X)
    assert np.allclose(X, t)
    np.testing.assert_array_equal(np.histogram(t, bins=3)[0], np.histogram(X, bins=3)[0])
    assert np.sum(t, where=X > 1) == np.sum(X, where=X > 1)
    assert np.linalg.norm(t) == np.linalg.norm(X)


# ---- writing into arrays ---------------------------------------------------------------------------------------------


def test_an_array_is_updated_in_place_by_a_gradient():
    p = leaf(X, dtype="float32")
    (p * p).sum().backward()
    data = p.array
    p.array -= 0.5 * p.grad
    assert p.array is data
    np.testing.assert_allclose(p.detach().numpy(), np.zeros_like(X), atol=1e-6)


def test_an_array_on_the_gpu_is_updated_by_an_array(gpu):
    """In place, CuPy asks no other type. (If a Tensor showed CuPy its memory, ``array * tensor`` would swallow it.)"""
    p = leaf(X, dtype="float32", device="cuda")
    (p * p).sum().backward()
    with pytest.raises(TypeError, match="Unsupported type"):
        p.array -= 0.5 * p.grad
    p.array -= 0.5 * p.grad.array
    np.testing.assert_allclose(p.detach().cpu().numpy(), np.zeros_like(X), atol=1e-6)
    assert (p.array * p).requires_grad


def test_out_is_written_and_returned():
    out = np.empty((2, 3))
    assert np.multiply(tinynorm.tensor(X), Y, out=out) is out
    np.testing.assert_array_equal(out, X * Y)
    np.add(out, 1, out=out, where=tinynorm.tensor(X > 1))
    np.testing.assert_array_equal(out, np.where(X > 1, X * Y + 1, X * Y))


def test_an_array_does_not_swallow_a_gradient():
    a, t = X.copy(), leaf(Y)
    with pytest.raises(RuntimeError, match=r"np\.subtract: an operand requires grad.*\.detach\(\)"):
        a -= t
    np.testing.assert_array_equal(a, X)
    with no_grad():
        a -= t
    np.testing.assert_array_equal(a, X - Y)


# ---- functions -------------------------------------------------------------------------------------------------------

CALLS = {
    "amax": lambda x: np.amax(x, axis=1),
    "amin": lambda x: np.amin(x, 0, keepdims=True),
    "broadcast_to": lambda x: np.broadcast_to(x[0], (4, 3)),
    "clip": lambda x: np.clip(x, 0.8, 1.5),
    "clip with max": lambda x: np.clip(x, min=None, max=1.2),
    "concatenate": lambda x: np.concatenate([x, 2 * x], axis=1),
    "concat": lambda x: np.concat((x, np.ones((1, 3)))),
    "copy": np.copy,
    "dot": lambda x: np.dot(x, x.T),
    "dot with a number": lambda x: np.dot(x, np.float64(3)),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "matrix_transpose": np.matrix_transpose,
    "max": lambda x: np.max(x),
    "mean": lambda x: np.mean(x, 0),
    "min": lambda x: np.min(x, axis=(0, 1)),
    "permute_dims": lambda x: np.permute_dims(x, (1, 0)),
    "ravel": np.ravel,
    "reshape": lambda x: np.reshape(x, (3, -1)),
    "reshape to 1-d": lambda x: np.reshape(x, 6),
    "squeeze": lambda x: np.squeeze(x[None], axis=0),
    "stack": lambda x: np.stack([x, x * x], axis=-1),
    "std": lambda x: np.std(x, axis=1),
    "sum": lambda x: np.sum(x, axis=(0,), keepdims=True),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([[2, 0], [1, 1]]), axis=1),
    "transpose": np.transpose,
    "transpose of three": lambda x: np.transpose(x[None], (2, 0, 1)),
    "var": lambda x: np.var(x, axis=1),
    "var, unbiased": lambda x: np.var(x, ddof=1),
    "where": lambda x: np.where(X > 1, x, x * x),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_function_has_numpys_meaning_and_is_recorded(call):
    x = leaf(X)
    y = call(x)
    assert y.shape == call(X).shape
    np.testing.assert_allclose(y.detach().numpy(), call(X), rtol=1e-12)
    (y * y).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), slope(lambda a: (call(a) ** 2).sum(), X), atol=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.all(x > 1, axis=0),
        lambda x: np.any(x > 1.9),
        lambda x: np.argmax(x, axis=1),
        lambda x: np.argmin(x, 0, keepdims=True),
        lambda x: np.round(x),
        lambda x: np.zeros_like(x),
        lambda x: np.ones_like(x, dtype="int8"),
        lambda x: np.full_like(x, 7),
        lambda x: np.sum(x > 1, dtype="float32"),
    ],
    ids=["all", "any", "argmax", "argmin", "round", "zeros_like", "ones_like", "full_like", "sum"],
)
def test_a_function_without_gradient_has_numpys_meaning(call):
    y, expected = call(leaf(X)), call(X)
    assert isinstance(y, tinynorm.Tensor)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y.detach().numpy(), expected)


MAKES_ARRAYS = {
    "broadcast_to": lambda x: np.broadcast_to(x, (4, 2, 3)),
    "concatenate": lambda x: np.concatenate([x, x]),
    "copy": np.copy,
    "dot": lambda x: np.dot(x, x.T),
    "expand_dims": lambda x: np.expand_dims(x, 0),
    "full_like": lambda x: np.full_like(x, 7),
    "matrix_transpose": np.matrix_transpose,
    "ones_like": np.ones_like,
    "ravel": np.ravel,
    "stack": lambda x: np.stack([x, np.zeros((2, 3))]),
    "where": lambda x: np.where(x > 1, x, 0.0),
    "zeros_like": np.zeros_like,
}


@pytest.mark.parametrize("call", MAKES_ARRAYS.values(), ids=MAKES_ARRAYS)
def test_numpy_makes_arrays_of_tensors_without_gradient_as_of_pytorchs(call):
    y = call(tinynorm.tensor(X))
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(y, call(X))
    assert isinstance(call(leaf(X)), tinynorm.Tensor)  # PyTorch raises an error; here the gradient is kept


def test_the_table_of_what_makes_arrays_is_covered():
    assert {f.__name__ for f in interop.ARRAYS} == set(MAKES_ARRAYS)


def test_shapes_are_told_of_tensors_with_gradient_too():
    x = leaf(X)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)


def test_functions_stay_on_the_device(device):
    x = leaf(X, device=device)
    y = np.sum(np.where(x > 1, np.exp(x), 0.0), axis=0)
    assert y.device.type == device
    y.sum().backward()
    assert x.grad.device.type == device


# ---- a user's backward in NumPy ---------------------------------------------------------------------------------------


class Softplus(Function):
    """Written with NumPy's functions throughout."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.log1p(np.exp(x))

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return np.multiply(dy, np.where(np.isfinite(x), 1 / (1 + np.exp(-x)), np.ones(x.shape)))


def test_a_backward_written_with_numpy_is_differentiable():
    x = leaf(X)
    (dx,) = grad(Softplus.apply(x).sum(), x, create_graph=True)
    (ddx,) = grad(dx.sum(), x)
    s = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(dx.detach().numpy(), s, rtol=1e-12)
    np.testing.assert_allclose(ddx.numpy(), s * (1 - s), rtol=1e-9)


# ---- sharing memory --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [np.asarray, np.from_dlpack, lambda t: t.numpy()], ids=["asarray", "DLPack", "numpy()"])
def test_numpy_sees_a_tensors_memory(share):
    t = tinynorm.zeros(2, 3).T
    a = share(t)
    t.array[1, 1] = 5
    assert a.shape == (3, 2)
    assert a[1, 1] == 5


@pytest.mark.parametrize(
    "share", [tinynorm.from_numpy, tinynorm.from_dlpack, tinynorm.as_tensor], ids=["from_numpy", "DLPack", "as_tensor"]
)
def test_a_tensor_sees_an_arrays_memory(share):
    a = np.zeros((2, 3)).T
    t = share(a)
    a[1, 1] = 5
    assert t.shape == (3, 2)
    assert t[1, 1].item() == 5


def test_dlpack_goes_both_ways_on_each_device(device):
    t = tinynorm.arange(4, device=device)
    again = tinynorm.from_dlpack(t)
    again.zero_()
    assert again.device.type == device
    assert t.tolist() == [0, 0, 0, 0]


def test_np_array_copies_and_converts():
    t = tinynorm.ones(2)
    a = np.array(t, dtype="float64")
    a[0] = 5
    assert (t.tolist(), a.dtype) == ([1, 1], np.float64)


@pytest.mark.parametrize("share", [np.asarray, np.from_dlpack, lambda t: t.numpy()], ids=["asarray", "DLPack", "numpy()"])
def test_handing_on_an_array_does_not_lose_a_gradient(share):
    with pytest.raises((RuntimeError, BufferError), match=r"requires grad.*\.detach\(\)"):
        share(leaf(X))
