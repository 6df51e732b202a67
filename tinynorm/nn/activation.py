"""The activations as modules."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .module import Module


class ReLU(Module):
    """y = max(x, 0).

    >>> import tinynorm
    >>> ReLU()(tinynorm.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return F.relu(input, self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class GELU(Module):
    """y = x Φ(x), where Φ is the normal distribution function; ``approximate="tanh"`` uses an approximation by tanh.

    >>> import tinynorm
    >>> GELU()(tinynorm.tensor([-1.0, 1.0]))
    tensor([-0.1587,  0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: expected approximate='none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x)).

    >>> import tinynorm
    >>> Sigmoid()(tinynorm.tensor([0.0]))
    tensor([0.5])
    """

    def forward(self, input: Any) -> Any:
        return F.sigmoid(input)


class Tanh(Module):
    """y = tanh(x).

    >>> import tinynorm
    >>> Tanh()(tinynorm.tensor([0.0, 1.0]))
    tensor([0.    , 0.7616])
    """

    def forward(self, input: Any) -> Any:
        return F.tanh(input)


class Softmax(Module):
    """y = e^x / Σ e^x along `dim`.

    >>> import tinynorm
    >>> Softmax(dim=0)(tinynorm.tensor([0.0, 0.0]))
    tensor([0.5, 0.5])
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        return F.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """y = x - log Σ e^x along `dim`.

    >>> import tinynorm
    >>> LogSoftmax(dim=0)(tinynorm.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Any) -> Any:
        return F.log_softmax(input, self.dim)
