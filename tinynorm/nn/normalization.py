"""The normalisation layers with their state. Their mathematics, one formula for all, is in `ops/normalization.py`."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

from .. import backend
from ..creation import ones, tensor, zeros
from ..ops.normalization import check_eps, check_groups, check_momentum, check_tensor
from ..tensor import Tensor, version_of
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


class _Norm(Module):
    """The base class of the layers. It has γ (`weight`, initially 1) and β (`bias`, initially 0); each may be None."""

    weight: Parameter | None
    bias: Parameter | None

    def _make_affine(self, shape: tuple[int, ...], weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, wanted, make in (("weight", weight, ones), ("bias", bias, zeros)):
            self.register_parameter(name, Parameter(make(*shape, device=device, dtype=dtype)) if wanted else None)

    def reset_parameters(self) -> None:
        """Set γ to 1 and β to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


def _check_size(op: str, **sizes: Any) -> None:
    for name, n in sizes.items():
        if not isinstance(n, Integral) or isinstance(n, bool) or n < 1:
            raise ValueError(f"{op}: expected {name} to be an int >= 1, got {n!r}")


class _RunningNorm(_Norm):
    """The base class of BatchNorm and InstanceNorm: the settings, the running statistics and the checks of the input."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None
    positions: tuple[int, ...]  # how many dimensions may follow the channels

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        op = type(self).__name__
        _check_size(op, num_features=num_features)
        check_eps(op, eps)
        if momentum is not None:
            check_momentum(op, momentum)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make_affine((num_features,), affine, affine and bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0, dtype=backend.int64, device=device) if tracked else None)

    def reset_running_stats(self) -> None:
        """Set the running mean to 0, the running variance to 1 and the count of batches to 0."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                buffer.fill_(value)

    def reset_parameters(self) -> None:
        """Set γ to 1, β to 0, and the running statistics to their initial values."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, x: Tensor) -> None:
        """Check that x is (N, C, *) with the right number of dimensions and channels, before any state changes."""
        if not isinstance(x, Tensor):
            check_tensor(type(self).__name__, x)
        C, shape = self.num_features, x._array.shape
        if len(shape) - 2 not in self.positions or shape[1] != C:
            expected = " or ".join(f"(N, C={C}{', *' * n})" for n in self.positions)
            kind = ValueError if x.ndim - 2 not in self.positions else RuntimeError  # as in PyTorch
            raise kind(f"{type(self).__name__}: expected x {expected}, got {tuple(x.shape)}")

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_RunningNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Any) -> Any:
        self._check_input_dim(input)
        mean, var, count = self.running_mean, self.running_var, self.num_batches_tracked
        update = self.training and self.track_running_stats
        momentum = self.momentum
        if momentum is None:  # cumulative average: one of count + 1 batches
            momentum = 1 / (int(count) + 1) if update and count is not None else 0.0
        if self.training and not update:
            mean = var = None
        y = F.batch_norm(input, mean, var, self.weight, self.bias, self.training or mean is None, momentum, self.eps)
        if update and count is not None and input._array.size:  # an empty batch has no statistics to count
            count._array += 1
            version_of(count).bump("batch_norm")
        return y


class BatchNorm1d(_BatchNorm):
    """Standardise each channel over the batch; in eval mode, with the running statistics. Input (N, C) or (N, C, L).

    Parameters
    ----------
    num_features : int
        C.
    eps : float
        Added to the variance, inside the square root.
    momentum : float or None
        The weight of a new batch in the running statistics. None: they are the average over all batches.
    affine : bool
        Whether there are γ (`weight`) and β (`bias`), each (C).
    track_running_stats : bool
        If False, there are no running statistics, and the layer uses the statistics of the batch in eval mode too.
    device, dtype
        The device and the dtype of the parameters and buffers.
    bias : bool
        If False, there is γ but no β.

    Attributes
    ----------
    running_mean, running_var : Tensor or None
        (C). The variance is the unbiased variance.
    num_batches_tracked : Tensor or None
        The number of batches in the running statistics, int64. (Empty batches are not counted.)

    Raises
    ------
    ValueError
        A setting is out of range. When the layer is called: the input has a wrong number of dimensions or channels, or, in
        training, only one value per channel. No running statistic has changed then.

    Notes
    -----
    Ioffe and Szegedy 2015, "Batch normalization", algorithms 1 and 2.

    Examples
    --------
    >>> import tinynorm
    >>> bn = BatchNorm1d(1, eps=0.0)
    >>> bn(tinynorm.tensor([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    >>> bn.running_mean, bn.running_var
    (tensor([0.2000]), tensor([1.1000]))
    """

    positions = (0, 1)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for input (N, C, H, W).

    >>> import tinynorm
    >>> BatchNorm2d(3)(tinynorm.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    positions = (2,)


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` for input (N, C, D, H, W).

    >>> import tinynorm
    >>> BatchNorm3d(3)(tinynorm.randn(2, 3, 2, 4, 4)).shape
    torch.Size([2, 3, 2, 4, 4])
    """

    positions = (3,)


class _InstanceNorm(_RunningNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Any) -> Any:
        check_tensor(type(self).__name__, input)
        unbatched = input.ndim - 1 in self.positions
        x = input.unsqueeze(0) if unbatched else input
        self._check_input_dim(x)
        use_input_stats = self.training or not self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        y = F.instance_norm(x, self.running_mean, self.running_var, self.weight, self.bias, use_input_stats, momentum, self.eps)
        return y.squeeze(0) if unbatched else y


class InstanceNorm1d(_InstanceNorm):
    """Standardise each channel of each sample over its positions. Input (N, C, L) or (C, L).

    The parameters and attributes are the same as in `BatchNorm1d`, but `affine` and `track_running_stats` are False by default.
    As in PyTorch, batches are not counted, and ``momentum=None`` leaves the running statistics unchanged.

    Raises
    ------
    ValueError
        The same as in `BatchNorm1d`.

    Notes
    -----
    Ulyanov, Vedaldi and Lempitsky 2016, "Instance normalization", equation 1.

    Examples
    --------
    >>> import tinynorm
    >>> InstanceNorm1d(1, eps=0.0)(tinynorm.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.,  1.]]])
    """

    positions = (1,)


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` for input (N, C, H, W) or (C, H, W).

    >>> import tinynorm
    >>> InstanceNorm2d(3)(tinynorm.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    positions = (2,)


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` for input (N, C, D, H, W) or (C, D, H, W).

    >>> import tinynorm
    >>> InstanceNorm3d(3)(tinynorm.randn(2, 3, 2, 4, 4)).shape
    torch.Size([2, 3, 2, 4, 4])
    """

    positions = (3,)


def _shape(op: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    D = tuple(normalized_shape) if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    if not D:
        raise ValueError(f"{op}: expected normalized_shape to have at least one size, got {normalized_shape!r}")
    for n in D:
        _check_size(op, normalized_shape=n)
    return tuple(map(int, D))


class LayerNorm(_Norm):
    """Standardise each row by itself, over the trailing dimensions. Input (*, normalized_shape).

    Parameters
    ----------
    normalized_shape : int or sequence of int
    eps : float
        Added to the variance, inside the square root.
    elementwise_affine : bool
        Whether there are γ (`weight`) and β (`bias`), each of `normalized_shape`.
    bias : bool
        If False, there is γ but no β.
    device, dtype
        The device and the dtype of the parameters.

    Raises
    ------
    ValueError
        A setting is out of range.
    RuntimeError
        When the layer is called: the shape of the input does not end in `normalized_shape`.

    Notes
    -----
    Ba, Kiros and Hinton 2016, "Layer normalization", equation 4.

    Examples
    --------
    >>> import tinynorm
    >>> LayerNorm(2, eps=0.0)(tinynorm.tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape("LayerNorm", normalized_shape)
        check_eps("LayerNorm", eps)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make_affine(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Any) -> Any:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        affine = f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        return f"{self.normalized_shape}, eps={self.eps}, {affine}"


class RMSNorm(_Norm):
    """Divide each row by its root mean square, over the trailing dimensions. Input (*, normalized_shape).

    Parameters
    ----------
    normalized_shape : int or sequence of int
    eps : float, optional
        Added to the mean square, inside the square root. Default: the machine epsilon of the input's dtype
        (for float16: of float32).
    elementwise_affine : bool
        Whether there is a γ (`weight`), of `normalized_shape`.
    device, dtype
        The device and the dtype of the parameter.

    Raises
    ------
    ValueError
        A setting is out of range.
    RuntimeError
        When the layer is called: the shape of the input does not end in `normalized_shape`.

    Notes
    -----
    Zhang and Sennrich 2019, "Root mean square layer normalization", equation 4.

    Examples
    --------
    >>> import tinynorm
    >>> RMSNorm(2)(tinynorm.tensor([[3.0, 3.0]])).tolist()
    [[1.0, 1.0]]
    """

    bias = None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape("RMSNorm", normalized_shape)
        if eps is not None:
            check_eps("RMSNorm", eps)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = Parameter(ones(*self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", weight)

    def forward(self, x: Any) -> Any:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Norm):
    """Divide the channels of each sample into groups, and standardise each group over all positions. Input (N, C, *).

    Parameters
    ----------
    num_groups : int
        How many groups; must divide `num_channels`.
    num_channels : int
        C.
    eps : float
        Added to the variance, inside the square root.
    affine : bool
        Whether there are γ (`weight`) and β (`bias`), each (C).
    device, dtype
        The device and the dtype of the parameters.
    bias : bool
        If False, there is γ but no β.

    Raises
    ------
    ValueError
        A setting is out of range, or `num_groups` does not divide `num_channels`. When the layer is called: the input has a
        wrong number of channels.

    Notes
    -----
    Wu and He 2018, "Group normalization", equations 1 to 3.

    Examples
    --------
    >>> import tinynorm
    >>> GroupNorm(2, 4)(tinynorm.randn(3, 4, 5)).shape
    torch.Size([3, 4, 5])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        _check_size("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        check_groups("GroupNorm", num_groups, num_channels)
        check_eps("GroupNorm", eps)
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._make_affine((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Any) -> Any:
        check_tensor("GroupNorm", input)
        if input.ndim < 2 or input.shape[1] != self.num_channels:
            raise ValueError(f"GroupNorm: expected x (N, C={self.num_channels}, *), got {tuple(input.shape)}")
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


NORMS = {
    *(BatchNorm1d, BatchNorm2d, BatchNorm3d, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d),
    *(LayerNorm, RMSNorm, GroupNorm),
}


class LocalResponseNorm(Module):
    """Divide each number by a power of the squares of its neighbouring channels. Input (N, C, *).

    Parameters
    ----------
    size : int
        How many neighbours, itself among them.
    alpha, beta, k : float
        As in `nn.functional.local_response_norm`.

    Raises
    ------
    ValueError
        When the layer is called: the input has fewer than 3 dimensions, or `size` is no int >= 1.

    Notes
    -----
    Krizhevsky, Sutskever and Hinton 2012, "ImageNet classification with deep convolutional neural networks", section 3.3.

    Examples
    --------
    >>> import tinynorm
    >>> LocalResponseNorm(2)(tinynorm.zeros(5, 3, 8, 8)).shape
    torch.Size([5, 3, 8, 8])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Any) -> Any:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
