"""Dropout: zeros at random places."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, wrap
from .common import keep_where
from .inplace import replace


class Dropout(Node):
    """y = x / (1 - p) with probability 1 - p, else 0 (also for x = inf);  dx = g / (1 - p) where x was kept, else 0."""

    fresh = True

    def __init__(self, p, rng):
        self.p, self.rng = float(p), rng

    def forward(self, x):
        keep = 1 - self.p
        kept = self.rng.random(x.shape, dtype="float32") < keep  # on the host: a seed gives the same mask on every device
        self.kept_at = backend.from_host(kept, x)
        self.scale = 1 / keep if keep else 0.0
        return keep_where(self.kept_at, x * self.scale)

    def backward(self, g):
        kept = wrap(self.kept_at) if isinstance(g, Tensor) else self.kept_at
        return (keep_where(kept, g * self.scale),)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set each number to 0 with probability `p`, and scale the others by 1 / (1 - p); in eval, do nothing.

    Parameters
    ----------
    input : Tensor
        Floating-point, of any shape.
    p : float
        From 0 to 1.
    training : bool
        If False, the input is returned unchanged.
    inplace : bool
        Write the result into the input.

    Returns
    -------
    Tensor
        In the shape and dtype of the input.

    Raises
    ------
    ValueError
        `p` is not a probability.
    RuntimeError
        The input is not floating-point.

    Notes
    -----
    Srivastava et al. 2014, "Dropout", section 10 (inverted dropout). The random numbers come from tinynorm's default generator.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.dropout(tinynorm.ones(2), p=0.9, training=False)
    tensor([1., 1.])
    """
    check_probability("dropout", p)
    if not training or p == 0:
        return input
    if not isinstance(input, Tensor):
        raise backend.no_array(input, "dropout")
    if not backend.is_floating(input._array):
        raise RuntimeError(f"dropout: expected a floating-point input, got {input._array.dtype}; use .float() first")
    node = Dropout(p, backend.default_generator.rng)
    return replace(input, "dropout", node) if inplace else node(input)


def check_probability(op: str, p: Any) -> None:
    """Raise ValueError if `p` is not a number from 0 to 1."""
    if not isinstance(p, (int, float)) or not 0 <= p <= 1:
        raise ValueError(f"{op}: expected p to be a probability from 0 to 1, got {p!r}")
