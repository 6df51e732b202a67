"""The nodes of the normalisation layers: what is kept for backward, and which gradients are computed.

=============  ====================  ======================
layer          x is viewed as        axes of a group
=============  ====================  ======================
BatchNorm      (N, C, *)             0 and all of *
LayerNorm      (*, normalized)       the trailing ones
GroupNorm      (N, G, C/G, *)        2 and on
InstanceNorm   (N, C, *)             all of *
RMSNorm        (*, normalized)       the trailing ones; x is not centred
=============  ====================  ======================

BatchNorm in eval mode uses constants for μ and v. It is an affine map of x, and dx = γ rstd dL/dy.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..backend import Array
from ..kernels.select import kernels_for
from ..tensor import Tensor, raw
from . import normalization_blocks as in_blocks
from .common import keep_where, namespace, reshaped, size_along, sum_over, widened
from .joined import next_op
from .normalization_blocks import (
    project_channel_in_blocks,
    project_in_blocks,
    scale_and_shift_in_blocks,
    standardize_in_blocks,
)
from .normalization_formula import Axes, project, project_channel, project_uncentred, standardize, standardize_uncentred
from .normalization_kernels import parts_of, project_by_kernel, standardize_by_kernel
from .scaling import LEAST_VAR, power_of_two

# A row, or a slab whose moments are its own, takes some time of its own: with fewer numbers than this, more than the formula.
# (Measured, GroupNorm of 4096x1024 forward and back: rows of 8 take a seventh longer, of 16 a fifth less. BatchNorm, whose
# groups are a slab of each sample, takes less even with slabs of 2.)
LEAST = 16


class Layout:
    """How a layer views its tensors: the shape for x, the axes of a group, and the shape for γ and β.

    `slabs`, where all positions of a channel have one γ: how many they are, how many channels there are, and which slabs are a
    group (step, count and stride: see `kernels.slabs`).
    """

    def __init__(self, view: tuple[int, ...], axes: Axes, affine: tuple[int, ...], slabs: tuple[int, ...] = ()) -> None:
        self.view, self.axes, self.affine = view, axes, affine
        before = len(view) - len(affine)  # γ and β broadcast: the dimensions that they lack are x's first ones
        self.repeated = (*range(before), *(before + a for a, n in enumerate(affine) if n == 1))  # along these they repeat
        self.m = size_along(view, axes)  # how many numbers a group has
        self.of_groups = tuple(1 if i in axes else n for i, n in enumerate(view))  # the shape of the groups' means
        self.groups = math.prod(self.of_groups)
        self.size = self.groups * self.m
        self.family, self.in_kernel, self.affine_in_kernel, self.slabs = self._for_kernels(*slabs)
        self.parts = parts_of(self.family, self.groups, self.size)
        self.repeats = math.prod(self.affine_in_kernel) // max(math.prod(affine), 1)  # so often a kernel has each γ

    def _for_kernels(
        self, P: int = 0, C: int = 0, *slabs: int
    ) -> tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """The family of kernels ("" if none fits), the shapes that they take of x and of γ, and which slabs are a group."""
        if P == 1 and self.axes[:1] == (0,):
            return "columns", (self.size // max(C, 1), C), (C,), ()
        if P:
            return "slabs" if P >= LEAST or self.axes[:1] == (0,) else "", (self.size // P, P), (C,), slabs
        before = self.affine[: max(len(self.affine) - len(self.axes), 0)]
        return "rows" if self.m >= LEAST else "", (self.groups, self.m), (math.prod(before), self.m), ()


@lru_cache(maxsize=256)  # every training step has the same shapes
def batch_layout(shape: tuple[int, ...]) -> Layout:
    """(N, C, *): a group is one channel, over the batch and all positions."""
    N, C, *positions = shape
    axes = (0, *range(2, len(shape)))
    return Layout(shape, axes, (1, C, *(1 for _ in positions)), (math.prod(positions), C, 1, N, C))


@lru_cache(maxsize=256)
def instance_layout(shape: tuple[int, ...]) -> Layout:
    """(N, C, *): a group is one channel of one sample, over all positions."""
    _, C, *positions = shape
    return Layout(shape, tuple(range(2, len(shape))), (1, C, *(1 for _ in positions)), (math.prod(positions), C, 1, 1, 1))


@lru_cache(maxsize=256)
def group_layout(shape: tuple[int, ...], G: int, affine: bool) -> Layout:
    """(N, C, *) viewed as (N, G, C/G, *): a group is C/G channels of one sample, over all positions."""
    N, C, *positions = shape
    P, K, view = math.prod(positions), C // G, (N, G, C // G, *positions)
    slabs = (P, C, K, K, 1) if P >= LEAST else ()  # else each number has a γ
    return Layout(view, tuple(range(2, len(view))), (1, G, K, *(1 for _ in positions)) if affine else (), slabs)


@lru_cache(maxsize=256)
def trailing_layout(shape: tuple[int, ...], D: tuple[int, ...], affine: bool) -> Layout:
    """(*, D): a group is one row, which is the trailing dimensions D."""
    rows = len(shape) - len(D)
    return Layout(shape, tuple(range(rows, len(shape))), D if affine else ())


class Normalization(Node):
    """The base class: it views x as the layout says, and applies γ and β."""

    fresh = True
    layout: Layout
    statistics: Any = None  # of the groups, if a kernel computed them

    def seen(self, x):
        """View x as the layout says; convert float16 to float32."""
        if x.shape != self.layout.view:
            x = reshaped(x, self.layout.view)
        return widened(x)

    def shown(self, y, x):
        """Give y the shape and dtype of x, which may be γ or β: the opposite of `seen`."""
        if y.shape != x.shape:
            y = reshaped(y, x.shape)
        return y if y.dtype == x.dtype else backend.astype(y, x.dtype)

    def affine(self, gamma):
        """Reshape γ or β so that it broadcasts against x̂."""
        return gamma if gamma.shape == self.layout.affine else reshaped(gamma, self.layout.affine)

    def blocks(self, x):
        """Whether an array is large enough to be taken in blocks of samples, and all samples have the same γ."""
        affine = self.layout.affine
        return in_blocks.fits(x) and (len(affine) < x.ndim or affine[0] == 1)

    def scale_and_shift(self, x_hat, gamma, beta, x):
        """y = γ x̂ + β, in the shape and dtype of x."""
        self.affine_like = gamma, beta
        if self.layout.size >= in_blocks.LARGE and self.blocks(x_hat) and (gamma is not None or beta is not None):
            shaped = [None if a is None else self.affine(a) for a in (gamma, beta)]
            return self.shown(scale_and_shift_in_blocks(x_hat, *shaped), x)
        y = x_hat if gamma is None else x_hat * self.affine(gamma)
        if y is x_hat and (beta is not None or True in self.needs):  # backward needs x̂: do not overwrite it
            y = backend.copy(y)
        if beta is not None:
            y += self.affine(beta)
        return self.shown(y, x)

    def fitted(self, dx, dgamma, dbeta, dy):
        """The gradients that are needed, in the shape and dtype of x, γ and β. What γ and β repeat along is summed."""
        gamma, beta = self.affine_like
        return (
            self.shown(dx, dy) if self.needs[0] else None,
            self.shown(self.summed(dgamma), gamma) if self.needs[1] else None,
            self.shown(self.summed(dbeta), beta) if self.needs[2] else None,
        )

    def summed(self, d):
        return d * 1 if d.shape == self.layout.affine else sum_over(d, self.layout.repeated)  # never dy: a leaf keeps it


class Standardize(Normalization):
    """LayerNorm and GroupNorm: γ and β differ within a group."""

    standardize = staticmethod(standardize)
    project = staticmethod(project)
    centred = True
    given: tuple[Array, ...] = ()  # μ and v, if they are constants

    def __init__(self, layout: Layout, eps: float) -> None:
        self.layout, self.eps = layout, eps

    def forward(self, x, gamma, beta):
        self.save(x, gamma)
        if self.layout.family and kernels_for(self.layout.family, x, gamma, beta, *self.given):
            how = self.layout, self.eps, self.centred, self.given, next_op.relu
            y, self.statistics = standardize_by_kernel(*how, x, gamma, beta)
            if self.statistics is not None:
                self.affine_like = gamma, beta
                if next_op.relu:
                    self.save(x, gamma, y)
                    next_op.relu = False
                return y
        self.kept = x_hat, _, self.mean, self.var = self.formula(x)
        return self.scale_and_shift(x_hat, gamma, beta, x)

    def backward(self, dy, x, gamma, y=None):
        """The gradients; of y = max(γ x̂ + β, 0) if y was saved."""
        if self.statistics is not None and not isinstance(dy, Tensor):
            grads = project_by_kernel(self.layout, self.centred, bool(self.given), dy, x, y, gamma, self.statistics)
            like = dy, *self.affine_like
            return tuple(self.shown(d, a) if need else None for d, a, need in zip(grads, like, self.needs, strict=True))
        x_hat, rstd, _, _ = self.recall(self.formula, x)
        dy_, dx = self.seen(dy if y is None else keep_where(~(y <= 0), dy)), None
        if self.layout.size >= in_blocks.LARGE and self.blocks(dy_):
            scale = None if gamma is None else self.affine(gamma)
            grads = project_in_blocks(dy_, x_hat, rstd, scale, self.layout.axes, self.layout.affine, self.centred)
            return self.fitted(*grads, dy)
        if self.needs[0]:
            g = dy_ if gamma is None else dy_ * self.affine(gamma)
            dx = self.project(g, x_hat, rstd, self.layout.axes)
        return self.fitted(dx, dy_ * x_hat, dy_, dy)

    def blocks(self, x):
        return 0 not in self.layout.axes and super().blocks(x)

    def formula(self, x):
        """(x̂, rstd, μ, v).

        The squares overflow if |x| is too large (float32: from 1.8e19 on), and lose digits if |x| is too small. In both cases x
        is first divided by s, a power of two near the largest |x| of the group. This does not change the result: x / s with
        ε / s² has the same x̂ as x with ε. On the GPU x is always divided: a test of the values would make the CPU wait.
        """
        x, axes, eps = self.seen(x), self.layout.axes, self.eps
        if type(raw(x)) in backend.NUMPYS or 0 in x.shape:
            if self.layout.size >= in_blocks.LARGE and self.blocks(x):
                found = standardize_in_blocks(x, axes, eps, self.layout.affine, self.centred)
            else:
                found = self.standardize(x, axes, eps)
            if 0 in x.shape or squares_fit(raw(found[3]), eps):
                return found
        s = power_of_two(raw(x), axes, least=math.sqrt(eps))
        x_hat, rstd, mu, var = self.standardize(x / s, axes, (math.sqrt(eps) / s) ** 2)
        return x_hat, rstd / s, None if mu is None else mu * s, var * s * s


def squares_fit(var: np.ndarray, eps: float) -> bool:
    """Whether all variances are in a safe range: no overflow, no NaN, and no digits lost near 0.

    The limit is stricter than that: the sum of the squared variances must be finite too, so in float32 a variance must be
    below 1.8e19. Then the derivative of rstd, which is -rstd³ / 2, does not underflow either. A variance near 0 is safe if ε is
    large enough to hide the lost digits. The test sums the squares with BLAS: that takes half as long as NumPy's search for
    the largest variance. (A kernel asks of each variance by itself that its square is finite.)
    """
    least = LEAST_VAR.get(var.dtype, 0.0) ** 0.5
    return bool(np.vdot(var, var) < math.inf) and (eps >= least or bool(var.min() + eps >= least))


class StandardizeUncentred(Standardize):
    """RMSNorm."""

    standardize = staticmethod(standardize_uncentred)
    project = staticmethod(project_uncentred)
    centred = False


class StandardizeChannel(Standardize):
    """BatchNorm and InstanceNorm: a group has a single γ and β."""

    def of_batch(self):
        """The mean and the variance of each group."""
        if self.statistics is None:
            return self.mean, self.var
        return tuple(s.reshape(self.layout.of_groups) for s in (self.statistics[0], self.statistics[3]))

    def backward(self, dy, x, gamma, y=None):
        if self.statistics is not None and not isinstance(dy, Tensor):
            return super().backward(dy, x, gamma, y)
        x_hat, rstd, _, _ = self.recall(self.formula, x)
        scale = None if not self.needs[0] else rstd if gamma is None else rstd * self.affine(gamma)
        dy_ = self.passed(dy, y)
        axes, m = self.layout.axes, max(self.layout.m, 1)
        if self.layout.size >= in_blocks.LARGE and self.blocks(dy_):
            return self.fitted(*project_channel_in_blocks(dy_, x_hat, scale, axes, m), dy)
        return self.fitted(*project_channel(dy_, x_hat, scale, axes, m), dy)

    def passed(self, dy, y):
        """dy, viewed as x is. If y is the output of a ReLU: 0 where y is not positive, but where y is NaN, dy."""
        return self.seen(dy if y is None else keep_where(~(y <= 0), dy))

    def blocks(self, x):
        return Normalization.blocks(self, x)  # its sums go over all samples


class StandardizeByConstants(StandardizeChannel):
    """BatchNorm in eval mode: y = γ (x - μ) rstd + β, where μ and v are given;  dx = γ rstd dy."""

    def __init__(self, layout: Layout, eps: float, mean: Any, var: Any) -> None:
        super().__init__(layout, eps)
        self.given = backend.copy(mean), backend.copy(var)  # training may change the running statistics before backward

    def formula(self, x):
        mu, var = map(self.affine, self.given)
        rstd = 1 / namespace(var).sqrt(var + self.eps)  # BE.1
        return (self.seen(x) - mu) * rstd, rstd, mu, var  # BE.2

    def backward(self, dy, x, gamma, y=None):
        if self.statistics is not None and not isinstance(dy, Tensor):
            return super().backward(dy, x, gamma, y)
        x_hat, rstd, _, _ = self.recall(self.formula, x)
        dy_ = self.passed(dy, y)
        scale = rstd if gamma is None else self.affine(gamma) * rstd  # BE.9
        dx = dy_ * scale if self.needs[0] else None  # BE.15
        return self.fitted(dx, dy_ * x_hat, dy_, dy)  # cf. BE.5: `fitted` sums
