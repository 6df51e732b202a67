"""Gradients kept within bounds, and parameters as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .. import backend
from ..backend import namespace
from ..ops import cat
from ..ops.common import widened
from ..tensor import Tensor, version_of, wrap


def _gradients(op: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{op}: expected Tensors, got {type(parameters).__name__}; pass model.parameters()")
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TypeError(f"{op}: expected Tensors, got a {type(t).__name__}; pass model.parameters()")
    return [t._grad for t in tensors if t._grad is not None]


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale all gradients by one factor, so that their norm as one vector is at most `max_norm`; in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
        At least 0.
    norm_type : float
        The p of the p-norm; ``math.inf`` for the largest magnitude.
    error_if_nonfinite : bool
        Whether a norm that is NaN or inf is an error.

    Returns
    -------
    Tensor
        The norm before, 0-d.

    Raises
    ------
    ValueError
        `max_norm` or `norm_type` is out of range.
    RuntimeError
        The norm is not finite and `error_if_nonfinite` is set, or gradients live on different devices. No gradient has
        changed then.

    Examples
    --------
    >>> import tinynorm
    >>> p = tinynorm.zeros(2, requires_grad=True)
    >>> p.grad = tinynorm.tensor([3.0, 4.0])
    >>> clip_grad_norm_(p, max_norm=1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6, 0.8])
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: expected max_norm >= 0, got {max_norm!r}")
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm_: expected norm_type > 0, got {norm_type!r}")
    grads = _gradients("clip_grad_norm_", parameters)
    if not grads:
        return wrap(backend.namespace_on(None).zeros((), backend.float32))
    backend.check_same_device("clip_grad_norm_", [g.data for g in grads])
    xp = namespace(grads[0].data)
    total = _norm(xp, [widened(g.data) for g in grads], float(norm_type))
    if error_if_nonfinite and not math.isfinite(float(total)):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of the gradients is {float(total)}, and clipping would spread it to all of "
            "them; find the op that made it, or pass error_if_nonfinite=False"
        )
    factor = max_norm / (total + 1e-6)  # stays on the device: no synchronisation
    factor = xp.where(factor > 1, xp.ones_like(factor), factor)  # NaN stays
    for g in grads:
        g.data *= backend.astype(factor, g.dtype)
        version_of(g).bump("clip_grad_norm_")
    return wrap(total)


def _norm(xp: Any, arrays: list, p: float) -> Any:
    """The p-norm of all numbers together, 0-d."""
    like = arrays[0]
    arrays = [a for a in arrays if math.prod(a.shape)] or [xp.zeros((1,), dtype=like.dtype, **backend.on_device_of(like))]
    if p == math.inf:
        return xp.max(xp.stack([xp.max(xp.abs(a)) for a in arrays]))
    if p == 2:
        return xp.sqrt(xp.sum(xp.stack([xp.sum(a * a) for a in arrays])))
    return xp.sum(xp.stack([xp.sum(xp.abs(a) ** p) for a in arrays])) ** (1 / p)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clamp each number of the gradients to [-clip_value, clip_value], in place.

    Raises
    ------
    ValueError
        `clip_value` is negative.

    Examples
    --------
    >>> import tinynorm
    >>> p = tinynorm.zeros(2, requires_grad=True)
    >>> p.grad = tinynorm.tensor([3.0, -0.5])
    >>> clip_grad_value_(p, 1.0)
    >>> p.grad
    tensor([ 1. , -0.5])
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: expected clip_value >= 0, got {clip_value!r}")
    for g in _gradients("clip_grad_value_", parameters):
        g.data[...] = g.detach().clamp(-clip_value, clip_value).data
        version_of(g).bump("clip_grad_value_")


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters one after the other as one vector; the gradient finds its way back.

    >>> import tinynorm
    >>> parameters_to_vector([tinynorm.ones(2), tinynorm.zeros(1, 1)])
    tensor([1., 1., 0.])
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write a vector, as `parameters_to_vector` gives it, back into the parameters.

    Raises
    ------
    RuntimeError
        The vector has not as many numbers as the parameters. Nothing has changed then.

    Examples
    --------
    >>> import tinynorm
    >>> p = tinynorm.zeros(2)
    >>> vector_to_parameters(tinynorm.tensor([1.0, 2.0]), [p])
    >>> p
    tensor([1., 2.])
    """
    parameters = list(parameters)
    n = sum(p.numel() for p in parameters)
    if tuple(vec.shape) != (n,):
        raise RuntimeError(f"vector_to_parameters: expected a vector of {n} numbers, as the parameters, got {tuple(vec.shape)}")
    start = 0
    for p in parameters:
        part = vec.detach()[start : start + p.numel()].reshape(*p.shape).to(p.dtype)
        p.data[...] = part.data
        version_of(p).bump("vector_to_parameters")
        start += p.numel()
