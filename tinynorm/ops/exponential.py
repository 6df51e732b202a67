"""Powers, exponentials and logarithms, elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import method, raw
from .common import as_float, int_held_by, namespace, narrowed, of_tensors, promote, shape_of, sum_to, widened


class Pow(Node):
    """y = a^b;  da = g b a^(b-1), 0 where b = 0;  db = g y log(a), 0 where a = 0 <= b."""

    def forward(self, a, b):
        like = b if hasattr(b, "dtype") else a
        y = a**b if backend.is_floating(like) else integer_power(a, b)
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


def integer_power(a: Any, b: Any) -> Any:
    """a^b of integers; for a negative b what is left of 1 / a^(-b) without its fraction: 1 or -1 if |a| = 1, else 0."""
    if not hasattr(b, "dtype"):
        return a**b
    xp = namespace(b)
    y = a ** xp.where(b < 0, b % 2, b)  # (NumPy refuses b < 0)
    return xp.where((b < 0) & (a != 1) & (a != -1), 0, y)


class Log(Node):
    """y = log x to the base e, 2 or 10;  dx = g / (x log base)."""

    def __init__(self, function: str = "log", log_base: float = 1.0) -> None:
        self.function, self.log_base = function, log_base

    def forward(self, x):
        self.save(x)
        if self.function == "log10" and isinstance(x, np.ndarray):  # NumPy's log10(100) in float32 is 2.0000002
            return np.log10(x, dtype=np.float64).astype(x.dtype)
        return getattr(namespace(x), self.function)(x)

    def backward(self, g, x):
        return (g / x if self.log_base == 1 else g / (x * self.log_base),)  # (1 / x alone may overflow in float16)


class Log1p(Node):
    """y = log(1 + x), which keeps the digits of a small x;  dx = g / (1 + x)."""

    def forward(self, x):
        self.save(x)
        return namespace(x).log1p(x)

    def backward(self, g, x):
        return (g / (1 + x),)


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


class Expm1(Node):
    """y = e^x - 1, which keeps the digits of a small y;  dx = g (y + 1)."""

    def forward(self, x):
        y = namespace(x).expm1(x)
        self.save(y)
        return y

    def backward(self, g, y):
        return (g * (y + 1),)


# ---- as functions and methods, on Tensors and on raw arrays ----------------------------------------------------------


@of_tensors
@method("pow", "__pow__")
def pow(input: Any, exponent: Any) -> Any:
    """`input` to the power `exponent`, elementwise.

    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 3.0]) ** 2
    tensor([1., 9.])
    """
    if isinstance(exponent, (int, np.integer)) and hasattr(input, "dtype") and not backend.is_floating(raw(input)):
        if exponent < 0:
            raise RuntimeError("pow: an integer to a negative power is no integer; use .float() first")
        exponent = exponent if exponent <= 127 else int_held_by("pow", input, exponent)
    a, b = promote(input, exponent)
    if not (hasattr(a, "dtype") and hasattr(b, "dtype")):
        a, b = _beside_a_number(a, b)
    elif backend.is_bool(raw(a)):
        raise TypeError("pow: expected numbers, got booleans; use .long() first")
    return Pow()(a, b)


def _beside_a_number(a: Any, b: Any) -> tuple[Any, Any]:
    """The operands of `pow`, one of which is a number: booleans become int64. (NumPy would compute in int8.)"""
    x, number = (a, b) if hasattr(a, "dtype") else (b, a)
    if backend.is_floating(raw(x)):
        return a, b
    if backend.is_bool(raw(x)):
        if type(number) is bool:
            raise TypeError("pow: expected numbers, got booleans; use .long() first")
        x = backend.astype(x, backend.int64)
    return (x, b) if number is b else (a, x)


method("__rpow__")(lambda self, other: pow(other, self))


@method()
def exp(input: Any) -> Any:
    """e to the x.

    >>> import tinynorm
    >>> tinynorm.exp(tinynorm.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return Exp()(as_float(input))


@method()
def expm1(input: Any) -> Any:
    """e to the x, minus 1, which keeps the digits of a small result.

    >>> import tinynorm
    >>> tinynorm.expm1(tinynorm.tensor([0.0, 1e-9]))
    tensor([0.0000e+00, 1.0000e-09])
    """
    return Expm1()(as_float(input))


@method()
def log(input: Any) -> Any:
    """The natural logarithm.

    >>> import tinynorm
    >>> tinynorm.log(tinynorm.tensor([1.0, 2.0]))
    tensor([0.0000, 0.6931])
    """
    return Log()(as_float(input))


@method()
def log2(input: Any) -> Any:
    """The logarithm to the base 2.

    >>> import tinynorm
    >>> tinynorm.log2(tinynorm.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return Log("log2", math.log(2))(as_float(input))


@method()
def log10(input: Any) -> Any:
    """The logarithm to the base 10.

    >>> import tinynorm
    >>> tinynorm.log10(tinynorm.tensor([1.0, 1000.0]))
    tensor([0., 3.])
    """
    return Log("log10", math.log(10))(as_float(input))


@method()
def log1p(input: Any) -> Any:
    """log(1 + x), which keeps the digits of a small x.

    >>> import tinynorm
    >>> tinynorm.log1p(tinynorm.tensor([0.0, 1e-9]))
    tensor([0.0000e+00, 1.0000e-09])
    """
    return Log1p()(as_float(input))


@method()
def sqrt(input: Any) -> Any:
    """The square root.

    >>> import tinynorm
    >>> tinynorm.sqrt(tinynorm.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return Sqrt()(as_float(input))


@method()
def rsqrt(input: Any) -> Any:
    """One over the square root.

    >>> import tinynorm
    >>> tinynorm.rsqrt(tinynorm.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """
    return Rsqrt()(as_float(input))


@of_tensors
@method()
def square(input: Any) -> Any:
    """x², elementwise.

    >>> import tinynorm
    >>> tinynorm.square(tinynorm.tensor([-2, 3]))
    tensor([4, 9])
    """
    return pow(input, 2)
