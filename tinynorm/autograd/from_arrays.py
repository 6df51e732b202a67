"""An op made of two functions of plain arrays, as course notebooks write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor, raw
from .function import Function
from .mode import is_grad_enabled


def from_arrays(forward: Callable, backward: Callable) -> Callable:
    """Make an op of a forward and a backward on NumPy or CuPy arrays.

    Parameters
    ----------
    forward : callable
        ``out, cache = forward(*arrays)``. It gets the arrays of the Tensors, read-only on the CPU, and all other arguments
        unchanged. `out` is an array or a tuple of arrays; `cache` is what backward needs.
    backward : callable
        ``grads = backward(dout, cache)``: one gradient per argument of `forward`, None for one without a gradient. For several
        outputs `dout` is a tuple.

    Returns
    -------
    callable
        A function of Tensors that is recorded as any op is: use it in a network, or check it with `check_function`.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        When it is called: forward returns no pair. In backward: the gradients do not fit the arguments in number, shape or
        dtype; or ``create_graph=True``, since arrays have no history to differentiate.

    Examples
    --------
    >>> import numpy as np
    >>> import tinynorm
    >>> def forward(x, w):
    ...     return x @ w, (x, w)
    >>> def backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout
    >>> matmul = tinynorm.autograd.from_arrays(forward, backward)
    >>> w = tinynorm.ones(2, 1, requires_grad=True)
    >>> matmul(tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]), w).sum().backward()
    >>> w.grad
    tensor([[4.],
            [6.]])
    """
    name = getattr(forward, "__name__", "from_arrays")

    def of_tensors(ctx: Any, *inputs: Any) -> Any:
        found = forward(*map(raw, inputs))
        if not isinstance(found, tuple) or len(found) != 2:
            raise TypeError(f"{name}: expected forward to return the pair (out, cache), got {type(found).__name__}")
        out, ctx.cache = found
        return tuple(out) if isinstance(out, list) else out

    def of_gradients(ctx: Any, *grads: Tensor) -> Any:
        if is_grad_enabled():
            raise RuntimeError(
                f"{name}: with create_graph=True a backward has to be differentiated, and arrays have no history. "
                "Write an autograd.Function, whose backward gets Tensors"
            )
        found = backward(raw(grads[0]) if len(grads) == 1 else tuple(map(raw, grads)), ctx.cache)
        return tuple(found) if isinstance(found, list) else found

    function: Any = type(name, (Function,), {"forward": staticmethod(of_tensors), "backward": staticmethod(of_gradients)})

    def op(*inputs: Any) -> Any:
        return function.apply(*inputs)

    op.__name__ = op.__qualname__ = name
    op.__doc__ = forward.__doc__
    return op
