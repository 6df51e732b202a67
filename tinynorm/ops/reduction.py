"""Reductions. In every formula, g is the gradient dL/dy with the reduced dimensions kept (length 1)."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw
from .arithmetic import abs, clamp
from .common import (
    Dims,
    accepts_axis,
    all_dims,
    as_float,
    broadcast,
    mean_over,
    namespace,
    narrowed,
    one_dim,
    printed_as,
    reshaped,
    size_along,
    sum_over,
    widened,
)
from .convert import clone
from .logic import sign
from .normalization_formula import centre
from .scaling import LEAST_VAR, power_of_two


def kept_shape(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with the dimensions `dims` reduced to length 1."""
    if len(dims) == len(shape):
        return (1,) * len(shape)
    return tuple(1 if i in dims else n for i, n in enumerate(shape))


class Reduction(Node):
    """The base class of all reductions: the dimensions, `keepdim` and the shape of x."""

    def __init__(self, dims: tuple[int, ...], keepdim: bool) -> None:
        self.dims, self.keepdim = dims, keepdim

    def expanded(self, g: Any) -> Any:
        """Reshape `g` so that it has the reduced dimensions again (length 1) and broadcasts against x."""
        return reshaped(g, kept_shape(self.shape, self.dims))

    def reduced(self, y):
        """Remove the reduced dimensions of `y`, which have length 1, unless `keepdim` is True."""
        if self.keepdim:
            return y
        if len(self.dims) == len(self.shape):
            return reshaped(y, ())
        return reshaped(y, tuple(n for i, n in enumerate(self.shape) if i not in self.dims))

    shape: tuple[int, ...]


class Sum(Reduction):
    """y = Σ x;  dx = g, broadcast to the shape of x."""

    def forward(self, x):
        self.shape = x.shape
        if not backend.is_floating(x):
            xp = namespace(x)
            return xp.sum(x, axis=self.dims, dtype=xp.int64, keepdims=self.keepdim)
        return narrowed(self.reduced(sum_over(widened(x), self.dims)), x)

    def backward(self, g):
        return (broadcast(self.expanded(g), self.shape),)


class Mean(Reduction):
    """y = Σ x / n;  dx = g / n, broadcast to the shape of x."""

    def forward(self, x):
        self.shape = x.shape
        return narrowed(self.reduced(mean_over(widened(x), self.dims)), x)

    def backward(self, g):
        n = size_along(self.shape, self.dims)  # n may be too large for float16
        return (broadcast(narrowed(self.expanded(widened(g)) / n, g), self.shape),)


class Var(Reduction):
    """y = Σ (x - μ)² / (n - correction);  dx = 2 g (x - μ) / (n - correction).

    μ also depends on x, but this adds nothing to dx, because Σ (x - μ) = 0.
    """

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
        """The variance, with the reduced dimensions kept.

        If the sum of the squares overflows, each square is divided before the sum. On a GPU each square is always divided: a
        test for overflow would make the CPU wait for the GPU.
        """
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
        """The square root of the variance.

        If the squares leave the dtype's range, compute it for x / s and multiply by s (see `standardize`).
        """
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
        return (narrowed(slope * (c / xp.where(flat, 1.0, y)), g),)  # (g / y may overflow where c / y does not)


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
        return (narrowed(xp.where(count == 0, math.nan, dx), g),)  # count is 0 where y is NaN


class Norm(Reduction):
    """y = (Σ |x|^p)^(1/p);  dx = g sign(x) (|x| / y)^(p - 1), 0 where x = 0. For p = 2 this is g x / y."""

    def __init__(self, dims: tuple[int, ...], keepdim: bool, p: float) -> None:
        super().__init__(dims, keepdim)
        self.p = p

    def forward(self, x):
        self.shape = x.shape
        y = narrowed(self.reduced(self.norm(widened(x))), x)
        self.save(x, y)
        return y

    def norm(self, x):
        """The norm, with the reduced dimensions kept.

        If the powers may leave the dtype's range, compute it for x / s and multiply by s (see `Std`).
        """
        if 0 in x.shape:
            return self.unscaled(x)
        if isinstance(x, np.ndarray) and self.p == 2:
            y = self.unscaled(x)
            if y.min() >= LEAST_VAR.get(x.dtype, 0.0) ** 0.5 and y.max() < math.inf:
                return y
        s = power_of_two(x, self.dims)
        return self.unscaled(x / s) * s

    def unscaled(self, x):
        if self.p == 2:
            return namespace(x).sqrt(sum_over(x * x, self.dims))
        return sum_over(namespace(x).abs(x) ** self.p, self.dims) ** (1 / self.p)

    def backward(self, g, x, y):
        xp, x, y = namespace(g), widened(x), self.expanded(widened(y))
        flat = y == 0
        unit = x / xp.where(flat, 1.0, y)
        if self.p != 2:
            unit = xp.sign(x) * xp.where(x == 0, 1.0, xp.abs(unit)) ** (self.p - 1)
        return (narrowed(xp.where(flat, 0.0, self.expanded(widened(g))) * unit, g),)


class Prod(Node):
    """y = Π x;  dx_i = g Π x_j over j ≠ i."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, x):
        self.save(x)
        return narrowed(namespace(x).prod(widened(x), axis=self.dim, keepdims=True), x)

    def backward(self, g, x):
        return (narrowed(widened(g) * others(widened(x), self.dim), g),)


def others(x: Any, dim: int) -> Any:
    """For each element, the product of the others along `dim`, without a division, so right also where elements are 0.

    Halves are multiplied: who is multiplied by b_i in ``a * b`` needs b_i, and the others of a_i b_i.

    >>> others(np.array([2.0, 0.0, 5.0]), 0)
    array([ 0., 10.,  0.])
    """
    xp, before, half = namespace(x), (slice(None),) * dim, x.shape[dim] // 2
    if not half:
        return xp.ones_like(x)
    a, b = x[*before, :half, ...], x[*before, half : 2 * half, ...]
    if x.shape[dim] % 2 == 0:
        of_pairs = others(a * b, dim)
        return xp.concat([of_pairs * b, of_pairs * a], axis=dim)
    o = others(xp.concat([a * b, x[*before, 2 * half :, ...]], axis=dim), dim)
    of_pairs = o[*before, :half, ...]
    return xp.concat([of_pairs * b, of_pairs * a, o[*before, half:, ...]], axis=dim)


class CumSum(Node):
    """y_i = Σ x_j over j <= i;  dx_j = Σ g_i over i >= j."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, x):
        return narrowed(backend.cumulative_sum(widened(x), self.dim), x)

    def backward(self, g):
        backwards = (*(slice(None),) * self.dim, slice(None, None, -1), ...)
        return (CumSum(self.dim)(g[backwards])[backwards],)


class CumProd(Node):
    """y_i = Π x_j over j <= i;  dx_j = y_(j-1) s_j  with  s_j = g_j + x_(j+1) s_(j+1), from the last to the first."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, x):
        y = narrowed(backend.cumulative_prod(widened(x), self.dim), x)
        self.save(x, y)
        return y

    def backward(self, g, x, y):
        xp, before = namespace(g), (slice(None),) * self.dim
        s: Any = None
        found: list = []
        for j in reversed(range(x.shape[self.dim])):
            here, after = (*before, slice(j, j + 1), ...), (*before, slice(j + 1, j + 2), ...)
            s = g[here] if s is None else g[here] + x[after] * s
            found.append(s * y[*before, slice(j - 1, j), ...] if j else s)
        return (xp.concat(found[::-1], axis=self.dim) if found else g,)


class Along(NamedTuple):
    """The result of `max`, `median`, `sort` and others along a dimension; printed as PyTorch prints it."""

    values: Any
    indices: Any

    def __repr__(self) -> str:
        return f"torch.return_types.{type(self).__name__}(\nvalues={self.values!r},\nindices={self.indices!r})"


# each is printed with its own name
OF = {op: type(op, (Along,), {"__slots__": ()}) for op in ("max", "median", "min", "sort", "topk")}


# ---- as functions and methods ----------------------------------------------------------------------------------------


@method()
@accepts_axis
def sum(input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim` (all dimensions if None); float16 is accumulated in float32.

    Parameters
    ----------
    input : Tensor or array
        Of any shape; integers and booleans give int64.
    dim, axis : int or tuple of int, optional
    keepdim, keepdims : bool
        Keep the reduced dimensions with length 1.
    dtype : dtype, optional
        Convert x to this dtype before the sum.

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
    input = input if dtype is None else input.to(dtype)
    y = Sum(all_dims(dim, input.ndim, "sum"), keepdim)(input)
    return y if dim is None else printed_as("SumBackward1", y)


@method()
@accepts_axis
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sums along `dim`; integers and booleans give int64.

    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 2.0, 3.0]).cumsum(0)
    tensor([1., 3., 6.])
    """
    x = _at_least_int64(input, dtype)
    d = one_dim(dim, x.ndim, "cumsum")
    return CumSum(d)(x) if x.ndim else CumSum(0)(x.reshape(1)).reshape(())


@method()
@accepts_axis
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running products along `dim`; integers and booleans give int64.

    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 2.0, 3.0]).cumprod(0)
    tensor([1., 2., 6.])
    """
    x = _at_least_int64(input, dtype)
    d = one_dim(dim, x.ndim, "cumprod")
    return CumProd(d)(x) if x.ndim else clone(x)


@method()
@accepts_axis
def prod(input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product over `dim` (all dimensions if None); integers and booleans give int64.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]).prod(dim=0)
    tensor([3., 8.])
    """
    x = y = _at_least_int64(input, dtype)
    dims = all_dims(dim, x.ndim, "prod")
    for d in dims if x.ndim else ():
        y = Prod(d)(y)
    kept = y.shape if keepdim else tuple(n for i, n in enumerate(x.shape) if i not in dims)
    return printed_as(f"ProdBackward{int(dim is not None)}", reshaped(clone(y) if y is input else y, kept))


def _at_least_int64(x: Any, dtype: Any) -> Any:
    """x in the dtype, or if that is None, integers and booleans in int64."""
    if dtype is not None:
        return x.to(dtype)
    return x if backend.is_floating(raw(x)) else backend.astype(x, backend.int64)


# the norms that are no sum of powers, or are their own slope
NORMS: dict[float, Callable[..., Any]] = {
    0: lambda x, dims, keepdim: Sum(dims, keepdim)(abs(sign(x))),
    1: lambda x, dims, keepdim: Sum(dims, keepdim)(abs(x)),
    math.inf: lambda x, dims, keepdim: Extremum(nonempty("norm", x, dims), keepdim, "max")(abs(x)),
    -math.inf: lambda x, dims, keepdim: Extremum(nonempty("norm", x, dims), keepdim, "min")(abs(x)),
}


@method()
@accepts_axis
def norm(input: Any, p: float | str | None = "fro", dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The p-norm (Σ |x|^p)^(1/p) of the elements along `dim` (of all elements if None). Its gradient at 0 is defined as 0.

    What may overflow is scaled before it is squared.

    Parameters
    ----------
    input : Tensor or array
        Floating-point, of any shape.
    p : float
        "fro", the default, and None are 2; inf is the largest |x|, -inf the smallest, 0 the number of those that are not 0.
    dim, axis : int or tuple of int, optional
    keepdim, keepdims : bool
    dtype : dtype, optional
        Convert the input to this dtype before.

    Raises
    ------
    RuntimeError
        The input is not floating-point.
    ValueError
        `p` is a text other than "fro"; or there is no element, where `p` is infinite.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[3.0, 4.0], [0.0, 1.0]]).norm(dim=1)
    tensor([5., 1.])
    """
    x = input if dtype is None else input.to(dtype)
    if not backend.is_floating(raw(x)):
        raise RuntimeError(f"norm: expected a floating-point tensor, got {x.dtype}; use .float() first")
    if isinstance(p, str) and p != "fro":
        raise ValueError(f"norm: expected p to be a number or 'fro', got {p!r}")
    p = 2.0 if p is None or isinstance(p, str) else float(p)
    dims = all_dims(dim, x.ndim, "norm")
    y = NORMS[p](x, dims, keepdim) if p in NORMS else Norm(dims, keepdim, p)(x)
    return printed_as("LinalgVectorNormBackward0", y)


@accepts_axis
def normalize(input: Any, p: float = 2.0, dim: Dims = 1, eps: float = 1e-12) -> Any:
    """input / max(‖input‖, eps), with the p-norm along `dim`: vectors of length 1.

    >>> import tinynorm
    >>> tinynorm.nn.functional.normalize(tinynorm.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    x = widened(input)  # eps is 0 in float16
    return narrowed(x / clamp(norm(x, p, dim, keepdim=True), min=eps), input)


@method()
@accepts_axis
def mean(input: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean over `dim` (all dimensions if None); NaN if there are no elements. `dtype`: convert `input` to it before.

    Raises
    ------
    RuntimeError
        `input` is not floating-point.
    IndexError
        `dim` is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]).mean(dim=1)
    tensor([1.5000, 3.5000])
    """
    input = input if dtype is None else input.to(dtype)
    if not backend.is_floating(raw(input)):
        raise RuntimeError(f"mean: expected a floating-point tensor, got {raw(input).dtype}; use .float() first")
    dims = all_dims(dim, input.ndim, "mean")
    if 0 in input.shape and size_along(input.shape, dims) == 0:
        return Sum(dims, keepdim)(input) * math.nan
    y = Mean(dims, keepdim)(input)
    return y if dim is None else printed_as("MeanBackward1", y)


def _correction(op: str, dim: Any, unbiased: bool | None, correction: float | None) -> tuple[Any, float]:
    if isinstance(dim, bool):  # as in PyTorch, var(False) means unbiased=False, not dim=False
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{op}: got both unbiased= and correction=; pass one (unbiased=True is correction=1)")
    return dim, (1 if unbiased is None else int(unbiased)) if correction is None else correction


@method()
@accepts_axis
def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> Any:
    """The variance over `dim`: Σ (x - mean)² / (n - correction). The default is the unbiased variance (correction 1).

    The values are centred in two passes and then squared. The formula E[x²] - E[x]² is not used, so a large mean costs no
    accuracy.

    Parameters
    ----------
    input : Tensor or array
        Floating-point, of any shape.
    dim, axis : int or tuple of int, optional
    unbiased : bool, optional
        True for correction 1, False for 0.
    keepdim, keepdims : bool
    correction : float, optional
        The number subtracted from n.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 2.0, 3.0, 4.0]).var(correction=0)
    tensor(1.2500)
    """
    dim, correction = _correction("var", dim, unbiased, correction)
    return Var(all_dims(dim, input.ndim, "var"), keepdim, correction)(as_float(input))


@method()
@accepts_axis
def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> Any:
    """The square root of `var`. Where it is 0, its gradient is defined as 0.

    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 3.0]).std(correction=0)
    tensor(1.)
    """
    dim, correction = _correction("std", dim, unbiased, correction)
    return Std(all_dims(dim, input.ndim, "std"), keepdim, correction)(as_float(input))


@method()
@accepts_axis
def var_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Tensor, Tensor]:
    """(`var`, `mean`), with the arguments of `var`.

    >>> import tinynorm
    >>> tinynorm.var_mean(tinynorm.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    return _and_mean("var", input, dim, unbiased, keepdim, correction)


@method()
@accepts_axis
def std_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: float | None = None
) -> tuple[Tensor, Tensor]:
    """(`std`, `mean`), with the arguments of `var`.

    >>> import tinynorm
    >>> tinynorm.std_mean(tinynorm.tensor([1.0, 3.0]), correction=0)
    (tensor(1.), tensor(2.))
    """
    return _and_mean("std", input, dim, unbiased, keepdim, correction)


def _and_mean(op: str, input: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> tuple[Tensor, Tensor]:
    dim, correction = _correction(f"{op}_mean", dim, unbiased, correction)
    spread = (var if op == "var" else std)(input, dim, None, keepdim, correction=correction)
    name = f"{op.capitalize()}MeanBackward0"
    return printed_as(name, spread), printed_as(name, mean(input, all_dims(dim, input.ndim, op), keepdim))


@method()
@accepts_axis
def amax(input: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """The largest element along `dim`. If several elements equal it, they share the gradient evenly.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).amax(dim=1)
    tensor([5., 7.])
    """
    return Extremum(nonempty("amax", input, dim), keepdim, "max")(input)


@method()
@accepts_axis
def amin(input: Any, dim: Dims = None, keepdim: bool = False) -> Any:
    """The smallest element along `dim`. If several elements equal it, they share the gradient evenly.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).amin(dim=1)
    tensor([1., 2.])
    """
    return Extremum(nonempty("amin", input, dim), keepdim, "min")(input)


def nonempty(op: str, x: Any, dim: Dims) -> tuple[int, ...]:
    """The dimensions `dim`, after a check that there is an element along them.

    Raises
    ------
    RuntimeError, IndexError
        There is none; IndexError if a dimension was named.
    """
    dims = all_dims(dim, x.ndim, op)
    if size_along(x.shape, dims) == 0:
        kind = RuntimeError if dim is None or op == "norm" else IndexError  # as in PyTorch
        raise kind(f"{op}: expected at least one element along dim {dim}, got shape {tuple(x.shape)}")
    return dims


@method()
@accepts_axis
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; with an int `dim`, a named tuple (values, indices); with a tensor `other` instead, `maximum`.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).max(dim=1).indices
    tensor([1, 0])
    """
    return _extremum(input, dim if other is None else other, keepdim, "max")


@method()
@accepts_axis
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; with an int `dim`, a named tuple (values, indices); with a tensor `other` instead, `minimum`.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).min(dim=1).values
    tensor([1., 2.])
    """
    return _extremum(input, dim if other is None else other, keepdim, "min")


def _extremum(x: Any, dim: Any, keepdim: bool, which: str) -> Any:
    from . import amax, amin, argmax, argmin, maximum, minimum, take_along_dim
    from .indexing import along

    amost, arg, pairwise = (amax, argmax, maximum) if which == "max" else (amin, argmin, minimum)
    if dim is None:
        return amost(x)
    if isinstance(dim, Tensor):
        return pairwise(x, dim)
    d = one_dim(dim, x.ndim, which)
    nonempty(which, x, d)
    if not keepdim and x.ndim > 1:
        indices = arg(x, d)
        values = along(x, d, raw(indices))
    else:
        indices = arg(x, d, keepdim=True)
        values = take_along_dim(x, indices, d)
        if not keepdim:
            values, indices = values.squeeze(d), indices.squeeze(d)
    return OF[which](printed_as(f"{which.capitalize()}Backward0", values), indices)
