"""What the op files share: broadcasting's backward, dtype promotion, and dimensions under either name."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from .. import backend
from ..backend import namespace
from ..kernels.select import keep_bits
from ..kernels.sums import blas_sum, blocked_sum
from ..tensor import Tensor, wrap

F = TypeVar("F", bound=Callable)
Dims = int | Sequence[int] | None
NUMBERS = (float, int, bool)  # Python's, which change no float tensor's dtype


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array or Tensor; () for a Python number."""
    return getattr(x, "shape", ())


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of broadcasting: `g` summed over the axes along which `shape` was repeated.

    >>> sum_to(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    return reshaped(narrowed(sum_over(widened(g), axes), g), shape)


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` in another shape; `x` itself where it has it."""
    if x.shape == shape:
        return x
    return x.reshape(shape) if type(x) is np.ndarray else namespace(x).reshape(x, shape)


def sum_over(x: Any, axes: tuple[int, ...]) -> Any:
    """The sum over `axes`, in rising order, kept with length 1; never added up one number after another (see kernels/sums)."""
    if isinstance(x, Tensor):
        return namespace(x).sum(x, axis=axes, keepdims=True)
    y = blas_sum(x, axes) if type(x) is np.ndarray else blocked_sum(x, axes)
    return np.sum(x, axis=axes, keepdims=True) if y is None else y


def mean_over(x: Any, axes: tuple[int, ...]) -> Any:
    """The mean over `axes`, likewise; 0 over nothing."""
    y = blas_sum(x, axes, mean=True) if type(x) is np.ndarray else None
    return sum_over(x, axes) / max(math.prod(x.shape[i] for i in axes), 1) if y is None else y


def keep_where(mask: Any, g: Any) -> Any:
    """`g` where the mask holds, else 0, be `g` infinite or not: by a kernel where there is one."""
    y = keep_bits(mask, g) if type(g) is np.ndarray and type(mask) is np.ndarray else None
    return namespace(g).where(mask, g, 0.0) if y is None else y


def as_tensor_like(x: Any, like: Tensor) -> Tensor:
    """A raw array or list that meets a Tensor, as a Tensor.

    Raises
    ------
    TypeError
        It is neither, and no number.
    """
    if not backend.is_array(x):
        host = np.asarray(x)
        if host.dtype.kind not in "fiub":
            raise TypeError(f"expected a Tensor, an array or a real number beside a Tensor, got {type(x).__name__}")
        x = namespace(like.data).asarray(host, **backend.on_device_of(like.data))
    return wrap(backend.plain(x))


def promote(a: Any, b: Any) -> tuple[Any, Any]:
    """Bring two operands to one dtype by PyTorch's rule; Python numbers never change a float's.

    Floats win over integers, tensors with dimensions over 0-d ones, the wider over the narrower.
    """
    ta, tb = isinstance(a, Tensor), isinstance(b, Tensor)
    if ta and tb:
        return (a, b) if type(a.data) is type(b.data) and a.data.dtype == b.data.dtype else _promote_tensors(a, b)
    if not ta and not tb:
        return promote(_tensor_of(a), b) if type(a) in NUMBERS and type(b) in NUMBERS else (a, b)
    t, other = (a, b) if ta else (b, a)
    if type(other) in NUMBERS:
        if type(other) is float and not backend.is_floating(t.data):
            t = t.to(backend.float32)
    elif isinstance(other, np.generic):  # a number too
        number = float(other) if other.dtype.kind == "f" else other.item()
        return promote(a, number) if ta else promote(number, b)
    else:
        return promote(a, as_tensor_like(b, a)) if ta else promote(as_tensor_like(a, b), b)
    return (t, other) if ta else (other, t)


def _tensor_of(number: Any) -> Tensor:
    """A Python number that meets another one, as a 0-d Tensor: an operation answers with a Tensor."""
    return wrap(np.asarray(number, dtype_of_numbers(number)))


def _promote_tensors(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    x, y = a.data, b.data
    if isinstance(x, np.ndarray) != isinstance(y, np.ndarray):  # on two devices: the op will say so
        return a, b
    fx, fy = backend.is_floating(x), backend.is_floating(y)
    if fx != fy:
        dtype = x.dtype if fx else y.dtype
    elif (x.ndim == 0) != (y.ndim == 0) and (fx or not (backend.is_bool(x) or backend.is_bool(y))):
        dtype = y.dtype if x.ndim == 0 else x.dtype
    else:
        dtype = namespace(x).result_type(x.dtype, y.dtype)
    return a.to(dtype), b.to(dtype)


def dtype_of_numbers(*numbers: Any) -> Any:
    """What Python numbers become when no tensor is there to say: float32, int64 or bool."""
    kinds = {type(n) for n in numbers}
    return backend.float32 if float in kinds else backend.int64 if int in kinds else backend.bool_


def as_float(x: Any) -> Any:
    """Integers and booleans as float32, as the functions of analysis need them.

    Raises
    ------
    TypeError
        It is neither Tensor nor array nor number.
    """
    if isinstance(x, Tensor):
        return x if backend.is_floating(x.data) else x.to(backend.float32)
    if not isinstance(x, (int, float)) and not hasattr(x, "dtype"):
        raise backend.no_array(x)
    return x


def accepts_axis(f: F) -> F:
    """Let NumPy's ``axis`` and ``keepdims`` stand for PyTorch's ``dim`` and ``keepdim``."""

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for ours, numpys in (("dim", "axis"), ("keepdim", "keepdims")):
            if numpys in kwargs:
                if ours in kwargs:
                    raise TypeError(f"{f.__name__}: got both {ours}= and {numpys}=, which mean the same; pass one")
                kwargs[ours] = kwargs.pop(numpys)
        return f(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


def one_dim(dim: Any, ndim: int, op: str) -> int:
    """A dimension counted from the front.

    Raises
    ------
    IndexError
        It is out of range.
    """
    try:
        d = dim.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{op}: expected dim to be an int, got {type(dim).__name__}") from None
    n = max(ndim, 1)  # a 0-d tensor has dims -1 and 0, as in PyTorch
    if not -n <= d < n:
        raise IndexError(f"{op}: dim {d} is out of range: a tensor of {ndim} dimensions has dims {-n} to {n - 1}")
    return d % ndim if ndim else 0


def all_dims(dim: Dims, ndim: int, op: str) -> tuple[int, ...]:
    """Dimensions counted from the front; all of them for None.

    Raises
    ------
    IndexError, ValueError
        One is out of range, or named twice.
    """
    if dim is None:
        return tuple(range(ndim))
    dims = tuple(one_dim(d, ndim, op) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(dims)) != len(dims):
        raise ValueError(f"{op}: dim {dim} names a dimension twice")
    return dims if ndim else ()


def widened(x: Any) -> Any:
    """float16 as float32, in which its sums are accumulated; anything else as it is."""
    return backend.astype(x, backend.float32) if backend.is_half(x) else x


def narrowed(y: Any, like: Any) -> Any:
    """A result back in the dtype of `like`."""
    return y if y.dtype == like.dtype else backend.astype(y, like.dtype)
