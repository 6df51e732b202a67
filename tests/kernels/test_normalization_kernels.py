"""The kernels of the normalisation layers compute what the formula computes, forward and back."""

import numpy as np
import pytest
from helpers import examples, some
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.gradcheck import check_function, check_second
from tinynorm.kernels import use
from tinynorm.nn import functional as F
from tinynorm.ops.normalization_node import LEAST

RTOL = {"float32": 4e-6, "float64": 1e-13}


KINDS = ["layer_norm", "rms_norm", "group_norm", "batch_norm", "batch_norm, positions", "instance_norm"]
EVAL = ["batch_norm, eval", "batch_norm, positions, eval"]


def evaluated(x, w, b):
    """BatchNorm by constants, which have few digits: they are the same numbers in each dtype."""
    c = tn.arange(x.shape[1]).to(x.dtype)
    return F.batch_norm(x, c % 7 / 4, c % 5 / 4 + 0.25, w, b)


def layer(kind, rows, groups, width):
    """(the function, the shape of x, the shape of γ)."""
    if kind in EVAL:
        return evaluated, *layer(kind.removesuffix(", eval"), rows, groups, width)[1:]
    if kind == "batch_norm":
        return lambda x, w, b: F.batch_norm(x, None, None, w, b, True), (rows * 3, width), (width,)
    if kind == "batch_norm, positions":
        return lambda x, w, b: F.batch_norm(x, None, None, w, b, True), (rows, groups, width), (groups,)
    if kind == "instance_norm":
        return lambda x, w, b: F.instance_norm(x, None, None, w, b), (rows, groups, width), (groups,)
    if kind == "group_norm":
        shape = (rows, groups * 2, width)
        return lambda x, w, b: F.group_norm(x, groups, w, b), shape, (groups * 2,)
    if kind == "rms_norm":
        return lambda x, w, b: F.rms_norm(x, (width,), w, 1e-5), (rows, groups, width), (width,)
    return lambda x, w, b: F.layer_norm(x, (groups, width), w, b), (rows, groups, width), (groups, width)


def run(choice, f, x, w, b, dy, dtype):
    """The output and the gradients, as float64."""
    with use(choice):
        tensors = [None if a is None else tn.tensor(a.astype(dtype), requires_grad=True) for a in (x, w, b)]
        y = f(*tensors)
        y.backward(tn.tensor(dy.astype(dtype)))
        return y.grad_fn, [a.detach().numpy().astype(float) for a in (y, *(t.grad for t in tensors if t is not None))]


def by_kernel(node):
    return node.statistics is not None


@examples(60, 2000)
def test_a_kernel_equals_its_formula(examples):
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(
        st.sampled_from(KINDS + EVAL), st.integers(1, 9), st.integers(1, 5), st.integers(2, 70),
        st.sampled_from(["float32", "float64"]), st.sampled_from([0.0, 1.0, -1e4, 1e6]), st.booleans(),
        st.integers(0, 2**32 - 1),
    )  # fmt: skip
    def check(kind, rows, groups, width, dtype, offset, affine, seed):
        kernel_equals_formula(kind, rows, groups, width, dtype, offset, affine, seed)

    check()


def kernel_equals_formula(kind, rows, groups, width, dtype, offset, affine, seed):
    rng = np.random.default_rng(seed)
    f, shape, of_gamma = layer(kind, rows, groups, width)
    x = rng.normal(size=shape).astype(dtype) + np.asarray(offset, dtype)
    w, b = (rng.normal(size=of_gamma), rng.normal(size=of_gamma)) if affine else (None, None)
    b = None if kind == "rms_norm" else b
    dy = rng.normal(size=shape)
    node, found = run("numba", f, x, w, b, dy, dtype)
    _, exact = run("numpy", f, x, w, b, dy.astype(dtype), "float64")
    _, formula = run("numpy", f, x, w, b, dy, dtype)
    of_one = {"layer_norm": groups * width, "group_norm": 2 * width}.get(kind, width)  # so many numbers a row or a slab has
    assert by_kernel(node) is (of_one >= LEAST or kind.startswith("batch_norm"))
    for a, e, g in zip(found, exact, formula, strict=True):
        allowed = RTOL[dtype] * max(np.abs(e).max(), np.abs(dy).max())
        assert np.abs(a - e).max() <= max(allowed, 2 * np.abs(g - e).max())


@pytest.mark.parametrize("kind", some(KINDS + EVAL, 6))
def test_gradients_and_second_derivatives_with_kernels(kind):
    f, shape, of_gamma = layer(kind, 3, 2, LEAST)
    rng = np.random.default_rng(1)
    inputs = [tn.tensor(rng.normal(size=s), requires_grad=True) for s in (shape, of_gamma, of_gamma)]
    inputs = inputs[:2] if kind == "rms_norm" else inputs
    g = (lambda x, w: f(x, w, None)) if kind == "rms_norm" else f
    with use("numba"):
        assert by_kernel(g(*inputs).grad_fn)
        assert check_function(g, inputs)
        assert check_second(g, inputs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e6])
def test_equal_numbers_give_beta(dtype, value):
    for n in (3, 100, 4097, 10_000):
        x = tn.tensor(np.full((2, 3, n), value, dtype))
        one = tn.ones(3, dtype=getattr(tn, dtype))
        with use("numba"):
            rows = F.layer_norm(x, (n,), None, tn.ones(n, dtype=x.dtype))
            slabs = F.batch_norm(x, None, None, None, one, True), F.instance_norm(x, None, None, None, one)
            columns = F.batch_norm(x.reshape(2, -1).T.contiguous(), None, None, None, one[:2], True)
        for y in (rows, *slabs, columns):
            assert (y == 1).all(), (n, float((y - 1).abs().max()))


def test_nan_and_inf_stay_in_their_row():
    x = np.random.default_rng(0).normal(size=(4, 600)).astype(np.float32)
    x[1, 5], x[2, 7] = np.nan, np.inf
    with use("numba"):
        y = F.layer_norm(tn.tensor(x), (600,)).numpy()
    assert np.isfinite(y[[0, 3]]).all()
    assert np.isnan(y[[1, 2]]).all()


def test_by_constants_nan_and_inf_stay_in_their_place():
    """The gradient of x does not depend on x."""
    x = np.random.default_rng(0).normal(size=(40, 6, 20)).astype(np.float32)
    x[1, 5, 3], x[2, 4, 3], x[3, 3, 3] = np.nan, np.inf, -np.inf
    for a in (x, x[:, :, 3]):
        one = np.ones(6)
        found = [run(choice, evaluated, a, one, one, np.ones(a.shape), "float32") for choice in ("numba", "numpy")]
        assert by_kernel(found[0][0])
        for b, c in zip(found[0][1], found[1][1], strict=True):
            np.testing.assert_allclose(b, c, rtol=2e-6, atol=1e-6)
        assert np.isfinite(found[0][1][1]).all()


@pytest.mark.parametrize("var", [0.0, -1.0, 1e38, np.nan])
def test_constants_out_of_range_go_by_the_formula(var):
    x, mean, var = tn.randn(40, 30), tn.zeros(30), tn.full((30,), var)
    found = []
    for choice in ("numba", "numpy"):
        with use(choice):
            y = F.batch_norm(x.requires_grad_(), mean, var, eps=0.0)
        found.append(y.detach().numpy().tobytes())
        assert not by_kernel(y.grad_fn)
    assert found[0] == found[1]


@pytest.mark.parametrize("shape", [(40, 6), (4, 6, 20)])
def test_gradients_are_those_of_the_constants_that_there_were(shape):
    """Between the passes a batch in training changes the running statistics in place."""
    found = []
    for trains in (False, True):
        norm, rng = tn.nn.BatchNorm1d(6).eval(), np.random.default_rng(0)
        x = tn.tensor(rng.normal(size=shape).astype(np.float32), requires_grad=True)
        with use("numba"):
            y = norm(x)
            assert by_kernel(y.grad_fn)
            if trains:
                norm.train()(x.detach() * 100)
            for again in (False, True):
                grads = tn.autograd.grad((y**2).sum(), (x, norm.weight), create_graph=again, retain_graph=True)
                found.append([g.detach().numpy().tobytes() for g in grads])
    assert found[:2] == found[2:]


@pytest.mark.parametrize("shape", [(40, 6), (4, 6, 20)])
def test_a_captured_step_takes_the_constants_that_there_are(shape):
    norm = tn.nn.BatchNorm1d(6).eval()
    captured, found = tn.capture(tn.no_grad(norm.forward)), []
    with use("numba"), tn.no_grad():
        for _ in range(6):
            x = tn.randn(*shape)
            norm.running_mean.add_(1)
            norm.running_var.mul_(2)
            found.append(captured(x).numpy().tobytes() == norm(x).numpy().tobytes())
    assert captured.replays
    assert all(found)


@pytest.mark.parametrize("scale", [1e25, 1e-25])
def test_squares_out_of_range_go_by_the_formula(scale):
    x = (np.random.default_rng(0).normal(size=(4, 600)) * scale).astype(np.float32)
    found = [run(choice, lambda x, w, b: F.layer_norm(x, (600,), eps=0.0), x, None, None, x * 0 + 1, "float32")
             for choice in ("numba", "numpy")]  # fmt: skip
    assert not by_kernel(found[0][0])
    for a, b in zip(found[0][1], found[1][1], strict=True):
        assert np.array_equal(a, b)


def test_sums_over_many_rows_and_long_rows_keep_their_digits():
    """Equal numbers are the worst case: all rounding errors of a sum may have one sign."""
    for shape in ((200_000, LEAST), (LEAST, 200_000)):
        x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        t, w, b = tn.tensor(x), tn.ones(shape[1], requires_grad=True), tn.zeros(shape[1], requires_grad=True)
        with use("numba"):
            F.layer_norm(t, shape[1:], w, b).backward(tn.full(shape, 0.1))
        assert np.abs(b.grad.numpy() / (shape[0] * np.float64(np.float32(0.1))) - 1).max() < 1e-6
        c = x.astype(float) - x.astype(float).mean(1, keepdims=True)
        exact = (c / np.sqrt((c * c).mean(1, keepdims=True) + 1e-5)).sum(0) * 0.1
        assert np.abs(w.grad.numpy() - exact).max() < 2e-6 * shape[0] * 0.1


def test_a_large_mean_is_not_lost():
    """With one float32 for a mean of 1e4, y would be wrong by 1e-4."""
    x = (np.random.default_rng(0).normal(size=(8, 1000)) + 1e4).astype(np.float32)
    c = x.astype(float) - x.astype(float).mean(1, keepdims=True)
    exact = c / np.sqrt((c * c).mean(1, keepdims=True) + 1e-5)
    with use("numba"):
        found = [
            F.layer_norm(tn.tensor(x), (1000,)),
            F.batch_norm(tn.tensor(x.T.copy()), None, None, None, None, True).T,
            F.batch_norm(tn.tensor(x.reshape(8, 10, 100).swapaxes(0, 1).copy()), None, None, None, None, True).transpose(0, 1),
            F.instance_norm(tn.tensor(x[None])),
        ]
    for y in found:
        assert np.abs(y.numpy().reshape(8, 1000) - exact).max() < 1e-6


@pytest.mark.parametrize("of_dy", [0.0, 1e3])
@pytest.mark.parametrize("kind", KINDS + EVAL)
def test_a_large_mean_is_not_lost_in_the_gradients(kind, of_dy):
    """Neither x's nor, where a group has one γ, dy's: Σ x̂ = 0, so dγ does not depend on it (but by constants it does)."""
    f, shape, of_gamma = layer(kind, 40, 4, 50)
    rng = np.random.default_rng(0)
    x, dy, w, b = (rng.normal(size=s).astype(np.float32) for s in (shape, shape, of_gamma, of_gamma))
    b, x = (None, x) if kind == "rms_norm" else (b, x + np.float32(1e4))
    dy += np.float32(of_dy if kind in ("batch_norm", "batch_norm, positions", "instance_norm") else 0)
    _, (_, *found) = run("numba", f, x, w, b, dy, "float32")
    _, (_, *exact) = run("numpy", f, x, w, b, dy, "float64")
    largest = np.abs(dy - dy.mean()).max()
    for a, e, by_mean in zip(found, exact, (1, 0, 1), strict=False):
        assert np.abs(a - e).max() < 3e-6 * max(np.abs(e).max(), largest) + 1e-7 * by_mean * of_dy * np.abs(w).max()


def test_first_numbers_far_from_the_others():
    """The moments are taken about the mean of the first numbers. Where that is far from the mean, the variance would cancel."""
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(size=(200_000, 6)).astype(np.float32) for _ in range(2))
    x[:600] += 1e4
    dy[:600] += 1e3
    c = x.astype(float) - x.astype(float).mean(0)
    exact = c / np.sqrt((c * c).mean(0) + 1e-5)
    with use("numba"):
        y = F.layer_norm(tn.tensor(x.T.copy()), (200_000,))
    assert np.abs(y.numpy().T - exact).max() < 1e-6 * np.abs(exact).max()
    for shape, as_seen in ((x.shape, x), ((1, 6, 200_000), x.T)):
        t, w = tn.tensor(as_seen.reshape(shape), requires_grad=True), tn.ones(6, requires_grad=True)
        with use("numba"):
            y = F.batch_norm(t, None, None, w, None, True)
            y.backward(tn.tensor((dy if as_seen is x else dy.T).reshape(shape)))
        found = y.detach().numpy().reshape(as_seen.shape)
        assert np.abs((found if as_seen is x else found.T) - exact).max() < 1e-6 * np.abs(exact).max()
        np.testing.assert_allclose(w.grad.numpy(), (dy * exact).sum(0), rtol=1e-6)


def batch_norm(x):
    return F.batch_norm(x, None, None, None, None, True)


@pytest.mark.parametrize("odd", some([False, True], 2))
def test_large_outputs_are_written_past_the_cache_with_the_same_bits(odd):
    """A part of the work is not large: it has the same groups."""
    rng = np.random.default_rng(0)
    for shape, part, *functions in (
        ((400, 13_200 + odd), (slice(9), slice(None)), lambda x: F.layer_norm(x, x.shape[1:])),
        ((4, 40, 36_000 + odd), (slice(None), slice(3)), batch_norm, lambda x: evaluated(x, None, None)),
        ((4, 40, 36_000 + odd), (slice(2), slice(None)), lambda x: F.group_norm(x, 8)),
        ((4001, 1600 + odd), (slice(None), slice(300)), batch_norm, lambda x: evaluated(x, None, None)),
    ):
        x, dy = (rng.normal(size=shape).astype(np.float32) for _ in "xg")
        for f in functions:
            found = []
            for a, g in ((x, dy), (x[part].copy(), dy[part].copy())):
                t = tn.tensor(a, requires_grad=True)
                with use("numba"):
                    y = f(t)
                    y.backward(tn.tensor(g))
                found.append([y.detach().numpy()[part].tobytes(), t.grad.numpy()[part].tobytes()])
            assert found[0] == found[1]


def test_running_statistics_are_the_formulas():
    for norm, shape in ((tn.nn.BatchNorm1d, (40, 6)), (tn.nn.BatchNorm1d, (4, 6, 30)), (tn.nn.InstanceNorm1d, (4, 6, 30))):
        x, states = tn.tensor(np.random.default_rng(0).normal(3, 2, shape).astype(np.float32)), []
        for choice in ("numba", "numpy"):
            layer = norm(6, track_running_stats=True)
            with use(choice):
                layer(x)
            states.append(layer.state_dict())
        for name, t in states[0].items():
            np.testing.assert_allclose(t.numpy(), states[1][name].numpy(), rtol=1e-6)


def test_odd_layouts_and_dtypes_go_by_the_formula():
    x = np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32)
    locked = x.copy()
    locked.flags.writeable = False
    with use("numba"):
        for odd in (np.asfortranarray(x), x[:, ::-1], locked, x.astype(">f4"), x.astype(np.float16)):
            t = tn.from_numpy(odd) if odd.flags.writeable else tn.as_tensor(odd)
            node = F.layer_norm(t.requires_grad_(), (30,)).grad_fn
            assert not by_kernel(node) or t.array.flags.carray


def test_a_gradient_of_another_layout_is_taken():
    x = tn.tensor(np.random.default_rng(0).normal(size=(20, 30)), requires_grad=True)
    grads = []
    for choice in ("numba", "numpy"):
        x.grad = None
        with use(choice):
            y = F.layer_norm(x, (30,))
        (y.T * tn.arange(20.0, dtype=tn.float64)).sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(*grads, atol=1e-12)


def test_what_is_saved_for_backward_is_still_watched():
    x = tn.randn(20, 30, requires_grad=True) * 1
    with use("numba"):
        y = F.layer_norm(x, (30,))
    x.mul_(2)
    with pytest.raises(RuntimeError, match="mul_ then changed it in place"):
        y.sum().backward()


def test_gamma_that_repeats_along_positions_is_an_array_of_its_own():
    """GroupNorm with a channel a group. γ with a stride of 0 would make a slow loop, and sums of thousands in a row."""
    x = tn.tensor(np.random.default_rng(0).normal(size=(2, 8, 128, 128)).astype(np.float32), requires_grad=True)
    w, b = tn.ones(8, requires_grad=True), tn.zeros(8, requires_grad=True)
    with use("numba"):
        F.group_norm(x, 8, w, b).backward(tn.full(x.shape, 0.1))
    assert x.grad.abs().max() < 2e-6 * 0.1  # exactly 0, but for rounding


def test_few_positions_have_a_kernel_where_a_group_is_a_slab_of_each_sample():
    with use("numba"):
        for shape in ((40, 30, 1), (40, 30, 1, 1), (40, 30, 4), (40, 30, LEAST)):
            x = tn.randn(*shape).requires_grad_()
            for f in (batch_norm, lambda x: evaluated(x, None, None)):
                assert by_kernel(f(x).grad_fn)
            if shape[2] > 1:
                assert by_kernel(F.instance_norm(x).grad_fn) is (shape[2] >= LEAST)


@pytest.mark.parametrize("shape", [(20_000, 16), (5_000, 4, 16), (3, 4, 5_000)])
@pytest.mark.parametrize("rest", [0.0, 1.0])
def test_first_gradients_that_are_not_like_the_others(shape, rest):
    """As behind a mask. The kernels sum about the mean of the first ones, and again if that is not near the mean of all."""
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=shape).astype("f"), rng.random(shape).astype("f") + 0.1
    factor = np.full_like(dy, rest)
    first = (slice(0, 1 if shape[0] == 3 else 16), slice(None), slice(0, 512))[: len(shape)]
    factor[first] = 1000
    dy *= factor
    found = []
    for choice, dtype in (("numba", "f"), ("numpy", "d")):
        t, w, b = (tn.tensor(a.astype(dtype), requires_grad=True) for a in (x, np.ones(shape[1]), np.zeros(shape[1])))
        with use(choice):
            y = tn.nn.functional.batch_norm(t, None, None, w, b, training=True)
            found.append([g.numpy() for g in tn.autograd.grad(y, (t, w, b), tn.tensor(dy.astype(dtype)))])
    for a, c in zip(*found, strict=True):
        np.testing.assert_allclose(a, c, rtol=0, atol=2e-6 * abs(c).max())


@pytest.mark.parametrize("relu", [False, True])
def test_the_gradient_of_one_number_alone_is_zero(relu):
    """Its mean is it itself, whatever it is multiplied by before."""
    rng = np.random.default_rng(0)
    norm = tn.nn.LayerNorm(1)
    norm.weight.data, norm.bias.data = tn.tensor([0.7]), tn.tensor([0.3])
    x = tn.tensor(rng.normal(size=(48, 1)).astype(np.float32), requires_grad=True)
    with use("numba"):
        y = tn.nn.Sequential(norm, *[tn.nn.ReLU()] * relu)(x)
        y.backward(tn.tensor(rng.normal(size=y.shape).astype(np.float32) * 1000))
    assert (x.grad == 0).all()
