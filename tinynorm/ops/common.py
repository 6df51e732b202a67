"""Helpers for the ops: the backward of broadcasting, dtype promotion, sums, and dimension arguments (`dim` or `axis`)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from .. import backend
from ..backend import namespace
from ..kernels.masks import keep_bits
from ..kernels.sums import blocked_sum, plan, sum_of_any_layout
from ..tensor import Tensor, raw, wrap

F = TypeVar("F", bound=Callable)
Dims = int | Sequence[int] | None
NUMBERS = (float, int, bool)  # Python numbers: they do not change the dtype of a float tensor


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an array or Tensor; () for a Python number."""
    return getattr(x, "shape", ())


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """The backward of broadcasting from `shape`: sum `g` over the axes along which the input was repeated.

    >>> sum_to(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    return reshaped(narrowed(sum_over(widened(g), axes), g), shape)


def reshaped(x: Any, shape: tuple[int, ...]) -> Any:
    """Reshape `x`; return `x` itself if it already has the shape."""
    if x.shape == shape:
        return x
    return x.reshape(shape) if type(x) is np.ndarray else namespace(x).reshape(x, shape)


def broadcast(x: Any, shape: tuple[int, ...]) -> Any:
    """`x`, broadcast to the shape."""
    if type(x) is np.ndarray and x.size == 1:  # one number, to be read everywhere: a fifth of np.broadcast_to's time
        y = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
        y.flags.writeable = False
        return y
    return namespace(x).broadcast_to(x, shape)


def sum_over(x: Any, axes: tuple[int, ...]) -> Any:
    """The sum over `axes` (in increasing order); the summed axes stay, with length 1.

    Long sums are added up in blocks, so that few digits are lost (see kernels/sums).
    """
    if type(x) in backend.NUMPYS:
        total = plan(x.shape, axes, x.dtype, False)
        if total is None:
            return np.sum(x, axis=axes, keepdims=True)
        return total(x) if x.flags.c_contiguous else sum_of_any_layout(x, axes, mean=False)
    return namespace(x).sum(x, axis=axes, keepdims=True) if isinstance(x, Tensor) else blocked_sum(x, axes)


def mean_over(x: Any, axes: tuple[int, ...]) -> Any:
    """The mean over `axes`, computed as in `sum_over`; 0 if there are no elements."""
    total = plan(x.shape, axes, x.dtype, True) if type(x) in backend.NUMPYS else None
    if total is None:
        return sum_over(x, axes) / max(size_along(x.shape, axes), 1)
    return total(x) if x.flags.c_contiguous else sum_of_any_layout(x, axes, mean=True)


@functools.lru_cache(maxsize=512)
def size_along(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    """How many numbers a sum over `axes` adds up."""
    return math.prod(shape[i] for i in axes)


def keep_where(mask: Any, g: Any) -> Any:
    """`g` where the mask is True, else 0, also where `g` is infinite or NaN. Uses a fast kernel if one fits the arrays."""
    y = keep_bits(mask, g) if type(g) in backend.NUMPYS and type(mask) in backend.NUMPYS else None
    return namespace(g).where(mask, g, 0.0) if y is None else y


def into(out: Tensor | None, made: Tensor) -> Tensor:
    """The tensor that was made, or `out` with its numbers, if that is given. An `out` without elements takes the shape.

    Raises
    ------
    RuntimeError
        `out` has another shape, or the op is recorded, which `out` would not be.
    """
    if out is None:
        return made
    if made.grad_fn is not None:
        raise RuntimeError("out=: expected inputs that need no gradient, for out is not recorded; use .detach(), or no_grad()")
    if tuple(out.shape) != tuple(made.shape):
        if math.prod(out.shape):
            raise RuntimeError(f"out=: expected a tensor of shape {tuple(made.shape)}, got {tuple(out.shape)}")
        out.array = backend.astype(backend.copy(made._array), out.dtype)
    return out.copy_(made)  # type: ignore[attr-defined]


def as_tensor_like(x: Any, like: Tensor) -> Tensor:
    """Convert `x`, an array, list or number that is an operand beside the Tensor `like`, to a Tensor.

    Raises
    ------
    TypeError
        `x` cannot be converted to real numbers.
    """
    if not backend.is_array(x):
        host = np.asarray(x)
        if host.dtype.kind not in "fiub":
            raise TypeError(f"expected a Tensor, an array or a real number beside a Tensor, got {type(x).__name__}")
        x = namespace(like._array).asarray(host, **backend.on_device_of(like._array))
    return wrap(backend.given(x))


def promote(a: Any, b: Any) -> tuple[Any, Any]:
    """Convert two operands to one dtype by PyTorch's rule.

    A float dtype wins over an integer dtype, then a tensor with dimensions wins over a 0-d tensor, then the wider dtype wins.
    A Python number never changes the dtype of a float tensor.
    """
    ta, tb = isinstance(a, Tensor), isinstance(b, Tensor)
    if ta and tb:
        return (a, b) if type(a._array) is type(b._array) and a._array.dtype == b._array.dtype else _promote_tensors(a, b)
    if not ta and not tb:
        return promote(_tensor_of(a), b) if type(a) in NUMBERS and type(b) in NUMBERS else (a, b)
    t, other = (a, b) if ta else (b, a)
    if type(other) in NUMBERS:
        if (type(other) is float or not 0 <= other < 128) and not backend.is_floating(t._array):
            t, other = _beside_integers(t, other)
    elif isinstance(other, np.generic):  # a NumPy scalar counts as a Python number
        number = python_number(other)
        return promote(a, number) if ta else promote(number, b)
    else:
        return promote(a, as_tensor_like(b, a)) if ta else promote(as_tensor_like(a, b), b)
    return (t, other) if ta else (other, t)


def python_number(x: Any) -> Any:
    """The Python number for which PyTorch takes a NumPy scalar: a float for a boolean too. Anything else stays as it is."""
    return (float(x) if x.dtype.kind in "fb" else x.item()) if isinstance(x, np.generic) else x


def _beside_integers(t: Tensor, number: Any) -> tuple[Tensor, Any]:
    """An integer tensor beside a number: a float makes it a float tensor; an int wraps around in its dtype, as in PyTorch.

    >>> _beside_integers(wrap(np.zeros(1, np.uint8)), -1)[1]
    255
    """
    if type(number) is float:
        return t.to(backend.default_dtype), number
    if not -(2**63) <= number < 2**63:
        raise RuntimeError(f"expected an integer of at most 64 bits beside a tensor of {t.dtype}, got {number}; use .float()")
    dtype = t._array.dtype
    narrow = isinstance(dtype, np.dtype) and dtype.kind in "iu" and dtype.itemsize < 8
    return t, np.asarray(number).astype(dtype).item() if narrow else number


def _tensor_of(number: Any) -> Tensor:
    """Convert a Python number to a 0-d Tensor. (If both operands are numbers, the op must still return a Tensor.)"""
    return wrap(np.asarray(number, dtype_of_numbers(number)))


def _promote_tensors(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    x, y = a._array, b._array
    if isinstance(x, np.ndarray) != isinstance(y, np.ndarray):  # on two devices: the op raises the error
        return a, b
    fx, fy = backend.is_floating(x), backend.is_floating(y)
    if fx != fy:
        dtype = x.dtype if fx else y.dtype
    elif (x.ndim == 0) != (y.ndim == 0) and (fx or not (backend.is_bool(x) or backend.is_bool(y))):
        dtype = y.dtype if x.ndim == 0 else x.dtype
    else:
        dtype = namespace(x).result_type(x.dtype, y.dtype)
    return a.to(dtype), b.to(dtype)


def without_numbers(a: Any, b: Any) -> list:
    """The two operands, a Python number as an array without dimensions, in the dtype of the other; booleans become int64."""
    a, b = (backend.astype(x, backend.int64) if hasattr(x, "shape") and backend.is_bool(raw(x)) else x for x in (a, b))
    like = raw(a if hasattr(a, "shape") else b)
    number = {"dtype": like.dtype, **backend.on_device_of(like)}
    return [x if hasattr(x, "shape") else namespace(like).asarray(x, **number) for x in (a, b)]


def dtype_of_numbers(*numbers: Any) -> Any:
    """The dtype of Python numbers if no tensor determines it: float32, int64 or bool."""
    kinds = {type(n) for n in numbers}
    return backend.default_dtype if float in kinds else backend.int64 if int in kinds else backend.bool_


def as_float(x: Any) -> Any:
    """Convert a Tensor of integers or booleans to float32, for functions such as `exp` that return floats.

    Raises
    ------
    TypeError
        `x` is not a Tensor, an array or a number.
    """
    if isinstance(x, Tensor):
        return x if backend.is_floating(x._array) else x.to(backend.default_dtype)
    if not isinstance(x, (int, float)) and not hasattr(x, "dtype"):
        raise backend.no_array(x)
    return x


def only_floats(op: str, x: Any) -> Any:
    """`x`, which has floating-point numbers.

    Raises
    ------
    TypeError
        `x` has integers or booleans, which PyTorch refuses in this op too; or it is neither a Tensor nor an array.
    """
    if not hasattr(x, "dtype"):
        raise backend.no_array(x, op)
    if not backend.is_floating(raw(x)):
        raise TypeError(f"{op}: expected a floating-point Tensor as input, got {raw(x).dtype}; use .float()")
    return x


def only_numbers(op: str, x: Any) -> Any:
    """`x`, which has numbers, of any dtype.

    Raises
    ------
    TypeError
        `x` has booleans, or is neither a Tensor nor an array.
    """
    if not hasattr(x, "dtype"):
        raise backend.no_array(x, op)
    if backend.is_bool(raw(x)):
        raise TypeError(f"{op}: expected numbers as input, got booleans; use .float()")
    return x


def as_held_by(op: str, dtype: Any, number: Any) -> Any:
    """A Python number as a dtype holds it, by PyTorch's rule.

    An integer dtype cuts off the fraction, and an unsigned one takes a negative integer as one counted down from its end.

    Raises
    ------
    RuntimeError
        The number is beyond those of the dtype.

    Examples
    --------
    >>> as_held_by("fill_", backend.uint8, 2.7), as_held_by("fill_", backend.uint8, -1)
    (2, 255)
    """
    if isinstance(number, np.generic):
        number = number.item()
    least, most = _limits(dtype)
    if most is True:
        return bool(number)
    if type(most) is float:
        if least <= number <= most or not math.isfinite(number):
            return number
    elif least <= number <= most:  # (so not NaN)
        return int(number)
    elif least == 0 and -most <= number < 0 and not isinstance(number, float):
        return number + most + 1
    dtype = str(dtype).rpartition(".")[2]
    raise RuntimeError(f"{op}: expected a number that fits into {dtype}, from {least} to {most}, got {number}")


def _limits(dtype: Any) -> tuple[Any, Any]:
    """The least and the largest number of a dtype, of any library."""
    return _limits_of(dtype if hasattr(dtype, "kind") else np.dtype(str(dtype).rpartition(".")[2]))


@functools.cache
def _limits_of(dtype: Any) -> tuple[Any, Any]:
    own = np.dtype(dtype)
    if own.kind == "b":
        return False, True
    info = (np.finfo if own.kind == "f" else np.iinfo)(own)
    return np.asarray(info.min).item(), np.asarray(info.max).item()


def int_held_by(op: str, x: Any, number: Any) -> Any:
    """`as_held_by` for an integer beside a tensor of integers. (Beside any other, the result has another dtype.)"""
    if not isinstance(number, (int, np.integer)) or not hasattr(x, "dtype") or type(_limits(raw(x).dtype)[1]) is not int:
        return number
    return as_held_by(op, raw(x).dtype, number)


def of_tensors(f: F) -> F:
    """Decorator: a list, number or text in the place of a tensor gets an error that names the op.

    It stands above ``@method``, so that methods, which have a tensor, do without it.
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return f(*args, **kwargs)
        except (AttributeError, TypeError):  # as in [1].ndim: until then, nothing is tested
            refuse_no_tensor(f.__name__, *args, *kwargs.values())
            raise

    return wrapper  # type: ignore[return-value]


def refuse_no_tensor(op: str, *args: Any) -> None:
    """Raise `no_array` for the first argument, if it is neither a Tensor nor an array, nor a list of them."""
    if args and not any(hasattr(x, "dtype") for x in (args[0] if isinstance(args[0], (list, tuple)) else args[:1])):
        raise backend.no_array(args[0], op) from None


def accepts_axis(f: F) -> F:
    """Decorator: accept NumPy's names ``axis`` and ``keepdims`` as well as PyTorch's ``dim`` and ``keepdim``.

    What is no tensor gets an error as in `of_tensors`.
    """

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for ours, numpys in (("dim", "axis"), ("keepdim", "keepdims")) if kwargs else ():
            if numpys in kwargs:
                if ours in kwargs:
                    raise TypeError(f"{f.__name__}: got both {ours}= and {numpys}=, which mean the same; pass one")
                kwargs[ours] = kwargs.pop(numpys)
        try:
            return f(*args, **kwargs)
        except (AttributeError, TypeError):
            refuse_no_tensor(f.__name__, *args, *kwargs.values())
            raise

    return wrapper  # type: ignore[return-value]


def printed_as(name: str, y: Any) -> Any:
    """y, whose op is printed by this name of PyTorch's."""
    node = getattr(y, "grad_fn", None)
    if node is not None:
        node.printed = name
    return y


def one_dim(dim: Any, ndim: int, op: str) -> int:
    """Convert a dimension, which may be negative, to its number counted from the front.

    Raises
    ------
    IndexError
        The dimension is out of range.
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
    """Convert dimensions to their numbers counted from the front; None means all dimensions.

    Raises
    ------
    IndexError, ValueError
        A dimension is out of range, or is given twice.
    """
    if dim is None:
        return tuple(range(ndim))
    dims = tuple(one_dim(d, ndim, op) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if len(set(dims)) != len(dims):
        raise ValueError(f"{op}: dim {dim} names a dimension twice")
    return dims if ndim else ()


def widened(x: Any) -> Any:
    """Convert float16 to float32, so that sums are accumulated in float32; return any other dtype unchanged."""
    return backend.astype(x, backend.float32) if getattr(x.dtype, "char", "") == "e" else x


def narrowed(y: Any, like: Any) -> Any:
    """Convert a result to the dtype of `like`."""
    return y if y.dtype == like.dtype else backend.astype(y, like.dtype)
