"""The types of numbers, under PyTorch's names. NumPy takes one wherever it takes a dtype of its own."""

from __future__ import annotations

from typing import Any

import numpy as np


class dtype:
    """The type of a tensor's elements: ``tinynorm.float32``, ``tinynorm.int64`` …, printed as PyTorch prints it.

    It equals NumPy's dtype, has its attributes, and can be given to NumPy in its place.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.ones(2)
    >>> print(x.dtype)
    torch.float32
    >>> x.dtype == tinynorm.float32, x.dtype == np.float32, x.dtype.is_floating_point
    (True, True, True)
    >>> np.zeros(2, x.dtype).dtype
    dtype('float32')
    """

    __slots__ = ("dtype", "is_complex", "is_floating_point", "is_signed")
    dtype: np.dtype

    def __init__(self, name: str) -> None:
        self.dtype = np.dtype(name)
        self.is_floating_point = self.dtype.kind == "f"
        self.is_signed = self.dtype.kind in "fi"
        self.is_complex = False

    @property
    def __numpy_dtype__(self) -> np.dtype:  # asked for by NumPy 2.4 and later; before, `dtype`
        return self.dtype

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "dtype"), name)

    def __eq__(self, other: object) -> bool:
        return self is other or bool(self.dtype == other)

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"torch.{self.dtype}"

    def __reduce__(self) -> str:
        return "bool_" if self.dtype.kind == "b" else self.dtype.name


float16, float32, float64 = dtype("float16"), dtype("float32"), dtype("float64")
int8, int16, int32, int64 = dtype("int8"), dtype("int16"), dtype("int32"), dtype("int64")
uint8, bool_ = dtype("uint8"), dtype("bool")


class layout:
    """How the elements lie in memory. There is only `strided`: at equal steps along each dimension.

    >>> import tinynorm
    >>> tinynorm.ones(2).layout
    torch.strided
    """

    def __repr__(self) -> str:
        return "torch.strided"

    def __reduce__(self) -> str:
        return "strided"


strided = layout()
# NumPy's dtype -> PyTorch's
OF_NUMPYS = {d.dtype: d for d in (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)}


def dtype_of(array: Any) -> Any:
    """The dtype of an array, as a Tensor gives it. (Those that PyTorch has not, and another library's, stay as they are.)"""
    own = array.dtype
    return OF_NUMPYS.get(own, own) if isinstance(own, np.dtype) else own
