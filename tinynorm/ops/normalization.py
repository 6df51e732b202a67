"""The normalisation layers as functions: each checks its arguments, picks a layout, and calls a node."""

from __future__ import annotations

import math
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np

from .. import backend
from ..kernels.select import kernels_for
from ..tensor import Tensor, version_of
from .common import mean_over, namespace, printed_as, reshaped, widened
from .normalization_node import (
    Standardize,
    StandardizeByConstants,
    StandardizeChannel,
    StandardizeUncentred,
    batch_layout,
    group_layout,
    instance_layout,
    trailing_layout,
)


def batch_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Standardise each channel over the batch and all positions (training), or with the running statistics (eval).

    In training, the running statistics (if given) become ``(1 - momentum) * running + momentum * batch``. This update uses
    the *unbiased* variance of the batch; the normalisation uses the biased variance.

    Parameters
    ----------
    input : Tensor
        (N, C, *).
    running_mean, running_var : Tensor, optional
        (C). Required in eval mode; updated in place in training.
    weight, bias : Tensor, optional
        γ and β, (C).
    training : bool
    momentum : float
        From 0 to 1.
    eps : float
        Added to the variance, inside the square root.

    Returns
    -------
    Tensor
        In the shape and dtype of x.

    Raises
    ------
    ValueError
        `eps` or `momentum` is out of range, or there is only one value per channel in training.
    RuntimeError
        Shapes, dtypes or devices do not fit. After any of these errors the running statistics are unchanged.

    Notes
    -----
    Ioffe and Szegedy 2015, "Batch normalization", algorithm 1. An empty batch gives an empty result and changes no statistics.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.batch_norm(tinynorm.tensor([[1.0], [3.0]]), training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    x = input
    check_input("batch_norm", x, 2, "(N, C) or (N, C, *)")
    check_eps("batch_norm", eps)
    check_momentum("batch_norm", momentum)
    shape = x._array.shape
    running = ("running_mean", running_mean), ("running_var", running_var)
    check_tensors("batch_norm", x, (shape[1],), "(C,)", ("weight", weight), ("bias", bias), *running)
    check_both("batch_norm", running_mean, running_var)
    layout = batch_layout(shape)
    if not training:
        if running_mean is None:
            raise ValueError("batch_norm: eval mode (training=False) standardises by running_mean and running_var, got None")
        return StandardizeByConstants(layout, eps, widened(running_mean._array), widened(running_var._array))(x, weight, bias)
    if layout.m == 1:
        raise ValueError(
            f"batch_norm: expected more than one value per channel in training, got x (N, C, *) = {tuple(x.shape)}: "
            "the variance of one value is 0, and the output would be the bias whatever x is. "
            "Use a larger batch, drop_last=True, or eval()"
        )
    node = StandardizeChannel(layout, eps)
    y = node(x, weight, bias)
    if running_mean is not None and layout.m:
        _follow(node, running_mean, running_var, momentum)
    return y


def _follow(node: StandardizeChannel, running_mean: Tensor, running_var: Tensor, momentum: float) -> None:
    """Update the running statistics by those of the batch; by a kernel if one standardised the batch."""
    statistics = node.statistics
    if statistics is not None and momentum != 0:
        unbias = node.layout.m / (node.layout.m - 1)
        kernels = kernels_for("columns", statistics, running_mean._array, running_var._array, any_size=True)
        if kernels is not None:
            numbers = 1.0 - momentum, float(momentum), unbias, _largest(np, statistics.dtype)
            kernels.follow(running_mean._array, running_var._array, statistics, *numbers)
            version_of(running_mean).bump("batch_norm")
            version_of(running_var).bump("batch_norm")
            return
    mean, var = node.of_batch()
    _update(running_mean, mean, momentum)
    unbiased = var * (node.layout.m / (node.layout.m - 1))  # RS.26
    _update(running_var, unbiased, momentum, finite=True)


@cache
def _largest(xp: Any, dtype: Any) -> float:
    return float(xp.finfo(dtype).max)


@backend.silent
def _update(running: Tensor, batch: Any, momentum: float, finite: bool = False) -> None:
    """running = (1 - momentum) running + momentum batch, in place.

    If `finite` is True, a variance too large for the dtype is replaced by the largest finite number. (An infinite running
    variance would stay infinite in all later updates.)
    """
    if momentum == 0:  # 0 times an infinite variance would be NaN
        return
    array = running._array
    running_0, batch_1 = widened(array), reshaped(batch, array.shape)
    running_1 = running_0 * (1 - momentum) + batch_1 * momentum  # RS.1
    xp = namespace(array)
    array[...] = xp.minimum(running_1, _largest(xp, array.dtype)) if finite else running_1
    version_of(running).bump("batch_norm")


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Standardise each row by itself, over the trailing dimensions `normalized_shape`.

    Parameters
    ----------
    input : Tensor
        (*, normalized_shape).
    normalized_shape : int or sequence of int
    weight, bias : Tensor, optional
        γ and β, of shape `normalized_shape`.
    eps : float
        Added to the variance, inside the square root.

    Returns
    -------
    Tensor
        In the shape and dtype of x.

    Raises
    ------
    ValueError
        `eps` is out of range.
    RuntimeError
        Shapes, dtypes or devices do not fit.

    Notes
    -----
    Ba, Kiros and Hinton 2016, "Layer normalization", equation 4.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.layer_norm(tinynorm.tensor([[1.0, 3.0]]), 2, eps=0.0)
    tensor([[-1.,  1.]])
    """
    D = row_shape("layer_norm", input, normalized_shape)
    check_tensors("layer_norm", input, D, "of normalized_shape", ("weight", weight), ("bias", bias))
    check_eps("layer_norm", eps)
    layout = trailing_layout(input._array.shape, D, weight is not None or bias is not None)
    return Standardize(layout, eps)(input, weight, bias)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Divide each row by its root mean square, over the trailing dimensions `normalized_shape`.

    Parameters
    ----------
    input : Tensor
        (*, normalized_shape).
    normalized_shape : int or sequence of int
    weight : Tensor, optional
        γ, of shape `normalized_shape`.
    eps : float, optional
        Added to the mean square, inside the square root. Default: the machine epsilon of x's dtype (for float16: of float32,
        because float16 is computed in float32).

    Returns
    -------
    Tensor
        In the shape and dtype of x.

    Raises
    ------
    ValueError
        `eps` is out of range.
    RuntimeError
        Shapes, dtypes or devices do not fit.

    Notes
    -----
    Zhang and Sennrich 2019, "Root mean square layer normalization", equation 4.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.rms_norm(tinynorm.tensor([[3.0, 3.0]]), 2)
    tensor([[1., 1.]])
    """
    D = row_shape("rms_norm", input, normalized_shape)
    check_tensors("rms_norm", input, D, "of normalized_shape", ("weight", weight))
    x = input._array
    if eps is None:
        eps = _machine_epsilon(namespace(x), backend.float32 if backend.is_half(x) else x.dtype)
    check_eps("rms_norm", eps)
    return StandardizeUncentred(trailing_layout(x.shape, D, weight is not None), eps)(input, weight, None)


@cache
def _machine_epsilon(xp: Any, dtype: Any) -> float:
    return float(xp.finfo(dtype).eps)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Divide the channels of each sample into groups, and standardise each group over its channels and all positions.

    Parameters
    ----------
    input : Tensor
        (N, C, *).
    num_groups : int
        How many groups; must divide C.
    weight, bias : Tensor, optional
        γ and β, (C).
    eps : float
        Added to the variance, inside the square root.

    Returns
    -------
    Tensor
        In the shape and dtype of x.

    Raises
    ------
    ValueError
        `eps` is out of range, `num_groups` does not divide C, or a group has only one value.
    RuntimeError
        Shapes, dtypes or devices do not fit.

    Notes
    -----
    Wu and He 2018, "Group normalization", equations 1 to 3.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.group_norm(tinynorm.tensor([[1.0, 3.0, 5.0, 5.0]]), 2, eps=0.0001).round()
    tensor([[-1.,  1.,  0.,  0.]])
    """
    x = input
    check_input("group_norm", x, 2, "(N, C) or (N, C, *)")
    check_eps("group_norm", eps)
    C = x.shape[1]
    check_groups("group_norm", num_groups, C)
    check_tensors("group_norm", x, (C,), "(C,)", ("weight", weight), ("bias", bias))
    layout = group_layout(x.shape, num_groups, weight is not None or bias is not None)
    if layout.m == 1:
        raise ValueError(
            f"group_norm: expected groups of more than one value, got {num_groups} groups of x (N, C, *) = {tuple(x.shape)}: "
            "the variance of one value is 0, and the output would be the bias whatever x is. Use fewer groups"
        )
    return printed_as("NativeGroupNormBackward0", Standardize(layout, eps)(x, weight, bias))


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Standardise each channel of each sample over its positions, or with the running statistics.

    Parameters
    ----------
    input : Tensor
        (N, C, *), with at least one dimension of positions.
    running_mean, running_var : Tensor, optional
        (C). If `use_input_stats` is True, they are updated in place with each sample's statistics, averaged over the batch.
    weight, bias : Tensor, optional
        γ and β, (C).
    use_input_stats : bool
        If False, standardise with the running statistics.
    momentum, eps
        As in `batch_norm`.

    Returns
    -------
    Tensor
        In the shape and dtype of x.

    Raises
    ------
    ValueError
        `eps` or `momentum` is out of range, or there is only one value per channel.
    RuntimeError
        Shapes, dtypes or devices do not fit. After any of these errors the running statistics are unchanged.

    Notes
    -----
    Ulyanov, Vedaldi and Lempitsky 2016, "Instance normalization", equation 1.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.instance_norm(tinynorm.tensor([[[1.0, 3.0]]]), eps=0.0)
    tensor([[[-1.,  1.]]])
    """
    x = input
    check_input("instance_norm", x, 3, "(N, C, *) with at least one dimension of positions")
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    check_eps("instance_norm", eps)
    check_momentum("instance_norm", momentum)
    C = x.shape[1]
    running = ("running_mean", running_mean), ("running_var", running_var)
    check_tensors("instance_norm", x, (C,), "(C,)", ("weight", weight), ("bias", bias), *running)
    check_both("instance_norm", running_mean, running_var)
    layout = instance_layout(x.shape)
    if layout.m == 1:
        raise ValueError(
            f"instance_norm: expected more than one value per channel of a sample, got x (N, C, *) = {tuple(x.shape)}: "
            "the variance of one value is 0, and the output would be the bias whatever x is. "
            "Use larger groups: group_norm or layer_norm"
        )
    node = StandardizeChannel(layout, eps)
    y = node(x, weight, bias)
    if running_mean is not None and x._array.size:
        mean, var = node.of_batch()
        _update(running_mean, mean_over(mean, (0,)), momentum)
        unbiased = var * (layout.m / (layout.m - 1))  # RS.26
        _update(running_var, mean_over(unbiased, (0,)), momentum, finite=True)
    return printed_as("ViewBackward0", y)


# ---- checks of settings and tensors ------------------------------------------------------------------------------------


def check_eps(op: str, eps: float) -> None:
    """Raise ValueError if `eps` is not a finite number >= 0."""
    if not (type(eps) is float or isinstance(eps, Real)) or not 0 <= eps < math.inf:
        raise ValueError(f"{op}: expected eps to be a finite number >= 0, got {eps!r}")


def check_momentum(op: str, momentum: float) -> None:
    """Raise ValueError if `momentum` is not a number from 0 to 1."""
    if not isinstance(momentum, Real) or not 0 <= momentum <= 1:
        raise ValueError(f"{op}: expected momentum from 0 to 1, got {momentum!r}")


def check_groups(op: str, num_groups: int, C: int) -> None:
    """Raise ValueError if `num_groups` does not divide the number of channels C."""
    if not isinstance(num_groups, int) or num_groups < 1 or C % num_groups:
        raise ValueError(f"{op}: expected num_groups to divide the channels C={C}, got num_groups={num_groups!r}")


def check_tensor(op: str, x: Any, name: str = "x") -> None:
    """Raise TypeError if x is not a Tensor."""
    if not isinstance(x, Tensor):
        got = type(x).__name__
        raise TypeError(f"{op}: expected {name} to be a Tensor, got {got}; use tinynorm.from_numpy or tinynorm.tensor")


def check_input(op: str, x: Any, min_ndim: int, expected: str) -> None:
    """Raise an error if x is not a Tensor (TypeError), not floating-point, or has too few dimensions (RuntimeError)."""
    if not isinstance(x, Tensor):
        check_tensor(op, x)
    if not backend.is_floating(x._array):
        raise RuntimeError(f"{op}: expected a floating-point x, got {x._array.dtype}; use .float() first")
    if x._array.ndim < min_ndim:
        raise RuntimeError(f"{op}: expected x {expected}, got shape {tuple(x.shape)}")


def row_shape(op: str, x: Any, normalized_shape: Any) -> tuple[int, ...]:
    """`normalized_shape` as a tuple. Raise an error if x is not floating-point or does not end in this shape."""
    D = normalized_shape
    if type(D) is not tuple:
        D = (D,) if isinstance(D, Integral) else tuple(D)
    check_input(op, x, 0, "")
    shape = x._array.shape
    if not D or shape[max(len(shape) - len(D), 0) :] != D:
        raise RuntimeError(f"{op}: expected x (*, normalized_shape = {D}), got shape {tuple(shape)}")
    return D


def check_tensors(op: str, x: Tensor, shape: tuple[int, ...], symbol: str, *tensors: tuple[str, Tensor | None]) -> None:
    """Raise RuntimeError if the shape, dtype or device of weight, bias or a running statistic does not fit x.

    `tensors` are pairs of a name and a Tensor or None.
    """
    array, others = x._array, []
    for name, t in tensors:
        if t is None:
            continue
        if not isinstance(t, Tensor):
            check_tensor(op, t, name)
        a = t._array
        if a.shape != shape:
            raise RuntimeError(f"{op}: expected {name} {symbol} = {shape} for x {tuple(x.shape)}, got {tuple(t.shape)}")
        if a.dtype != array.dtype and not (backend.is_half(array) and a.dtype == backend.float32):
            raise RuntimeError(f"{op}: expected {name} of dtype {array.dtype} (that of x), got {a.dtype}; use .to(dtype)")
        if type(a) is not np.ndarray or type(array) is not np.ndarray:
            others.append(a)
    if others:
        backend.check_same_device(op, [array, *others])


def check_both(op: str, running_mean: Any, running_var: Any) -> None:
    """Raise ValueError if only one of the two running statistics is given."""
    if (running_mean is None) != (running_var is None):
        raise ValueError(f"{op}: expected running_mean and running_var both or neither, got one of them")
