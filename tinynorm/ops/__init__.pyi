# Made by tests/types/make_stubs.py of the ops' signatures; do not edit.
from collections.abc import Sequence
from typing import Any, SupportsIndex, overload

from numpy.typing import DTypeLike

from .. import backend
from .._methods import Index, TensorLike
from ..tensor import Tensor
from . import inplace as inplace
from .common import Dims
from .reduction import Along

__all__ = [
    "abs",
    "acos",
    "adaptive_avg_pool2d",
    "add",
    "addcdiv",
    "addcmul",
    "addmm",
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "asin",
    "astype",
    "atan",
    "atan2",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "bincount",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "bmm",
    "broadcast_to",
    "cat",
    "cdist",
    "ceil",
    "chunk",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clone",
    "concat",
    "conv1d",
    "conv2d",
    "cos",
    "cosh",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "cumprod",
    "cumsum",
    "diag",
    "diagonal",
    "diff",
    "div",
    "divide",
    "dot",
    "dropout",
    "einsum",
    "elu",
    "embedding",
    "empty_like",
    "eq",
    "equal",
    "erf",
    "erfc",
    "exp",
    "expand",
    "expand_dims",
    "expm1",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "floor",
    "floor_divide",
    "fmod",
    "frac",
    "full_like",
    "gather",
    "gaussian_nll_loss",
    "ge",
    "gelu",
    "getitem",
    "glu",
    "group_norm",
    "gt",
    "gumbel_softmax",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "histc",
    "hstack",
    "huber_loss",
    "hypot",
    "index_add",
    "index_fill",
    "index_select",
    "inplace",
    "instance_norm",
    "isclose",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "kl_div",
    "kron",
    "l1_loss",
    "layer_norm",
    "le",
    "leaky_relu",
    "lerp",
    "linear",
    "local_response_norm",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsigmoid",
    "logsumexp",
    "lt",
    "margin_ranking_loss",
    "masked_fill",
    "masked_select",
    "matmul",
    "matrix_transpose",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "mish",
    "mm",
    "movedim",
    "mse_loss",
    "mul",
    "multilabel_soft_margin_loss",
    "multiply",
    "mv",
    "nan_to_num",
    "narrow",
    "ne",
    "neg",
    "nll_loss",
    "nonzero",
    "norm",
    "normalize",
    "one_hot",
    "ones_like",
    "outer",
    "pairwise_distance",
    "permute",
    "permute_dims",
    "poisson_nll_loss",
    "pow",
    "prelu",
    "prod",
    "ravel",
    "reciprocal",
    "relu",
    "relu6",
    "remainder",
    "repeat",
    "repeat_interleave",
    "reshape",
    "rms_norm",
    "roll",
    "round",
    "rsqrt",
    "scatter",
    "scatter_add",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softsign",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "std_mean",
    "sub",
    "subtract",
    "sum",
    "t",
    "take_along_dim",
    "tan",
    "tanh",
    "tanhshrink",
    "tensordot",
    "threshold",
    "tile",
    "topk",
    "trace",
    "transpose",
    "tril",
    "triplet_margin_loss",
    "triu",
    "true_divide",
    "trunc",
    "unbind",
    "unflatten",
    "unique",
    "unsqueeze",
    "var",
    "var_mean",
    "vstack",
    "where",
    "zeros_like",
]

def abs(input: Tensor) -> Tensor: ...
def acos(input: Tensor) -> Tensor: ...
def adaptive_avg_pool2d(input: Tensor, output_size: int | Sequence[int | None] | None) -> Tensor: ...
@overload
def add(input: Tensor, other: TensorLike, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
@overload
def add(input: TensorLike, other: Tensor, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
def addcdiv(input: Tensor, tensor1: TensorLike, tensor2: TensorLike, *, value: TensorLike = 1) -> Tensor: ...
def addcmul(input: Tensor, tensor1: TensorLike, tensor2: TensorLike, *, value: TensorLike = 1) -> Tensor: ...
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor: ...
def all(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
@overload
def allclose(input: Tensor, other: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool: ...
@overload
def allclose(input: TensorLike, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool: ...
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
def any(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
def argmax(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor: ...
def argmin(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor: ...
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, axis: int = -1) -> Tensor: ...
def asin(input: Tensor) -> Tensor: ...
def astype(x: Tensor, dtype: DTypeLike) -> Tensor: ...
def atan(input: Tensor) -> Tensor: ...
@overload
def atan2(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def atan2(input: TensorLike, other: Tensor) -> Tensor: ...
def avg_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] | str = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor: ...
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor: ...
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor: ...
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor: ...
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor: ...
@overload
def bitwise_and(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def bitwise_and(input: TensorLike, other: Tensor) -> Tensor: ...
def bitwise_not(input: Tensor) -> Tensor: ...
@overload
def bitwise_or(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def bitwise_or(input: TensorLike, other: Tensor) -> Tensor: ...
@overload
def bitwise_xor(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def bitwise_xor(input: TensorLike, other: Tensor) -> Tensor: ...
def bmm(input: Tensor, mat2: Tensor) -> Tensor: ...
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor: ...
def cat(tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None) -> Tensor: ...
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = None) -> Tensor: ...
def ceil(input: Tensor) -> Tensor: ...
def chunk(input: Tensor, chunks: int, dim: int = 0, *, axis: int = 0) -> tuple[Tensor, ...]: ...
def clamp(input: Tensor, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor: ...
def clamp_max(input: Tensor, max: TensorLike) -> Tensor: ...
def clamp_min(input: Tensor, min: TensorLike) -> Tensor: ...
def clone(input: Tensor, *, memory_format: Any | None = None) -> Tensor: ...
def concat(tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None) -> Tensor: ...
def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor: ...
def cos(input: Tensor) -> Tensor: ...
def cosh(input: Tensor) -> Tensor: ...
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08, *, axis: int = 1) -> Tensor: ...
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor: ...
@overload
def cumprod(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def cumprod(input: Tensor, *, axis: int, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def cumsum(input: Tensor, *, axis: int, dtype: DTypeLike | None = None) -> Tensor: ...
def diag(input: Tensor, diagonal: int = 0) -> Tensor: ...
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor: ...
def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
    *,
    axis: int = -1,
) -> Tensor: ...
@overload
def div(input: Tensor, other: TensorLike, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor: ...
@overload
def div(input: TensorLike, other: Tensor, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor: ...
@overload
def divide(input: Tensor, other: TensorLike, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor: ...
@overload
def divide(input: TensorLike, other: Tensor, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor: ...
def dot(input: Tensor, tensor: Tensor) -> Tensor: ...
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor: ...
def einsum(equation: str, *operands: Tensor | Sequence[Tensor]) -> Tensor: ...
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor: ...
def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor: ...
def empty_like(
    input: Tensor,
    *,
    dtype: DTypeLike | None = None,
    device: backend.device | str | None = None,
    requires_grad: bool = False,
    memory_format: Any | None = None,
) -> Tensor: ...
@overload
def eq(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def eq(input: TensorLike, other: Tensor) -> Tensor: ...
def equal(input: Tensor, other: Tensor) -> bool: ...
def erf(input: Tensor) -> Tensor: ...
def erfc(input: Tensor) -> Tensor: ...
def exp(input: Tensor) -> Tensor: ...
def expand(
    input: Tensor,
    *sizes: SupportsIndex | Sequence[int],
    size: SupportsIndex | Sequence[int] | None = None,
) -> Tensor: ...
@overload
def expand_dims(input: Tensor, dim: int) -> Tensor: ...
@overload
def expand_dims(input: Tensor, *, axis: int) -> Tensor: ...
def expm1(input: Tensor) -> Tensor: ...
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor: ...
def flip(input: Tensor, *order: SupportsIndex | Sequence[int], dims: SupportsIndex | Sequence[int] | None = None) -> Tensor: ...
def fliplr(input: Tensor) -> Tensor: ...
def flipud(input: Tensor) -> Tensor: ...
def floor(input: Tensor) -> Tensor: ...
@overload
def floor_divide(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def floor_divide(input: TensorLike, other: Tensor) -> Tensor: ...
@overload
def fmod(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def fmod(input: TensorLike, other: Tensor) -> Tensor: ...
def frac(input: Tensor) -> Tensor: ...
def full_like(
    input: Tensor,
    fill_value: TensorLike,
    *,
    dtype: DTypeLike | None = None,
    device: backend.device | str | None = None,
    requires_grad: bool = False,
    memory_format: Any | None = None,
) -> Tensor: ...
@overload
def gather(input: Tensor, dim: int, index: Index) -> Tensor: ...
@overload
def gather(input: Tensor, *, axis: int, index: Index) -> Tensor: ...
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-06,
    reduction: str = "mean",
) -> Tensor: ...
@overload
def ge(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def ge(input: TensorLike, other: Tensor) -> Tensor: ...
def gelu(input: Tensor, approximate: str = "none") -> Tensor: ...
def getitem(x: Tensor, index: Index) -> Tensor: ...
def glu(input: Tensor, dim: int = -1, *, axis: int = -1) -> Tensor: ...
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def gt(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def gt(input: TensorLike, other: Tensor) -> Tensor: ...
def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
    *,
    axis: int = -1,
) -> Tensor: ...
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor: ...
def hardswish(input: Tensor, inplace: bool = False) -> Tensor: ...
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor: ...
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor: ...
def hstack(tensors: Sequence[TensorLike]) -> Tensor: ...
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor: ...
@overload
def hypot(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def hypot(input: TensorLike, other: Tensor) -> Tensor: ...
@overload
def index_add(input: Tensor, dim: int, index: Index, source: TensorLike, *, alpha: float = 1) -> Tensor: ...
@overload
def index_add(input: Tensor, *, axis: int, index: Index, source: TensorLike, alpha: float = 1) -> Tensor: ...
@overload
def index_fill(input: Tensor, dim: int, index: Index, value: TensorLike) -> Tensor: ...
@overload
def index_fill(input: Tensor, *, axis: int, index: Index, value: TensorLike) -> Tensor: ...
@overload
def index_select(input: Tensor, dim: int, index: Index) -> Tensor: ...
@overload
def index_select(input: Tensor, *, axis: int, index: Index) -> Tensor: ...
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def isclose(input: Tensor, other: TensorLike, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor: ...
@overload
def isclose(input: TensorLike, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor: ...
def isfinite(input: Tensor) -> Tensor: ...
def isin(
    elements: Tensor | float,
    test_elements: Tensor | float,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor: ...
def isinf(input: Tensor) -> Tensor: ...
def isnan(input: Tensor) -> Tensor: ...
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor: ...
@overload
def kron(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def kron(input: TensorLike, other: Tensor) -> Tensor: ...
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
) -> Tensor: ...
@overload
def le(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def le(input: TensorLike, other: Tensor) -> Tensor: ...
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor: ...
def lerp(input: Tensor, end: TensorLike, weight: float | Tensor) -> Tensor: ...
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor: ...
def local_response_norm(input: Tensor, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0) -> Tensor: ...
def log(input: Tensor) -> Tensor: ...
def log1p(input: Tensor) -> Tensor: ...
def log2(input: Tensor) -> Tensor: ...
def log10(input: Tensor) -> Tensor: ...
@overload
def log_softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def log_softmax(input: Tensor, *, axis: int, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def logical_and(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def logical_and(input: TensorLike, other: Tensor) -> Tensor: ...
def logical_not(input: Tensor) -> Tensor: ...
@overload
def logical_or(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def logical_or(input: TensorLike, other: Tensor) -> Tensor: ...
@overload
def logical_xor(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def logical_xor(input: TensorLike, other: Tensor) -> Tensor: ...
def logsigmoid(input: Tensor) -> Tensor: ...
@overload
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, keepdims: bool = False) -> Tensor: ...
@overload
def logsumexp(input: Tensor, *, axis: Dims, keepdim: bool = False, keepdims: bool = False) -> Tensor: ...
@overload
def lt(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def lt(input: TensorLike, other: Tensor) -> Tensor: ...
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def masked_fill(input: Tensor, mask: TensorLike, value: TensorLike) -> Tensor: ...
def masked_select(input: Tensor, mask: TensorLike) -> Tensor: ...
@overload
def matmul(input: Tensor, other: TensorLike, *, out: Tensor | None = None) -> Tensor: ...
@overload
def matmul(input: TensorLike, other: Tensor, *, out: Tensor | None = None) -> Tensor: ...
def matrix_transpose(input: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, dim: None = None, keepdim: bool = False, *, axis: None = None, keepdims: bool = False) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False, *, keepdims: bool = False) -> Along: ...
@overload
def max(input: Tensor, *, axis: int, keepdim: bool = False, keepdims: bool = False) -> Along: ...
@overload
def max(input: Tensor, other: Tensor) -> Tensor: ...
def max_pool2d(
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] | str = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any: ...
@overload
def maximum(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def maximum(input: TensorLike, other: Tensor) -> Tensor: ...
def mean(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
@overload
def median(input: Tensor, dim: None = None, keepdim: bool = False, *, axis: None = None, keepdims: bool = False) -> Tensor: ...
@overload
def median(input: Tensor, dim: int, keepdim: bool = False, *, keepdims: bool = False) -> Along: ...
@overload
def median(input: Tensor, *, axis: int, keepdim: bool = False, keepdims: bool = False) -> Along: ...
def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str = "ij") -> tuple[Tensor, ...]: ...
@overload
def min(input: Tensor, dim: None = None, keepdim: bool = False, *, axis: None = None, keepdims: bool = False) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False, *, keepdims: bool = False) -> Along: ...
@overload
def min(input: Tensor, *, axis: int, keepdim: bool = False, keepdims: bool = False) -> Along: ...
@overload
def min(input: Tensor, other: Tensor) -> Tensor: ...
@overload
def minimum(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def minimum(input: TensorLike, other: Tensor) -> Tensor: ...
def mish(input: Tensor, inplace: bool = False) -> Tensor: ...
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor: ...
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor: ...
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
@overload
def mul(input: Tensor, other: TensorLike, *, out: Tensor | None = None) -> Tensor: ...
@overload
def mul(input: TensorLike, other: Tensor, *, out: Tensor | None = None) -> Tensor: ...
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
@overload
def multiply(input: Tensor, other: TensorLike, *, out: Tensor | None = None) -> Tensor: ...
@overload
def multiply(input: TensorLike, other: Tensor, *, out: Tensor | None = None) -> Tensor: ...
def mv(input: Tensor, vec: Tensor) -> Tensor: ...
def nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Tensor: ...
@overload
def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor: ...
@overload
def narrow(input: Tensor, *, axis: int, start: int | Tensor, length: int) -> Tensor: ...
@overload
def ne(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def ne(input: TensorLike, other: Tensor) -> Tensor: ...
def neg(input: Tensor) -> Tensor: ...
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor: ...
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
def normalize(input: Tensor, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12, *, axis: Dims = 1) -> Tensor: ...
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor: ...
def ones_like(
    input: Tensor,
    *,
    dtype: DTypeLike | None = None,
    device: backend.device | str | None = None,
    requires_grad: bool = False,
    memory_format: Any | None = None,
) -> Tensor: ...
def outer(input: Tensor, vec2: Tensor) -> Tensor: ...
def pairwise_distance(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    eps: float = 1e-06,
    keepdim: bool = False,
    *,
    keepdims: bool = False,
) -> Tensor: ...
def permute(
    input: Tensor,
    *order: SupportsIndex | Sequence[int],
    dims: SupportsIndex | Sequence[int] | None = None,
) -> Tensor: ...
def permute_dims(
    input: Tensor,
    *order: SupportsIndex | Sequence[int],
    dims: SupportsIndex | Sequence[int] | None = None,
) -> Tensor: ...
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-08,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
@overload
def pow(input: Tensor, exponent: TensorLike) -> Tensor: ...
@overload
def pow(input: TensorLike, exponent: Tensor) -> Tensor: ...
def prelu(input: Tensor, weight: Tensor) -> Tensor: ...
def prod(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
def ravel(input: Tensor) -> Tensor: ...
def reciprocal(input: Tensor) -> Tensor: ...
def relu(input: Tensor, inplace: bool = False) -> Tensor: ...
def relu6(input: Tensor, inplace: bool = False) -> Tensor: ...
@overload
def remainder(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def remainder(input: TensorLike, other: Tensor) -> Tensor: ...
def repeat(
    input: Tensor,
    *sizes: SupportsIndex | Sequence[int],
    repeats: SupportsIndex | Sequence[int] | None = None,
) -> Tensor: ...
def repeat_interleave(
    input: Tensor,
    repeats: int | Tensor,
    dim: int | None = None,
    *,
    output_size: int | None = None,
    axis: int | None = None,
) -> Tensor: ...
def reshape(
    input: Tensor,
    *sizes: SupportsIndex | Sequence[int],
    shape: SupportsIndex | Sequence[int] | None = None,
) -> Tensor: ...
def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor: ...
def roll(input: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor: ...
def round(input: Tensor, *, decimals: int = 0) -> Tensor: ...
def rsqrt(input: Tensor) -> Tensor: ...
@overload
def scatter(
    input: Tensor,
    dim: int,
    index: Index,
    src: Tensor | float | None = None,
    *,
    value: float | None = None,
) -> Tensor: ...
@overload
def scatter(
    input: Tensor,
    *,
    axis: int,
    index: Index,
    src: Tensor | float | None = None,
    value: float | None = None,
) -> Tensor: ...
@overload
def scatter_add(input: Tensor, dim: int, index: Index, src: Tensor) -> Tensor: ...
@overload
def scatter_add(input: Tensor, *, axis: int, index: Index, src: Tensor) -> Tensor: ...
def selu(input: Tensor, inplace: bool = False) -> Tensor: ...
def sigmoid(input: Tensor) -> Tensor: ...
def sign(input: Tensor) -> Tensor: ...
def silu(input: Tensor, inplace: bool = False) -> Tensor: ...
def sin(input: Tensor) -> Tensor: ...
def sinh(input: Tensor) -> Tensor: ...
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor: ...
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
@overload
def softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def softmax(input: Tensor, *, axis: int, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def softmin(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def softmin(input: Tensor, *, axis: int, dtype: DTypeLike | None = None) -> Tensor: ...
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor: ...
def softsign(input: Tensor) -> Tensor: ...
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False, *, axis: int = -1) -> Along: ...
def split(
    tensor: Tensor,
    split_size_or_sections: int | Sequence[int],
    dim: int = 0,
    *,
    axis: int = 0,
) -> tuple[Tensor, ...]: ...
def sqrt(input: Tensor) -> Tensor: ...
def square(input: Tensor) -> Tensor: ...
def squeeze(input: Tensor, dim: Dims | None = None, *, axis: Dims | None = None) -> Tensor: ...
def stack(tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None) -> Tensor: ...
def std(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims | None = None,
    keepdims: bool = False,
) -> Tensor: ...
def std_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims | None = None,
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]: ...
@overload
def sub(input: Tensor, other: TensorLike, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
@overload
def sub(input: TensorLike, other: Tensor, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
@overload
def subtract(input: Tensor, other: TensorLike, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
@overload
def subtract(input: TensorLike, other: Tensor, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
def sum(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
def t(input: Tensor) -> Tensor: ...
def take_along_dim(input: Tensor, indices: TensorLike, dim: int | None = None, *, axis: int | None = None) -> Tensor: ...
def tan(input: Tensor) -> Tensor: ...
def tanh(input: Tensor) -> Tensor: ...
def tanhshrink(input: Tensor) -> Tensor: ...
def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Sequence[int]] = 2) -> Tensor: ...
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor: ...
def tile(input: Tensor, *sizes: SupportsIndex | Sequence[int], dims: SupportsIndex | Sequence[int] | None = None) -> Tensor: ...
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, axis: int = -1) -> Along: ...
def trace(input: Tensor) -> Tensor: ...
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor: ...
def tril(input: Tensor, diagonal: int = 0) -> Tensor: ...
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-06,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor: ...
def triu(input: Tensor, diagonal: int = 0) -> Tensor: ...
@overload
def true_divide(input: Tensor, other: TensorLike, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor: ...
@overload
def true_divide(input: TensorLike, other: Tensor, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor: ...
def trunc(input: Tensor) -> Tensor: ...
def unbind(input: Tensor, dim: int = 0, *, axis: int = 0) -> tuple[Tensor, ...]: ...
@overload
def unflatten(input: Tensor, dim: int, sizes: SupportsIndex | Sequence[int]) -> Tensor: ...
@overload
def unflatten(input: Tensor, *, axis: int, sizes: SupportsIndex | Sequence[int]) -> Tensor: ...
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any: ...
@overload
def unsqueeze(input: Tensor, dim: int) -> Tensor: ...
@overload
def unsqueeze(input: Tensor, *, axis: int) -> Tensor: ...
def var(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims | None = None,
    keepdims: bool = False,
) -> Tensor: ...
def var_mean(
    input: Tensor,
    dim: Dims | None = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dims | None = None,
    keepdims: bool = False,
) -> tuple[Tensor, Tensor]: ...
def vstack(tensors: Sequence[TensorLike]) -> Tensor: ...
@overload
def where(condition: Tensor) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Tensor, input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def where(condition: Tensor, input: TensorLike, other: Tensor) -> Tensor: ...
def zeros_like(
    input: Tensor,
    *,
    dtype: DTypeLike | None = None,
    device: backend.device | str | None = None,
    requires_grad: bool = False,
    memory_format: Any | None = None,
) -> Tensor: ...
