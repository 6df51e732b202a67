"""Powers, exponentials and logarithms, elementwise."""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import method, raw
from .common import as_float, namespace, narrowed, promote, shape_of, sum_to, widened


class Pow(Node):
    """y = a^b;  da = g b a^(b-1), 0 where b = 0;  db = g y log(a), 0 where a = 0 <= b."""

    def forward(self, a, b):
        y = a**b
        self.shapes = shape_of(a), shape_of(b)
        self.save(a, b, y if self.needs[1] else None)
        return y

    def backward(self, g, a, b, y):
        da = db = None
        if self.needs[0]:
            if not hasattr(b, "shape"):
                slope = 0.5 / a**b if b == 0.5 else b * a ** (b - 1)  # (sqrt(-inf) would be NaN)
                da = g * slope if b != 0 else namespace(g).zeros_like(g)
            else:
                xp = namespace(b)
                base = xp.where((b == 0) & ~xp.isfinite(1 / a), 1.0, a)  # where b = 0, a^(-1) may be inf or NaN
                da = g * (b * base ** (b - 1))
            da = sum_to(da, self.shapes[0])
        if self.needs[1]:
            xp = namespace(b)
            if hasattr(a, "shape"):
                log_a = xp.log(widened(xp.where((b >= 0) & (a == 0), 1.0, a)))  # log(1) = 0
            else:  # a Python number, which may be too small for the dtype of b
                log_a = math.log(a) if a > 0 else xp.where(b >= 0, 0.0, -math.inf) if a == 0 else math.nan
            if backend.is_half(y):  # y may overflow in float16 where db does not
                y = (widened(a) if hasattr(a, "shape") else a) ** widened(b)
            db = narrowed(sum_to(widened(g) * y * log_a, self.shapes[1]), g)
        return da, db


class Exp(Node):
    """y = e^x;  dx = g y."""

    def forward(self, x):
        y = namespace(x).exp(x)
        self.save(y)
        return y

    def backward(self, g, y):
        return (g * y,)


class Log(Node):
    """y = log(x);  dx = g / x."""

    def forward(self, x):
        self.save(x)
        return namespace(x).log(x)

    def backward(self, g, x):
        return (g / x,)


class Sqrt(Node):
    """y = x^(1/2);  dx = g / (2 y)."""

    def forward(self, x):
        y = namespace(x).sqrt(x)
        self.save(y)
        return y

    def backward(self, g, y):
        return (g / (2 * y),)


class Rsqrt(Node):
    """y = x^(-1/2);  dx = -g y y^2 / 2."""

    def forward(self, x):
        y = 1 / namespace(x).sqrt(x)
        self.save(y)
        return y

    def backward(self, g, y):
        return (-0.5 * (g * y) * (y * y),)  # y³ could overflow


# ---- as functions and methods, on Tensors and on raw arrays ----------------------------------------------------------


@method("pow", "__pow__")
def pow(a: Any, b: Any) -> Any:
    """a to the power b, elementwise.

    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 3.0]) ** 2
    tensor([1., 9.])
    """
    a, b = promote(a, b)
    if type(b) is int and hasattr(a, "dtype") and backend.is_bool(raw(a)):
        a = backend.astype(a, backend.int64)  # (NumPy would compute in int8)
    _refuse_negative_exponents(raw(a), raw(b))
    return Pow()(a, b)


def _refuse_negative_exponents(a: Any, b: Any) -> None:
    like = b if hasattr(b, "dtype") else a
    if not hasattr(like, "dtype") or backend.is_floating(like):
        return
    if backend.is_bool(like) and type(a) is not int and type(b) is not int:
        raise TypeError("pow: expected numbers, got booleans; use .long() first")
    if namespace(b).any(b < 0) if hasattr(b, "shape") else b < 0:
        raise RuntimeError("pow: an integer to a negative power is no integer; use .float() first")


method("__rpow__")(lambda self, other: pow(other, self))


@method()
def exp(x: Any) -> Any:
    """e to the x.

    >>> import tinynorm
    >>> tinynorm.exp(tinynorm.tensor([0.0, 1.0]))
    tensor([1.    , 2.7183])
    """
    return Exp()(as_float(x))


@method()
def log(x: Any) -> Any:
    """The natural logarithm.

    >>> import tinynorm
    >>> tinynorm.log(tinynorm.tensor([1.0, 2.0]))
    tensor([0.    , 0.6931])
    """
    return Log()(as_float(x))


@method()
def sqrt(x: Any) -> Any:
    """The square root.

    >>> import tinynorm
    >>> tinynorm.sqrt(tinynorm.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return Sqrt()(as_float(x))


@method()
def rsqrt(x: Any) -> Any:
    """One over the square root.

    >>> import tinynorm
    >>> tinynorm.rsqrt(tinynorm.tensor([4.0, 16.0]))
    tensor([0.5 , 0.25])
    """
    return Rsqrt()(as_float(x))
