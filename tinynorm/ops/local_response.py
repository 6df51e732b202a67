"""Local response normalisation: each channel is divided by a power of the squares of its neighbours.

Krizhevsky, Sutskever and Hinton 2012, section 3.3. Let A(z) be the sums of z over windows of n channels, and Aᵀ its transpose:

    s = k + α/n A(x²),   y = x s^(-β);
    dx = g s^(-β) - 2 α β / n x Aᵀ(g x s^(-β - 1)).

The first term is the way through the numerator. s[j] depends on x[i] for the windows j that have i, with derivative 2 α/n x[i],
and y[j] on s[j] with derivative -β x[j] s[j]^(-β - 1); Aᵀ adds them up.
"""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

from ..autograd.node import Node
from .common import narrowed, of_tensors, only_floats, reshaped, widened
from .pooling import AvgPool, AvgPoolTransposed
from .windows import Windows, windows


class LocalResponse(Node):
    """y = x s^(-β) with s = k + α/n A(x²);  dx = g s^(-β) - 2 α β / n x Aᵀ(g x s^(-β - 1)). x is (N, C, P)."""

    fresh = True

    def __init__(self, place: Windows, alpha: float, beta: float, k: float) -> None:
        self.windows, self.alpha, self.beta, self.k = place, alpha, beta, k

    def formula(self, x):
        """s."""
        return self.k + self.alpha / self.windows.kernel[0] * AvgPool(self.windows, 1)(x * x)

    def forward(self, x):
        self.save(x)
        x_ = widened(x)
        self.kept = s = self.formula(x_)
        return narrowed(x_ * s**-self.beta, x)

    def backward(self, g, x):
        g_, x_ = widened(g), widened(x)
        s = self.recall(self.formula, x_)
        u = s**-self.beta
        around = AvgPoolTransposed(self.windows, 1)(g_ * x_ * u / s)
        return (narrowed(g_ * u - (2 * self.alpha * self.beta / self.windows.kernel[0]) * x_ * around, x),)


@of_tensors
def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Divide each number by (k + α/n Σ x²)^β, where the sum goes over n neighbouring channels.

    Parameters
    ----------
    input : Tensor
        x, (N, C, *).
    size : int
        n. The window of channel c begins at c - ⌊n / 2⌋; beside the channels there are zeros.
    alpha, beta, k : float

    Returns
    -------
    Tensor
        In the shape and dtype of x.

    Raises
    ------
    ValueError
        x has fewer than 3 dimensions, or `size` is no int >= 1.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([[[1.0], [2.0], [0.0]]])  # three channels
    >>> tinynorm.nn.functional.local_response_norm(x, 2, alpha=2.0, beta=1.0)
    tensor([[[0.5000],
             [0.3333],
             [0.0000]]])
    """
    x = only_floats("local_response_norm", input)
    if x.ndim < 3:
        raise ValueError(f"local_response_norm: expected x (N, C, *) with 3 dimensions or more, got {tuple(x.shape)}")
    if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
        raise ValueError(f"local_response_norm: expected size to be an int >= 1, got {size!r}")
    N, C = x.shape[:2]
    P = math.prod(x.shape[2:])
    place = windows((C, P), (int(size), 1), (1, 1), (size // 2, 0), ((size - 1) // 2, 0), (1, 1))
    return reshaped(LocalResponse(place, float(alpha), float(beta), float(k))(reshaped(x, (N, C, P))), x.shape)
