"""Sorting, and medians. Indices have no gradient; the gradient of a value goes to the element that it was taken from."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..tensor import Tensor, method, raw, wrap
from .common import accepts_axis, namespace, one_dim, printed_as
from .indexing import taken
from .reduction import OF, Along, Extremum, nonempty


def order(op: str, x: Any, dim: int, descending: bool) -> tuple[Any, int]:
    """(the indices that sort the array x along `dim`, the dimension). Equal elements keep their order; NaN is the largest."""
    d = one_dim(dim, x.ndim, op)
    if not x.ndim:
        xp = namespace(x)
        return xp.zeros((), dtype=xp.int64, **backend.on_device_of(x)), d
    if not descending:
        return backend.stable_argsort(x, d), d
    backwards = (slice(None),) * d + (slice(None, None, -1), ...)
    return x.shape[d] - 1 - backend.stable_argsort(x[backwards], d)[backwards], d


def _wrapped(at: Any, x: Any) -> Any:
    return wrap(at) if isinstance(x, Tensor) else at


@method()
@accepts_axis
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Along:
    """A named tuple (values, indices): the elements in order along `dim`, and where they were.

    Equal elements always keep their order, also without `stable`. NaN counts as the largest number.

    >>> import tinynorm
    >>> values, indices = tinynorm.sort(tinynorm.tensor([3.0, 1.0, 2.0]))
    >>> indices
    tensor([1, 2, 0])
    """
    at, d = order("sort", raw(input), dim, descending)
    values = printed_as("SortBackward0", taken("sort", input, d, at, input.shape))
    return OF["sort"](values, _wrapped(at, input))


@method()
@accepts_axis
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices (int64) that sort the elements along `dim`. Equal elements keep their order.

    >>> import tinynorm
    >>> tinynorm.argsort(tinynorm.tensor([3.0, 1.0, 2.0]), descending=True)
    tensor([0, 2, 1])
    """
    return _wrapped(order("argsort", raw(input), dim, descending)[0], input)


@method()
@accepts_axis
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Along:
    """A named tuple (values, indices): the `k` largest (or smallest) elements along `dim`, in order, and where they are.

    Of equal elements the first are taken. The result is in order also without `sorted`.

    Raises
    ------
    RuntimeError
        There are fewer than `k` elements along `dim`.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.topk(tinynorm.tensor([3.0, 1.0, 2.0]), 2).indices
    tensor([0, 2])
    """
    at, d = order("topk", raw(input), dim, largest)
    n = input.shape[d] if input.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"topk: expected k from 0 to {n}, the size of dimension {d}, got {k}")
    at = at[(slice(None),) * d + (slice(k), ...)] if input.ndim else at
    values = printed_as("TopkBackward0", taken("topk", input, d, at, at.shape))
    return OF["topk"](values, _wrapped(at, input))


class Median(Extremum):
    """y = the median of x: of n numbers in order number (n + 1) / 2;  dx = g shared evenly among the elements that equal y."""

    def __init__(self) -> None:
        super().__init__((), False, "median")

    def forward(self, x):
        self.shape, self.dims = x.shape, tuple(range(x.ndim))
        flat = namespace(x).reshape(x, (-1,))
        y = flat[_middle(flat, 0)][0]
        self.save(x, y)
        return y


def _middle(x: Any, d: int) -> Any:
    """Where the medians of the array x along dimension d are, (…, 1, …); where a line has NaN, where that is."""
    xp, at = namespace(x), order("median", x, d, False)[0]
    at = at[(slice(None),) * d + (slice((x.shape[d] - 1) // 2, (x.shape[d] + 1) // 2), ...)]
    if not backend.is_floating(x):
        return at
    nan = xp.isnan(x)
    first = xp.expand_dims(xp.argmax(backend.astype(nan, xp.int64), axis=d), axis=d)
    return xp.where(xp.any(nan, axis=d, keepdims=True), first, at)


@method()
@accepts_axis
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The median; with `dim`, a named tuple (values, indices). Of an even number of elements it is the lower of the middle two.

    NaN where there is a NaN.

    >>> import tinynorm
    >>> tinynorm.median(tinynorm.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    >>> tinynorm.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]]).median(dim=1).indices
    tensor([2, 1])
    """
    nonempty("median", input, dim)
    if dim is None:
        return Median()(input)
    d = one_dim(dim, input.ndim, "median")
    x = input if input.ndim else input.reshape(1)
    at = _middle(raw(x), d)
    values, indices = taken("median", x, d, at, at.shape), _wrapped(at, x)
    shape = at.shape if keepdim and input.ndim else at.shape[:d] + at.shape[d + 1 :]
    return OF["median"](printed_as("MedianBackward1", values.reshape(shape)), indices.reshape(shape))
