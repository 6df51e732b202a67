"""Comparison, logic and rounding. The results have no gradient, or their gradient is 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..autograd.mode import no_grad
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .arithmetic import floor_of_quotient, refuse_zero
from .common import Dims, accepts_axis, all_dims, namespace, narrowed, of_tensors, one_dim, printed_as, promote, widened


def _truth(x: Any) -> Any:
    """Where x is not 0."""
    return x if hasattr(x, "dtype") and backend.is_bool(x) else x != 0


def _compare(name: str, compute: Callable[[Any, Any], Any], doc: str, sign: bool = True) -> Callable[[Any, Any], Any]:
    def compare(input: Any, other: Any) -> Any:
        if np.bool_ in (type(input), type(other)):  # beside a mask; `promote` would make a float of it
            input, other = (bool(x) if type(x) is np.bool_ else x for x in (input, other))
        with no_grad():
            a, b = promote(input, other)
        backend.check_same_device(name, [raw(a), raw(b)])
        result = compute(raw(a), raw(b))
        return wrap(result) if isinstance(a, Tensor) or isinstance(b, Tensor) else result

    others = (str, list, tuple) if name in ("eq", "ne") else (str,)

    def operator(a: Any, b: Any) -> Any:  # after NotImplemented, Python compares identities: x == None is False
        return NotImplemented if b is None or isinstance(b, others) else compare(a, b)

    compare.__name__ = compare.__qualname__ = name
    compare.__doc__ = f"{doc}, elementwise: a boolean tensor."
    if sign:
        method(f"__{name}__")(operator)
    return compare


eq = method()(_compare("eq", lambda a, b: a == b, "a == b"))
ne = method()(_compare("ne", lambda a, b: a != b, "a != b"))
lt = method()(_compare("lt", lambda a, b: a < b, "a < b"))
le = method()(_compare("le", lambda a, b: a <= b, "a <= b"))
gt = method()(_compare("gt", lambda a, b: a > b, "a > b"))
ge = method()(_compare("ge", lambda a, b: a >= b, "a >= b"))
_compare("and", lambda a, b: a & b, "a & b")
_compare("or", lambda a, b: a | b, "a | b")
_compare("xor", lambda a, b: a ^ b, "a ^ b")
logical_and = method()(_compare("logical_and", lambda a, b: _truth(a) & _truth(b), "Where a and b are not 0", sign=False))
logical_or = method()(_compare("logical_or", lambda a, b: _truth(a) | _truth(b), "Where a or b is not 0", sign=False))
logical_xor = method()(_compare("logical_xor", lambda a, b: _truth(a) ^ _truth(b), "Where only one is not 0", sign=False))
bitwise_and = of_tensors(method()(_compare("bitwise_and", lambda a, b: a & b, "a & b, bit by bit", sign=False)))
bitwise_or = of_tensors(method()(_compare("bitwise_or", lambda a, b: a | b, "a | b, bit by bit", sign=False)))
bitwise_xor = of_tensors(method()(_compare("bitwise_xor", lambda a, b: a ^ b, "a ^ b, bit by bit", sign=False)))
_compare("rand", lambda a, b: b & a, "b & a")
_compare("ror", lambda a, b: b | a, "b | a")
_compare("rxor", lambda a, b: b ^ a, "b ^ a")


@of_tensors
@method()
def logical_not(input: Any) -> Any:
    """Where x is False or 0: a boolean tensor.

    >>> import tinynorm
    >>> tinynorm.tensor([0, 1, 2]).logical_not()
    tensor([ True, False, False])
    """
    a = raw(input)
    result = ~a if backend.is_bool(a) else a == 0
    return wrap(result) if isinstance(input, Tensor) else result


@of_tensors
@method("bitwise_not", "__invert__")
def bitwise_not(input: Any) -> Any:
    """~x: the logical not of booleans, the bitwise complement of integers.

    >>> import tinynorm
    >>> tinynorm.bitwise_not(tinynorm.tensor([0, 5]))
    tensor([-1, -6])
    """
    a = raw(input)
    if backend.is_floating(a):
        raise TypeError(f"~: expected booleans or integers, got {a.dtype}; x.logical_not() says where x is 0")
    return wrap(~a) if isinstance(input, Tensor) else ~a


def _plain(name: str, x: Any) -> Any:
    result = getattr(namespace(raw(x)), name)(raw(x))
    return wrap(result) if isinstance(x, Tensor) else result


@method()
def isnan(input: Any) -> Any:
    """Where x is NaN.

    >>> import tinynorm
    >>> tinynorm.isnan(tinynorm.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return _plain("isnan", input)


@method()
def isfinite(input: Any) -> Any:
    """Where x is neither NaN nor infinite.

    >>> import tinynorm
    >>> tinynorm.isfinite(tinynorm.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """
    return _plain("isfinite", input)


@method()
def isinf(input: Any) -> Any:
    """Where x is inf or -inf.

    >>> import tinynorm
    >>> tinynorm.isinf(tinynorm.tensor([1.0, float("-inf")]))
    tensor([False,  True])
    """
    return _plain("isinf", input)


@method()
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices (int64) of the elements that are not 0 (not False), in the order of the elements: a row for each of them.

    With `as_tuple`, a tensor for each dimension, so that ``x[x.nonzero(as_tuple=True)]`` are those elements.

    >>> import tinynorm
    >>> x = tinynorm.tensor([[0, 5], [7, 0]])
    >>> x.nonzero()
    tensor([[0, 1],
            [1, 0]])
    >>> x.nonzero(as_tuple=True)
    (tensor([0, 1]), tensor([1, 0]))
    """
    a = raw(input)
    xp = namespace(a)
    found = xp.nonzero(a if a.ndim else xp.reshape(a, (1,)))
    if as_tuple:
        return tuple(map(wrap, found)) if isinstance(input, Tensor) else found
    rows = xp.stack(found, axis=1)[:, : a.ndim]  # (a number has no index: a row of length 0)
    return wrap(rows) if isinstance(input, Tensor) else rows


class Step(Node):
    """y = floor(x), or another piecewise constant function;  dx = 0."""

    def __init__(self, function: str) -> None:
        self.function = function

    def forward(self, x):
        unchanged = backend.is_bool(x) if self.function == "sign" else not backend.is_floating(x)
        return backend.copy(x) if unchanged else getattr(namespace(x), self.function)(x)

    def backward(self, g):
        return (namespace(g).zeros_like(g),)


@of_tensors
@method()
def sign(input: Any) -> Any:
    """-1, 0 or 1, NaN for NaN; the gradient is 0.

    >>> import tinynorm
    >>> tinynorm.sign(tinynorm.tensor([-3.0, 0.0, 2.0]))
    tensor([-1.,  0.,  1.])
    """
    return Step("sign")(input)


@of_tensors
@method()
def round(input: Any, *, decimals: int = 0) -> Any:
    """x rounded to the nearest number with so many decimals, halves to even; the gradient is 0.

    >>> import tinynorm
    >>> tinynorm.tensor([0.4, 1.6]).round()
    tensor([0., 2.])
    >>> tinynorm.round(tinynorm.tensor([0.126, 1.6]), decimals=2)
    tensor([0.1300, 1.6000])
    """
    if not decimals:
        return Step("round")(input)
    if not backend.is_floating(raw(input)):
        raise RuntimeError(f"round: expected a floating-point tensor to round to decimals={decimals}, got {input.dtype}")
    x, scale = widened(input), 10 ** abs(decimals)
    y = Step("round")(x * scale) / scale if decimals > 0 else Step("round")(x / scale) * scale
    return printed_as("RoundBackward1", narrowed(y, input))


@of_tensors
@method()
def floor(input: Any) -> Any:
    """The largest integer that is not above x; the gradient is 0.

    >>> import tinynorm
    >>> tinynorm.floor(tinynorm.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return Step("floor")(input)


@of_tensors
@method()
def ceil(input: Any) -> Any:
    """The smallest integer that is not below x; the gradient is 0.

    >>> import tinynorm
    >>> tinynorm.ceil(tinynorm.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return Step("ceil")(input)


@of_tensors
@method()
def trunc(input: Any) -> Any:
    """x without its fraction; the gradient is 0.

    >>> import tinynorm
    >>> tinynorm.trunc(tinynorm.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return Step("trunc")(input)


@of_tensors
@method()
def frac(input: Any) -> Any:
    """The fraction of x, with its sign: x - trunc(x).

    >>> import tinynorm
    >>> tinynorm.frac(tinynorm.tensor([-1.5, 1.25]))
    tensor([-0.5000,  0.2500])
    """
    return printed_as("FracBackward0", input - trunc(input))


@method("floor_divide", "__floordiv__")
@backend.silent
def floor_divide(input: Any, other: Any) -> Any:
    """⌊a / b⌋, elementwise. It is not recorded in the graph: PyTorch has no derivative of it either.

    Raises
    ------
    IntegerDivisionByZero
        An integer is divided by 0. (The error is both a ZeroDivisionError and a RuntimeError.)

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([5, -5]) // 3
    tensor([ 1, -2])
    """
    with no_grad():
        input, other = promote(input, other)
    backend.check_same_device("floor_divide", [raw(input), raw(other)])
    refuse_zero("floor_divide", input, other)
    result = floor_of_quotient(raw(input), raw(other))
    return wrap(result) if isinstance(input, Tensor) or isinstance(other, Tensor) else result


method("__rfloordiv__")(lambda self, other: floor_divide(other, self))


def _reduce(name: str, x: Any, dim: Dims, keepdim: bool) -> Any:
    a = raw(x)
    result = getattr(namespace(a), name)(a, axis=all_dims(dim, a.ndim, name), keepdims=keepdim)
    if not isinstance(x, Tensor):
        return result
    return wrap(backend.astype(result, a.dtype) if a.dtype == backend.uint8 else result)  # as in PyTorch, uint8 gives uint8


@method()
@accepts_axis
def all(input: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether all elements (along `dim`) are true.

    >>> import tinynorm
    >>> tinynorm.tensor([True, False]).all()
    tensor(False)
    """
    return _reduce("all", input, dim, keepdim)


@method()
@accepts_axis
def any(input: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """Whether any element (along `dim`) is true.

    >>> import tinynorm
    >>> tinynorm.tensor([True, False]).any()
    tensor(True)
    """
    return _reduce("any", input, dim, keepdim)


def _arg(name: str, x: Any, dim: int | None, keepdim: bool) -> Any:
    a = raw(x)
    xp = namespace(a)
    d = None if dim is None else one_dim(dim, a.ndim, name)
    if d is None or not a.ndim:
        result = getattr(xp, name)(xp.reshape(a, (-1,)))
        result = xp.reshape(result, (1,) * a.ndim) if keepdim else result
    else:
        result = getattr(xp, name)(a, axis=d)
        result = xp.expand_dims(result, axis=d) if keepdim else result
    return wrap(result) if isinstance(x, Tensor) else result


@method()
@accepts_axis
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index (int64) of the largest element, along `dim` or in the flattened tensor; the first one if several are equal.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).argmax(dim=1)
    tensor([1, 0])
    """
    return _arg("argmax", input, dim, keepdim)


@method()
@accepts_axis
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The index (int64) of the smallest element, along `dim` or in the flattened tensor; the first one if several are equal.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).argmin(dim=1)
    tensor([0, 1])
    """
    return _arg("argmin", input, dim, keepdim)


@method()
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether |a - b| <= atol + rtol |b| for all elements.

    >>> import tinynorm
    >>> tinynorm.allclose(tinynorm.tensor([1.0]), tinynorm.tensor([1.0 + 1e-7]))
    True
    """
    input, other = raw(input), raw(other)
    return bool(namespace(input).allclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan))


@method()
def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Where |input - other| <= atol + rtol |other|: a boolean tensor.

    >>> import tinynorm
    >>> tinynorm.isclose(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 2.1]))
    tensor([ True, False])
    """
    a, b = raw(input), raw(other)
    result = namespace(a).isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)
    return wrap(result) if isinstance(input, Tensor) else result


@of_tensors
@method()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether a and b have the same shape and the same elements.

    >>> import tinynorm
    >>> tinynorm.equal(tinynorm.tensor([1, 2]), tinynorm.tensor([1, 2]))
    True
    """
    return input.shape == other.shape and bool((input._array == other._array).all())
