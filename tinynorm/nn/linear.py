"""Linear, Embedding, and the layers that do not compute: Identity, Flatten and Unflatten."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

from ..autograd import no_grad
from ..creation import empty
from ..ops.common import one_dim
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


def check_sizes(op: str, **sizes: Any) -> None:
    """Raise ValueError if a size is not an int >= 0."""
    for name, size in sizes.items():
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 0:
            raise ValueError(f"{op}: expected {name} to be an int >= 0, got {size!r}")


def draw(weight: Parameter, bias: Parameter | None) -> None:
    """Uniform random numbers within ±1/√n in both, where n is how many numbers of the input an output sees."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        n = math.prod(weight.shape[1:])
        bound = 1 / math.sqrt(n) if n else 0.0
        init.uniform_(bias, -bound, bound)


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
    torch.Size([5, 2])
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        check_sizes(type(self).__name__, in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = int(in_features), int(out_features)
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values for W and b."""
        draw(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A learnt vector for each of `num_embeddings` symbols: y = W[index].

    Parameters
    ----------
    num_embeddings : int
        V, how many symbols there are.
    embedding_dim : int
        D, the length of a vector.
    padding_idx : int, optional
        The row of this symbol is 0 at the beginning, and gets no gradient.
    device, dtype
        The device and the dtype of the parameter.

    Attributes
    ----------
    weight : Parameter
        W, (V, D). Its initial values are normal random numbers.

    Raises
    ------
    ValueError
        A size is not an int >= 0, or `padding_idx` is not the number of a row.
    IndexError
        When the layer is called: an index is not from 0 to V - 1.

    Examples
    --------
    >>> import tinynorm
    >>> Embedding(10, 3)(tinynorm.tensor([[0, 9]])).shape
    torch.Size([1, 2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: expected padding_idx to be a row of {num_embeddings}, got {padding_idx}")
        self.num_embeddings, self.embedding_dim = int(num_embeddings), int(embedding_dim)
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(empty(num_embeddings, embedding_dim, dtype=dtype, device=device))
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """A layer whose W is the given tensor, (V, D). With `freeze`, it is not learnt."""
        if not isinstance(embeddings, Tensor) or embeddings.ndim != 2:
            got = getattr(embeddings, "shape", type(embeddings).__name__)
            raise ValueError(f"Embedding: expected embeddings to be a Tensor (V, D), got {got}")
        layer = cls(embeddings.shape[0], embeddings.shape[1], padding_idx)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draw new initial values for W."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, input: Any) -> Any:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


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
    torch.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """x with dimension `dim` split into several, of the sizes `unflattened_size`; one of them may be -1.

    >>> import tinynorm
    >>> Unflatten(1, (3, 4))(tinynorm.zeros(2, 12)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)) or not unflattened_size:
            raise TypeError(f"Unflatten: expected unflattened_size to be a tuple of sizes, got {unflattened_size!r}")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Any) -> Any:
        d = one_dim(self.dim, input.ndim, "Unflatten")
        return input.reshape(*input.shape[:d], *self.unflattened_size, *input.shape[d + 1 :])

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
