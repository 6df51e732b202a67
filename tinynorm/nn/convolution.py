"""Conv1d and Conv2d."""

from __future__ import annotations

import math
from typing import Any

from ..creation import empty
from ..ops.convolution import SPACE
from ..ops.normalization import check_tensor
from ..ops.windows import beside, numbers
from . import functional as F
from .linear import check_sizes, draw
from .module import Module
from .parameter import Parameter

MODES = ("zeros", "reflect", "replicate", "circular")


class _Convolution(Module):
    """The base class: the parameters, for `dims` dimensions."""

    dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        name, dims = type(self).__name__, self.dims
        check_sizes(name, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if groups < 1 or in_channels % groups or out_channels % groups:
            sizes = f"in_channels={in_channels}, out_channels={out_channels}, groups={groups}"
            raise ValueError(f"{name}: expected in_channels and out_channels that groups divides, got {sizes}")
        if padding_mode not in MODES:
            raise ValueError(f"{name}: expected padding_mode to be one of {', '.join(MODES)}, got {padding_mode!r}")
        self.in_channels, self.out_channels, self.groups = int(in_channels), int(out_channels), int(groups)
        self.kernel_size = numbers(name, "kernel_size", kernel_size, dims, 1)
        self.stride = numbers(name, "stride", stride, dims, 1)
        self.padding = padding if isinstance(padding, str) else numbers(name, "padding", padding, dims, 0)
        self.dilation = numbers(name, "dilation", dilation, dims, 1)
        self.padding_mode = padding_mode
        beside(name, padding, self.kernel_size, self.stride, self.dilation)  # raises where it does not fit the stride
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(empty(*shape, dtype=dtype, device=device))
        self.register_parameter("bias", Parameter(empty(out_channels, dtype=dtype, device=device)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values for W and b."""
        draw(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        x: Any = input
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            name = type(self).__name__
            check_tensor(name, x, "input")
            if x.ndim not in (self.dims + 1, self.dims + 2):
                expected = " or ".join(f"({n}C, {SPACE[self.dims]})" for n in ("N, ", ""))
                raise RuntimeError(f"{name}: expected input {expected}, got {tuple(x.shape)}")
            before, after = beside(name, padding, self.kernel_size, self.stride, self.dilation)
            for k in range(self.dims):
                x = _continued(x, k - self.dims, before[k], after[k], self.padding_mode)
            padding = 0
        conv = F.conv1d if self.dims == 1 else F.conv2d
        return conv(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        said = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        none, one = (0,) * self.dims, (1,) * self.dims
        said += "" if self.padding == none else f", padding={self.padding}"
        said += "" if self.dilation == one else f", dilation={self.dilation}"
        said += "" if self.groups == 1 else f", groups={self.groups}"
        said += "" if self.bias is not None else ", bias=False"
        return said + ("" if self.padding_mode == "zeros" else f", padding_mode={self.padding_mode}")


def _continued(x: Any, dim: int, before: int, after: int, mode: str) -> Any:
    """x with so many numbers more at both ends of a dimension: its own, as `padding_mode` says."""
    n = x.shape[dim]
    if not (before or after):
        return x
    if n == 0 or max(before, after) > {"reflect": n - 1, "circular": n, "replicate": math.inf}[mode]:
        raise RuntimeError(f"padding_mode {mode!r}: expected padding that the input, {n} long, has, got {before} and {after}")
    at = list(range(-before, n + after))
    if mode == "circular":
        at = [i % n for i in at]
    elif mode == "replicate":
        at = [min(max(i, 0), n - 1) for i in at]
    else:
        at = [n - 1 - abs(n - 1 - abs(i)) for i in at]
    return x[(..., at, *[slice(None)] * (-1 - dim))]


class Conv1d(_Convolution):
    """The convolution of signals.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size : int
        K, the length of the window.
    stride, padding, dilation, groups
        As in `nn.functional.conv2d`.
    bias : bool
        Whether the layer has a bias b.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What stands beside the input: zeros; or its own numbers: reflected, the last one again and again, or from the other end.
    device, dtype
        The device and the dtype of the parameters.

    Attributes
    ----------
    weight : Parameter
        W, (O, C / groups, K). The initial values are uniform random numbers within ±1/√(C K / groups).
    bias : Parameter or None
        b, (O). Its initial values are drawn in the same way.

    Raises
    ------
    ValueError, RuntimeError
        An argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> Conv1d(3, 8, 5, padding="same")(tinynorm.zeros(2, 3, 20)).shape
    torch.Size([2, 8, 20])
    """

    dims = 1


class Conv2d(_Convolution):
    """The convolution of images.

    Parameters
    ----------
    in_channels, out_channels : int
        C and O.
    kernel_size : int or two ints
        The window's height and width.
    stride, padding, dilation, groups, bias, padding_mode, device, dtype
        As for `Conv1d`.

    Attributes
    ----------
    weight : Parameter
        (O, C / groups, height, width of the window). The initial values are uniform random numbers within ±1/√n, where n is how
        many numbers of the input an output sees.
    bias : Parameter or None
        b, (O). Its initial values are drawn in the same way.

    Raises
    ------
    ValueError, RuntimeError
        An argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> Conv2d(3, 8, 3, stride=2, padding=1)(tinynorm.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 8, 14, 14])
    """

    dims = 2
