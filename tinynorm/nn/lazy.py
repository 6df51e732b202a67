"""Layers that take the size of their input from their first input, and are ordinary layers from then on."""

from __future__ import annotations

from typing import Any

from ..ops.normalization import check_tensor
from .linear import Linear, check_sizes
from .module import BUFFER, PARAMETER, Module
from .normalization import BatchNorm1d, BatchNorm2d, _BatchNorm
from .parameter import Uninitialized, UninitializedBuffer, UninitializedParameter


class _Lazy(Module):
    """The base class: `becomes` is the class that the layer has after its first forward pass."""

    becomes: type[Module]

    def _waiting(self) -> list[Uninitialized]:
        """The parameters and buffers that have no shape yet."""
        return [t for kind in (PARAMETER, BUFFER) for _, t in self._own(kind) if isinstance(t, Uninitialized)]

    def _take_size(self, input: Any) -> None:
        """Give the parameters their shapes."""
        raise NotImplementedError

    def reset_parameters(self) -> None:
        """Draw new initial values, once the parameters have their shapes."""
        if not self._waiting():
            super().reset_parameters()  # type: ignore[misc]

    def forward(self, input: Any) -> Any:
        self._take_size(input)
        self.__class__ = self.becomes  # type: ignore[assignment]
        return self.forward(input)


class LazyLinear(_Lazy, Linear):
    """`Linear` that takes `in_features` from its first input: (*, in_features). Then it becomes a `Linear`.

    The initial values are drawn in the first forward pass. Before it, the parameters have no shape, but an optimiser may hold
    them.

    Parameters
    ----------
    out_features : int
    bias : bool
        Whether the layer has a bias b.
    device, dtype
        The device and the dtype of the parameters.

    Examples
    --------
    >>> import tinynorm
    >>> layer = LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> layer(tinynorm.zeros(5, 3)).shape
    torch.Size([5, 2])
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    becomes = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, bias, device, dtype)
        check_sizes("LazyLinear", out_features=out_features)
        self.out_features = int(out_features)
        _forget_shapes(self)

    def _take_size(self, input: Any) -> None:
        check_tensor("LazyLinear", input)
        if input.ndim < 1:
            raise RuntimeError("LazyLinear: expected x (*, in_features), got a 0-d tensor")
        waiting = self._waiting()
        self.in_features = input.shape[-1]
        for t in waiting:
            t.materialize((self.out_features, self.in_features) if t is self.weight else (self.out_features,))
        if waiting:
            self.reset_parameters()


class _LazyBatchNorm(_Lazy, _BatchNorm):
    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(1, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.num_features = 0
        _forget_shapes(self)

    def _take_size(self, input: Any) -> None:
        check_tensor(type(self).__name__, input)
        waiting = self._waiting()
        self.num_features = input.shape[1] if input.ndim > 1 else 1
        try:
            self._check_input_dim(input)
        except ValueError:
            self.num_features = 0
            raise
        for t in waiting:
            t.materialize((self.num_features,))
        if waiting:
            self.reset_parameters()


class LazyBatchNorm1d(_LazyBatchNorm):
    """`BatchNorm1d` that takes `num_features` from its first input, (N, C) or (N, C, L). Then it becomes a `BatchNorm1d`.

    The other parameters are those of `BatchNorm1d`.

    >>> import tinynorm
    >>> layer = LazyBatchNorm1d()
    >>> layer(tinynorm.randn(5, 3)).shape, layer.num_features
    (torch.Size([5, 3]), 3)
    """

    becomes = BatchNorm1d
    positions = BatchNorm1d.positions


class LazyBatchNorm2d(_LazyBatchNorm):
    """`BatchNorm2d` that takes `num_features` from its first input, (N, C, H, W). Then it becomes a `BatchNorm2d`.

    >>> import tinynorm
    >>> layer = LazyBatchNorm2d()
    >>> layer(tinynorm.randn(5, 3, 2, 2)).shape, layer.num_features
    (torch.Size([5, 3, 2, 2]), 3)
    """

    becomes = BatchNorm2d
    positions = BatchNorm2d.positions


def _forget_shapes(module: Module) -> None:
    """Put tensors without a shape in the places of the parameters, and of the buffers that have a number for each channel."""
    for kind, tensor_type in ((PARAMETER, UninitializedParameter), (BUFFER, UninitializedBuffer)):
        for name, t in list(module._own(kind)):
            if t.ndim:
                empty = t.detach().reshape(-1)[:0]
                setattr(module, name, tensor_type(empty.array))
