"""Sine, cosine, tangent, their inverses and their hyperbolic relatives, elementwise; angles are in radians."""

from __future__ import annotations

from typing import Any

from ..autograd.node import Node
from ..tensor import method
from .common import as_float, namespace, narrowed, promote, sum_to, widened, without_numbers


class Sin(Node):
    """y = sin x;  dx = g cos x."""

    def forward(self, x):
        self.save(x)
        return namespace(x).sin(x)

    def backward(self, g, x):
        return (g * namespace(x).cos(x),)


class Cos(Node):
    """y = cos x;  dx = -g sin x."""

    def forward(self, x):
        self.save(x)
        return namespace(x).cos(x)

    def backward(self, g, x):
        return (-g * namespace(x).sin(x),)


class Tan(Node):
    """y = tan x;  dx = g (1 + y²)."""

    def forward(self, x):
        y = namespace(x).tan(x)
        self.save(y)
        return y

    def backward(self, g, y):
        return (g * (1 + y * y),)


class Asin(Node):
    """y = arcsin x;  dx = g / √((1 - x)(1 + x))."""

    def forward(self, x):
        self.save(x)
        return namespace(x).asin(x)

    def backward(self, g, x):
        return (g / _cosine_of_asin(x),)


class Acos(Node):
    """y = arccos x;  dx = -g / √((1 - x)(1 + x))."""

    def forward(self, x):
        self.save(x)
        return namespace(x).acos(x)

    def backward(self, g, x):
        return (-g / _cosine_of_asin(x),)


def _cosine_of_asin(x: Any) -> Any:
    """√(1 - x²), computed as (1 - x)(1 + x), which keeps its digits where |x| is near 1.

    At ±1 it is 1 - x x, for there the derivative of the product is 0 times infinity.
    """
    xp = namespace(x)
    return xp.sqrt(xp.where(xp.abs(x) == 1, 1 - x * x, (1 - x) * (1 + x)))


class Atan(Node):
    """y = arctan x;  dx = g / (1 + x²)."""

    def forward(self, x):
        self.save(x)
        return namespace(x).atan(x)

    def backward(self, g, x):
        x = widened(x)  # x² overflows in float16 where its reciprocal does not vanish
        return (narrowed(widened(g) / (1 + x * x), g),)


class Sinh(Node):
    """y = sinh x;  dx = g cosh x."""

    def forward(self, x):
        self.save(x)
        return namespace(x).sinh(x)

    def backward(self, g, x):
        return (g * namespace(x).cosh(x),)


class Cosh(Node):
    """y = cosh x;  dx = g sinh x."""

    def forward(self, x):
        self.save(x)
        return namespace(x).cosh(x)

    def backward(self, g, x):
        return (g * namespace(x).sinh(x),)


class Hypot(Node):
    """y = √(a² + b²);  da = g a / y,  db = g b / y, 0 where y = 0."""

    def forward(self, a, b):
        self.shapes = a.shape, b.shape
        y = namespace(a).hypot(a, b)
        self.save(a, b, y)
        return y

    def backward(self, g, a, b, y):
        y = namespace(y).where(y == 0, 1.0, y)
        return sum_to(g * (a / y), self.shapes[0]), sum_to(g * (b / y), self.shapes[1])


class Atan2(Node):
    """y = the angle of the point (b, a), arctan(a / b);  da = g b / r²,  db = -g a / r²,  r² = a² + b²; 0 at the origin."""

    def forward(self, a, b):
        self.shapes = a.shape, b.shape
        self.save(a, b)
        return namespace(a).atan2(a, b)

    def backward(self, g, a, b):
        xp, dtype, a, b, g = namespace(g), g, widened(a), widened(b), widened(g)
        r = xp.hypot(a, b)  # (a² may overflow)
        r = xp.where(r == 0, 1.0, r)
        da, db = g * (b / r) / r, -g * (a / r) / r
        return sum_to(narrowed(da, dtype), self.shapes[0]), sum_to(narrowed(db, dtype), self.shapes[1])


# ---- as functions and methods, on Tensors and on raw arrays ----------------------------------------------------------


@method()
def sin(input: Any) -> Any:
    """The sine of an angle in radians.

    >>> import tinynorm
    >>> tinynorm.sin(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8415])
    """
    return Sin()(as_float(input))


@method()
def cos(input: Any) -> Any:
    """The cosine of an angle in radians.

    >>> import tinynorm
    >>> tinynorm.cos(tinynorm.tensor([0.0, 1.0]))
    tensor([1.0000, 0.5403])
    """
    return Cos()(as_float(input))


@method()
def tan(input: Any) -> Any:
    """The tangent of an angle in radians.

    >>> import tinynorm
    >>> tinynorm.tan(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return Tan()(as_float(input))


@method()
def asin(input: Any) -> Any:
    """The angle from -π/2 to π/2 of a sine; NaN where that is not from -1 to 1.

    >>> import tinynorm
    >>> tinynorm.asin(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return Asin()(as_float(input))


@method()
def acos(input: Any) -> Any:
    """The angle from 0 to π of a cosine; NaN where that is not from -1 to 1.

    >>> import tinynorm
    >>> tinynorm.acos(tinynorm.tensor([0.0, 1.0]))
    tensor([1.5708, 0.0000])
    """
    return Acos()(as_float(input))


@method()
def atan(input: Any) -> Any:
    """The angle from -π/2 to π/2 of a tangent.

    >>> import tinynorm
    >>> tinynorm.atan(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return Atan()(as_float(input))


@method()
def sinh(input: Any) -> Any:
    """The hyperbolic sine, (e^x - e^-x) / 2.

    >>> import tinynorm
    >>> tinynorm.sinh(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return Sinh()(as_float(input))


@method()
def cosh(input: Any) -> Any:
    """The hyperbolic cosine, (e^x + e^-x) / 2.

    >>> import tinynorm
    >>> tinynorm.cosh(tinynorm.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return Cosh()(as_float(input))


@method()
def hypot(input: Any, other: Any) -> Any:
    """√(input² + other²), elementwise, without overflow of the squares; the gradient where both are 0 is 0.

    >>> import tinynorm
    >>> tinynorm.hypot(tinynorm.tensor([3.0]), tinynorm.tensor([4.0]))
    tensor([5.])
    """
    return Hypot()(*without_numbers(*map(as_float, promote(input, other))))


@method()
def atan2(input: Any, other: Any) -> Any:
    """The angle from -π to π of the point (x, y) = (other, input); the gradient at the origin is 0.

    >>> import tinynorm
    >>> tinynorm.atan2(tinynorm.tensor([1.0, 0.0]), tinynorm.tensor([1.0, -1.0]))
    tensor([0.7854, 3.1416])
    """
    return Atan2()(*without_numbers(*map(as_float, promote(input, other))))
