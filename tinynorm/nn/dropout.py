"""Dropout as a module."""

from __future__ import annotations

from typing import Any

from ..ops.dropout import check_probability
from . import functional as F
from .module import Module


class Dropout(Module):
    """In training, set each number to 0 with probability `p` and scale the others by 1 / (1 - p); in eval, do nothing.

    Parameters
    ----------
    p : float
        From 0 to 1.
    inplace : bool
        Write the result into the input.

    Raises
    ------
    ValueError
        `p` is not a probability.

    Examples
    --------
    >>> import tinynorm
    >>> Dropout(p=0.9).eval()(tinynorm.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability("Dropout", p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Any) -> Any:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
