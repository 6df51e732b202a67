"""assert_gradients: an assertion whose message is the whole report of the gradient check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import backend
from ..gradcheck import Report, check_backward, check_function, check_module, check_second
from ..nn import Module
from ..tensor import Tensor


def assert_gradients(
    function: Callable, inputs: Any, backward: Callable | None = None, *, second: bool = False, **options: Any
) -> Report:
    """Assert that gradients are right.

    Parameters
    ----------
    function : callable
        A module, or a function of Tensors. With `backward`: a forward function of plain arrays.
    inputs : Tensor, array or sequence
        The inputs of `function`. Without `backward`, arrays become Tensors. If no input requires grad, the check covers all
        floating-point inputs.
    backward : callable, optional
        A hand-written backward, as for `tinynorm.gradcheck.check_backward`.
    second : bool
        Check the second derivatives as well (not possible with `backward`).
    **options
        Options of the gradient check: seed, names, layer, atol, rtol ...

    Returns
    -------
    Report

    Raises
    ------
    AssertionError
        A gradient is wrong, or could not be resolved. The message is the report.

    Examples
    --------
    >>> import numpy as np
    >>> from tinynorm.nn import functional as F
    >>> _ = assert_gradients(F.gelu, np.array([0.5, -1.0, 2.0]), second=True)
    """
    __tracebackhide__ = True  # pytest shows the test's line, not this one
    if backward is not None:
        if second:
            raise TypeError(
                "assert_gradients: second derivatives are checked of functions of Tensors; see check_hvp for arrays"
            )
        return _right(check_backward(function, backward, _listed(inputs), **options))
    tensors = [_tensor(x) for x in _listed(inputs)]
    if isinstance(function, Module):
        report = _right(check_module(function, tensors, **options))
    else:
        report = _right(check_function(function, _requiring_grad(tensors), **options))
    if second:
        _right(check_second(function, _requiring_grad(tensors), **options))
    return report


def _right(report: Report) -> Report:
    __tracebackhide__ = True
    if report.ok is not True:
        raise AssertionError(str(report))
    return report


def _listed(inputs: Any) -> Sequence[Any]:
    return [inputs] if isinstance(inputs, Tensor) or backend.is_array(inputs) else list(inputs)


def _tensor(x: Any) -> Any:
    return Tensor(x) if backend.is_array(x) and not isinstance(x, Tensor) else x


def _requiring_grad(inputs: list) -> list:
    """The inputs. If none requires grad, all floating-point inputs become tensors that do."""
    if any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        return inputs
    return [x.detach().requires_grad_() if isinstance(x, Tensor) and backend.is_floating(x.array) else x for x in inputs]
