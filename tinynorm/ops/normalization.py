"""The normalisation layers: one standardisation over different axes.

For a group of m numbers x with mean μ and biased variance σ² (the axes say which numbers form a group),

    rstd = 1 / √(σ² + ε),   x̂ = (x - μ) rstd,   y = γ x̂ + β.

With g = γ dL/dy, the gradient is g with its components along 1 and x̂ taken out (both means over the group):

    dx = rstd (g - mean(g) - x̂ mean(g x̂)),   dγ = Σ dL/dy x̂,   dβ = Σ dL/dy.

=============  ====================  ======================
layer          x seen as             axes of a group
=============  ====================  ======================
BatchNorm      (N, C, *)             0 and all of *
LayerNorm      (*, normalized)       the trailing ones
GroupNorm      (N, G, C/G, *)        2 and on
InstanceNorm   (N, C, *)             all of *
RMSNorm        (*, normalized)       the trailing ones, without centring: μ = 0, and mean(g) drops out
=============  ====================  ======================

BatchNorm in eval mode standardises by constants: an affine map, with dx = γ rstd dL/dy.

Sources: Ioffe and Szegedy 2015, section 3; Ba, Kiros and Hinton 2016, section 3; Wu and He 2018, section 3; Ulyanov, Vedaldi
and Lempitsky 2016; Zhang and Sennrich 2019, section 4.
"""

from __future__ import annotations

import math
from functools import lru_cache
from numbers import Integral, Real
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, version_of
from .common import mean_over, namespace, narrowed, reshaped, sum_over, sum_to, widened
from .reduction import centre, size_along

Axes = tuple[int, ...]


def standardize(x: Any, axes: Axes, eps: float, centred: bool) -> tuple[Any, Any, Any, Any]:
    """(x̂, rstd, μ, σ²) over the axes; on arrays, or on Tensors. μ is None without centring."""
    c, mu = centre(x, axes) if centred else (x, None)
    var = mean_over(c * c, axes)
    rstd = 1 / namespace(x).sqrt(var + eps)
    return c * rstd, rstd, mu, var


def project(g: Any, x_hat: Any, rstd: Any, mean_g: Any, mean_gx: Any) -> Any:
    """dx = rstd (g - mean(g) - x̂ mean(g x̂)); without centring mean(g) is None and drops out."""
    if mean_g is not None:
        g = g - mean_g
    return rstd * (g - x_hat * mean_gx)


class Layout:
    """How a layer sees its input: the shape x is viewed in, the axes of a group, the shape γ and β are viewed in."""

    def __init__(self, view: tuple[int, ...], axes: Axes, affine: tuple[int, ...]) -> None:
        self.view, self.axes, self.affine = view, axes, affine
        self.m = size_along(view, axes)  # the numbers in a group
        self.gamma_is_constant = all(affine[a] == 1 for a in axes)  # over each group


layout_of = lru_cache(maxsize=256)(Layout)  # shapes recur, step after step


class Normalization(Node):
    """What standardising by a group's own statistics and by given ones share: the view, γ and β."""

    fresh = True
    layout: Layout

    def seen(self, x):
        """x in the layout's view, float16 as float32."""
        return widened(reshaped(x, self.layout.view))

    def affine(self, gamma):
        """γ or β ready to broadcast against x̂."""
        return reshaped(gamma, self.layout.affine)

    def scale_and_shift(self, x_hat, gamma, beta, x):
        """y = γ x̂ + β, in the shape and dtype of x."""
        self.affine_like = gamma, beta
        y = x_hat if gamma is None else x_hat * self.affine(gamma)
        y = y if beta is None else y + self.affine(beta)
        if y is x_hat and True in self.needs:  # kept for backward: the output needs memory of its own
            y = backend.copy(y)
        return narrowed(reshaped(y, x.shape), x)

    def fitted(self, dx, dgamma, dbeta, dy):
        """The three gradients in the shapes and dtypes of what they belong to."""
        if dx is not None:
            dx = narrowed(reshaped(dx, dy.shape), dy)
        gamma, beta = self.affine_like
        return dx, self._summed(dgamma, gamma, self.needs[1]), self._summed(dbeta, beta, self.needs[2])

    def _summed(self, d, like, needed):
        if not needed:
            return None
        d = d * 1 if d.shape == self.layout.affine else sum_to(d, self.layout.affine)  # never dy itself: a leaf keeps the array
        return narrowed(reshaped(d, like.shape), like)


class Standardize(Normalization):
    """y = γ x̂ + β with the statistics of x's own groups."""

    def __init__(self, layout: Layout, eps: float, centred: bool = True) -> None:
        self.layout, self.eps, self.centred = layout, eps, centred

    def formula(self, x):
        return standardize(self.seen(x), self.layout.axes, self.eps, self.centred)

    def forward(self, x, gamma, beta):
        self.save(x, gamma)
        self.kept = x_hat, _, self.mean, self.var = self.formula(x)
        return self.scale_and_shift(x_hat, gamma, beta, x)

    def backward(self, dy, x, gamma):
        x_hat, rstd, _, _ = self.recall(self.formula, x)
        axes, m = self.layout.axes, max(self.layout.m, 1)
        dx, dy_ = None, self.seen(dy)
        dbeta, dgamma = dy_, dy_ * x_hat  # to be summed
        if self.layout.gamma_is_constant:  # over a group: γ comes out of the means, which are then dβ / m and dγ / m
            dbeta, dgamma = sum_over(dbeta, axes), sum_over(dgamma, axes)
            if self.needs[0]:
                scale = rstd if gamma is None else rstd * self.affine(gamma)
                dx = project(dy_, x_hat, scale, dbeta / m if self.centred else None, dgamma / m)
        elif self.needs[0]:
            g = dy_ if gamma is None else dy_ * self.affine(gamma)
            dx = project(g, x_hat, rstd, mean_over(g, axes) if self.centred else None, mean_over(g * x_hat, axes))
        return self.fitted(dx, dgamma, dbeta, dy)


class StandardizeByConstants(Normalization):
    """BatchNorm in eval mode: y = γ (x - μ) rstd + β with given μ and σ²;  dx = γ rstd dy."""

    def __init__(self, layout: Layout, eps: float, mean: Any, var: Any) -> None:
        self.layout = layout
        self.mu = backend.copy(self.affine(mean))  # a batch in training may change the running mean before backward
        self.rstd = 1 / namespace(var).sqrt(self.affine(var) + eps)

    def formula(self, x):
        return (self.seen(x) - self.mu) * self.rstd

    def forward(self, x, gamma, beta):
        self.save(x, gamma)
        self.kept = self.formula(x)
        return self.scale_and_shift(self.kept, gamma, beta, x)

    def backward(self, dy, x, gamma):
        x_hat = self.recall(self.formula, x)
        dy_ = self.seen(dy)
        scale = self.rstd if gamma is None else self.affine(gamma) * self.rstd
        return self.fitted(dy_ * scale if self.needs[0] else None, dy_ * x_hat, dy_, dy)


# ---- the layers ------------------------------------------------------------------------------------------------------


def check_eps(op: str, eps: float) -> None:
    """Raise ValueError where an eps is not a finite number >= 0."""
    if not isinstance(eps, Real) or not 0 <= eps < math.inf:
        raise ValueError(f"{op}: expected eps to be a finite number >= 0, got {eps!r}")


def check_momentum(op: str, momentum: float) -> None:
    """Raise ValueError where a momentum is not from 0 to 1."""
    if not isinstance(momentum, Real) or not 0 <= momentum <= 1:
        raise ValueError(f"{op}: expected momentum from 0 to 1, got {momentum!r}")


def check_tensor(op: str, x: Any, name: str = "x") -> None:
    """Raise TypeError where x is no Tensor."""
    if not isinstance(x, Tensor):
        got = type(x).__name__
        raise TypeError(f"{op}: expected {name} to be a Tensor, got {got}; use tinynorm.from_numpy or tinynorm.tensor")


def _check_input(op: str, x: Any, min_ndim: int, expected: str) -> None:
    check_tensor(op, x)
    if not backend.is_floating(x.data):
        raise RuntimeError(f"{op}: expected a floating-point x, got {x.dtype}; use .float() first")
    if x.ndim < min_ndim:
        raise RuntimeError(f"{op}: expected x {expected}, got shape {tuple(x.shape)}")


def _check_affine(op: str, x: Tensor, shape: tuple[int, ...], symbol: str, **tensors: Tensor | None) -> None:
    """Weight, bias and running statistics have the shape, a dtype and the device that x asks for."""
    arrays = [x.data]
    for name, t in tensors.items():
        if t is None:
            continue
        check_tensor(op, t, name)
        arrays.append(t.data)
        if t.data.shape != shape:
            raise RuntimeError(f"{op}: expected {name} {symbol} = {shape} for x {tuple(x.shape)}, got {tuple(t.shape)}")
        if t.data.dtype != x.data.dtype and not (backend.is_half(x.data) and t.dtype == backend.float32):
            raise RuntimeError(f"{op}: expected {name} of dtype {x.dtype}, as of x, got {t.dtype}; convert one with .to(dtype)")
    backend.check_same_device(op, arrays)


def _check_both(op: str, running_mean: Any, running_var: Any) -> None:
    if (running_mean is None) != (running_var is None):
        raise ValueError(f"{op}: expected running_mean and running_var both or neither, got one of them")


def _channels(x: Tensor) -> tuple[int, ...]:
    """The shape in which a (C) vector broadcasts against (N, C, *)."""
    return (1, x.shape[1], *(1,) * (x.ndim - 2))


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
    """Standardise each channel over the batch and all positions (training), or by the running statistics (eval).

    In training the running statistics, where given, become ``(1 - momentum) * running + momentum * batch``, with the
    batch's *unbiased* variance; the biased one normalises.

    Parameters
    ----------
    input : Tensor
        (N, C, *).
    running_mean, running_var : Tensor, optional
        (C); needed in eval mode, updated in place in training.
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
        As x.

    Raises
    ------
    ValueError
        `eps` or `momentum` is out of range, or there is only one value per channel in training.
    RuntimeError
        Shapes, dtypes or devices do not fit. In each case before any running statistic has changed.

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
    _check_input("batch_norm", x, 2, "(N, C) or (N, C, *)")
    check_eps("batch_norm", eps)
    check_momentum("batch_norm", momentum)
    C = x.shape[1]
    _check_affine("batch_norm", x, (C,), "(C,)", weight=weight, bias=bias, running_mean=running_mean, running_var=running_var)
    _check_both("batch_norm", running_mean, running_var)
    layout = layout_of(x.shape, (0, *range(2, x.ndim)), _channels(x))
    if not training:
        if running_mean is None:
            raise ValueError("batch_norm: eval mode (training=False) standardises by running_mean and running_var, got None")
        return StandardizeByConstants(layout, eps, widened(running_mean.data), widened(running_var.data))(x, weight, bias)
    if layout.m == 1:
        raise ValueError(
            f"batch_norm: expected more than one value per channel in training, got x (N, C, *) = {tuple(x.shape)}: "
            "the variance of one value is 0, and the output would be the bias whatever x is. "
            "Use a larger batch, drop_last=True, or eval()"
        )
    node = Standardize(layout, eps)
    y = node(x, weight, bias)
    if running_mean is not None and layout.m:
        _update(running_mean, node.mean, momentum)
        _update(running_var, node.var * (layout.m / (layout.m - 1)), momentum)
    return y


def _update(running: Tensor, batch: Any, momentum: float) -> None:
    """running = (1 - momentum) running + momentum batch, in place."""
    array = running.data
    new = widened(array) * (1 - momentum) + reshaped(batch, array.shape) * momentum
    array[...] = new
    version_of(running).bump("batch_norm")


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Standardise over the trailing dimensions `normalized_shape`, each row by itself.

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
        As x.

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
    x = input
    layout = _trailing("layer_norm", x, normalized_shape, weight=weight, bias=bias)
    check_eps("layer_norm", eps)
    return Standardize(layout, eps)(x, weight, bias)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Divide by the root mean square over the trailing dimensions `normalized_shape`, each row by itself.

    Parameters
    ----------
    input : Tensor
        (*, normalized_shape).
    normalized_shape : int or sequence of int
    weight : Tensor, optional
        γ, of shape `normalized_shape`.
    eps : float, optional
        Added to the mean square, inside the square root. Default: the machine epsilon of x's dtype.

    Returns
    -------
    Tensor
        As x.

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
    x = input
    layout = _trailing("rms_norm", x, normalized_shape, weight=weight)
    if eps is None:
        eps = float(namespace(x.data).finfo(x.data.dtype).eps)
    check_eps("rms_norm", eps)
    return Standardize(layout, eps, centred=False)(x, weight, None)


def _trailing(op: str, x: Any, normalized_shape: Any, **tensors: Tensor | None) -> Layout:
    D = (normalized_shape,) if isinstance(normalized_shape, Integral) else tuple(normalized_shape)
    _check_input(op, x, 1, f"(*, normalized_shape = {D})")
    if not D or tuple(x.shape[x.ndim - len(D) :]) != D:
        raise RuntimeError(f"{op}: expected x (*, normalized_shape = {D}), got shape {tuple(x.shape)}")
    _check_affine(op, x, D, "of normalized_shape", **tensors)
    rows = x.ndim - len(D)
    plain = all(t is None for t in tensors.values())
    return layout_of(x.shape, tuple(range(rows, x.ndim)), (1,) * rows + ((1,) * len(D) if plain else D))


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Standardise over groups of channels and all positions, each sample by itself.

    Parameters
    ----------
    input : Tensor
        (N, C, *).
    num_groups : int
        Divides C.
    weight, bias : Tensor, optional
        γ and β, (C).
    eps : float
        Added to the variance, inside the square root.

    Returns
    -------
    Tensor
        As x.

    Raises
    ------
    ValueError
        `eps` is out of range, or the groups do not divide the channels.
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
    _check_input("group_norm", x, 2, "(N, C) or (N, C, *)")
    check_eps("group_norm", eps)
    N, C, *positions = x.shape
    check_groups("group_norm", num_groups, C)
    _check_affine("group_norm", x, (C,), "(C,)", weight=weight, bias=bias)
    view = (N, num_groups, C // num_groups, *positions)
    affine = (1, num_groups, C // num_groups, *(1,) * len(positions))
    if weight is None and bias is None:
        affine = (1,) * len(view)
    return Standardize(layout_of(view, tuple(range(2, len(view))), affine), eps)(x, weight, bias)


def check_groups(op: str, num_groups: int, C: int) -> None:
    """Raise ValueError where the groups do not divide the channels."""
    if not isinstance(num_groups, int) or num_groups < 1 or C % num_groups:
        raise ValueError(f"{op}: expected num_groups to divide the channels C={C}, got num_groups={num_groups!r}")


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
    """Standardise each channel of each sample over its positions, or by running statistics.

    Parameters
    ----------
    input : Tensor
        (N, C, *), with at least one dimension of positions.
    running_mean, running_var : Tensor, optional
        (C); updated in place, with the mean over the batch of each sample's statistics, where `use_input_stats`.
    weight, bias : Tensor, optional
        γ and β, (C).
    use_input_stats : bool
        False: standardise by the running statistics.
    momentum, eps
        As in `batch_norm`.

    Returns
    -------
    Tensor
        As x.

    Raises
    ------
    ValueError
        `eps` or `momentum` is out of range, or there is only one value per channel.
    RuntimeError
        Shapes, dtypes or devices do not fit. In each case before any running statistic has changed.

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
    _check_input("instance_norm", x, 3, "(N, C, *) with at least one dimension of positions")
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    check_eps("instance_norm", eps)
    check_momentum("instance_norm", momentum)
    C = x.shape[1]
    running = {"running_mean": running_mean, "running_var": running_var}
    _check_affine("instance_norm", x, (C,), "(C,)", weight=weight, bias=bias, **running)
    _check_both("instance_norm", running_mean, running_var)
    layout = layout_of(x.shape, tuple(range(2, x.ndim)), _channels(x))
    if layout.m == 1:
        raise ValueError(
            f"instance_norm: expected more than one value per channel of a sample, got x (N, C, *) = {tuple(x.shape)}: "
            "the variance of one value is 0, and the output would be the bias whatever x is. "
            "Use larger groups: group_norm or layer_norm"
        )
    node = Standardize(layout, eps)
    y = node(x, weight, bias)
    if running_mean is not None and x.data.size:
        _update(running_mean, mean_over(node.mean, (0,)), momentum)
        _update(running_var, mean_over(node.var * (layout.m / (layout.m - 1)), (0,)), momentum)
    return y
