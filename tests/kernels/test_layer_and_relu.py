"""A layer and a ReLU that follow each other in a Sequential are one op where there is a kernel, with the bits of two."""

import numpy as np
import pytest
from helpers import examples, some, step_of
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm import nn
from tinynorm.autograd import detect_anomaly
from tinynorm.gradcheck import check_function, check_second
from tinynorm.kernels import use


def evaluating(norm):
    """With running statistics that are not 0 and 1."""
    norm.running_mean.copy_(tn.linspace(-1, 1, norm.num_features))
    norm.running_var.copy_(tn.linspace(0.5, 2, norm.num_features))
    return norm.eval()


LAYERS = {
    "linear": (lambda n: nn.Linear(n, n), lambda r, n: (r, n)),
    "linear, more dimensions": (lambda n: nn.Linear(n, n), lambda r, n: (r, 2, n)),
    "layer norm": (lambda n: nn.LayerNorm(n), lambda r, n: (r, n)),
    "rms norm": (lambda n: nn.RMSNorm(n), lambda r, n: (r, n)),
    "group norm": (lambda n: nn.GroupNorm(2, 2 * n), lambda r, n: (r, 2 * n, 3)),
    "batch norm": (lambda n: nn.BatchNorm1d(n), lambda r, n: (r, n)),
    "batch norm, positions": (lambda n: nn.BatchNorm1d(3), lambda r, n: (r, 3, n)),
    "batch norm, images": (lambda n: nn.BatchNorm2d(3), lambda r, n: (r, 3, 4, n)),
    "trained batch norm": (lambda n: evaluating(nn.BatchNorm1d(n)), lambda r, n: (r, n)),
    "trained batch norm, images": (lambda n: evaluating(nn.BatchNorm2d(3)), lambda r, n: (r, 3, 4, n)),
    "instance norm": (lambda n: nn.InstanceNorm1d(3, affine=True, track_running_stats=True), lambda r, n: (r, 3, n)),
}
apart = nn.Identity


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_linear_layers_bias_is_added_as_the_formula_adds_it(dtype):
    rng, layer = np.random.default_rng(0), nn.Linear(5, 37).to(getattr(tn, dtype))
    x = rng.normal(size=(21, 5)).astype(dtype)
    x[:3] = 0
    x[3, 0], x[4, 1], x[5, 2] = np.nan, np.inf, -np.inf
    with tn.no_grad():
        layer.bias[::2] = -0.0
        y = []
        for choice in ("numba", "numpy"):
            with use(choice):
                y.append(layer(tn.tensor(x)).numpy().tobytes())
    assert y[0] == y[1]


def model_of(kind, n, between=None, dtype="float32"):
    """A Sequential of the two, or of three: then nothing is joined."""
    norm = LAYERS[kind][0](n)
    rng = np.random.default_rng(n)
    for p in norm.parameters():
        p.data = tn.tensor(rng.normal(size=p.shape).astype("float32"))
    return nn.Sequential(norm, *([between()] if between else []), nn.ReLU()).to(getattr(tn, dtype))


def trained(model, x, dy):
    """The bytes of y, of the gradients and of the buffers; and how many ops there were."""
    with use("numba"):
        t = tn.tensor(x, requires_grad=True)
        y = model(t)
        y.backward(tn.tensor(dy))
    joined = y.grad_fn.next_functions[0][0].name() == "torch::autograd::AccumulateGrad"
    arrays = [y.detach(), t.grad, *(p.grad for p in model.parameters()), *model.buffers()]
    return [a.numpy().tobytes() for a in arrays], joined


@examples(60, 1000)
def test_the_same_bits_as_apart(examples):
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(
        st.sampled_from(sorted(LAYERS)), st.integers(2, 70), st.integers(16, 40), st.sampled_from(["float32", "float64"]),
        st.sampled_from([0.0, 1e6]), st.booleans(), st.integers(0, 2**32 - 1),
    )  # fmt: skip
    def check(kind, rows, n, dtype, offset, odd, seed):
        rng = np.random.default_rng(seed)
        shape = LAYERS[kind][1](rows, n)
        x, dy = (rng.normal(size=shape).astype(dtype) for _ in "xg")
        x += np.asarray(offset, dtype)
        if odd:  # dy may be anything; x has a group of equal numbers
            dy[rng.random(shape) < 0.1] = rng.choice([np.nan, np.inf, -0.0, 0.0])
            x[:, 0] = x[0] = 3
        found, joined = trained(model_of(kind, n, dtype=dtype), x, dy)
        expected, not_joined = trained(model_of(kind, n, apart, dtype), x, dy)
        assert (joined, not_joined) == (True, False)
        assert found == expected

    check()


@pytest.mark.parametrize(
    ("kind", "rows", "n"),
    [
        ("layer norm", 260, 1024),
        ("batch norm", 1100, 1000),
        ("batch norm, positions", 40, 3000),
        ("layer norm", 400, 13_200),
        ("trained batch norm", 1100, 1000),
        ("trained batch norm, images", 40, 750),
    ],
)
def test_large_arrays_in_two_halves_and_past_the_cache(kind, rows, n):
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(size=LAYERS[kind][1](rows, n)).astype("f") for _ in "xg")
    found, joined = trained(model_of(kind, n), x, dy)
    assert joined
    assert found == trained(model_of(kind, n, apart), x, dy)[0]


@pytest.mark.parametrize("kind", some(sorted(LAYERS), 6))
def test_gradients_and_second_derivatives(kind):
    n = 16 if kind in ("layer norm", "rms norm", "instance norm") else 6  # shorter rows and slabs are left to the formula
    model, x = model_of(kind, n, dtype="float64"), np.random.default_rng(1).normal(size=LAYERS[kind][1](3, n))
    assert trained(model, x, np.ones_like(x))[1]
    x = tn.tensor(x, requires_grad=True)
    with use("numba"):
        assert check_function(model, [x])
        assert check_second(model, [x])


def test_second_derivatives_are_those_of_two_ops():
    x, found = tn.tensor(np.random.default_rng(1).normal(size=(20, 30)).astype("f"), requires_grad=True), []
    for between in (None, apart):
        with use("numba"):
            (g,) = tn.autograd.grad(model_of("layer norm", 30, between)(x).sum(), x, create_graph=True)
            found.append([g.detach().numpy().tobytes(), tn.autograd.grad(g.square().sum(), x)[0].numpy().tobytes()])
    assert found[0] == found[1]


def test_nan_and_what_is_out_of_range_go_through():
    x = np.random.default_rng(0).normal(size=(8, 600)).astype("f")
    for value in (np.nan, np.inf, 1e25):
        x[1, 5] = value
        results = [trained(model_of("layer norm", 600, between), x, np.ones_like(x)) for between in (None, apart)]
        assert results[0][0] == results[1][0]
        assert not results[0][1]  # the formula runs, and then ReLU


def hooked(model):
    model[0].register_forward_hook(lambda m, args, y: None)


def hooked_relu(model):
    model[1].register_full_backward_hook(lambda m, a, b: None)


def forward_of_its_own(model):
    forward = model[0].forward
    model[0].forward = lambda x: forward(x)


@pytest.mark.parametrize("change", [hooked, hooked_relu, forward_of_its_own])
def test_what_must_be_seen_stays_apart(change):
    model, two = model_of("batch norm", 30), model_of("batch norm", 30, apart)
    change(model)
    x = np.random.default_rng(0).normal(size=(20, 30)).astype("f")
    found, joined = trained(model, x, x)
    assert not joined
    assert found == trained(two, x, x)[0]


def test_apart_where_anomalies_are_looked_for_and_for_other_types():
    class Mine(nn.ReLU):
        pass

    x = np.random.default_rng(0).normal(size=(20, 30)).astype("f")
    with detect_anomaly():
        assert not trained(model_of("layer norm", 30), x, x)[1]
    assert not trained(nn.Sequential(nn.LayerNorm(30), Mine()), x, x)[1]
    assert trained(nn.Sequential(nn.LayerNorm(30), nn.ReLU(inplace=True)), x, x)[1]


def test_an_error_leaves_nothing_behind():
    model = nn.Sequential(nn.LayerNorm(30), nn.ReLU())
    with pytest.raises(RuntimeError, match="normalized_shape"):
        model(tn.randn(20, 31))
    with use("numba"):
        assert (nn.functional.layer_norm(tn.randn(20, 30), (30,)) < 0).any()


def test_an_output_that_is_changed_in_place_is_noticed():
    with use("numba"):
        y = model_of("layer norm", 30)(tn.randn(20, 30, requires_grad=True))
    y.mul_(2)
    with pytest.raises(RuntimeError, match="mul_ then changed it in place"):
        y.sum().backward()


@pytest.mark.parametrize("kind", some(sorted(LAYERS), 3))
def test_captured(kind):
    rng = np.random.default_rng(0)
    batches = [tn.tensor(rng.normal(size=LAYERS[kind][1](40, 16)).astype("f")) for _ in range(8)]
    models = [model_of(kind, 16) for _ in range(2)]
    with use("numba"):
        captured, eager = tn.capture(step_of(models[0])), step_of(models[1])
        for x in batches:
            assert captured(x).numpy().tobytes() == eager(x).detach().numpy().tobytes()
    assert not captured.reason
    assert captured.replays
    for a, b in zip(models[0].state_dict().values(), models[1].state_dict().values(), strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_a_hook_on_the_relu_is_seen_by_a_captured_step():
    model, seen = model_of("layer norm", 30), []
    step = tn.capture(tn.no_grad(lambda x: model(x).sum()))
    x = tn.randn(20, 30)
    for _ in range(4):
        step(x)
    assert step.replays
    model[1].register_forward_hook(lambda m, args, y: seen.append(1))
    with pytest.warns(RuntimeWarning, match="has a hook"):
        step(x)
    assert seen
