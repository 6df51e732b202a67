"""The mathematics of the normalisation layers: one standardisation over different axes.

For a group of m numbers x with mean μ and biased variance v (the axes say which numbers form a group),

    c = x - μ,   rstd = 1 / √(v + ε),   x̂ = c rstd,   y = γ x̂ + β.

Let g = γ dL/dy. The gradient of x is rstd times g, from which the components along 1 and (up to ε) along x̂ are subtracted. The
means are over the group:

    dx = rstd (g - mean(g) - x̂ mean(g x̂)),   dγ = Σ dL/dy x̂,   dβ = Σ dL/dy.

The functions take arrays, or Tensors if the gradient is itself to be differentiated. The numbers beside the lines are those of
the derivations, which `tinynorm derive` shows: BN.4 is in the chapter on BatchNorm.

Sources: Ioffe and Szegedy 2015, section 3; Ba, Kiros and Hinton 2016, section 3; Wu and He 2018, section 3; Ulyanov, Vedaldi
and Lempitsky 2016; Zhang and Sennrich 2019, section 4.
"""

from __future__ import annotations

from typing import Any

from .common import mean_over, namespace, size_along, sum_over

Axes = tuple[int, ...]

# If a group has more numbers than this, `centre` computes its mean as first + mean(x - first). If all numbers are equal, this
# mean is exact. In a smaller group of equal numbers, the errors that the first pass leaves are equal too. Their sum, of up to
# 2^20 equal numbers with few digits, is exact in float32, and the second pass removes them.
LARGE_GROUP = 2**20


def centre(x: Any, axes: Axes) -> tuple[Any, Any]:
    """Compute (c, μ) in two passes: the second pass removes the rounding error of the first mean.

    If |μ| is much larger than the standard deviation, the rounding error of μ is large compared with x - μ. If all numbers
    are equal, the first pass leaves the same error in each, a few units in the last place. The sum of these errors is exact,
    and so is the sum divided by m (a product with 1/m would not be exact). So the second pass gives exactly 0.
    """
    m = max(size_along(x.shape, axes), 1)
    if m > LARGE_GROUP:
        first = x[tuple(slice(1) if i in axes else slice(None) for i in range(x.ndim))]
        mu = first + mean_over(x - first, axes)
    else:
        mu = mean_over(x, axes)  # CE.1
    c = x - mu  # CE.2
    rest = sum_over(c, axes) / m
    return c - rest, mu + rest  # cf. CE.5: c - mean(c) is c, but for rounding


def standardize(x: Any, axes: Axes, eps: float) -> tuple[Any, Any, Any, Any]:
    """Compute (x̂, rstd, μ, v)."""
    c, mu = centre(x, axes)
    var = mean_over(c * c, axes)  # BN.3, LN.3, OA.3
    rstd = 1 / namespace(x).sqrt(var + eps)  # BN.4, LN.4, OA.4
    return c * rstd, rstd, mu, var  # BN.5, LN.5, OA.5


def project(g: Any, x_hat: Any, rstd: Any, axes: Axes) -> Any:
    """dx, from the gradient g of x̂."""
    return rstd * (g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes))  # CF.23, LN.20, OA.16


def project_channel(dy: Any, x_hat: Any, scale: Any, axes: Axes, m: int) -> tuple[Any, Any, Any]:
    """(dx, dγ, dβ) of a group with a single γ, as a channel of BatchNorm. The means are then dβ / m and dγ / m.

    `scale` is γ rstd; None if dx is not needed. Since Σ x̂ = 0, dγ may be computed from the centred dy: that has a smaller
    rounding error.
    """
    dbeta = sum_over(dy, axes)  # BN.7, OA.17
    u = dy - dbeta / m  # OA.22
    dgamma = sum_over(u * x_hat, axes)  # OA.23
    return None if scale is None else scale * (u - x_hat * (dgamma / m)), dgamma, dbeta  # OA.25


def standardize_uncentred(x: Any, axes: Axes, eps: float) -> tuple[Any, Any, None, Any]:
    """RMSNorm: as `standardize`, with 0 in place of μ."""
    c = x  # nothing is subtracted
    var = mean_over(c * c, axes)  # OA.3
    rstd = 1 / namespace(x).sqrt(var + eps)  # OA.4
    return c * rstd, rstd, None, var  # OA.5


def project_uncentred(g: Any, x_hat: Any, rstd: Any, axes: Axes) -> Any:
    """dx of RMSNorm: without a mean in the forward pass, there is no mean(g)."""
    return rstd * (g - x_hat * mean_over(g * x_hat, axes))  # OA.13
