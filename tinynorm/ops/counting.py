"""Which values there are, and how many of each. The results have no gradient."""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..autograd.mode import no_grad
from ..tensor import Tensor, method, raw, wrap
from .common import namespace, of_tensors, promote
from .indexing import add_at


def _sorted(a: Any) -> tuple[Any, Any]:
    """(the elements of the array in order, where each was), as vectors."""
    xp = namespace(a)
    flat = xp.reshape(a, (-1,))
    at = backend.stable_argsort(flat)
    return xp.take(flat, at, axis=0), at


@method()
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The different elements, in order; also without `sorted`. Each NaN is one of its own.

    Parameters
    ----------
    input : Tensor
        Of any shape.
    return_inverse : bool
        Also return the place of each element of `input` among the results (int64), in the shape of `input`.
    return_counts : bool
        Also return how often each is there (int64).

    Returns
    -------
    Tensor, or tuple of Tensors

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.unique(tinynorm.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    if dim is not None:
        raise RuntimeError("unique: expected dim=None, which is all that is here; numpy.unique(x.numpy(), axis=dim) finds rows")
    a = raw(input)
    xp, where = namespace(a), backend.on_device_of(a)
    values, at = _sorted(a)
    n = values.shape[0]
    first = xp.concat([xp.ones((min(n, 1),), dtype=backend.bool_, **where), values[1:] != values[:-1]])
    found = [values[first]]
    if return_inverse:
        rank = backend.cumulative_sum(backend.astype(first, backend.int64), 0) - 1
        found.append(xp.reshape(xp.take(rank, backend.stable_argsort(at), axis=0), a.shape))
    if return_counts:
        starts = xp.concat([xp.nonzero(first)[0], xp.full((1,), n, dtype=backend.int64, **where)])
        found.append(starts[1:] - starts[:-1])
    results = tuple(map(wrap, found))
    return results if len(results) > 1 else results[0]


@method()
def isin(elements: Tensor | float, test_elements: Tensor | float, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Which of the elements are among the others: a boolean tensor of the shape of `elements`; with `invert`, which are not.

    >>> import tinynorm
    >>> tinynorm.isin(tinynorm.tensor([1, 2, 3]), tinynorm.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    with no_grad():
        elements, test_elements = promote(elements, test_elements)
    like = raw(elements if hasattr(elements, "shape") else test_elements)
    xp, where = namespace(like), backend.on_device_of(like)
    a, b = (raw(x) if hasattr(x, "shape") else xp.asarray(x, dtype=like.dtype, **where) for x in (elements, test_elements))
    backend.check_same_device("isin", [a, b])
    b, _ = _sorted(b)
    if not b.shape[0]:
        found = xp.zeros(a.shape, dtype=backend.bool_, **where)
    else:
        flat = xp.reshape(a, (-1,))
        at = xp.searchsorted(b, flat)
        at = xp.where(at < b.shape[0], at, b.shape[0] - 1)
        found = xp.reshape(xp.take(b, at, axis=0) == flat, a.shape)
    return wrap(~found if invert else found)


@method()
@backend.silent
@of_tensors
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """How many elements are in each of `bins` equal intervals from `min` to `max`; of all other elements none is counted.

    If `min` equals `max`, the intervals go from the smallest element to the largest.

    >>> import tinynorm
    >>> tinynorm.histc(tinynorm.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    x, low, high = raw(input), float(min), float(max)
    if not backend.is_floating(x):
        raise RuntimeError(f"histc: expected a floating-point tensor, got {x.dtype}; bincount counts integers")
    if bins < 1:
        raise RuntimeError(f"histc: expected at least 1 interval, got bins={bins}")
    xp = namespace(x)
    x = xp.reshape(x, (-1,))
    if low == high and x.shape[0]:
        low, high = float(xp.min(x)), float(xp.max(x))
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise RuntimeError(f"histc: expected a finite range from min to max, got {low} to {high}")
    x = x[(x >= low) & (x <= high)]
    at = backend.astype((x - low) * bins / (high - low), backend.int64)
    at = xp.where(at < bins, at, bins - 1)  # the last interval has its end
    counts = add_at((bins,), (at,), xp.ones(at.shape, dtype=backend.float64, **backend.on_device_of(x)))
    counts = backend.astype(counts, x.dtype)
    return wrap(counts) if isinstance(input, Tensor) else counts
