"""The normalisation layers: one standardisation over different axes.

For a group of m numbers x with mean μ and biased variance σ² (the axes say which numbers form a group),

    rstd = 1 / √(σ² + ε),   x̂ = (x - μ) rstd,   y = γ x̂ + β.

Let g = γ dL/dy. The gradient of x is g without its components along 1 and along x̂ (both means are over the group):

    dx = rstd (g - mean(g) - x̂ mean(g x̂)),   dγ = Σ dL/dy x̂,   dβ = Σ dL/dy.

=============  ====================  ======================
layer          x is viewed as        axes of a group
=============  ====================  ======================
BatchNorm      (N, C, *)             0 and all of *
LayerNorm      (*, normalized)       the trailing ones
GroupNorm      (N, G, C/G, *)        2 and on
InstanceNorm   (N, C, *)             all of *
RMSNorm        (*, normalized)       the trailing ones; x is not centred: μ = 0, and dx has no mean(g) term
=============  ====================  ======================

BatchNorm in eval mode uses constants for μ and σ². It is an affine map of x, and dx = γ rstd dL/dy.

Sources: Ioffe and Szegedy 2015, section 3; Ba, Kiros and Hinton 2016, section 3; Wu and He 2018, section 3; Ulyanov, Vedaldi
and Lempitsky 2016; Zhang and Sennrich 2019, section 4.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import raw
from .common import mean_over, namespace, narrowed, reshaped, sum_over, sum_to, widened
from .reduction import LEAST_VAR, centre, power_of_two, size_along

Axes = tuple[int, ...]


def standardize(x: Any, axes: Axes, eps: float, centred: bool) -> tuple[Any, Any, Any, Any]:
    """Compute (x̂, rstd, μ, σ²) over the axes, for arrays or Tensors. If `centred` is False, μ is None.

    The squares overflow if |x| is too large (float32: from 1.8e19 on), and lose digits if |x| is too small. In both cases x
    is first divided by s, a power of two near the largest |x| of the group. This does not change the result: x / s with
    ε / s² has the same x̂ as x with ε. On the GPU x is always divided: a test of the values would make the host wait.
    """
    if isinstance(raw(x), np.ndarray) or 0 in x.shape:
        found = _standardize(x, axes, eps, centred)
        if 0 in x.shape or _in_range(raw(found[3]), eps):
            return found
    s = power_of_two(raw(x), axes, least=math.sqrt(eps))
    x_hat, rstd, mu, var = _standardize(x / s, axes, (math.sqrt(eps) / s) ** 2, centred)
    return x_hat, rstd / s, None if mu is None else mu * s, var * s * s


def _standardize(x: Any, axes: Axes, eps: Any, centred: bool) -> tuple[Any, Any, Any, Any]:
    c, mu = centre(x, axes) if centred else (x, None)
    var = mean_over(c * c, axes)
    rstd = 1 / namespace(x).sqrt(var + eps)
    return c * rstd, rstd, mu, var


def _in_range(var: np.ndarray, eps: float) -> bool:
    """Whether all variances are in a safe range: no overflow, no NaN, and no digits lost near 0.

    The sum of the squared variances must not overflow either, because the derivative of rstd is -rstd³ / 2. A variance near 0
    is safe if ε is large enough to hide the lost digits. The test sums the squares with BLAS: that takes half as long as
    NumPy's search for the largest variance.
    """
    least = LEAST_VAR.get(var.dtype, 0.0) ** 0.5
    return float(np.vdot(var, var)) < math.inf and (eps >= least or bool(var.min() + eps >= least))


def project(g: Any, x_hat: Any, rstd: Any, mean_g: Any, mean_gx: Any) -> Any:
    """dx = rstd (g - mean(g) - x̂ mean(g x̂)).

    `mean_g` is None if x is not centred, or if the caller has already subtracted the mean from g.
    """
    if mean_g is not None:
        g = g - mean_g
    return rstd * (g - x_hat * mean_gx)


class Layout:
    """How a layer views its tensors: the shape for x, the axes of a group, and the shape for γ and β."""

    def __init__(self, view: tuple[int, ...], axes: Axes, affine: tuple[int, ...]) -> None:
        self.view, self.axes, self.affine = view, axes, affine
        self.m = size_along(view, axes)  # how many numbers a group has
        self.gamma_is_constant = all(affine[a] == 1 for a in axes)  # γ has one value per group


@lru_cache(maxsize=256)  # every training step has the same shapes
def batch_layout(shape: tuple[int, ...]) -> Layout:
    """(N, C, *): a group is one channel, over the batch and all positions."""
    positions = range(2, len(shape))
    return Layout(shape, (0, *positions), (1, shape[1], *(1 for _ in positions)))


@lru_cache(maxsize=256)
def instance_layout(shape: tuple[int, ...]) -> Layout:
    """(N, C, *): a group is one channel of one sample, over all positions."""
    positions = range(2, len(shape))
    return Layout(shape, tuple(positions), (1, shape[1], *(1 for _ in positions)))


@lru_cache(maxsize=256)
def group_layout(shape: tuple[int, ...], G: int, affine: bool) -> Layout:
    """(N, C, *) viewed as (N, G, C/G, *): a group is C/G channels of one sample, over all positions."""
    N, C, *positions = shape
    view = (N, G, C // G, *positions)
    return Layout(view, tuple(range(2, len(view))), (1, G, C // G, *(1 for _ in positions)) if affine else (1,) * len(view))


@lru_cache(maxsize=256)
def trailing_layout(shape: tuple[int, ...], D: tuple[int, ...], affine: bool) -> Layout:
    """(*, D): a group is one row, which is the trailing dimensions D."""
    rows = len(shape) - len(D)
    return Layout(shape, tuple(range(rows, len(shape))), (1,) * rows + D if affine else (1,) * len(shape))


class Normalization(Node):
    """The base class of both nodes below: it views x as the layout says, and applies γ and β."""

    fresh = True
    layout: Layout

    def seen(self, x):
        """View x as the layout says; convert float16 to float32."""
        return widened(reshaped(x, self.layout.view))

    def affine(self, gamma):
        """Reshape γ or β so that it broadcasts against x̂."""
        return reshaped(gamma, self.layout.affine)

    def scale_and_shift(self, x_hat, gamma, beta, x):
        """y = γ x̂ + β, in the shape and dtype of x."""
        self.affine_like = gamma, beta
        y = x_hat if gamma is None else x_hat * self.affine(gamma)
        if y is x_hat and (beta is not None or True in self.needs):  # backward needs x̂: do not overwrite it
            y = backend.copy(y)
        if beta is not None:
            y += self.affine(beta)
        return narrowed(reshaped(y, x.shape), x)

    def fitted(self, dx, dgamma, dbeta, dy):
        """Give each of the three gradients the shape and dtype of its input: x, γ or β."""
        if dx is not None:
            dx = narrowed(reshaped(dx, dy.shape), dy)
        gamma, beta = self.affine_like
        return dx, self._summed(dgamma, gamma, self.needs[1]), self._summed(dbeta, beta, self.needs[2])

    def _summed(self, d, like, needed):
        if not needed:
            return None
        d = d * 1 if d.shape == self.layout.affine else sum_to(d, self.layout.affine)  # never dy itself: a leaf keeps d
        return narrowed(reshaped(d, like.shape), like)


class Standardize(Normalization):
    """y = γ x̂ + β. The mean and variance are computed from each group of x."""

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
        if self.layout.gamma_is_constant:  # then the means need no γ: they are dβ / m and dγ / m
            dbeta = sum_over(dy_, axes)
            if self.centred:  # Σ x̂ = 0, so this does not change dγ, and dγ has a smaller rounding error
                dy_ = dy_ - dbeta / m
            dgamma = sum_over(dy_ * x_hat, axes)
            if self.needs[0]:
                dx = project(dy_, x_hat, rstd if gamma is None else rstd * self.affine(gamma), None, dgamma / m)
        else:
            dbeta, dgamma = dy_, dy_ * x_hat  # `fitted` sums both
            if self.needs[0]:
                g = dy_ if gamma is None else dy_ * self.affine(gamma)
                dx = project(g, x_hat, rstd, mean_over(g, axes) if self.centred else None, mean_over(g * x_hat, axes))
        return self.fitted(dx, dgamma, dbeta, dy)


class StandardizeByConstants(Normalization):
    """BatchNorm in eval mode: y = γ (x - μ) rstd + β, where μ and σ² are given;  dx = γ rstd dy."""

    def __init__(self, layout: Layout, eps: float, mean: Any, var: Any) -> None:
        self.layout = layout
        self.mu = backend.copy(self.affine(mean))  # a copy: training may change the running mean before backward
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
