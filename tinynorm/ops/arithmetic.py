"""Elementwise arithmetic. In every backward, g is the gradient dL/dy, and `sum_to` is the backward of broadcasting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .common import (
    as_float,
    as_held_by,
    dtype_of_numbers,
    int_held_by,
    into,
    keep_where,
    namespace,
    narrowed,
    of_tensors,
    printed_as,
    promote,
    python_number,
    shape_of,
    sum_to,
    widened,
    without_numbers,
)
from .convert import as_dtype, clone


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
        try:
            return a - b
        except TypeError:
            raise TypeError("sub: expected numbers, got two tensors of booleans; use a ^ b, or .long() first") from None

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


def divides_inexactly(x: Any) -> bool:
    """Whether x's library rounds a / b before it takes the floor. (CuPy does: its 1 // 0.1 is 10, its 1 % 0.1 is below 0.)"""
    if type(x) in backend.NUMPYS or isinstance(x, Tensor) or not backend.is_floating(x):
        return False
    return hasattr(namespace(x), "fmod")  # (not in the array API standard)


def floor_of_quotient(a: Any, b: Any) -> Any:
    """⌊a / b⌋; on CuPy's arrays from fmod, which is exact: a - fmod(a, b) is a whole number of b's."""
    like = b if hasattr(b, "shape") else a
    if not divides_inexactly(like):
        return a // b
    xp = namespace(like)
    r = xp.fmod(a, b)
    q = xp.round((a - r) / b) - _of_other_sign(r, b)
    q = xp.where(q == 0, a / b * 0.0, q)  # a zero has the sign of a / b
    return xp.where((r != r) & (b == 0), a / b, q)  # r is NaN there; and b may be a number


def floor_remainder(a: Any, b: Any) -> Any:
    """a - b ⌊a / b⌋; on CuPy's arrays from fmod too."""
    like = b if hasattr(b, "shape") else a
    if not divides_inexactly(like):
        return a % b
    xp = namespace(like)
    r = xp.fmod(a, b)
    return xp.where(_of_other_sign(r, b), r + b, r)


def _of_other_sign(r: Any, b: Any) -> Any:
    return (r != 0) & ((r < 0) != (b < 0))


class RoundedDiv(Node):
    """y = a / b, rounded down ("floor") or towards 0 ("trunc");  da = db = 0."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        like = b if hasattr(b, "shape") else a
        if self.mode == "trunc" and backend.is_floating(like):
            return namespace(like).trunc(a / b)
        y = floor_of_quotient(a, b)
        return namespace(y).where((y < 0) & (y * b != a), y + 1, y) if self.mode == "trunc" else y

    def backward(self, g):
        zeros = namespace(g).zeros_like(g)
        return tuple(sum_to(zeros, shape) if need else None for shape, need in zip(self.shapes, self.needs, strict=True))


class Remainder(Node):
    """y = a - b ⌊a / b⌋;  da = g,  db = -g ⌊a / b⌋."""

    def forward(self, a, b):
        self.shapes = shape_of(a), shape_of(b)
        self.save(*((a, b) if self.needs[1] else (None, None)))
        y = floor_remainder(a, b)
        return namespace(y).where(y == 0, 0.0 * a, y) if backend.is_floating(y) else y  # a zero has a's sign, as in PyTorch

    def backward(self, g, a, b):
        da = sum_to(g, self.shapes[0]) if self.needs[0] else None
        db = sum_to(-g * floor_of_quotient(a, b), self.shapes[1]) if self.needs[1] else None
        return da, db


class Fmod(Node):
    """y = a - b trunc(a / b);  da = g,  db = -g trunc(a / b)."""

    def forward(self, a, b):
        self.shapes = a.shape, b.shape
        self.save(*((a, b) if self.needs[1] else (None, None)))
        xp = namespace(a)
        return xp.fmod(a, b) if hasattr(xp, "fmod") else xp.sign(a) * (xp.abs(a) % xp.abs(b))  # (not in the array API standard)

    def backward(self, g, a, b):
        da = sum_to(g, self.shapes[0]) if self.needs[0] else None
        db = sum_to(-g * RoundedDiv("trunc")(a, b), self.shapes[1]) if self.needs[1] else None
        return da, db


class Neg(Node):
    """y = -x;  dx = -g."""

    def forward(self, x):
        try:
            return -x
        except TypeError:
            raise TypeError("neg: expected numbers, got a tensor of booleans; use ~x, or .long() first") from None

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
def add(input: Any, other: Any, _last: Any = None, *, alpha: Any = 1, out: Tensor | None = None) -> Any:
    """input + alpha other, elementwise. Shapes broadcast and dtypes promote; a Python number leaves a float tensor's dtype.

    >>> import tinynorm
    >>> tinynorm.add(tinynorm.tensor([1.0, 2.0]), 1)
    tensor([2., 3.])
    """
    if _last is not None or alpha != 1:
        other = times_alpha("add", input, other, _last, alpha=alpha)
    made = Add()(*promote(input, other))
    return made if out is None else into(out, made)


@method("sub", "subtract", "__sub__")
def sub(input: Any, other: Any, _last: Any = None, *, alpha: Any = 1, out: Tensor | None = None) -> Any:
    """input - alpha other, elementwise.

    >>> import tinynorm
    >>> tinynorm.sub(tinynorm.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """
    if _last is not None or alpha != 1:
        other = times_alpha("sub", input, other, _last, alpha=alpha)
    made = Sub()(*promote(input, other))
    return made if out is None else into(out, made)


def times_alpha(op: str, input: Any, other: Any, last: Any, *, alpha: Any) -> Any:
    """alpha · other. PyTorch also takes the number first, as its old releases did: ``x.add_(-0.1, x.grad)``."""
    if last is not None:
        alpha, other = other, last
    if isinstance(alpha, float) and not (_is_float(input) or _is_float(other)):
        raise RuntimeError(f"{op}: expected an integer alpha beside integer operands, got {alpha}; use .float() first")
    return scaled(op, alpha, other, input)


def scaled(op: str, number: Any, x: Any, beside: Any) -> Any:
    """number · x; beside integers as the dtype holds it that `x` and the operand beside it have in common."""
    like = [operand for operand in promote(x, beside) if hasattr(operand, "dtype")]
    free = isinstance(number, Tensor) or not like or backend.is_floating(raw(like[0]))
    return (number if free else as_held_by(op, raw(like[0]).dtype, number)) * x


def _is_float(x: Any) -> bool:
    return isinstance(x, float) or (hasattr(x, "dtype") and backend.is_floating(raw(x)))


@method("mul", "multiply")
def mul(input: Any, other: Any, *, out: Tensor | None = None) -> Any:
    """input · other, elementwise.

    >>> import tinynorm
    >>> tinynorm.mul(tinynorm.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """
    made = Mul()(*promote(input, other))
    return made if out is None else into(out, made)


@method("div", "divide", "true_divide", "__truediv__")
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Any:
    """input / other, elementwise; integers give float32.

    Parameters
    ----------
    input, other : Tensor, array or number
        They broadcast.
    rounding_mode : {None, "floor", "trunc"}
        Round the quotient down, or towards 0; integers then stay integers, and the gradient is 0.

    Raises
    ------
    RuntimeError
        `rounding_mode` is another text; or an integer is divided by 0 and rounded.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.div(tinynorm.tensor([1, 3]), 2)
    tensor([0.5000, 1.5000])
    >>> tinynorm.div(tinynorm.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if out is not None:
        return into(out, div(input, other, rounding_mode=rounding_mode))
    if rounding_mode is None:
        if type(other) is not Tensor and isinstance(other, (int, np.integer)):  # (beside uint8, 300 is 300)
            other = float(other)
        elif type(input) is not Tensor and isinstance(input, (int, np.integer)):
            input = float(input)
        return Div()(*map(as_float, promote(input, other)))
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(f"div: expected rounding_mode None, 'floor' or 'trunc', got {rounding_mode!r}")
    a, b = promote(input, other)
    refuse_zero("div", a, b)
    return RoundedDiv(rounding_mode)(a, b)


@method()
def addcmul(input: Any, tensor1: Any, tensor2: Any, _last: Any = None, *, value: Any = 1) -> Any:
    """input + value tensor1 tensor2, elementwise.

    >>> import tinynorm
    >>> x = tinynorm.tensor([1.0, 2.0])
    >>> tinynorm.addcmul(x, x, x, value=10)
    tensor([11., 42.])
    """
    if _last is not None:
        value, tensor1, tensor2 = tensor1, tensor2, _last
    times = tensor1 if value == 1 else scaled("addcmul", value, tensor1, promote(tensor2, input)[0])
    return printed_as("AddcmulBackward0", input + times * tensor2)


@method()
def addcdiv(input: Any, tensor1: Any, tensor2: Any, _last: Any = None, *, value: Any = 1) -> Any:
    """input + value tensor1 / tensor2, elementwise.

    >>> import tinynorm
    >>> x = tinynorm.tensor([1.0, 2.0])
    >>> tinynorm.addcdiv(x, x, x, value=10)
    tensor([11., 12.])
    """
    if _last is not None:
        value, tensor1, tensor2 = tensor1, tensor2, _last
    return printed_as("AddcdivBackward0", input + (tensor1 if value == 1 else value * tensor1) / tensor2)


@method("remainder", "__mod__")
def remainder(input: Any, other: Any) -> Any:
    """The remainder of a / b, elementwise: a - b ⌊a / b⌋. It has the sign of b, as in Python.

    >>> import tinynorm
    >>> tinynorm.tensor([5.0, -5.0]) % 3
    tensor([2., 1.])
    """
    input, other = promote(input, other)
    refuse_zero("remainder", input, other)
    return Remainder()(input, other)


@method()
def fmod(input: Any, other: Any) -> Any:
    """The remainder of a / b with the sign of a, elementwise, as in C: a - b trunc(a / b).

    >>> import tinynorm
    >>> tinynorm.fmod(tinynorm.tensor([5.0, -5.0]), 3)
    tensor([ 2., -2.])
    """
    input, other = promote(input, other)
    refuse_zero("fmod", input, other)
    return printed_as(f"FmodBackward{int(hasattr(other, 'shape'))}", Fmod()(*without_numbers(input, other)))


@method()
def reciprocal(input: Any) -> Any:
    """1 / x.

    >>> import tinynorm
    >>> tinynorm.reciprocal(tinynorm.tensor([2, 4]))
    tensor([0.5000, 0.2500])
    """
    return printed_as("ReciprocalBackward0", div(1.0, input))


@method()
def lerp(input: Any, end: Any, weight: float | Tensor) -> Any:
    """input + weight (end - input), elementwise: `input` where the weight is 0, `end` where it is 1.

    >>> import tinynorm
    >>> tinynorm.lerp(tinynorm.tensor([0.0, 1.0]), tinynorm.tensor([10.0, 3.0]), 0.5)
    tensor([5., 2.])
    """
    if hasattr(weight, "shape"):
        return printed_as("LerpBackward1", input + weight * (end - input))
    exact_at_1 = weight >= 0.5
    y = end - (1 - weight) * (end - input) if exact_at_1 else input + weight * (end - input)
    return printed_as("LerpBackward0", y)


@of_tensors
@method("neg", "__neg__")
def neg(input: Any) -> Any:
    """-x.

    >>> import tinynorm
    >>> -tinynorm.tensor([1.0, -2.0])
    tensor([-1.,  2.])
    """
    return Neg()(input)


@method("__mul__", "__rmul__")
def _times(a: Any, b: Any) -> Any:
    """a b; but ``[0] * n``, with an integer in a tensor, is Python's list of n zeros."""
    counts = type(b) in (list, tuple) and a._array.size == 1 and not backend.is_floating(a._array)
    return NotImplemented if counts else mul(a, b)


for _name, _swapped in {"radd": add, "rsub": sub, "rtruediv": div, "rmod": remainder}.items():
    method(f"__{_name}__")(lambda self, other, _f=_swapped: _f(other, self))


@method()
def maximum(input: Any, other: Any) -> Any:
    """The larger of a and b, elementwise; NaN where a or b is NaN.

    >>> import tinynorm
    >>> tinynorm.maximum(tinynorm.tensor([1.0, 5.0]), tinynorm.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    return Maximum()(*promote(input, other))


@method()
def minimum(input: Any, other: Any) -> Any:
    """The smaller of a and b, elementwise; NaN where a or b is NaN.

    >>> import tinynorm
    >>> tinynorm.minimum(tinynorm.tensor([1.0, 5.0]), tinynorm.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    return Minimum()(*promote(input, other))


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`input` where the (boolean) condition is True, else `other`; all three broadcast.

    With the condition alone: where it is not 0, as a tuple of indices, one tensor for each dimension.

    >>> import tinynorm
    >>> x = tinynorm.tensor([-1.0, 2.0])
    >>> tinynorm.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> tinynorm.where(x > 0)
    (tensor([1]),)
    """
    if input is None and other is None:
        from .logic import nonzero  # which imports this file

        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where: expected the condition alone, or with both input and other, got one of them")
    a, b = python_number(input), python_number(other)
    if not hasattr(a, "shape") and not hasattr(b, "shape"):  # two numbers: only the mask determines the device
        mask = raw(condition)
        a = wrap(namespace(mask).asarray(a, dtype=as_dtype(dtype_of_numbers(a, b), mask), **backend.on_device_of(mask)))
    a, b = int_held_by("where", b, a), int_held_by("where", a, b)
    return Where()(condition, *promote(a, b))


@method("where")
def _where(input: Any, condition: Any, other: Any) -> Any:
    """`where(condition, input, other)`."""
    return where(condition, input, other)


@of_tensors
@method()
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with `value` where the mask is True. The dtype stays that of `input`.

    Parameters
    ----------
    input : Tensor or array
    mask : Tensor or array
        Booleans; it broadcasts against `input`.
    value : number, or Tensor without dimensions

    Raises
    ------
    RuntimeError
        The mask does not consist of booleans, or `value` has dimensions.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([1.0, 2.0])
    >>> x.masked_fill(x > 1, float("-inf"))
    tensor([1., -inf])
    """
    if not backend.is_array(raw(mask)) or not backend.is_bool(raw(mask)):
        got = getattr(mask, "dtype", type(mask).__name__)
        raise RuntimeError(f"masked_fill: expected a mask of booleans, got {got}; use mask.bool()")
    if hasattr(value, "shape"):
        if value.shape != ():
            raise RuntimeError(f"masked_fill: expected a number or a 0-d tensor as value, got shape {tuple(value.shape)}")
        value = backend.astype(value, input.dtype) if backend.is_floating(raw(input)) else wrap(raw(value)).item()
    if not hasattr(value, "shape"):
        value = as_held_by("masked_fill", raw(input).dtype, value)
    return printed_as(f"MaskedFillBackward{int(hasattr(value, 'shape'))}", Where()(mask, value, input))


@of_tensors
@method()
def nan_to_num(input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Any:
    """`input` with 0 in place of NaN, and with the dtype's largest and smallest numbers in place of inf and -inf.

    `nan`, `posinf` and `neginf` are other numbers to put there. The gradient is 0 where a number was put.

    >>> import tinynorm
    >>> tinynorm.nan_to_num(tinynorm.tensor([float("nan"), float("inf"), 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    a = raw(input)
    if not backend.is_floating(a):
        return clone(input)
    xp, limits = namespace(a), namespace(a).finfo(a.dtype)
    replaced = (
        (xp.isnan(a), 0.0 if nan is None else nan),
        (a == math.inf, float(limits.max) if posinf is None else posinf),
        (a == -math.inf, float(limits.min) if neginf is None else neginf),
    )
    for mask, number in replaced:
        input = Where()(mask, float(number), input)
    return printed_as("NanToNumBackward0", input)


@of_tensors
@method("clamp", "clip")
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """x limited to the range from `min` to `max`. A bound is a number or a tensor that broadcasts; one of them may be None.

    >>> import tinynorm
    >>> tinynorm.clamp(tinynorm.tensor([-1.0, 0.5, 2.0]), 0.0, 1.0)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise ValueError("clamp: expected min, max or both, got neither")
    if isinstance(min, np.generic) or isinstance(max, np.generic):
        min, max = python_number(min), python_number(max)
    if hasattr(min, "shape") or hasattr(max, "shape"):
        for _ in range(2):  # twice: `max` may give x a new dtype, which `min` then needs too
            input, min = (input, min) if min is None else promote(input, min)
            input, max = (input, max) if max is None else promote(input, max)
    elif isinstance(input, Tensor):
        input = as_float(input) if isinstance(min, float) or isinstance(max, float) else input
        dtype = input._array.dtype
        if not backend.is_bool(input._array):
            min = None if min is None else as_held_by("clamp", dtype, min)
            max = None if max is None else as_held_by("clamp", dtype, max)
    return Clamp()(input, min, max)


@of_tensors
@method()
def clamp_min(input: Any, min: Any) -> Any:
    """`input`, but at least `min`.

    >>> import tinynorm
    >>> tinynorm.clamp_min(tinynorm.tensor([-1.0, 2.0]), 0.0)
    tensor([0., 2.])
    """
    return printed_as("ClampMinBackward0", clamp(input, min=min))


@of_tensors
@method()
def clamp_max(input: Any, max: Any) -> Any:
    """`input`, but at most `max`.

    >>> import tinynorm
    >>> tinynorm.clamp_max(tinynorm.tensor([-1.0, 2.0]), 0.0)
    tensor([-1.,  0.])
    """
    return printed_as("ClampMaxBackward0", clamp(input, max=max))


@method("abs", "__abs__")
def abs(input: Any) -> Any:
    """|x|; the gradient at 0 is 0.

    >>> import tinynorm
    >>> tinynorm.abs(tinynorm.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return Abs()(input)
