"""Gradient clipping, conversion of parameters to one vector and back; and weight normalisation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import backend
from ..backend import namespace
from ..ops import cat
from ..ops.common import widened
from ..ops.scaling import power_of_two
from ..tensor import Tensor, version_of, wrap
from .weight_norm import remove_weight_norm as remove_weight_norm
from .weight_norm import weight_norm as weight_norm


def _gradients(op: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients of the parameters, each once. An error is raised here, before any change, if one is not writeable."""
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{op}: expected Tensors, got {type(parameters).__name__}; pass model.parameters()")
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    for t in tensors:
        if not isinstance(t, Tensor):
            raise TypeError(f"{op}: expected Tensors, got a {type(t).__name__}; pass model.parameters()")
    grads = list({id(grad): grad for t in tensors if (grad := t.grad) is not None}.values())
    for g in grads:
        if not backend.is_writeable(g._array):
            raise RuntimeError(
                f"{op}: expected gradients whose memory can be written to, got one of shape {tuple(g.shape)} that was expanded "
                "or made of a read-only array; set .grad to its .clone(). No gradient has changed"
            )
    return grads


@backend.silent
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float | str = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients by one factor, so that their norm as one vector is at most `max_norm`; in place.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Tensors without a gradient are skipped.
    max_norm : float
        At least 0.
    norm_type : float
        The p of the p-norm; ``math.inf`` or "inf" for the largest magnitude.
    error_if_nonfinite : bool
        Whether a norm that is NaN or inf is an error.
    foreach
        As PyTorch takes it. It changes nothing.

    Returns
    -------
    Tensor
        The norm before clipping, 0-d. It is correct even if the squares of the gradients overflow or underflow. It is inf only
        if the norm itself overflows; even then the gradients are scaled to `max_norm`.

    Raises
    ------
    ValueError
        `max_norm` or `norm_type` is out of range.
    RuntimeError
        The norm is not finite and `error_if_nonfinite` is set, or gradients are on different devices or cannot be written
        to. No gradient has changed then.

    Examples
    --------
    >>> import tinynorm
    >>> p = tinynorm.zeros(2, requires_grad=True)
    >>> p.grad = tinynorm.tensor([3.0, 4.0])
    >>> clip_grad_norm_(p, max_norm=1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    norm_type = float(norm_type)
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: expected max_norm >= 0, got {max_norm!r}")
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm_: expected norm_type > 0, got {norm_type!r}")
    grads = _gradients("clip_grad_norm_", parameters)
    if not grads:
        return wrap(backend.namespace_on(None).zeros((), backend.float32))
    backend.check_same_device("clip_grad_norm_", [g._array for g in grads])
    xp = namespace(grads[0]._array)
    scale, norm = _norm(xp, [widened(g._array) for g in grads], norm_type)
    total = scale * norm
    if error_if_nonfinite and not math.isfinite(float(total)):
        raise RuntimeError(
            f"clip_grad_norm_: the norm of the gradients is {float(total)}, and clipping would spread it to all of "
            "them; find the op that made it, or pass error_if_nonfinite=False"
        )
    factors = _factors(xp, float(max_norm), total, scale, norm)
    for g in grads:
        array, scaled = g._array, widened(g._array)  # float16 has too few digits for a small factor
        for factor in factors:
            scaled *= backend.astype(factor, scaled.dtype)
        if scaled is not array:
            array[...] = backend.astype(scaled, array.dtype)
        version_of(g).bump("clip_grad_norm_")
    return wrap(total)


def _factors(xp: Any, max_norm: float, total: Any, scale: Any, norm: Any) -> list:
    """The factors for the gradients, each at most 1. They stay on the device, so there is no synchronisation.

    A factor that is subnormal in the dtype would lose digits, and CuPy's kernels treat it as 0. Then the gradients are
    multiplied twice by the square root of the factor. On a GPU this is always done: a test of the factor's size would make the
    CPU wait for the GPU.
    """
    factor = max_norm / (total + 1e-6)
    root = math.sqrt(max_norm) / xp.sqrt(total + 1e-6)
    if scale is not ONE:
        factor = xp.where(total < math.inf, factor, max_norm / scale / norm)
        root = xp.where(total < math.inf, root, xp.sqrt(max_norm / norm) / xp.sqrt(scale))
    single = xp is np and (max_norm == 0 or not factor < xp.finfo(factor.dtype).tiny)
    return [xp.where(f > 1, xp.ones_like(f), f) for f in ([factor] if single else [root, root])]  # a NaN factor stays NaN


ONE = 1.0  # the scale if the numbers were not divided


def _norm(xp: Any, arrays: list, p: float) -> tuple[Any, Any]:
    """(scale, norm): the p-norm of all numbers together is scale * norm, both 0-d.

    If the powers of the numbers would overflow or underflow, the numbers are divided by the scale first. With NumPy, the sum of
    the powers shows this at no extra cost. On a GPU this test would be a synchronisation, so the numbers are always divided.
    """
    like = arrays[0]
    arrays = [a for a in arrays if math.prod(a.shape)] or [xp.zeros((1,), dtype=like.dtype, **backend.on_device_of(like))]
    if p == math.inf:
        return ONE, xp.max(xp.stack([xp.max(xp.abs(a)) for a in arrays]))
    if xp is np:
        powers = np.sum(np.stack([_sum_of_powers(xp, a, p) for a in arrays]))
        if np.finfo(powers.dtype).tiny ** 0.5 < powers < math.inf:  # a power that underflowed is less than 1e-19 of this sum
            return ONE, powers ** (1 / p) if p != 2 else np.sqrt(powers)
    flat = xp.concat([xp.reshape(a, (-1,)) for a in arrays])
    scale = power_of_two(flat, (0,))
    powers = _sum_of_powers(xp, flat / scale, p)
    return xp.reshape(scale, ()), xp.sqrt(powers) if p == 2 else powers ** (1 / p)


def _sum_of_powers(xp: Any, a: Any, p: float) -> Any:
    return xp.sum(a * a if p == 2 else xp.abs(a) ** p)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp each number of the gradients to [-clip_value, clip_value], in place.

    PyTorch's argument `foreach` is taken and changes nothing.

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
    tensor([ 1.0000, -0.5000])
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: expected clip_value >= 0, got {clip_value!r}")
    for g in _gradients("clip_grad_value_", parameters):
        g._array[...] = g.detach().clamp(-clip_value, clip_value)._array
        version_of(g).bump("clip_grad_value_")


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters joined into one vector, one after the other. The gradient of the vector passes to the parameters.

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
        The vector and the parameters have different numbers of elements, or a parameter cannot be written to. Nothing has
        changed then.

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
    for p in parameters:
        if not backend.is_writeable(p._array):
            raise RuntimeError(
                f"vector_to_parameters: expected parameters whose memory can be written to, got one of shape {tuple(p.shape)} "
                "that was expanded or made of a read-only array; set its data to a copy. Nothing has changed"
            )
    start, vec = 0, vec.detach().clone()  # the vector may be a view of the parameters
    for p in parameters:
        part = vec[start : start + p.numel()].reshape(*p.shape).to(p.dtype)
        p._array[...] = part._array
        version_of(p).bump("vector_to_parameters")
        start += p.numel()
