"""Dropout: zeros at random places."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor
from .common import namespace
from .inplace import replace


class Dropout(Node):
    """y = m x, m = 1 / (1 - p) with probability 1 - p, else 0;  dx = m g."""

    fresh = True

    def __init__(self, p, rng):
        self.p, self.rng = p, rng

    def forward(self, x):
        keep = 1 - self.p
        kept = self.rng.random(x.shape, dtype="float32") < keep  # on the host: a seed means the same on every device
        self.mask = namespace(x).asarray(kept, dtype=x.dtype, **backend.on_device_of(x)) * (1 / keep if keep else 0.0)
        return x * self.mask

    def backward(self, g):
        return (g * self.mask,)


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Set each number to 0 with probability `p`, and scale the others by 1 / (1 - p); in eval, do nothing.

    Parameters
    ----------
    input : Tensor
        Floating-point, of any shape.
    p : float
        From 0 to 1.
    training : bool
        False: the input is returned as it is.
    inplace : bool
        Write the result into the input.

    Returns
    -------
    Tensor
        As input.

    Raises
    ------
    ValueError
        `p` is not a probability.
    RuntimeError
        The input is not floating-point.

    Notes
    -----
    Srivastava et al. 2014, "Dropout", section 10 (inverted dropout). Drawn by tinynorm's default generator.

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
    if not backend.is_floating(input.data):
        raise RuntimeError(f"dropout: expected a floating-point input, got {input.dtype}; use .float() first")
    node = Dropout(p, backend.default_generator.rng)
    return replace(input, "dropout", node) if inplace else node(input)


def check_probability(op: str, p: Any) -> None:
    """Raise ValueError where `p` is not a number from 0 to 1."""
    if not isinstance(p, (int, float)) or not 0 <= p <= 1:
        raise ValueError(f"{op}: expected p to be a probability from 0 to 1, got {p!r}")
