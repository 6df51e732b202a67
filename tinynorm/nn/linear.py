"""Linear, and two layers that do not compute: Identity and Flatten."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

from ..creation import empty
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class Linear(Module):
    """y = x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether the layer has a bias b.
    device, dtype
        The device and the dtype of the parameters.

    Attributes
    ----------
    weight : Parameter
        W, (out_features, in_features). Its initial values are uniform random numbers within ±1/√in_features.
    bias : Parameter or None
        b, (out_features). Its initial values are drawn in the same way.

    Raises
    ------
    ValueError
        A size is not an int >= 0.

    Examples
    --------
    >>> import tinynorm
    >>> Linear(3, 2)(tinynorm.zeros(5, 3)).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(size, Integral) or isinstance(size, bool) or size < 0:
                raise ValueError(f"Linear: expected {name} to be an int >= 0, got {size!r}")
        self.in_features, self.out_features = int(in_features), int(out_features)
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values for W and b."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Any) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """y = x. It accepts any arguments, so that it can replace any layer.

    >>> import tinynorm
    >>> Identity(54)(tinynorm.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Flatten(Module):
    """x with the dimensions from `start_dim` to `end_dim` merged into one.

    >>> import tinynorm
    >>> Flatten()(tinynorm.zeros(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
