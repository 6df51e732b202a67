"""In-place ops: the array is written to, and its version counter says so.

Under `no_grad`, or where nothing requires grad, that is all. Where the change is to be differentiated, the tensor becomes
the output of the op's node (PyTorch's rule); not so for leaves, which have no node, nor for views and what has been viewed,
whose other names for the memory would keep a stale history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..autograd.mode import mode
from ..tensor import Tensor, method, raw, version_of, wrap
from . import activation, arithmetic, exponential
from .common import namespace
from .indexing import SetItem, raw_index


def _refuse_if_unsafe(op: str, x: Tensor, recorded: bool) -> None:
    if not backend.is_writeable(x.data):
        raise RuntimeError(
            f"{op}: the tensor's memory cannot be written to: it was expanded, so that one number stands in many places, or "
            "made of a read-only array. Use the out-of-place op, or .clone() first"
        )
    if not recorded:
        return
    if x._requires_grad and x.grad_fn is None:
        raise RuntimeError(
            f"{op}: a leaf that requires grad cannot be changed in place where ops are recorded: its history would begin after "
            "the change. Wrap the update in no_grad(), or use the out-of-place op"
        )
    if x._is_view or version_of(x).viewed:
        raise RuntimeError(
            f"{op}: the tensor shares its memory with another by a view (indexing, reshape, …), and changing it in place "
            "would leave the other with a wrong history. Use the out-of-place op, or .clone() first"
        )


def _become(x: Tensor, y: Tensor, op: str) -> Tensor:
    """`x` takes over the place of `y` in the graph."""
    version_of(x).bump(op)
    x.grad_fn, x._output_nr, x._requires_grad = y.grad_fn, y._output_nr, y._requires_grad
    return x


def _before_change(x: Tensor) -> Tensor:
    """What `x` is now, number by number and in the graph, for an op to save."""
    old = wrap(backend.copy(x.data))
    old.grad_fn, old._output_nr, old._requires_grad = x.grad_fn, x._output_nr, x._requires_grad
    return old


def _inplace(name: str, op: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Tensor]:
    def change(x: Tensor, other: Any) -> Tensor:
        recorded = mode.enabled and (x._requires_grad or (isinstance(other, Tensor) and other._requires_grad))
        return _replaced(x, name, lambda x: op(x, other), recorded)

    change.__name__, change.__doc__ = name, f"`{op.__name__}` in place."
    method(name, f"__i{op.__name__.replace('div', 'truediv')}__")(change)
    return change


def _bumped(x: Tensor, op: str) -> Tensor:
    version_of(x).bump(op)
    return x


add_ = _inplace("add_", arithmetic.add)
sub_ = _inplace("sub_", arithmetic.sub)
mul_ = _inplace("mul_", arithmetic.mul)
div_ = _inplace("div_", arithmetic.div)
pow_ = _inplace("pow_", exponential.pow)


@method("__setitem__")
def setitem(x: Tensor, index: Any, value: Any) -> None:
    """x[index] = value; recorded where either requires grad.

    >>> import tinynorm
    >>> x = tinynorm.zeros(3)
    >>> x[1:] = 5
    >>> x
    tensor([0., 5., 5.])
    """
    _assign(x, raw_index(index, x.data), value, "setitem")


def _assign(x: Tensor, index: Any, value: Any, op: str) -> Tensor:
    backend.check_same_device(op, [x.data, raw(value)])
    if isinstance(value, Tensor):
        value = value.to(x.dtype)
    recorded = mode.enabled and (x._requires_grad or (isinstance(value, Tensor) and value._requires_grad))
    _refuse_if_unsafe(op, x, recorded)
    y = SetItem(index)(x, value)
    return _become(x, y, op) if recorded else _bumped(x, op)


@method()
def zero_(x: Tensor) -> Tensor:
    """Fill with zeros, in place."""
    return _assign(x, ..., 0, "zero_")


@method()
def fill_(x: Tensor, value: Any) -> Tensor:
    """Fill with a number, in place."""
    return _assign(x, ..., value, "fill_")


@method()
def copy_(x: Tensor, source: Any) -> Tensor:
    """Take over the numbers of `source`, broadcast, converted to x's dtype and moved to its device; in place."""
    if not isinstance(source, Tensor):
        source = wrap(namespace(x.data).asarray(source))
    return _assign(x, ..., source.to(x.device) if isinstance(x.device, backend.device) else source, "copy_")


@method()
def clamp_(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`clamp` in place."""
    return replace(x, "clamp_", lambda x: arithmetic.clamp(x, min, max))


@method()
def relu_(x: Tensor) -> Tensor:
    """`relu` in place."""
    return replace(x, "relu_", activation.relu)


def replace(x: Tensor, name: str, op: Callable[[Tensor], Tensor]) -> Tensor:
    """`x` becomes ``op(x)``, of its own shape and dtype."""
    return _replaced(x, name, op, mode.enabled and x._requires_grad)


def _replaced(x: Tensor, name: str, op: Callable[[Tensor], Tensor], recorded: bool) -> Tensor:
    _refuse_if_unsafe(name, x, recorded)
    y = op(_before_change(x) if recorded else x)
    if y.data.shape != x.data.shape:
        raise RuntimeError(
            f"{name}: the result has shape {tuple(y.shape)}, which does not fit in place into {tuple(x.shape)}; "
            "use the out-of-place op"
        )
    if backend.is_floating(y.data) and not backend.is_floating(x.data):
        raise RuntimeError(f"{name}: a {y.dtype} result cannot be written in place into {x.dtype}; use the out-of-place op")
    y = y.to(x.dtype)
    x.data[...] = y.data
    return _become(x, y, name) if recorded else _bumped(x, name)


@method()
def normal_(x: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: backend.Generator | None = None) -> Tensor:
    """Fill with normal random numbers, in place."""
    rng = (generator or backend.default_generator).rng
    return fill_from_host(x, "normal_", mean + std * rng.standard_normal(x.shape))


@method()
def uniform_(x: Tensor, low: float = 0.0, high: float = 1.0, *, generator: backend.Generator | None = None) -> Tensor:
    """Fill with random numbers from [low, high), in place."""
    rng = (generator or backend.default_generator).rng
    return fill_from_host(x, "uniform_", low + (high - low) * rng.random(x.shape))


def fill_from_host(x: Tensor, op: str, numbers: np.ndarray) -> Tensor:
    """Random numbers are drawn on the host, so that a seed means the same on every device."""
    return _assign(x, ..., wrap(namespace(x.data).asarray(numbers.astype(x.dtype))), op)
