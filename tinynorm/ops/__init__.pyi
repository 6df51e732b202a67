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
    "add",
    "addcdiv",
    "addcmul",
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "astype",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "bincount",
    "bmm",
    "broadcast_to",
    "cat",
    "ceil",
    "chunk",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clone",
    "concat",
    "cos",
    "cross_entropy",
    "cumsum",
    "div",
    "divide",
    "dot",
    "dropout",
    "einsum",
    "elu",
    "embedding",
    "eq",
    "equal",
    "erf",
    "erfc",
    "exp",
    "expand",
    "expand_dims",
    "flatten",
    "flip",
    "floor",
    "floor_divide",
    "full_like",
    "gather",
    "ge",
    "gelu",
    "getitem",
    "group_norm",
    "gt",
    "huber_loss",
    "index_select",
    "inplace",
    "instance_norm",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "le",
    "leaky_relu",
    "linear",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "lt",
    "masked_fill",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "meshgrid",
    "min",
    "minimum",
    "mm",
    "mse_loss",
    "mul",
    "multiply",
    "mv",
    "ne",
    "neg",
    "nll_loss",
    "nonzero",
    "norm",
    "normalize",
    "one_hot",
    "ones_like",
    "outer",
    "permute",
    "permute_dims",
    "pow",
    "prod",
    "relu",
    "remainder",
    "repeat",
    "reshape",
    "rms_norm",
    "round",
    "rsqrt",
    "scatter",
    "scatter_add",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "sub",
    "subtract",
    "sum",
    "t",
    "take_along_dim",
    "tanh",
    "tile",
    "topk",
    "transpose",
    "tril",
    "triu",
    "unbind",
    "unsqueeze",
    "var",
    "where",
    "zeros_like",
]

def abs(input: Tensor) -> Tensor: ...
@overload
def add(input: Tensor, other: TensorLike, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
@overload
def add(input: TensorLike, other: Tensor, *, alpha: TensorLike = 1, out: Tensor | None = None) -> Tensor: ...
def addcdiv(input: Tensor, tensor1: TensorLike, tensor2: TensorLike, *, value: TensorLike = 1) -> Tensor: ...
def addcmul(input: Tensor, tensor1: TensorLike, tensor2: TensorLike, *, value: TensorLike = 1) -> Tensor: ...
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
def astype(x: Tensor, dtype: DTypeLike) -> Tensor: ...
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
def bmm(input: Tensor, mat2: Tensor) -> Tensor: ...
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor: ...
def cat(tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None) -> Tensor: ...
def ceil(input: Tensor) -> Tensor: ...
def chunk(input: Tensor, chunks: int, dim: int = 0, *, axis: int = 0) -> tuple[Tensor, ...]: ...
def clamp(input: Tensor, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor: ...
def clamp_max(input: Tensor, max: TensorLike) -> Tensor: ...
def clamp_min(input: Tensor, min: TensorLike) -> Tensor: ...
def clone(input: Tensor, *, memory_format: Any | None = None) -> Tensor: ...
def concat(tensors: Sequence[TensorLike], dim: int = 0, *, axis: int | None = None) -> Tensor: ...
def cos(input: Tensor) -> Tensor: ...
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
def cumsum(input: Tensor, dim: int, *, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def cumsum(input: Tensor, *, axis: int, dtype: DTypeLike | None = None) -> Tensor: ...
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
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor: ...
def flip(input: Tensor, *order: SupportsIndex | Sequence[int], dims: SupportsIndex | Sequence[int] | None = None) -> Tensor: ...
def floor(input: Tensor) -> Tensor: ...
@overload
def floor_divide(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def floor_divide(input: TensorLike, other: Tensor) -> Tensor: ...
def full_like(
    input: Tensor,
    fill_value: TensorLike,
    *,
    dtype: DTypeLike | None = None,
    device: backend.device | str | None = None,
    requires_grad: bool = False,
    memory_format: Any | None = None,
) -> Tensor: ...
def gather(input: Tensor, dim: int, index: Index) -> Tensor: ...
@overload
def ge(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def ge(input: TensorLike, other: Tensor) -> Tensor: ...
def gelu(input: Tensor, approximate: str = "none") -> Tensor: ...
def getitem(x: Tensor, index: Index) -> Tensor: ...
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
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor: ...
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
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor: ...
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
@overload
def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False, *, keepdims: bool = False) -> Tensor: ...
@overload
def logsumexp(input: Tensor, *, axis: Dims, keepdim: bool = False, keepdims: bool = False) -> Tensor: ...
@overload
def lt(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def lt(input: TensorLike, other: Tensor) -> Tensor: ...
def masked_fill(input: Tensor, mask: TensorLike, value: TensorLike) -> Tensor: ...
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
@overload
def maximum(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def maximum(input: TensorLike, other: Tensor) -> Tensor: ...
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, axis: Dims = None, keepdims: bool = False) -> Tensor: ...
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
def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor: ...
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
@overload
def multiply(input: Tensor, other: TensorLike, *, out: Tensor | None = None) -> Tensor: ...
@overload
def multiply(input: TensorLike, other: Tensor, *, out: Tensor | None = None) -> Tensor: ...
def mv(input: Tensor, vec: Tensor) -> Tensor: ...
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
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor: ...
def ones_like(
    input: Tensor,
    *,
    dtype: DTypeLike | None = None,
    device: backend.device | str | None = None,
    requires_grad: bool = False,
    memory_format: Any | None = None,
) -> Tensor: ...
def outer(input: Tensor, vec2: Tensor) -> Tensor: ...
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
@overload
def pow(input: Tensor, exponent: TensorLike) -> Tensor: ...
@overload
def pow(input: TensorLike, exponent: Tensor) -> Tensor: ...
def prod(
    input: Tensor,
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: DTypeLike | None = None,
    axis: Dims = None,
    keepdims: bool = False,
) -> Tensor: ...
def relu(input: Tensor, inplace: bool = False) -> Tensor: ...
@overload
def remainder(input: Tensor, other: TensorLike) -> Tensor: ...
@overload
def remainder(input: TensorLike, other: Tensor) -> Tensor: ...
def repeat(
    input: Tensor,
    *sizes: SupportsIndex | Sequence[int],
    repeats: SupportsIndex | Sequence[int] | None = None,
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
def sigmoid(input: Tensor) -> Tensor: ...
def sign(input: Tensor) -> Tensor: ...
def silu(input: Tensor, inplace: bool = False) -> Tensor: ...
def sin(input: Tensor) -> Tensor: ...
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor: ...
@overload
def softmax(input: Tensor, dim: int, dtype: DTypeLike | None = None) -> Tensor: ...
@overload
def softmax(input: Tensor, *, axis: int, dtype: DTypeLike | None = None) -> Tensor: ...
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor: ...
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
def tanh(input: Tensor) -> Tensor: ...
def tile(input: Tensor, *sizes: SupportsIndex | Sequence[int], dims: SupportsIndex | Sequence[int] | None = None) -> Tensor: ...
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, axis: int = -1) -> Along: ...
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor: ...
def tril(input: Tensor, diagonal: int = 0) -> Tensor: ...
def triu(input: Tensor, diagonal: int = 0) -> Tensor: ...
def unbind(input: Tensor, dim: int = 0, *, axis: int = 0) -> tuple[Tensor, ...]: ...
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
