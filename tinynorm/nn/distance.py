"""Distances and similarities of pairs of vectors, as modules; and Bilinear, a learnt form of both."""

from __future__ import annotations

import math
from typing import Any

from ..creation import empty
from . import functional as F
from .init import uniform_
from .linear import check_sizes
from .module import Module
from .parameter import Parameter


class CosineSimilarity(Module):
    """`functional.cosine_similarity` as a module: the cosine of the angle between vectors.

    >>> import tinynorm
    >>> CosineSimilarity(dim=0)(tinynorm.tensor([3.0, 4.0]), tinynorm.tensor([1.0, 0.0]))
    tensor(0.6000)
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """`functional.pairwise_distance` as a module: the p-norm of x1 - x2 along the last dimension.

    >>> import tinynorm
    >>> PairwiseDistance()(tinynorm.tensor([3.0, 4.0]), tinynorm.zeros(2))
    tensor(5.0000)
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class Bilinear(Module):
    """y_o = x1ᵀ W_o x2 + b_o.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
    bias : bool
        Whether the layer has a bias b.
    device, dtype
        The device and the dtype of the parameters.

    Attributes
    ----------
    weight : Parameter
        W, (out_features, in1_features, in2_features). Its initial values are uniform random numbers within ±1/√in1_features.
    bias : Parameter or None
        b, (out_features). Its initial values are drawn in the same way.

    Raises
    ------
    ValueError
        A size is not an int >= 0.

    Examples
    --------
    >>> import tinynorm
    >>> Bilinear(3, 4, 2)(tinynorm.zeros(5, 3), tinynorm.zeros(5, 4)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_sizes("Bilinear", in1_features=in1_features, in2_features=in2_features, out_features=out_features)
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values for W and b."""
        bound = 1 / math.sqrt(self.in1_features) if self.in1_features else 0.0
        for p in self.parameters():
            uniform_(p, -bound, bound)

    def forward(self, input1: Any, input2: Any) -> Any:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"
