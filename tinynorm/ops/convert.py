"""Copies, dtypes and devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..dtypes import dtype as OurDtype
from ..tensor import Tensor, method


class Clone(Node):
    """y = a copy of x;  dx = g."""

    def forward(self, x):
        return backend.copy(x)

    def backward(self, g):
        return (g,)


class Cast(Node):
    """y = x in another dtype;  dx = g in the dtype of x."""

    def __init__(self, dtype):
        self.dtype = dtype

    def forward(self, x):
        self.before = x.dtype
        y = backend.astype(x, self.dtype)
        self.nondifferentiable = () if backend.is_floating(y) else (0,)
        return y

    def backward(self, g):
        return (backend.astype(g, self.before),)


class Move(Node):
    """y = x on another device;  dx = g on the device of x."""

    def __init__(self, device):
        self.device = device

    def forward(self, x):
        self.before = backend.device_of(x)
        return backend.move(x, self.device)

    def backward(self, g):
        return (g.to(self.before) if isinstance(g, Tensor) else backend.move(g, self.before),)


@method()
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy. Its gradient passes to `input`.

    >>> import tinynorm
    >>> tinynorm.tensor([1.0]).clone()
    tensor([1.])
    """
    return Clone()(input)


@method("to")
def to(
    x: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Convert x to another dtype, another device, or both. If nothing changes, return x itself. The gradient passes to x.

    Parameters
    ----------
    *args : dtype, device, device name or Tensor
        In any order. A tensor gives its dtype and its device.
    dtype, device, copy
        The same by name; `copy` makes a copy even if nothing changes.
    non_blocking, memory_format
        Taken, as in PyTorch, but without effect.

    Raises
    ------
    RuntimeError
        The device is not available; the message has the reason and the fix.
    TypeError
        An argument is none of these.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([1, 2]).to(tinynorm.float64)
    tensor([1., 2.], dtype=torch.float64)
    """
    dtype, device = dtype_and_device(args, dtype, device)
    if dtype is not None:
        dtype = as_dtype(dtype, x._array)
        x = x if x._array.dtype == dtype else Cast(dtype)(x)
    if device is not None and x.device != device and not _same(backend.device(device), x.device):
        return Move(device)(x)
    return Clone()(x) if copy else x


def dtype_and_device(args: tuple, dtype: Any = None, device: Any = None) -> tuple[Any, Any]:
    """The (dtype, device) that the arguments of `to` ask for; None for each that they do not give."""
    for arg in args:
        if isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif isinstance(arg, backend.device) or (isinstance(arg, str) and arg.partition(":")[0] in ("cpu", "cuda")):
            device = arg
        elif not isinstance(arg, bool):
            dtype = arg
    return dtype, device


def _same(wanted: backend.device, has: Any) -> bool:
    return isinstance(has, backend.device) and wanted.type == has.type and wanted.index in (None, has.index)


def as_dtype(dtype: Any, like: Any = None) -> Any:
    """Convert `dtype` to a NumPy dtype (or to a dtype of `like`'s library, if that does not use NumPy's dtypes).

    Raises
    ------
    TypeError
        `dtype` is not the name of a dtype.
    """
    dtype = dtype.dtype if isinstance(dtype, OurDtype) else dtype
    if like is not None and not isinstance(like.dtype, np.dtype):
        return getattr(backend.namespace(like), str(dtype), dtype) if isinstance(dtype, np.dtype) else dtype
    if isinstance(dtype, str) and dtype.endswith("Tensor"):
        dtype = OLD_TYPES.get(dtype.rpartition(".")[2], dtype)
    try:
        found = np.dtype(dtype)
        if found.kind not in "fiub":
            raise TypeError
        return found
    except TypeError:
        expected = "a dtype such as tinynorm.float32, or a device such as 'cpu' or 'cuda'"
        raise TypeError(f"expected {expected}, got {dtype!r}") from None


def _converter(name: str, dtype: Any) -> None:
    def convert(x: Tensor) -> Tensor:
        return to(x, dtype)

    convert.__name__, convert.__doc__ = name, f"x in {dtype}."
    method(name)(convert)


for _name, _dtype in {
    "half": backend.float16,
    "float": backend.float32,
    "double": backend.float64,
    "byte": backend.uint8,
    "char": backend.int8,
    "short": backend.int16,
    "int": backend.int32,
    "long": backend.int64,
    "bool": backend.bool_,
}.items():
    _converter(_name, _dtype)


@method()
def cpu(x: Tensor) -> Tensor:
    """x on the CPU."""
    return to(x, "cpu")


@method()
def cuda(x: Tensor, device: int | None = None) -> Tensor:
    """x on the GPU (number `device`)."""
    return to(x, "cuda" if device is None else f"cuda:{device}")


# PyTorch's old names of the dtypes
OLD_TYPES: dict[str, Any] = {
    "FloatTensor": backend.float32,
    "DoubleTensor": backend.float64,
    "HalfTensor": backend.float16,
    "LongTensor": backend.int64,
    "IntTensor": backend.int32,
    "ShortTensor": backend.int16,
    "CharTensor": backend.int8,
    "ByteTensor": backend.uint8,
    "BoolTensor": backend.bool_,
}


@method("type")
def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """x in another dtype; without one, the old name of its type.

    >>> import tinynorm
    >>> tinynorm.tensor([1, 2]).type(tinynorm.float32)
    tensor([1., 2.])
    >>> tinynorm.tensor([1, 2]).type()
    'torch.LongTensor'
    """
    if dtype is not None:
        return to(self, dtype)
    name = next(name for name, old in OLD_TYPES.items() if old == self._array.dtype)
    return f"torch.{'cuda.' if self.is_cuda else ''}{name}"


@method()
def astype(x: Tensor, dtype: Any) -> Tensor:
    """x in another dtype.

    >>> import tinynorm
    >>> tinynorm.tensor([1, 2]).astype("float32")
    tensor([1., 2.])
    """
    return to(x, dtype)


@method()
def type_as(x: Tensor, other: Tensor) -> Tensor:
    """x in the dtype and on the device of `other`."""
    return to(x, other)


@method()
def contiguous(x: Tensor, memory_format: Any = None) -> Tensor:
    """x with its elements in row-major order in memory; x itself if they already are.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3).T.contiguous().array.flags.c_contiguous
    True
    """
    flags = getattr(x._array, "flags", None)
    return x if flags is None or flags.c_contiguous else Contiguous()(x)


class Contiguous(Node):
    """y = x in row-major memory;  dx = g."""

    def forward(self, x):
        return x.copy() if isinstance(x, np.ndarray) else backend.namespace(x).ascontiguousarray(x)

    def backward(self, g):
        return (g,)
