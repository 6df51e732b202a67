"""Tensors are printed as PyTorch prints them, character by character. The recorded texts are made by `make_printed.py`."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import stand_in_cupy

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F

RECORDED = json.loads(Path(__file__).with_name("printed.json").read_text())


@pytest.fixture(autouse=True)
def as_usual():
    yield
    tn.set_printoptions(profile="default")


def array_of(case):
    n, elements = np.prod(case["shape"], dtype=int), case["elements"]
    if elements is None:
        x = np.arange(n) / 7 if case["dtype"] == "float64" else np.arange(n)
    else:
        x = np.array([float.fromhex(e) if isinstance(e, str) else e for e in elements])
    return x.astype(case["dtype"]).reshape(case["shape"])


@pytest.mark.parametrize("number", range(len(RECORDED)))
def test_the_text_is_pytorchs(number):
    case = RECORDED[number]
    x = tn.tensor(array_of(case), requires_grad=case["requires_grad"])
    tn.set_printoptions(**case["options"])
    assert repr(x) == case["text"]


def test_the_recorded_cases_cover_the_options_dtypes_and_kinds():
    assert {name for case in RECORDED for name in case["options"]} == {
        *("precision", "threshold", "edgeitems", "linewidth", "profile", "sci_mode")
    }
    assert {case["dtype"] for case in RECORDED} >= {"float32", "float64", "float16", "int64", "int32", "uint8", "bool"}
    assert {len(case["shape"]) for case in RECORDED} == {0, 1, 2, 3}
    assert any("..." in case["text"] and not case["options"] for case in RECORDED)
    assert any("e+" in case["text"] for case in RECORDED)
    assert any(0 in case["shape"] for case in RECORDED)


def test_a_profile_that_is_none_is_refused():
    with pytest.raises(ValueError, match="expected profile to be one of default, short, full, got 'long'"):
        tn.set_printoptions(profile="long")


def test_the_device_is_told_first_where_it_is_not_the_cpu(with_cupy):
    with_cupy(stand_in_cupy.module())
    x = tn.ones(2, dtype=tn.float64).to("cuda").requires_grad_()
    assert repr(x) == "tensor([1., 1.], device='cuda:0', dtype=torch.float64, requires_grad=True)"


def test_the_default_dtype_is_not_told():
    tn.set_default_dtype(tn.float64)
    try:
        assert (
            repr([tn.ones(1), tn.ones(1).float(), tn.zeros(0)])
            == "[tensor([1.]), tensor([1.], dtype=torch.float32), tensor([])]"
        )
    finally:
        tn.set_default_dtype(tn.float32)


def test_what_max_gives_along_a_dimension_is_printed_as_pytorchs():
    assert repr(tn.tensor([[1.0, 2.0], [4.0, 3.0]]).max(1)) == (
        "torch.return_types.max(\nvalues=tensor([2., 4.]),\nindices=tensor([1, 0]))"
    )
    assert [repr(kind).splitlines()[0] for kind in (tn.ones(1, 2).min(1), tn.ones(2).sort(), tn.ones(2).topk(1))] == [
        f"torch.return_types.{name}(" for name in ("min", "sort", "topk")
    ]


def test_options_stay_until_they_are_set_again():
    tn.set_printoptions(precision=2)
    tn.set_printoptions(linewidth=20)
    assert repr(tn.tensor([0.123, 0.4, 0.5])) == "tensor([0.12, 0.40,\n        0.50])"


X, W = tn.ones(3, 4, requires_grad=True), tn.ones(4, requires_grad=True)
PLACES = tn.tensor([[0], [2], [1]])
NAMES = {  # as PyTorch 2.13 prints them
    "AddBackward0": X + 1, "RsubBackward1": 1 - X, "SubBackward0": X - W, "MulBackward0": 2 / X, "DivBackward0": X / 2,
    "PowBackward0": X**2, "PowBackward1": X**X, "PowBackward2": 2**X, "SumBackward0": X.sum(), "SumBackward1": X.sum(0),
    "MeanBackward0": X.mean(), "MeanBackward1": X.mean(1), "MaxBackward1": X.max(), "AmaxBackward0": X.amax(0),
    "MmBackward0": X @ X.T, "MvBackward0": X @ W, "DotBackward0": W @ W, "AddmmBackward0": nn.Linear(4, 2)(X),
    "ViewBackward0": X.view(12), "UnsqueezeBackward0": X.unsqueeze(0), "SqueezeBackward1": X[None].squeeze(0),
    "PermuteBackward0": X.T, "TransposeBackward0": X[None].transpose(0, 1), "SelectBackward0": X[:, 1],
    "SliceBackward0": X[0:2], "IndexBackward0": X[X > 0], "ReluBackward0": F.relu(X), "NllLossBackward0": F.cross_entropy(
        X, tn.tensor([0, 1, 2])
    ), "MseLossBackward0": F.mse_loss(X, 2 * X), "NativeBatchNormBackward0": nn.BatchNorm1d(4)(X), "CopySlices": X.clone(),
    "NativeLayerNormBackward0": nn.LayerNorm(4)(X), "CloneBackward0": X.clone(), "ToCopyBackward0": X.double(),
    "ExpBackward0": X.exp(), "LogSoftmaxBackward0": X.log_softmax(1), "FloorBackward0": X.floor(),
    "LinalgVectorNormBackward0": X.norm(), "CumsumBackward0": X.cumsum(0), "DivBackward2": X.div(2, rounding_mode="trunc"),
    "EluBackward0": F.elu(X), "LeakyReluBackward0": F.leaky_relu(X), "SiluBackward0": F.silu(X), "SinBackward0": X.sin(),
    "Log10Backward0": X.log10(), "SoftplusBackward0": F.softplus(X), "SplitBackward0": X.split(1)[0],
    "UnbindBackward0": X.unbind(1)[0], "RepeatBackward0": X.repeat(2, 1), "FlipBackward0": X.flip(0), "TrilBackward0": X.tril(),
    "ExpandBackward0": tn.meshgrid(W, W)[0], "GatherBackward0": X.gather(1, PLACES), "BmmBackward0": X[None].bmm(X.T[None]),
    "IndexSelectBackward0": X.index_select(1, PLACES[0]), "ScatterBackward0": X.scatter(1, PLACES, X),
    "ScatterBackward1": X.clone().scatter_(1, PLACES, 1.0), "ScatterAddBackward0": X.scatter_add(1, PLACES, X),
    "SortBackward0": X.sort().values, "TopkBackward0": X.topk(2).values, "MaxBackward0": X.max(1).values,
    "ProdBackward0": X.prod(), "ProdBackward1": X.prod(0), "MaskedFillBackward0": X.masked_fill(X > 0, 0),
    "ClampMinBackward0": X.clamp_min(0),
    "AddcmulBackward0": X.addcmul(X, X), "AddcdivBackward0": X.addcdiv(X, X, value=2), "RoundBackward1": X.round(decimals=1),
}  # fmt: skip
NAMES["CopySlices"][0] = W


@pytest.mark.parametrize("name", NAMES)
def test_the_op_has_pytorchs_name(name):
    assert f"grad_fn=<{name}>" in repr(NAMES[name])


def test_a_function_of_the_users_has_its_own_name():
    class Twice(tn.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    assert repr(Twice.apply(tn.tensor([1.0], requires_grad=True))) == "tensor([2.], grad_fn=<TwiceBackward>)"


def test_a_graph_that_is_freed_can_still_be_printed():
    for y in NAMES.values():
        z = (2 * y).sum()
        z.backward(retain_graph=False)
        assert "grad_fn=<" in repr(y)


# ---- shapes and dtypes ---------------------------------------------------------------------------------------------------


def test_a_shape_is_a_tuple_that_prints_as_pytorchs():
    shape = tn.zeros(2, 3, 4).shape
    assert f"{shape} {shape!r}" == "torch.Size([2, 3, 4]) torch.Size([2, 3, 4])"
    assert repr(tn.tensor(1.0).size()) == "torch.Size([])"
    assert [repr(s) for s in (shape[1:], shape + (1,), (1, *shape), (1,) + shape, 2 * shape[:1])] == [  # noqa: RUF005
        *("torch.Size([3, 4])", "torch.Size([2, 3, 4, 1])", "(1, 2, 3, 4)", "torch.Size([1, 2, 3, 4])", "torch.Size([2, 2])")
    ]
    assert (shape, shape[0], shape[-1], shape.numel(), *shape) == ((2, 3, 4), 2, 4, 24, 2, 3, 4)
    assert isinstance(shape, tuple)
    assert tn.Size([2, 3]) == tn.zeros(2, 3).shape
    assert pickle.loads(pickle.dumps(shape)) == shape
    assert tn.zeros(shape).reshape(shape).shape == shape


def test_a_dtype_prints_as_pytorchs_and_counts_as_numpys():
    x = tn.zeros(2)
    assert f"{x.dtype} {x.dtype!r} {tn.bool} {tn.long}" == "torch.float32 torch.float32 torch.bool torch.int64"
    assert x.dtype is tn.float32
    assert isinstance(x.dtype, tn.dtype)
    assert x.dtype == np.float32 == x.dtype == "float32"
    assert np.dtype("float32") == x.dtype
    assert x.dtype != tn.float64
    assert len({tn.float32, np.dtype("float32")}) == 1
    assert (tn.float16.is_floating_point, tn.int64.is_floating_point, tn.uint8.is_signed, tn.int8.itemsize) == (1, 0, 0, 1)
    assert np.zeros(2, tn.int32).dtype == np.ones(1).astype(tn.int32).dtype == np.int32
    assert np.finfo(tn.float32).eps == np.finfo("float32").eps
    assert pickle.loads(pickle.dumps([tn.float32, tn.bool])) == [tn.float32, tn.bool]
    assert tn.zeros(2).to(tn.bool).dtype is tn.bool
