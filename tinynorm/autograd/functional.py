"""Jacobians, Hessians and their products with vectors, of functions of tensors. Each is made of calls of `grad`.

For a function of one tensor with one tensor as its result, tensors are returned; for tuples, tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..tensor import Tensor
from .engine import grad
from .mode import enable_grad

Tensors = tuple[Tensor, ...]


def jacobian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, **vectorized: Any) -> Any:
    """The derivatives of each element of the outputs with respect to each element of the inputs: one backward an element.

    Parameters
    ----------
    func : callable
        A function of tensors that returns a tensor or a tuple of tensors.
    inputs : Tensor or tuple of Tensor
    create_graph : bool
        Record the computation, so that the result can be differentiated.
    strict : bool
        Raise an error for an input that an output does not depend on, instead of returning zeros.
    vectorize, strategy
        Taken, as PyTorch's programs pass them; they change nothing.

    Returns
    -------
    Tensor
        (*output.shape, *input.shape); of tuples, a tuple for each output of a tensor for each input.

    Examples
    --------
    >>> import tinynorm
    >>> jacobian(lambda x: x**2, tinynorm.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    from ..ops import stack, zeros_like

    xs, found = _leaves("jacobian", inputs, create_graph), []
    result = _call(func, xs)
    for y in _tuple("jacobian", "the function's result", result):
        rows = []
        for k in range(y.numel()):
            one = zeros_like(y)
            one.view(-1)[k] = 1
            rows.append(_gradients("jacobian", (y,), xs, (one,), create_graph, strict))
        columns = zip(*rows, strict=True) if rows else [[] for _ in xs]
        stacked = [stack(column) if column else x.new_zeros(0) for column, x in zip(columns, xs, strict=True)]
        found.append(_like(inputs, tuple(J.reshape(*y.shape, *x.shape) for J, x in zip(stacked, xs, strict=True))))
    return _like(result, tuple(found))


def hessian(func: Callable, inputs: Any, create_graph: bool = False, strict: bool = False, **vectorized: Any) -> Any:
    """The second derivatives of a scalar function: the Jacobian of its gradient, (*input.shape, *input.shape).

    Parameters and errors are those of `jacobian`. Of a tuple of inputs, a tuple for each input of a tensor for each input.

    Examples
    --------
    >>> import tinynorm
    >>> hessian(lambda x: (x**3).sum(), tinynorm.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*xs: Tensor) -> Any:
        return _like(inputs, _gradients("hessian", (_scalar("hessian", func, xs),), xs, None, True, strict))

    return jacobian(gradient, inputs, create_graph, strict)


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(the outputs, vᵀ J): a backward pass with the upstream gradient `v`, which a scalar output need not have.

    >>> import tinynorm
    >>> vjp(lambda x: x**2, tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    xs = _leaves("vjp", inputs, create_graph)
    result = _call(func, xs)
    ys = _tuple("vjp", "the function's result", result)
    found = _gradients("vjp", ys, xs, _vectors("vjp", v, ys), create_graph, strict)
    return _handed_out(result, ys, create_graph), _like(inputs, found)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(the outputs, J v): the change of the outputs as the inputs move along `v`.

    The backward pass is linear in its upstream gradient u; the derivative of uᵀ J v with respect to u is J v.

    >>> import tinynorm
    >>> jvp(lambda x: x**2, tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    from ..ops import zeros_like

    xs = _leaves("jvp", inputs, create_graph)
    result = _call(func, xs)
    ys = _tuple("jvp", "the function's result", result)
    us = tuple(zeros_like(y).requires_grad_() for y in ys)
    moved = _gradients("jvp", ys, xs, us, True, strict)
    found = _gradients("jvp", moved, us, _vectors("jvp", v, xs), create_graph, False)
    return _handed_out(result, ys, create_graph), _like(result, found)


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(the output, vᵀ H) of a scalar function: a backward pass through the backward pass.

    >>> import tinynorm
    >>> vhp(lambda x: (x**3).sum(), tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 10.0]))
    (tensor(9.), tensor([  6., 120.]))
    """
    xs = _leaves("vhp", inputs, create_graph)
    y = _scalar("vhp", func, xs)
    gradient = _gradients("vhp", (y,), xs, None, True, strict)
    found = _gradients("vhp", gradient, xs, _vectors("vhp", v, xs), create_graph, strict)
    return _handed_out(y, (y,), create_graph), _like(inputs, found)


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple[Any, Any]:
    """(the output, H v): as `vhp`, since H is symmetric."""
    return vhp(func, inputs, v, create_graph, strict)


# ---- inside ---------------------------------------------------------------------------------------------------------------


def _tuple(op: str, name: str, given: Any) -> Tensors:
    found = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if not all(isinstance(t, Tensor) for t in found):
        raise TypeError(f"{op}: expected {name} to be a Tensor or a tuple of Tensors, got {[type(t).__name__ for t in found]}")
    return found


def _leaves(op: str, inputs: Any, create_graph: bool) -> Tensors:
    """The inputs as tensors of their own that require grad, so that the caller's graph and `.grad` stay as they are."""
    xs = _tuple(op, "inputs", inputs)
    return tuple(x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in xs)


@enable_grad
def _call(func: Callable, xs: Tensors) -> Any:
    return func(*xs)


def _scalar(op: str, func: Callable, xs: Tensors) -> Tensor:
    ys = _tuple(op, "the function's result", _call(func, xs))
    if len(ys) != 1 or ys[0].numel() != 1:
        raise RuntimeError(f"{op}: expected a function with one scalar result, got shapes {[tuple(y.shape) for y in ys]}")
    return ys[0]


def _vectors(op: str, v: Any, like: Tensors) -> Tensors | None:
    """v as a tuple, after a check of its shapes; None for a single scalar."""
    expected = [tuple(t.shape) for t in like]
    if v is None:
        if len(like) == 1 and like[0].numel() == 1:
            return None
        raise RuntimeError(f"{op}: expected v in the shapes {expected}; it may be left out of a scalar only")
    vs = _tuple(op, "v", v)
    got = [tuple(t.shape) for t in vs]
    if got != expected:
        raise RuntimeError(f"{op}: expected v in the shapes {expected}, got {got}")
    return vs


def _gradients(op: str, ys: Tensors, xs: Tensors, vs: Tensors | None, create_graph: bool, strict: bool) -> Tensors:
    """The gradients with respect to xs, zeros where there is none."""
    from ..ops import zeros_like

    reached = [i for i, y in enumerate(ys) if y.requires_grad]
    upstream: Sequence[Any] = [None] * len(ys) if vs is None else vs
    found: Sequence[Any] = [None] * len(xs)
    if reached:
        found = grad([ys[i] for i in reached], xs, [upstream[i] for i in reached], True, create_graph, allow_unused=True)
    if strict and any(g is None for g in found):
        raise RuntimeError(f"{op}: with strict=True, expected the outputs to depend on every input; they do not on all")
    return tuple(zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True))


def _like(given: Any, found: tuple) -> Any:
    """What was found as one tensor, or as a tuple, whichever was given."""
    return found[0] if isinstance(given, Tensor) else found


def _handed_out(result: Any, ys: Tensors, create_graph: bool) -> Any:
    return _like(result, ys if create_graph else tuple(y.detach() for y in ys))
