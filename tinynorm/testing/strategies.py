"""Hypothesis strategies: shapes, axes, values away from kinks, whole layers and single ops with their inputs.

This module needs hypothesis (``pip install hypothesis``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import backend, nn
from .. import ops as operations
from ..tensor import Tensor, tensor_of

Draw = Callable[[st.SearchStrategy], Any]


def seeds() -> st.SearchStrategy[int]:
    """Seeds for NumPy generators. Hypothesis draws only the seed of an array, so that an example is small and shrinks well."""
    return st.integers(0, 2**32 - 1)


def shapes(min_dims: int = 1, max_dims: int = 4, min_side: int = 1, max_side: int = 6) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of arrays.

    >>> from hypothesis import find
    >>> find(shapes(2, 3, 4), lambda shape: True)
    (4, 4)
    """
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


def axes(ndim: int, min_size: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    """Some axes of an array, as increasing non-negative numbers.

    >>> from hypothesis import find
    >>> find(axes(3), lambda chosen: len(chosen) == 2)
    (0, 1)
    """
    return st.sets(st.integers(0, ndim - 1), min_size=min(min_size, ndim), max_size=ndim).map(lambda a: tuple(sorted(a)))


@st.composite
def values(
    draw: Draw,
    shape: tuple[int, ...] | st.SearchStrategy[tuple[int, ...]],
    *,
    scale: float = 1.0,
    offset: float = 0.0,
    positive: bool = False,
    kinks: Sequence[float] = (),
    margin: float = 0.1,
    dtype: Any = "float64",
) -> np.ndarray:
    """Normally distributed numbers ``scale * z + offset``, at least ``margin * scale`` away from every kink.

    Parameters
    ----------
    shape : tuple or strategy
    scale, offset : float
    positive : bool
        Replace z by ``abs(z) + margin``.
    kinks : sequence of float
        The points to keep away from, e.g. (0.0,) for ReLU.
    margin : float
    dtype : dtype

    Returns
    -------
    strategy of array
    """
    wanted = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    z = np.random.default_rng(draw(seeds())).standard_normal(wanted)
    x = scale * (np.abs(z) + margin if positive else z) + offset
    for kink in kinks:
        near = np.abs(x - kink) < margin * scale
        x = np.where(near, kink + margin * scale * np.where(x < kink, -1.0, 1.0), x)
    return x.astype(dtype)


@dataclass
class LayerCase:
    """A layer and its inputs."""

    module: nn.Module
    inputs: list[Tensor]
    text: str = field(default="")

    def __repr__(self) -> str:
        mode = "train" if self.module.training else "eval"
        return f"LayerCase({self.module!r}, {mode}, inputs {[tuple(x.shape) for x in self.inputs]})"


GATED = ("RNNCell", "LSTMCell", "GRUCell", "RNN", "LSTM", "GRU")
NAMES = (
    "Linear", "ReLU", "GELU", "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d",
    "LayerNorm", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "RMSNorm", "Dropout", "Flatten", "Identity",
    "LeakyReLU", "ELU", "SiLU", "Softplus", "Embedding", "Unflatten", "PReLU", "ReLU6", "Hardtanh", "SELU", "LogSigmoid",
    "Softsign", "Mish", "GLU", "Hardsigmoid", "Hardswish", "Softmin", "Tanhshrink", "Threshold", "CosineSimilarity",
    "PairwiseDistance", "Bilinear", "Conv1d", "Conv2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "LocalResponseNorm",
    *GATED,
)  # fmt: skip


@st.composite
def layers(draw: Draw, names: Sequence[str] = NAMES, device: str = "cpu") -> LayerCase:
    """A layer of tinynorm.nn in float64 with random settings, parameters and running statistics, and a random input.

    The parameters are not close to zero, so that every term of a gradient shows in the check.

    Parameters
    ----------
    names : sequence of str
        The layers to choose from; see `NAMES`.
    device : str

    Returns
    -------
    strategy of LayerCase
    """
    name = draw(st.sampled_from(list(names)))
    N, C = draw(st.integers(2, 5)), draw(st.sampled_from([2, 4, 6]))
    shape, arguments = _settings(draw, name, N, C)
    module = getattr(nn, name)(*arguments[0], **arguments[1]).to(dtype=backend.float64)
    rng = np.random.default_rng(draw(seeds()))
    for p in module.parameters():
        p.array = rng.choice([-1.0, 1.0], p.shape) * rng.uniform(0.5, 1.5, p.shape)
    for key, buffer in module.named_buffers():
        if key.endswith("running_mean"):
            buffer.array = rng.standard_normal(buffer.shape)
        elif key.endswith("running_var"):
            buffer.array = rng.uniform(0.5, 2.0, buffer.shape)
    if not draw(st.booleans()):
        module.eval()
    if name == "Embedding":
        x = rng.integers(0, module.num_embeddings, shape)
    else:
        # beside ELU's -1, LogSigmoid's slope of 1 and a gate of 0 or 1, e^-30 is rounding, and cannot be measured
        far = -3.0 if name in ("ELU", "SELU", "LogSigmoid") else -1.0 if name in GATED else -30.0
        spread = 0.5 if name in GATED else 2.0
        x = spread * rng.standard_normal(shape) + draw(st.sampled_from([0.0, 1.0, far]))
    pair = name in ("CosineSimilarity", "PairwiseDistance", "Bilinear")
    xs = [x, rng.standard_normal(shape)] if pair else [x]
    return LayerCase(module.to(device), [tensor_of(x).to(device) for x in xs])


def _settings(draw: Draw, name: str, N: int, C: int) -> tuple[tuple[int, ...], tuple[tuple, dict]]:
    """(the input's shape, the constructor's arguments)."""
    affine, rest = draw(st.booleans()), tuple(draw(st.lists(st.integers(2, 3), max_size=1)))
    if name == "Linear":
        return (N, *rest, C), ((C, draw(st.integers(1, 5))), {"bias": affine})
    if name == "BatchNorm1d":
        return (max(N, 4), C, *rest), ((C,), {"affine": affine, "track_running_stats": draw(st.booleans())})
    if name.startswith(("BatchNorm", "InstanceNorm")):
        positions = {"1d": (5,), "2d": (2, 3), "3d": (1, 1, 3)}[name[-2:]]
        return (N, C, *positions), ((C,), {"affine": affine})
    if name == "LayerNorm":
        normalized = (*rest, C + 2)
        return (N, *normalized), ((normalized,), {"elementwise_affine": affine})
    if name == "RMSNorm":
        return (N, C + 2), ((C + 2,), {"elementwise_affine": affine})
    if name == "GroupNorm":
        return (N, C, 4, *rest), ((draw(st.sampled_from([1, 2, C])), C), {"affine": affine})
    if name in ("Softmax", "LogSoftmax", "Softmin"):
        return (N, C, *rest), ((draw(st.sampled_from([0, 1, -1])),), {})
    if name == "Embedding":
        return (N, *rest), ((C, draw(st.integers(1, 3))), {})
    if name == "Unflatten":
        return (N, C, *rest), ((1, (2, -1)), {})
    if name == "PReLU":
        return (N, C, *rest), ((C if affine else 1,), {})
    if name == "GLU":
        return (N, C, *rest), ((1,), {})
    if name == "Threshold":
        return (N, C, *rest), ((0.5, 0.5), {})  # without a jump
    if name == "Bilinear":
        return (N, *rest, C), ((C, C, draw(st.integers(1, 3))), {"bias": affine})
    if name.startswith("Conv"):
        groups, stride = draw(st.sampled_from([1, 2])), draw(st.integers(1, 2))
        return (2, C, 4, 3)[: 4 if name == "Conv2d" else 3], ((C, 4, 2, stride, 1), {"groups": groups, "bias": affine})
    if name in ("MaxPool2d", "AvgPool2d"):
        return (N, C, 4, 5), ((draw(st.integers(2, 3)), draw(st.integers(1, 2)), 1), {"ceil_mode": affine})
    if name == "AdaptiveAvgPool2d":
        return (N, C, 4, 5), (((draw(st.integers(1, 4)), None),), {})
    if name == "LocalResponseNorm":
        return (N, C, 3, *rest), ((draw(st.integers(1, 4)), 0.5), {})
    if name in GATED:
        return ((2, 2) if name.endswith("Cell") else (2, 2, 2)), ((2, 2), {"bias": affine})  # a check asks of each number
    if name == "Dropout":
        return (N, C), ((0.4,), {})
    return (N, C, *rest), ((), {})


@dataclass
class OpCase:
    """A function of Tensors that calls one op, and its inputs."""

    name: str
    function: Callable[..., Any]
    inputs: list[Tensor]

    def __repr__(self) -> str:
        return f"OpCase({self.name}, inputs {[tuple(x.shape) for x in self.inputs]})"


Call = tuple[Callable[..., Any], list[np.ndarray]]


def _elementwise(name: str, **options: Any) -> st.SearchStrategy[Call]:
    return values(shapes(1, 3, 1, 4), **options).map(lambda x: (getattr(operations, name), [x]))


def _within_1(call: Call) -> Call:
    """The call with its input within -0.9 and 0.9."""
    return call[0], [np.clip(call[1][0], -0.9, 0.9)]


@st.composite
def _pair(draw: Draw, name: str, positive: bool = False, apart: bool = False) -> Call:
    """Two operands that broadcast. With `apart`, no element is close to the element that it is paired with."""
    shape = draw(shapes(1, 3, 1, 4))
    other = tuple(1 if draw(st.booleans()) else n for n in shape)[draw(st.integers(0, len(shape) - 1)) :]
    a, b = draw(values(shape, positive=positive)), draw(values(other, positive=positive))
    if apart:
        a = np.where(np.abs(a - b) < 0.1, b + np.where(a < b, -0.2, 0.2), a)
    return getattr(operations, name), [a, b]


@st.composite
def _along(draw: Draw, name: str, min_side: int = 1, several: bool = True, keeps: bool = True) -> Call:
    """A call along one or several dimensions. All numbers differ, so that a small step does not change which is largest."""
    shape = draw(shapes(1, 3, min_side, 4))
    dims = draw(axes(len(shape)))
    keepdim = {"keepdim": draw(st.booleans())} if keeps else {}
    order = np.random.default_rng(draw(seeds())).permutation(int(np.prod(shape)))
    x = (0.3 * (order - order.size / 2 + 0.25)).reshape(shape)

    def call(x: Any) -> Any:
        y = getattr(operations, name)(x, dims if several else dims[0], **keepdim)
        return getattr(y, "values", y)  # the values, if y is (values, indices)

    return call, [x]


@st.composite
def _shaped(draw: Draw, call: Callable[[Any], Any], *shape: int) -> Call:
    """A function and an array of this shape to call it with."""
    return call, [draw(values(shape))]


def _matrix(name: str) -> st.SearchStrategy[Call]:
    return _shaped(lambda x: getattr(operations, name)(x), 2, 3)


@st.composite
def _of_pairs(draw: Draw, name: str, change: Callable[[Any], Any] = lambda x: x, **options: Any) -> Call:
    """A loss that compares x with a target. x - target is away from -1, 0 and 1, the kinks of those that depend on it."""
    target = draw(values((4, 3), **options))
    x = draw(values((4, 3), kinks=(-1.0, 0.0, 1.0))) + target
    return lambda x, t: getattr(operations, name)(x, t), [change(x), change(target)]


@st.composite
def _of_classes(draw: Draw, name: str) -> Call:
    """A loss of scores (N, C), with a target class for each of the N samples."""
    N, C = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    target = tensor_of(np.random.default_rng(draw(seeds())).integers(0, C, N))
    return lambda x: getattr(operations, name)(x, target.to(x.device)), [draw(values((N, C)))]


def _together(n: int, call: Callable[..., Any]) -> st.SearchStrategy[Call]:
    """A function and n arrays (4, 3) to call it with."""
    return values((n, 4, 3)).map(lambda xs: (call, list(xs)))


def _signs(x: Any) -> Tensor:
    """Targets 1 and -1 in turn, in the shape of x and on its device."""
    return tensor_of((-1.0) ** np.arange(np.prod(x.shape)).reshape(x.shape)).to(x.device)


def _seeded(call: Callable[[], Any]) -> Any:
    """The call's result with the same random numbers each time."""
    backend.default_generator.manual_seed(0)
    return call()


def _indices(*numbers: int) -> Callable[[Any], Tensor]:
    """A function that returns the indices along dim 1 on the device of its argument."""
    return lambda x: tensor_of(np.array([numbers])).to(x.device)


# each op with a derivative -> the strategy that draws a call of it; `layers` covers linear, dropout and the normalizations
OPS: dict[str, st.SearchStrategy[Call]] = {
    **{name: _elementwise(name) for name in ("clone", "cos", "erf", "erfc", "exp", "gelu", "neg", "sigmoid", "silu", "sin")},
    **{name: _elementwise(name) for name in ("logsigmoid", "mish", "softplus", "softsign", "square", "tanh", "tanhshrink")},
    **{name: _elementwise(name, positive=True) for name in ("log", "log10", "log1p", "log2", "reciprocal", "rsqrt", "sqrt")},
    **{name: _elementwise(name, kinks=(0.0,)) for name in ("abs", "elu", "leaky_relu", "relu", "selu")},
    **{name: _elementwise(name, kinks=(-3.0, 3.0)) for name in ("hardsigmoid", "hardswish")},
    "hardtanh": _elementwise("hardtanh", kinks=(-1.0, 1.0)),
    "relu6": _elementwise("relu6", kinks=(0.0, 6.0)),
    "threshold": values(shapes(), kinks=(0.5,)).map(lambda x: (lambda x: operations.threshold(x, 0.5, 7.0), [x])),
    "prelu": values((2, 3), kinks=(0.0,)).map(lambda x: (lambda x: operations.prelu(x, x[0] ** 2), [x])),
    "glu": _shaped(lambda x: operations.glu(x, 1), 2, 4),
    "gumbel_softmax": _shaped(lambda x: _seeded(lambda: operations.gumbel_softmax(x, 0.7)), 2, 3),
    "softmin": _along("softmin", several=False, keeps=False),
    **{name: _elementwise(name) for name in ("atan", "cosh", "expm1", "nan_to_num", "ravel", "sinh")},
    **{name: _elementwise(name, scale=0.2).map(_within_1) for name in ("acos", "asin", "tan")},
    "frac": _elementwise("frac", scale=0.1, offset=0.5, kinks=(0.0, 1.0)),
    "lerp": values((2, 3)).map(lambda xs: (lambda x, y: operations.lerp(x, y, 0.3), list(xs))),
    "fmod": values((2, 3), scale=0.1).map(lambda x: (lambda x: operations.fmod(x, 5.0), [np.abs(x) + 1.0])),
    "clamp_min": values(shapes(), kinks=(-0.5,)).map(lambda x: (lambda x: operations.clamp_min(x, -0.5), [x])),
    "clamp_max": values(shapes(), kinks=(0.8,)).map(lambda x: (lambda x: operations.clamp_max(x, 0.8), [x])),
    "clamp": values(shapes(), kinks=(-0.5, 0.8)).map(lambda x: (lambda x: operations.clamp(x, -0.5, 0.8), [x])),
    **{name: _pair(name) for name in ("add", "mul", "multiply", "sub", "subtract")},
    **{name: _pair(name, positive=True) for name in ("atan2", "div", "divide", "hypot", "pow", "true_divide")},
    "addcmul": values((3, 2, 3)).map(lambda xs: (lambda x, a, b: operations.addcmul(x, a, b, value=0.3), list(xs))),
    "addcdiv": values((3, 2, 3), positive=True).map(lambda xs: (lambda x, a, b: operations.addcdiv(x, a, b), list(xs))),
    "masked_fill": values((2, 3)).map(lambda x: (lambda x: operations.masked_fill(x, x.detach() > 0, 0.5), [x])),
    **{name: _pair(name, apart=True) for name in ("maximum", "minimum")},
    "remainder": values((2, 3), scale=0.1).map(lambda x: (lambda x: operations.remainder(x, 5.0), [np.abs(x) + 1.0])),
    "where": values((2, 3)).map(lambda x: (lambda x: operations.where(x.detach() > 0, x, 2.0 * x), [x])),
    **{name: _along(name) for name in ("amax", "amin", "logsumexp", "mean", "prod", "sum")},
    "norm": _shaped(lambda x: operations.norm(x, dim=1), 2, 3),
    "normalize": _shaped(lambda x: operations.normalize(x), 2, 3),
    **{name: _along(name, min_side=3) for name in ("std", "var")},  # the std of two numbers has a kink where they are equal
    **{name: _along(name, several=False) for name in ("max", "median", "min")},
    **{name: _along(name, min_side=3) for name in ("std_mean", "var_mean")},
    **{name: _along(name, several=False, keeps=False) for name in ("cumprod", "cumsum", "log_softmax", "softmax", "sort")},
    "topk": _shaped(lambda x: operations.topk(x, 2).values, 2, 3),
    "matmul": st.tuples(values((2, 3)), values((3, 4))).map(lambda xs: (lambda a, b: operations.matmul(a, b), list(xs))),
    "addmm": st.tuples(values((4,)), values((2, 3)), values((3, 4))).map(lambda xs: (operations.addmm, list(xs))),
    "tensordot": st.tuples(values((2, 3, 4)), values((4, 3))).map(
        lambda xs: (lambda a, b: operations.tensordot(a, b, ([1, 2], [1, 0])), list(xs))
    ),
    "kron": st.tuples(values((2, 3)), values((3,))).map(lambda xs: (operations.kron, list(xs))),
    "mm": st.tuples(values((2, 3)), values((3, 4))).map(lambda xs: (operations.mm, list(xs))),
    "bmm": st.tuples(values((2, 1, 3)), values((2, 3, 4))).map(lambda xs: (operations.bmm, list(xs))),
    "mv": st.tuples(values((2, 3)), values((3,))).map(lambda xs: (operations.mv, list(xs))),
    "dot": values((2, 3)).map(lambda xs: (lambda a, b: operations.dot(a, b), list(xs))),
    "outer": st.tuples(values((2,)), values((3,))).map(lambda xs: (operations.outer, list(xs))),
    "einsum": st.tuples(values((2, 3, 4)), values((4, 3))).map(
        lambda xs: (lambda a, b: operations.einsum("bij,ji->jb", a, b), list(xs))
    ),
    "broadcast_to": _shaped(lambda x: operations.broadcast_to(x, (2, 3, 4)), 3, 1),
    "expand": _shaped(lambda x: operations.expand(x, 2, -1, 4), 3, 1),
    "reshape": _shaped(lambda x: operations.reshape(x, 4, -1), 2, 3, 2),
    "flatten": _shaped(lambda x: operations.flatten(x, 1), 2, 3, 2),
    "permute": _shaped(lambda x: operations.permute(x, 2, 0, 1), 2, 3, 2),
    "permute_dims": _shaped(lambda x: operations.permute_dims(x, (1, 0)), 2, 3),
    "movedim": _shaped(lambda x: operations.movedim(x, 0, -1), 2, 3, 2),
    "unflatten": _shaped(lambda x: operations.unflatten(x, 1, (2, -1)), 2, 6),
    "transpose": _shaped(lambda x: operations.transpose(x, 0, 2), 2, 3, 2),
    "matrix_transpose": _shaped(lambda x: operations.matrix_transpose(x), 2, 3, 2),
    "t": _shaped(lambda x: operations.t(x), 2, 3),
    "squeeze": _shaped(lambda x: operations.squeeze(x, 1), 2, 1, 3),
    "unsqueeze": _shaped(lambda x: operations.unsqueeze(x, 1), 2, 3),
    "expand_dims": _shaped(lambda x: operations.expand_dims(x, 0), 2, 3),
    "cat": _shaped(lambda x: operations.cat([x, 2.0 * x[:1]], 0), 2, 3),
    "concat": _shaped(lambda x: operations.concat([x, 2.0 * x[:, :1]], 1), 2, 3),
    "stack": _shaped(lambda x: operations.stack([x, 2.0 * x], -1), 2, 3),
    "hstack": _shaped(lambda x: operations.hstack([x, 2.0 * x[:, :1]]), 2, 3),
    "vstack": _shaped(lambda x: operations.vstack([x, 2.0 * x[0]]), 2, 3),
    "narrow": _shaped(lambda x: operations.narrow(x, 1, 1, 2), 2, 3),
    "masked_select": _shaped(lambda x: operations.masked_select(x, x.detach() > 0), 2, 3),
    "repeat_interleave": _shaped(lambda x: operations.repeat_interleave(x, 2, 1), 2, 3),
    "roll": _shaped(lambda x: operations.roll(x, 2, 1), 2, 3),
    "diff": _shaped(lambda x: operations.diff(x, dim=0), 3, 2),
    **{name: _matrix(name) for name in ("diag", "diagonal", "fliplr", "flipud", "trace")},
    "index_add": _shaped(lambda x: operations.index_add(x, 1, _indices(0, 2, 2)(x)[0], x * x), 2, 3),
    "index_fill": _shaped(lambda x: operations.index_fill(x, 1, _indices(0, 2)(x)[0], 0.5), 2, 3),
    "split": _shaped(lambda x: operations.split(x, [1, 2], 1), 2, 3),
    "chunk": _shaped(lambda x: operations.chunk(x, 2, 1), 2, 3),
    "unbind": _shaped(lambda x: operations.unbind(x, 1), 2, 3),
    "repeat": _shaped(lambda x: operations.repeat(x, 2, 1, 2), 2, 3),
    "tile": _shaped(lambda x: operations.tile(x, 3), 2, 3),
    "flip": _shaped(lambda x: operations.flip(x, 0, 1), 2, 3),
    "meshgrid": _shaped(lambda x: operations.meshgrid(x, 2.0 * x[:2], indexing="ij"), 3),
    "tril": _shaped(lambda x: operations.tril(x, 1), 3, 4),
    "triu": _shaped(lambda x: operations.triu(x, 1), 3, 4),
    "index_select": _shaped(lambda x: operations.index_select(x, 1, _indices(0, 2, 2)(x)[0]), 2, 3),
    "scatter": _shaped(lambda x: operations.scatter(x, 1, _indices(2, 0)(x), x * x), 2, 3),
    "scatter_add": _shaped(lambda x: operations.scatter_add(x, 1, _indices(2, 2)(x), x * x), 2, 3),
    "getitem": _shaped(lambda x: operations.getitem(x, (slice(None), [0, 2, 0])), 2, 3),
    "gather": _shaped(lambda x: operations.gather(x, 1, _indices(0, 2, 2)(x)), 2, 3),
    "take_along_dim": _shaped(lambda x: operations.take_along_dim(x, _indices(1, 1)(x), 1), 2, 3),
    "conv1d": _shaped(lambda x: operations.conv1d(x, x[:, :, :2], stride=2, padding=1), 3, 3, 5),
    "conv2d": _shaped(lambda x: operations.conv2d(x, x[:, :1, :2, :2], groups=2, padding="same"), 2, 2, 3, 4),
    "max_pool2d": _shaped(lambda x: operations.max_pool2d(x, 2, 1), 2, 3, 4),
    "avg_pool2d": _shaped(lambda x: operations.avg_pool2d(x, 3, 2, 1, count_include_pad=False), 2, 4, 5),
    "adaptive_avg_pool2d": _shaped(lambda x: operations.adaptive_avg_pool2d(x, 2), 2, 3, 5),
    "local_response_norm": _shaped(lambda x: operations.local_response_norm(x, 3, 0.5), 2, 4, 2),
    "mse_loss": values((2, 4, 3)).map(lambda xs: (lambda x, y: operations.mse_loss(x, y), list(xs))),
    **{name: _of_pairs(name) for name in ("l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits")},
    "binary_cross_entropy": _of_pairs("binary_cross_entropy", lambda x: 0.1 + 0.8 / (1 + np.exp(-x))),
    "kl_div": _of_pairs("kl_div", positive=True),
    "cdist": _together(2, lambda x, y: operations.cdist(x, y)),
    "cosine_similarity": _together(2, lambda x, y: operations.cosine_similarity(x, y)),
    "pairwise_distance": _together(2, lambda x, y: operations.pairwise_distance(x, y)),
    "bilinear": _shaped(lambda x: operations.bilinear(x, x[:, :2], operations.stack([x, 2.0 * x])[:, :, :2]), 3, 3),
    "triplet_margin_loss": _together(3, lambda a, p, n: operations.triplet_margin_loss(a, p, n, 9.0)),
    "cosine_embedding_loss": _together(2, lambda x, y: operations.cosine_embedding_loss(x, y, _signs(x)[:, 0], -2.0)),
    "margin_ranking_loss": _together(2, lambda x, y: operations.margin_ranking_loss(x, y, _signs(x), 9.0)),
    "hinge_embedding_loss": _together(1, lambda x: operations.hinge_embedding_loss(x, _signs(x), 9.0)),
    "gaussian_nll_loss": _together(3, lambda x, t, v: operations.gaussian_nll_loss(x, t, v * v + 0.1)),
    **{name: _of_pairs(name, positive=True) for name in ("poisson_nll_loss", "soft_margin_loss")},
    "multilabel_soft_margin_loss": _of_pairs("multilabel_soft_margin_loss", positive=True),
    "cross_entropy": _of_classes("cross_entropy"),
    "nll_loss": _of_classes("nll_loss"),
}


@st.composite
def ops(draw: Draw, names: Sequence[str] = tuple(OPS), device: str = "cpu") -> OpCase:
    """An op of tinynorm with random inputs in float64, away from its kinks.

    Parameters
    ----------
    names : sequence of str
        The ops to choose from; see `OPS`.
    device : str

    Returns
    -------
    strategy of OpCase
    """
    name = draw(st.sampled_from(list(names)))
    function, arrays = draw(OPS[name])
    return OpCase(name, function, [tensor_of(np.asarray(x)).to(device) for x in arrays])
