"""The normalisation layers: their numerics, their state, and the errors that come before any of it changes."""

import itertools

import numpy as np
import pytest

import tinynorm
from tinynorm import nn
from tinynorm.nn import functional as F

RNG = np.random.default_rng(0)
C = 6

# each layer over C channels (or C features), and the input that suits it
LAYERS = {
    "BatchNorm1d": (lambda **kw: nn.BatchNorm1d(C, **kw), (8, C)),
    "BatchNorm1d with positions": (lambda **kw: nn.BatchNorm1d(C, **kw), (4, C, 5)),
    "BatchNorm2d": (lambda **kw: nn.BatchNorm2d(C, **kw), (4, C, 2, 3)),
    "BatchNorm3d": (lambda **kw: nn.BatchNorm3d(C, **kw), (4, C, 2, 3, 2)),
    "LayerNorm": (lambda **kw: nn.LayerNorm(C, **kw), (8, C)),
    "LayerNorm over two": (lambda **kw: nn.LayerNorm((3, C), **kw), (8, 3, C)),
    "GroupNorm": (lambda **kw: nn.GroupNorm(2, C, **kw), (4, C, 5)),
    "InstanceNorm1d": (lambda **kw: nn.InstanceNorm1d(C, affine=True, **kw), (4, C, 5)),
    "InstanceNorm2d": (lambda **kw: nn.InstanceNorm2d(C, affine=True, **kw), (4, C, 2, 3)),
    "InstanceNorm3d": (lambda **kw: nn.InstanceNorm3d(C, affine=True, **kw), (4, C, 2, 3, 2)),
    "RMSNorm": (lambda **kw: nn.RMSNorm(C, **kw), (8, C)),
}
CENTRED = [name for name in LAYERS if name != "RMSNorm"]
RUNNING = [name for name in LAYERS if name.startswith(("Batch", "Instance"))]
BATCH = [name for name in LAYERS if name.startswith("Batch")]


def layer_and_shape(name, **kwargs):
    make, shape = LAYERS[name]
    return make(**kwargs), shape


def group_axes(name, shape):
    """The axes over which the layer takes its statistics, of x seen as `viewed`."""
    if name.startswith("Batch"):
        return shape, (0, *range(2, len(shape)))
    if name.startswith("Instance"):
        return shape, tuple(range(2, len(shape)))
    if name == "GroupNorm":
        view = (shape[0], 2, shape[1] // 2, *shape[2:])
        return view, tuple(range(2, len(view)))
    return shape, (1, 2) if name == "LayerNorm over two" else (1,)


def expected(name, x, eps):
    """The definition, in float64."""
    view, axes = group_axes(name, x.shape)
    x = x.astype(np.float64).reshape(view)
    mean = 0 if name == "RMSNorm" else x.mean(axis=axes, keepdims=True)
    var = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps)


def state(module):
    return {name: np.array(t.array) for name, t in module.state_dict().items()}


def assert_same_state(module, before):
    for name, array in state(module).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


# ---- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_output_is_the_definition_and_the_affine_map(name, device):
    layer, shape = layer_and_shape(name, eps=0.1)
    layer.to(device, tinynorm.float64)
    x = RNG.normal(2, 3, shape)
    for t in layer.parameters():
        t.array[...] = tinynorm.tensor(RNG.normal(size=t.shape), device=device).array
    y = layer(tinynorm.tensor(x, device=device)).cpu().detach().numpy()
    gamma = layer.weight.cpu().detach().numpy()
    beta = 0 if layer.bias is None else layer.bias.cpu().detach().numpy()
    if "Layer" not in name and "RMS" not in name:
        gamma, beta = (v.reshape(1, C, *(1,) * (x.ndim - 2)) for v in (gamma, beta))
    np.testing.assert_allclose(y, expected(name, x, 0.1).reshape(shape) * gamma + beta, rtol=1e-12, atol=1e-12)


def test_defaults_shapes_and_keys_are_pytorchs():
    bn = nn.BatchNorm2d(3)
    assert list(bn.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert (bn.weight.tolist(), bn.bias.tolist()) == ([1, 1, 1], [0, 0, 0])
    assert (bn.running_mean.tolist(), bn.running_var.tolist()) == ([0, 0, 0], [1, 1, 1])
    assert bn.num_batches_tracked.dtype == tinynorm.int64
    assert bn.num_batches_tracked.shape == ()
    assert list(nn.BatchNorm1d(3, affine=False).state_dict()) == ["running_mean", "running_var", "num_batches_tracked"]
    assert list(nn.BatchNorm1d(3, track_running_stats=False).state_dict()) == ["weight", "bias"]
    assert list(nn.BatchNorm1d(3, bias=False, track_running_stats=False).state_dict()) == ["weight"]
    assert list(nn.InstanceNorm1d(3).state_dict()) == []
    assert list(nn.InstanceNorm1d(3, affine=True, track_running_stats=True).state_dict()) == list(bn.state_dict())
    assert nn.LayerNorm((2, 3)).weight.shape == nn.LayerNorm((2, 3)).bias.shape == (2, 3)
    assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]
    assert list(nn.LayerNorm(3, elementwise_affine=False).state_dict()) == []
    assert list(nn.RMSNorm(3).state_dict()) == ["weight"]
    assert list(nn.GroupNorm(1, 4).state_dict()) == ["weight", "bias"]


@pytest.mark.parametrize("name", LAYERS)
def test_dtype_and_device_of_parameters_and_buffers(name, device):
    layer, shape = layer_and_shape(name, dtype=tinynorm.float64, device=device)
    for t in itertools.chain(layer.parameters(), layer.buffers()):
        assert t.device.type == device
        assert t.dtype in (tinynorm.float64, tinynorm.int64)
    assert layer(tinynorm.randn(*shape, dtype=tinynorm.float64, device=device)).dtype == tinynorm.float64


def test_reset_parameters_starts_afresh():
    bn = nn.BatchNorm1d(C)
    before = state(bn)
    bn(tinynorm.randn(4, C))
    with tinynorm.no_grad():
        bn.weight.fill_(3)
        bn.bias.fill_(3)
    bn.reset_parameters()
    assert_same_state(bn, before)


# ---- running statistics ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.1, 0.0, 1.0, 0.37])
@pytest.mark.parametrize("name", RUNNING)
def test_running_statistics_move_by_momentum_with_the_unbiased_variance(name, momentum):
    layer, shape = layer_and_shape(name, momentum=momentum, dtype=tinynorm.float64, track_running_stats=True)
    mean, var = np.zeros(C), np.ones(C)
    for step in range(3):
        x = RNG.normal(step, 1 + step, shape)
        layer(tinynorm.tensor(x))
        axes = (0, *range(2, x.ndim))
        batch_var = x.var(axis=axes, ddof=1)
        if name.startswith("Instance"):  # the mean of each sample's own
            batch_var = x.var(axis=axes[1:], ddof=1).mean(axis=0)
        mean = (1 - momentum) * mean + momentum * x.mean(axis=axes)
        var = (1 - momentum) * var + momentum * batch_var
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-12)
    assert int(layer.num_batches_tracked) == (3 if name.startswith("Batch") else 0)  # as in PyTorch


def test_momentum_none_is_the_cumulative_average():
    bn = nn.BatchNorm1d(C, momentum=None, dtype=tinynorm.float64)
    xs = RNG.normal(3, 2, (5, 7, C))
    for x in xs:
        bn(tinynorm.tensor(x))
    np.testing.assert_allclose(bn.running_mean.numpy(), xs.mean(axis=1).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(bn.running_var.numpy(), xs.var(axis=1, ddof=1).mean(axis=0), rtol=1e-12)
    assert int(bn.num_batches_tracked) == 5


@pytest.mark.parametrize("name", RUNNING)
def test_eval_uses_and_keeps_the_running_statistics(name):
    layer, shape = layer_and_shape(name, dtype=tinynorm.float64, track_running_stats=True)
    layer(tinynorm.randn(*shape, dtype=tinynorm.float64))
    layer.eval()
    before, x = state(layer), RNG.normal(5, 2, shape)
    y = layer(tinynorm.tensor(x)).detach().numpy()
    each = (1, C, *(1,) * (x.ndim - 2))
    want = (x - before["running_mean"].reshape(each)) / np.sqrt(before["running_var"].reshape(each) + 1e-5)
    np.testing.assert_allclose(y, want, rtol=1e-12)
    assert_same_state(layer, before)


@pytest.mark.parametrize("name", BATCH)
def test_without_running_statistics_eval_uses_the_batchs(name):
    layer, shape = layer_and_shape(name, track_running_stats=False)
    assert layer.running_mean is layer.running_var is layer.num_batches_tracked is None
    x = tinynorm.randn(*shape)
    training = layer(x).tolist()
    assert layer.eval()(x).tolist() == training


def test_tracking_switched_off_later_leaves_the_statistics_alone():
    bn = nn.BatchNorm1d(C)
    bn.track_running_stats = False
    before = state(bn)
    bn(tinynorm.randn(4, C) + 9)
    assert_same_state(bn, before)


def test_running_statistics_belong_to_the_device(device):
    bn = nn.BatchNorm1d(C).to(device)
    bn(tinynorm.randn(4, C, device=device))
    assert {b.device.type for b in bn.buffers()} == {device}
    assert int(bn.num_batches_tracked) == 1


# ---- errors come before any state changes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (nn.BatchNorm1d(64), (32, 60), r"BatchNorm1d: expected x \(N, C=64\) or \(N, C=64, \*\), got \(32, 60\)"),
        (nn.BatchNorm1d(C), (2, C, 3, 3), "BatchNorm1d: expected x"),
        (nn.BatchNorm1d(C), (C,), "BatchNorm1d: expected x"),
        (nn.BatchNorm2d(C), (8, C), r"BatchNorm2d: expected x \(N, C=6, \*, \*\), got \(8, 6\)"),
        (nn.BatchNorm2d(C), (8, C, 3), "BatchNorm2d: expected x"),
        (nn.BatchNorm3d(C), (8, C, 3, 3), "BatchNorm3d: expected x"),
        (nn.BatchNorm1d(C), (1, C), "more than one value per channel"),
        (nn.BatchNorm1d(C, momentum=None), (1, C), "more than one value per channel"),
        (nn.BatchNorm2d(C), (1, C, 1, 1), "more than one value per channel"),
        (nn.InstanceNorm1d(C, track_running_stats=True), (8, C, 1), "more than one value per channel"),
        (nn.InstanceNorm1d(C, track_running_stats=True), (8, 5, 4), r"expected x \(N, C=6, \*\), got \(8, 5, 4\)"),
        (nn.InstanceNorm2d(C), (2, 3, C, 3, 3), "InstanceNorm2d: expected x"),
        (nn.GroupNorm(2, C), (8, 4), r"GroupNorm: expected x \(N, C=6, \*\), got \(8, 4\)"),
    ],
)
def test_a_wrong_input_changes_no_state(module, shape, message):
    before = state(module)
    channels = "got (32, 60)" in message.replace("\\", "") or "got (8, 5, 4)" in message.replace("\\", "")
    with pytest.raises(RuntimeError if channels else ValueError, match=message):  # as in PyTorch
        module(tinynorm.randn(*shape))
    assert_same_state(module, before)


@pytest.mark.parametrize("norm", [F.batch_norm, F.instance_norm])
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"eps": -1.0}, ValueError, "expected eps to be a finite number >= 0, got -1.0"),
        ({"momentum": 1.1}, ValueError, "expected momentum from 0 to 1, got 1.1"),
        ({"weight": tinynorm.ones(4)}, RuntimeError, r"expected weight \(C,\) = \(6,\) for x \(8, 6, 5\), got \(4,\)"),
        ({"bias": tinynorm.ones(4)}, RuntimeError, r"expected bias \(C,\) = \(6,\)"),
        ({"running_var": tinynorm.ones(4)}, RuntimeError, r"expected running_var \(C,\) = \(6,\)"),
        ({"input": [1.0]}, TypeError, "expected x to be a Tensor, got list"),
    ],
)
def test_a_wrong_argument_of_the_function_changes_no_statistics(norm, change, error, message):
    statistics = {"running_mean": tinynorm.zeros(C), "running_var": tinynorm.ones(C)}
    mode = {"training": True} if norm is F.batch_norm else {"use_input_stats": True}
    with pytest.raises(error, match=f"{norm.__name__}: {message}"):
        norm(**({"input": tinynorm.randn(8, C, 5)} | statistics | mode | change))
    assert statistics["running_mean"].tolist() == [0.0] * C
    assert statistics["running_var"].tolist() == [1.0] * C


@pytest.mark.parametrize(
    ("x", "error"),
    [
        (tinynorm.zeros(8, C, dtype=tinynorm.float64), "expected weight of dtype float64"),
        (tinynorm.zeros(8, C, dtype=tinynorm.int64), "expected a floating-point x, got int64"),
    ],
)
def test_a_wrong_dtype_changes_no_state(x, error):
    bn = nn.BatchNorm1d(C)
    before = state(bn)
    with pytest.raises(RuntimeError, match=error):
        bn(x)
    assert_same_state(bn, before)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("x", [[[1.0, 2.0]], np.ones((8, C), np.float32), 3.0])
def test_what_is_no_tensor_is_an_error_that_says_how_to_make_one(name, x):
    module, _ = layer_and_shape(name)
    with pytest.raises(TypeError, match=rf"expected x to be a Tensor, got {type(x).__name__}; use tinynorm\.from_numpy"):
        module(x)


@pytest.mark.parametrize(
    ("module", "shape"), [(nn.LayerNorm((3, 4)), (2, 4, 3)), (nn.RMSNorm(4), (2, 3)), (nn.LayerNorm(2), ())]
)
def test_trailing_shapes_must_fit(module, shape):
    with pytest.raises(RuntimeError, match="normalized_shape"):
        module(tinynorm.randn(*shape))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.BatchNorm1d(0), "BatchNorm1d: expected num_features to be an int >= 1, got 0"),
        (lambda: nn.BatchNorm2d(2.5), "num_features .* got 2.5"),
        (lambda: nn.BatchNorm1d(3, eps=-1e-5), "BatchNorm1d: expected eps .* got -1e-05"),
        (lambda: nn.BatchNorm1d(3, eps=float("nan")), "expected eps"),
        (lambda: nn.BatchNorm1d(3, momentum=1.5), "BatchNorm1d: expected momentum from 0 to 1, got 1.5"),
        (lambda: nn.InstanceNorm1d(3, momentum=-1), "InstanceNorm1d: expected momentum"),
        (lambda: nn.LayerNorm(()), "LayerNorm: expected normalized_shape"),
        (lambda: nn.LayerNorm((2, 0)), "LayerNorm: expected normalized_shape"),
        (lambda: nn.LayerNorm(3, eps="small"), "LayerNorm: expected eps"),
        (lambda: nn.RMSNorm(-1), "RMSNorm: expected normalized_shape"),
        (lambda: nn.RMSNorm(3, eps=-1), "RMSNorm: expected eps"),
        (lambda: nn.GroupNorm(4, 6), "GroupNorm: expected num_groups to divide the channels C=6, got num_groups=4"),
        (lambda: nn.GroupNorm(0, 6), "GroupNorm: expected num_groups"),
    ],
)
def test_bad_settings_are_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# ---- numerics --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BATCH)
def test_an_empty_batch_gives_an_empty_result_and_changes_no_state(name):
    layer, shape = layer_and_shape(name)
    before = state(layer)
    x = tinynorm.zeros(0, *shape[1:], requires_grad=True)
    y = layer(x)
    assert y.shape == x.shape
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert layer.weight.grad.tolist() == [0.0] * C
    assert_same_state(layer, before)


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in BATCH])
def test_layers_by_sample_take_an_empty_batch(name):
    layer, shape = layer_and_shape(name)
    x = tinynorm.zeros(0, *shape[1:], requires_grad=True)
    layer(x).sum().backward()
    assert x.grad.shape == x.shape
    assert (layer.weight.grad == 0).all()


@pytest.mark.parametrize("name", CENTRED)
def test_constant_groups_become_beta_with_finite_gradients(name):
    layer, shape = layer_and_shape(name)
    with tinynorm.no_grad():
        layer.bias.fill_(0.25)
    x = tinynorm.full(shape, 3.7, requires_grad=True)
    y = layer(x)
    np.testing.assert_allclose(y.detach().numpy(), 0.25, atol=1e-6)
    (y * tinynorm.randn(*shape)).sum().backward()
    assert tinynorm.isfinite(x.grad).all()


LARGE_CONSTANTS = [
    ("BatchNorm1d", nn.BatchNorm1d(4), (1000, 4)),
    ("BatchNorm2d", nn.BatchNorm2d(4), (10, 4, 10, 10)),
    ("LayerNorm", nn.LayerNorm(1000), (4, 1000)),
    ("GroupNorm", nn.GroupNorm(2, 4), (3, 4, 500)),
    ("InstanceNorm1d", nn.InstanceNorm1d(4), (3, 4, 1000)),
]


def test_zero_rows_of_rmsnorm_stay_zero():
    x = tinynorm.zeros(2, C, requires_grad=True)
    y = nn.RMSNorm(C)(x)
    y.sum().backward()
    assert (y == 0).all()
    assert tinynorm.isfinite(x.grad).all()


@pytest.mark.parametrize("name", LAYERS)
def test_gamma_zero_gives_beta_and_no_gradient_to_x(name):
    layer, shape = layer_and_shape(name)
    with tinynorm.no_grad():
        layer.weight.zero_()
    x = tinynorm.randn(*shape, requires_grad=True)
    y = layer(x)
    (y * tinynorm.randn(*shape)).sum().backward()
    assert (y == 0).all()
    assert (x.grad == 0).all()
    assert (layer.weight.grad != 0).any()


@pytest.mark.parametrize(("name", "layer", "shape"), LARGE_CONSTANTS)
def test_a_large_constant_normalises_to_zero(name, layer, shape, device):
    """A mean is rounded, and rstd is 316 here: one centring, or a careless second one, would leave up to 5."""
    y = layer.to(device)(tinynorm.full(shape, 12345.678, device=device))
    assert y.dtype == tinynorm.float32
    assert y.abs().max().item() <= 1e-6


@pytest.mark.parametrize("name", CENTRED)
def test_a_mean_of_10000_costs_no_accuracy_in_float32(name, device):
    layer, shape = layer_and_shape(name)
    layer.to(device)
    shape = tuple(n if n == C or i != 0 else 512 for i, n in enumerate(shape))
    x = RNG.normal(1e4, 1, shape).astype(np.float32)
    y = layer(tinynorm.tensor(x, device=device)).detach().cpu().numpy()
    want = expected(name, x, 1e-5).reshape(shape)
    assert np.abs(y - want).max() <= 1e-6 * np.abs(want).max()


@pytest.mark.parametrize("name", LAYERS)
def test_float16_is_accumulated_in_float32(name):
    layer, shape = layer_and_shape(name)
    layer.half()
    shape = (64, *shape[1:])
    x = (RNG.normal(100, 1, shape) * 8).astype(np.float16)  # sums of squares beyond float16's 65504
    t = tinynorm.tensor(x, requires_grad=True)
    y = layer(t)
    assert y.dtype == tinynorm.float16
    np.testing.assert_allclose(y.detach().numpy(), expected(name, x, 1e-5).reshape(shape), rtol=2e-3, atol=2e-3)
    y.sum().backward()
    assert t.grad.dtype == layer.weight.grad.dtype == tinynorm.float16
    assert tinynorm.isfinite(t.grad).all()


@pytest.mark.usefixtures("formulas")  # float16 has no kernels; those of float32 may round the last digit otherwise
@pytest.mark.parametrize("shape", [(7, C), (7, C, 3)])
def test_float16_in_eval_is_the_float32_result_rounded_once(shape):
    half = nn.BatchNorm1d(C)
    for t, (low, high) in zip(half.state_dict().values(), [(-2, 2), (-1, 1), (2, 4), (0.01, 2)], strict=False):
        t.copy_(tinynorm.tensor(RNG.uniform(low, high, C)))
    half.half().eval()
    single = nn.BatchNorm1d(C).eval()
    single.load_state_dict({name: t.to(single.state_dict()[name].dtype) for name, t in half.state_dict().items()})
    x = tinynorm.tensor(RNG.normal(3, 1, shape).astype(np.float16), requires_grad=True)
    x_single = x.detach().float().requires_grad_()
    (half(x) ** 2).sum().backward()
    (half(x).detach().float() * 2 * single(x_single)).sum().backward()
    assert half(x).tolist() == single(x_single).half().tolist()
    np.testing.assert_allclose(x.grad.numpy(), x_single.grad.numpy(), rtol=2e-3)


def test_float16_input_with_float32_parameters():
    bn = nn.BatchNorm1d(C)
    y = bn(tinynorm.randn(16, C).half())
    y.sum().backward()
    assert y.dtype == tinynorm.float16
    assert bn.weight.grad.dtype == bn.running_mean.dtype == tinynorm.float32


@pytest.mark.parametrize("name", BATCH)
def test_backward_in_eval_is_the_affine_map(name):
    layer, shape = layer_and_shape(name, dtype=tinynorm.float64)
    layer(tinynorm.randn(*shape, dtype=tinynorm.float64) * 3)
    layer.eval()
    each = (1, C, *(1,) * (len(shape) - 2))
    layer.weight.array[...] = RNG.normal(size=C)
    x = tinynorm.randn(*shape, dtype=tinynorm.float64, requires_grad=True)
    dy = RNG.normal(size=shape)
    layer(x).backward(tinynorm.tensor(dy))
    rstd = 1 / np.sqrt(layer.running_var.numpy() + 1e-5)
    np.testing.assert_allclose(x.grad.numpy(), dy * (layer.weight.array * rstd).reshape(each), rtol=1e-12)
    x_hat = (x.array - layer.running_mean.array.reshape(each)) * rstd.reshape(each)
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(layer.weight.grad.numpy(), (dy * x_hat).sum(axis=axes), rtol=1e-10)
    np.testing.assert_allclose(layer.bias.grad.numpy(), dy.sum(axis=axes), rtol=1e-10)
    layer.weight = layer.bias = x.grad = None
    layer(x).backward(tinynorm.tensor(dy))
    np.testing.assert_allclose(x.grad.numpy(), dy * rstd.reshape(each), rtol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:invalid value")  # inf - inf, NumPy's word on the device it has
def test_nan_and_inf_stay_in_their_group(bad):
    x = RNG.normal(size=(8, C)).astype(np.float32)
    x[3, 2] = bad
    rows = np.isnan(nn.LayerNorm(C)(tinynorm.tensor(x)).detach().numpy())
    assert rows[3].all()
    assert not np.delete(rows, 3, axis=0).any()
    bn = nn.BatchNorm1d(C)
    columns = np.isnan(bn(tinynorm.tensor(x)).detach().numpy())
    assert columns[:, 2].all()
    assert not np.delete(columns, 2, axis=1).any()
    assert np.isfinite(bn.running_mean.numpy()).tolist() == [True, True, False, True, True, True]  # never hidden


@pytest.mark.parametrize(("layer", "shape"), [(nn.InstanceNorm1d(C), (C, 5)), (nn.InstanceNorm2d(C), (C, 2, 3))])
def test_instance_norm_takes_one_sample_without_its_batch_dimension(layer, shape):
    x = tinynorm.randn(*shape)
    assert layer(x).shape == shape
    assert layer(x).tolist() == layer(x.unsqueeze(0))[0].tolist()


def test_rms_norms_default_eps_is_that_of_the_dtype():
    x = tinynorm.full((1, 2), 1e-4)
    want = 1e-4 / np.sqrt(1e-8 + np.finfo(np.float32).eps)
    np.testing.assert_allclose(nn.RMSNorm(2)(x).detach().numpy(), want, rtol=1e-6)
    np.testing.assert_allclose(nn.RMSNorm(2, dtype=tinynorm.float64)(x.double()).detach().numpy(), 1.0, rtol=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_one_node_of_the_graph(name):
    layer, shape = layer_and_shape(name)
    y = layer(tinynorm.randn(*shape, requires_grad=True))
    assert y.grad_fn.op_name.startswith("Standardize")
    assert all(edge is None or not isinstance(edge, tuple) for edge in y.grad_fn.edges)


def test_functions_take_pytorchs_keywords():
    x = tinynorm.randn(4, C, 3)
    weight, bias = tinynorm.ones(C), tinynorm.zeros(C)
    mean, var = tinynorm.zeros(C), tinynorm.ones(C)
    settings = {"running_mean": mean, "running_var": var, "weight": weight, "bias": bias, "momentum": 0.1, "eps": 1e-5}
    F.batch_norm(input=x, training=True, **settings)
    F.instance_norm(input=x, use_input_stats=True, **settings)
    F.group_norm(input=x, num_groups=2, weight=weight, bias=bias, eps=1e-5)
    F.layer_norm(input=x, normalized_shape=[C, 3], weight=None, bias=None, eps=1e-5)
    F.rms_norm(input=x, normalized_shape=[3], weight=tinynorm.ones(3), eps=None)


def test_sizes_may_be_numpys_integers():
    n = np.int64(C)
    assert nn.LayerNorm(n).normalized_shape == nn.LayerNorm((n,)).normalized_shape == (C,)
    assert nn.BatchNorm1d(n)(tinynorm.randn(8, C)).shape == (8, C)
    assert nn.GroupNorm(2, n)(tinynorm.randn(8, C)).shape == (8, C)
    assert F.layer_norm(tinynorm.randn(8, C), n).shape == (8, C)
    assert repr(nn.Linear(n, n)) == f"Linear(in_features={C}, out_features={C}, bias=True)"


@pytest.mark.parametrize("norm", [F.batch_norm, F.instance_norm])
def test_running_statistics_come_both_or_neither(norm):
    mean = tinynorm.zeros(C)
    with pytest.raises(ValueError, match=f"{norm.__name__}: expected running_mean and running_var both or neither"):
        norm(tinynorm.randn(4, C, 5), running_mean=mean)
    assert mean.tolist() == [0.0] * C


def test_settings_may_be_numpys_numbers():
    layer = nn.BatchNorm1d(C, eps=np.float32(0.5), momentum=np.float32(0.25))
    layer(tinynorm.ones(8, C))
    assert layer.running_mean.tolist() == [0.25] * C


def test_a_weight_that_is_no_tensor_is_an_error():
    with pytest.raises(TypeError, match="layer_norm: expected weight to be a Tensor, got list"):
        F.layer_norm(tinynorm.ones(2, 3), 3, [1.0, 1.0, 1.0])


def test_eval_modes_second_derivatives_are_those_of_the_statistics_it_had():
    """Between the two passes a batch in training changes the running statistics in place."""
    found = []
    for trains in (False, True):
        layer = nn.BatchNorm1d(C).double().eval()
        x = tinynorm.tensor(np.random.default_rng(0).standard_normal((8, C)), dtype="float64", requires_grad=True)
        y = layer(x)
        if trains:
            layer.train()(tinynorm.ones(8, C, dtype="float64") * 100)
        (d,) = tinynorm.autograd.grad((y**2).sum(), layer.weight, create_graph=True)
        found.append(d.detach().numpy())
    np.testing.assert_array_equal(*found)
