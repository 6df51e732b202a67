"""Reductions. In every backward, g is the gradient dL/dy with the reduced dimensions kept (length 1)."""

from __future__ import annotations

import builtins
import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw
from .common import Dims, accepts_axis, all_dims, as_float, mean_over, namespace, narrowed, one_dim, reshaped, sum_over, widened


def kept_shape(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with the dimensions `dims` reduced to length 1."""
    return tuple(1 if i in dims else n for i, n in enumerate(shape))


def size_along(shape: tuple[int, ...], dims: tuple[int, ...]) -> int:
    return math.prod(shape[d] for d in dims)


# From so many numbers on, a mean is taken about the first of them: of equal numbers it is then exactly that number. In smaller
# groups the second pass of `centre` comes to the same, since the sum of so many like rounding errors is exact in float32.
LARGE_GROUP = 2**20


def centre(x: Any, dims: tuple[int, ...]) -> tuple[Any, Any]:
    """(x - μ, μ), centred twice: the second pass takes away the rounding error of the first mean.

    With a large mean that error is many times the spread's own rounding. Of equal numbers it leaves a few units in the last
    place, the same for all: their sum is exact and so is its quotient (a product with 1/n would not be), and 0 comes out.
    """
    n = size_along(x.shape, dims)
    if n > LARGE_GROUP:
        first = x[tuple(slice(1) if i in dims else slice(None) for i in range(x.ndim))]
        mu = first + mean_over(x - first, dims)
    else:
        mu = mean_over(x, dims)
    c = x - mu
    rest = sum_over(c, dims) / builtins.max(n, 1)
    return c - rest, mu + rest


# The least variance whose terms have all their digits: the squares of c down to the last digit of σ are normal numbers.
LEAST_VAR = {t: float(np.finfo(t).tiny / np.finfo(t).eps) for t in (backend.float32, backend.float64)}


def power_of_two(x: Any, dims: tuple[int, ...], least: float = 0.0) -> Any:
    """For each group a power of two near its largest |x| (at least `least`): divided by it, x has squares that fit its dtype.

    Dividing by a power of two changes no digit. 1 for a group of zeros; and for what is infinite or NaN, which stays so.
    """
    xp = namespace(x)
    largest = xp.max(xp.abs(x), axis=dims, keepdims=True)
    if least:
        largest = xp.where(largest > least, largest, least)
    usable = (largest > 0) & xp.isfinite(largest)
    exponent = xp.floor(xp.log2(xp.where(usable, largest, 1.0)))
    return 2.0 ** xp.minimum(exponent, _largest_exponent(xp, x.dtype))  # log2 of the largest numbers is rounded up


@cache
def _largest_exponent(xp: Any, dtype: Any) -> float:
    return math.frexp(float(xp.finfo(dtype).max))[1] - 1.0


class Reduction(Node):
    """The settings and the shapes that all reductions share."""

    def __init__(self, dims: tuple[int, ...], keepdim: bool) -> None:
        self.dims, self.keepdim = dims, keepdim

    def expanded(self, g: Any) -> Any:
        """`g` with its reduced dimensions back, ready to broadcast against x."""
        return namespace(g).reshape(g, kept_shape(self.shape, self.dims))

    def reduced(self, y):
        """`y`, whose reduced dimensions have length 1, as the op returns it."""
        if self.keepdim:
            return y
        return reshaped(y, tuple(n for i, n in enumerate(self.shape) if i not in self.dims))

    shape: tuple[int, ...]


class Sum(Reduction):
    """y = Σ x;  dx = g, repeated."""

    def forward(self, x):
        self.shape = x.shape
        if not backend.is_floating(x):
            xp = namespace(x)
            return xp.sum(x, axis=self.dims, dtype=xp.int64, keepdims=self.keepdim)
        return narrowed(self.reduced(sum_over(widened(x), self.dims)), x)

    def backward(self, g):
        return (namespace(g).broadcast_to(self.expanded(g), self.shape),)


class Mean(Reduction):
    """y = Σ x / n;  dx = g / n, repeated."""

    def forward(self, x):
        self.shape = x.shape
        return narrowed(self.reduced(mean_over(widened(x), self.dims)), x)

    def backward(self, g):
        n = size_along(self.shape, self.dims)  # may be too large for float16
        return (namespace(g).broadcast_to(narrowed(self.expanded(widened(g)) / n, g), self.shape),)


class Var(Reduction):
    """y = Σ (x - μ)² / (n - correction);  dx = 2 g (x - μ) / (n - correction).  (Σ (x - μ) = 0 takes care of dμ.)"""

    def __init__(self, dims: tuple[int, ...], keepdim: bool, correction: float) -> None:
        super().__init__(dims, keepdim)
        self.correction = correction

    def forward(self, x):
        self.settle(x)
        self.save(x)
        return narrowed(self.reduced(self.variance(widened(x))), x)

    def settle(self, x):
        self.shape = x.shape
        self.divisor = builtins.max(size_along(x.shape, self.dims) - self.correction, 0)

    def variance(self, x):
        """Where the sum of the squares has no room, each is divided first: on a GPU, whose host would have to wait, always."""
        c, _ = centre(x, self.dims)
        if not self.divisor:  # NaN, as in PyTorch, without NumPy's warning about a division by a Python zero
            return sum_over(c, self.dims) * math.nan
        if isinstance(x, np.ndarray):
            var = sum_over(c * c, self.dims) / self.divisor
            if np.isfinite(var).all():
                return var
        return sum_over(c * (c / self.divisor), self.dims)

    def backward(self, g, x):
        c, _ = centre(widened(x), self.dims)
        factor = 2 / self.divisor if self.divisor else math.nan
        return (narrowed(self.expanded(widened(g)) * factor * c, g),)


class Std(Var):
    """y = sqrt(Σ (x - μ)² / (n - correction));  dx = g (x - μ) / ((n - correction) y), 0 where y = 0."""

    def forward(self, x):
        self.settle(x)
        y = narrowed(self.reduced(self.deviation(widened(x))), x)
        self.save(x, y)
        return y

    def deviation(self, x):
        """√ of the variance; of x / s, times s, where squares would leave the dtype's range (see `standardize`)."""
        xp = namespace(x)
        if isinstance(x, np.ndarray) or 0 in x.shape:
            y = xp.sqrt(self.variance(x))
            if 0 in x.shape or (y.min() >= LEAST_VAR.get(x.dtype, 0.0) ** 0.5 and y.max() < math.inf):
                return y
        s = power_of_two(x, self.dims)
        return xp.sqrt(self.variance(x / s)) * s

    def backward(self, g, x, y=None):
        xp = namespace(g)
        c, _ = centre(widened(x), self.dims)
        y = self.expanded(y)
        flat = y == 0
        slope = xp.where(flat, 0.0, self.expanded(widened(g))) * (1 / self.divisor if self.divisor else math.nan)
        return (narrowed(slope * (c / xp.where(flat, 1.0, y)), g),)  # (g / y may have no room where c / y has)


class Extremum(Reduction):
    """y = max x (or min x);  dx = g shared evenly among the elements that equal y."""

    def __init__(self, dims: tuple[int, ...], keepdim: bool, name: str) -> None:
        super().__init__(dims, keepdim)
        self.function = name

    def forward(self, x):
        self.shape = x.shape
        y = getattr(namespace(x), self.function)(x, axis=self.dims, keepdims=self.keepdim)
        self.save(x, y)
        return y

    def backward(self, g, x, y):
        xp = namespace(g)
        hit = x == self.expanded(y)
        g32 = self.expanded(widened(g))
        count = sum_over(backend.astype(hit, g32.dtype), self.dims)
        dx = xp.where(hit, g32 / count, 0.0)
        return (narrowed(xp.where(count == 0, math.nan, dx), g),)  # no element equals a NaN


class Along(NamedTuple):
    """What `max` and `min` along a dimension return."""

    values: Any
    indices: Any


# ---- as functions and methods ----------------------------------------------------------------------------------------


@method()
@accepts_axis
def sum(x: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (all dimensions if None); float16 is accumulated in float32.

    Parameters
    ----------
    x : Tensor or array
        Of any shape; integers and booleans give int64.
    dim, axis : int or tuple of int, optional
    keepdim, keepdims : bool
        Keep the reduced dimensions with length 1.
    dtype : dtype, optional
        Convert to this first.

    Raises
    ------
    IndexError
        `dim` is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]).sum(dim=0)
    tensor([4., 6.])
    """
    x = x if dtype is None else x.to(dtype)
    return Sum(all_dims(dim, x.ndim, "sum"), keepdim)(x)


@method()
@accepts_axis
def mean(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """The mean over `dim` (all dimensions if None); NaN over nothing.

    Raises
    ------
    RuntimeError
        `x` is not floating-point.
    IndexError
        `dim` is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(dim=1)
    tensor([1.5, 3.5])
    """
    if not backend.is_floating(raw(x)):
        raise RuntimeError(f"mean: expected a floating-point tensor, got {x.dtype}; use .float() first")
    dims = all_dims(dim, x.ndim, "mean")
    if size_along(x.shape, dims) == 0:
        return Sum(dims, keepdim)(x) * math.nan
    return Mean(dims, keepdim)(x)


def _correction(op: str, dim: Any, unbiased: bool | None, correction: float | None) -> tuple[Any, float]:
    if isinstance(dim, bool):  # PyTorch's var(False): unbiased without a dim
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{op}: got both unbiased= and correction=; pass one (unbiased=True is correction=1)")
    return dim, (1 if unbiased is None else int(unbiased)) if correction is None else correction


@method()
@accepts_axis
def var(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> Any:
    """The variance over `dim`: Σ (x - mean)² / (n - correction), unbiased (correction 1) unless told otherwise.

    The values are centred twice and squared, never E[x²] - E[x]², so a large mean costs no accuracy.

    Parameters
    ----------
    x : Tensor or array
        Floating-point, of any shape.
    dim, axis : int or tuple of int, optional
    unbiased : bool, optional
        True for correction 1, False for 0.
    keepdim, keepdims : bool
    correction : float, optional
        What is taken from n.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 2.0, 3.0, 4.0]).var(correction=0)
    tensor(1.25)
    """
    dim, correction = _correction("var", dim, unbiased, correction)
    return Var(all_dims(dim, x.ndim, "var"), keepdim, correction)(as_float(x))


@method()
@accepts_axis
def std(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> Any:
    """The square root of `var`; its gradient where the deviation is 0 is taken as 0.

    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 3.0]).std(correction=0)
    tensor(1.)
    """
    dim, correction = _correction("std", dim, unbiased, correction)
    return Std(all_dims(dim, x.ndim, "std"), keepdim, correction)(as_float(x))


@method()
@accepts_axis
def amax(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """The largest element along `dim`; equal ones share the gradient evenly.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).amax(dim=1)
    tensor([5., 7.])
    """
    return Extremum(_nonempty("amax", x, dim), keepdim, "max")(x)


@method()
@accepts_axis
def amin(x: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """The smallest element along `dim`; equal ones share the gradient evenly.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).amin(dim=1)
    tensor([1., 2.])
    """
    return Extremum(_nonempty("amin", x, dim), keepdim, "min")(x)


def _nonempty(op: str, x: Any, dim: Dims) -> tuple[int, ...]:
    dims = all_dims(dim, x.ndim, op)
    if size_along(x.shape, dims) == 0:
        raise ValueError(f"{op}: expected at least one element along dim {dim}, got shape {tuple(x.shape)}")
    return dims


@method()
@accepts_axis
def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element; with `dim`, a named tuple (values, indices); with a tensor in its place, `maximum`.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1).indices
    tensor([1, 0])
    """
    return _extremum(x, dim, keepdim, "max")


@method()
@accepts_axis
def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element; with `dim`, a named tuple (values, indices); with a tensor in its place, `minimum`.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).min(dim=1).values
    tensor([1., 2.])
    """
    return _extremum(x, dim, keepdim, "min")


def _extremum(x: Any, dim: Any, keepdim: bool, which: str) -> Any:
    from . import amax, amin, argmax, argmin, maximum, minimum, take_along_dim

    amost, arg, pairwise = (amax, argmax, maximum) if which == "max" else (amin, argmin, minimum)
    if dim is None:
        return amost(x)
    if isinstance(dim, Tensor):
        return pairwise(x, dim)
    d = one_dim(dim, x.ndim, which)
    _nonempty(which, x, d)
    indices = arg(x, d, keepdim=True)
    values = take_along_dim(x, indices, d)
    return Along(values, indices) if keepdim else Along(values.squeeze(d), indices.squeeze(d))
