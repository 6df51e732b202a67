"""Elementwise arithmetic. In every backward, g is the gradient dL/dy, and `sum_to` is the backward of broadcasting."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .common import as_float, dtype_of_numbers, keep_where, namespace, narrowed, promote, shape_of, sum_to, widened
from .convert import as_dtype


class Add(Node):
    """y = a + b;  da = g,  db = g."""

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        return a + b

    def backward(self, g):
        a, b = self.shapes
        return sum_to(g, a) if self.needs[0] else None, sum_to(g, b) if self.needs[1] else None


class Sub(Node):
    """y = a - b;  da = g,  db = -g."""

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        return a - b

    def backward(self, g):
        a, b = self.shapes
        return sum_to(g, a) if self.needs[0] else None, sum_to(-g, b) if self.needs[1] else None


class Mul(Node):
    """y = a b;  da = g b,  db = g a."""

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        self.save(a if self.needs[1] else None, b if self.needs[0] else None)
        return a * b

    def backward(self, g, a, b):
        da = sum_to(g * b, self.shapes[0]) if self.needs[0] else None
        db = sum_to(g * a, self.shapes[1]) if self.needs[1] else None
        return da, db


class Div(Node):
    """y = a / b;  da = g / b,  db = -g (y / b)."""

    def forward(self, a, b):
        y = a / b
        self.shapes = shape_of(a), shape_of(b)
        self.save(b, y if self.needs[1] else None)
        return y

    def backward(self, g, b, y):
        da = sum_to(g / b, self.shapes[0]) if self.needs[0] else None
        db = sum_to(narrowed(-(widened(y) / widened(b) * widened(g)), g), self.shapes[1]) if self.needs[1] else None
        return da, db


class Remainder(Node):
    """y = a - b ⌊a / b⌋;  da = g,  db = -g ⌊a / b⌋."""

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        self.save(*((a, b) if self.needs[1] else (None, None)))
        return a % b

    def backward(self, g, a, b):
        da = sum_to(g, self.shapes[0]) if self.needs[0] else None
        db = sum_to(-g * (a // b), self.shapes[1]) if self.needs[1] else None
        return da, db


class Neg(Node):
    """y = -x;  dx = -g."""

    def forward(self, x):
        return -x

    def backward(self, g):
        return (-g,)


class Maximum(Node):
    """y = max(a, b);  the gradient goes to the larger one, half to each where a = b, to both where a or b is NaN."""

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        self.save(a, b)
        return namespace(b if hasattr(b, "shape") else a).maximum(a, b)

    def backward(self, g, a, b):
        g = namespace(g).where(a == b, g / 2, g)
        da = sum_to(keep_where(~(a < b), g), self.shapes[0]) if self.needs[0] else None
        db = sum_to(keep_where(~(a > b), g), self.shapes[1]) if self.needs[1] else None
        return da, db


class Minimum(Node):
    """y = min(a, b);  the gradient goes to the smaller one, half to each where a = b, to both where a or b is NaN."""

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        self.save(a, b)
        return namespace(b if hasattr(b, "shape") else a).minimum(a, b)

    def backward(self, g, a, b):
        g = namespace(g).where(a == b, g / 2, g)
        da = sum_to(keep_where(~(a > b), g), self.shapes[0]) if self.needs[0] else None
        db = sum_to(keep_where(~(a < b), g), self.shapes[1]) if self.needs[1] else None
        return da, db


class Where(Node):
    """y = a where c, else b;  da = g where c,  db = g where not c."""

    def forward(self, c, a, b):
        self.shapes = shape_of(a), shape_of(b)
        self.save(c)
        return namespace(c).where(c, a, b)

    def backward(self, g, c):
        xp = namespace(g)
        da = sum_to(xp.where(c, g, 0.0), self.shapes[0]) if self.needs[1] else None
        db = sum_to(xp.where(c, 0.0, g), self.shapes[1]) if self.needs[2] else None
        return None, da, db


class Clamp(Node):
    """y = min(max(x, lo), hi);  dx = g where lo <= x <= hi,  dlo = g where x < lo < hi,  dhi = g where hi < x or hi < lo.

    The bounds are arrays, numbers or None. Where x equals a bound, all of g goes to x.
    """

    def forward(self, x, lo, hi):
        self.shapes = x.shape, shape_of(lo), shape_of(hi)
        self.save(x, lo, hi)
        xp = namespace(x)
        y = x if lo is None else xp.maximum(x, lo)
        return y if hi is None else xp.minimum(y, hi)

    def backward(self, g, x, lo, hi):
        dx = dlo = dhi = None
        if self.needs[0]:
            dx = g if lo is None else keep_where(x >= lo, g)
            dx = sum_to(dx if hi is None else keep_where(x <= hi, dx), self.shapes[0])
        if self.needs[1]:
            dlo = sum_to(keep_where(x < lo if hi is None else (x < lo) & (lo < hi), g), self.shapes[1])
        if self.needs[2]:
            dhi = sum_to(keep_where(x > hi if lo is None else (x > hi) | (hi < lo), g), self.shapes[2])
        return dx, dlo, dhi


class Abs(Node):
    """y = |x|;  dx = g sign(x), 0 at 0."""

    def forward(self, x):
        self.save(x)
        return namespace(x).abs(x)

    def backward(self, g, x):
        return (g * namespace(x).sign(x),)


class IntegerDivisionByZero(ZeroDivisionError, RuntimeError):
    """An integer is divided by 0. Python then raises a ZeroDivisionError and PyTorch a RuntimeError; this class is both."""


def refuse_zero(op: str, a: Any, b: Any) -> None:
    """Raise an error if an integer would be divided by 0: integers have no inf or NaN, and NumPy would return 0.

    Raises
    ------
    IntegerDivisionByZero
        An integer would be divided by 0. (The error is both a ZeroDivisionError and a RuntimeError.)
    """
    a, b = raw(a), raw(b)
    like = a if hasattr(a, "dtype") else b
    if not hasattr(like, "dtype") or backend.is_floating(like):
        return
    if backend.is_bool(like) and not (type(b) is int or type(a) is int):
        raise TypeError(f"{op}: expected numbers to divide, got booleans; use .long() first")
    if namespace(b).any(b == 0) if hasattr(b, "shape") else b == 0:
        raise IntegerDivisionByZero(f"{op}: an integer cannot be divided by 0; mask the zeros, or use .float() for inf and NaN")


# ---- as functions and methods, on Tensors and on raw arrays ----------------------------------------------------------


@method("add", "__add__")
def add(a: Any, b: Any) -> Any:
    """a + b, elementwise. Shapes broadcast and dtypes promote; a Python number does not change the dtype of a float tensor.

    >>> import tinynorm
    >>> tinynorm.add(tinynorm.tensor([1.0, 2.0]), 1)
    tensor([2., 3.])
    """
    return Add()(*promote(a, b))


@method("sub", "__sub__")
def sub(a: Any, b: Any) -> Any:
    """a - b, elementwise.

    >>> import tinynorm
    >>> tinynorm.sub(tinynorm.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """
    return Sub()(*promote(a, b))


@method()
def mul(a: Any, b: Any) -> Any:
    """a b, elementwise.

    >>> import tinynorm
    >>> tinynorm.mul(tinynorm.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """
    return Mul()(*promote(a, b))


@method("div", "__truediv__")
def div(a: Any, b: Any) -> Any:
    """a / b, elementwise; integers give float32.

    >>> import tinynorm
    >>> tinynorm.div(tinynorm.tensor([1, 3]), 2)
    tensor([0.5000, 1.5000])
    """
    return Div()(*map(as_float, promote(a, b)))


@method("remainder", "__mod__")
def remainder(a: Any, b: Any) -> Any:
    """The remainder of a / b, elementwise: a - b ⌊a / b⌋. It has the sign of b, as in Python.

    >>> import tinynorm
    >>> tinynorm.tensor([5.0, -5.0]) % 3
    tensor([2., 1.])
    """
    a, b = promote(a, b)
    refuse_zero("remainder", a, b)
    return Remainder()(a, b)


@method("neg", "__neg__")
def neg(x: Any) -> Any:
    """-x.

    >>> import tinynorm
    >>> -tinynorm.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    return Neg()(x)


@method("__mul__", "__rmul__")
def _times(a: Any, b: Any) -> Any:
    """a b; but ``[0] * n``, with an integer in a tensor, is Python's list of n zeros."""
    counts = type(b) in (list, tuple) and a._array.size == 1 and not backend.is_floating(a._array)
    return NotImplemented if counts else mul(a, b)


for _name, _swapped in {"radd": add, "rsub": sub, "rtruediv": div, "rmod": remainder}.items():
    method(f"__{_name}__")(lambda self, other, _f=_swapped: _f(other, self))


@method()
def maximum(a: Any, b: Any) -> Any:
    """The larger of a and b, elementwise; NaN where a or b is NaN.

    >>> import tinynorm
    >>> tinynorm.maximum(tinynorm.tensor([1.0, 5.0]), tinynorm.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return Maximum()(*promote(a, b))


@method()
def minimum(a: Any, b: Any) -> Any:
    """The smaller of a and b, elementwise; NaN where a or b is NaN.

    >>> import tinynorm
    >>> tinynorm.minimum(tinynorm.tensor([1.0, 5.0]), tinynorm.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return Minimum()(*promote(a, b))


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where the (boolean) condition is True, else b; all three broadcast.

    >>> import tinynorm
    >>> x = tinynorm.tensor([-1.0, 2.0])
    >>> tinynorm.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    if not hasattr(a, "shape") and not hasattr(b, "shape"):  # two numbers: only the mask determines the device
        mask = raw(condition)
        a = wrap(namespace(mask).asarray(a, dtype=as_dtype(dtype_of_numbers(a, b), mask), **backend.on_device_of(mask)))
    return Where()(condition, *promote(a, b))


@method("clamp", "clip")
def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """x limited to the range from `min` to `max`. A bound is a number or a tensor that broadcasts; one of them may be None.

    >>> import tinynorm
    >>> tinynorm.clamp(tinynorm.tensor([-1.0, 0.5, 2.0]), 0.0, 1.0)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise ValueError("clamp: expected min, max or both, got neither")
    if hasattr(min, "shape") or hasattr(max, "shape"):
        for _ in range(2):  # twice: `max` may give x a new dtype, which `min` then needs too
            x, min = (x, min) if min is None else promote(x, min)
            x, max = (x, max) if max is None else promote(x, max)
    elif isinstance(x, Tensor) and (isinstance(min, float) or isinstance(max, float)):
        x = as_float(x)
    return Clamp()(x, min, max)


@method("abs", "__abs__")
def abs(x: Any) -> Any:
    """|x|; the gradient at 0 is 0.

    >>> import tinynorm
    >>> tinynorm.abs(tinynorm.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return Abs()(x)
