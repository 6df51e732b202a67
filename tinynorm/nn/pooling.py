"""Pooling: MaxPool2d, AvgPool2d and AdaptiveAvgPool2d."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .module import Module


class MaxPool2d(Module):
    """The largest number of each window of an image.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, return_indices, ceil_mode
        As in `nn.functional.max_pool2d`.

    Raises
    ------
    RuntimeError
        When the layer is called: an argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> MaxPool2d(2)(tinynorm.zeros(5, 3, 8, 8)).shape
    torch.Size([5, 3, 4, 4])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.return_indices, self.ceil_mode = padding, dilation, return_indices, ceil_mode

    def forward(self, input: Any) -> Any:
        settings = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        return F.max_pool2d(input, *settings)

    def extra_repr(self) -> str:
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        return f"{sizes}, dilation={self.dilation}, ceil_mode={self.ceil_mode}"


class AvgPool2d(Module):
    """The mean of each window of an image.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As in `nn.functional.avg_pool2d`.

    Raises
    ------
    RuntimeError
        When the layer is called: an argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> AvgPool2d(2)(tinynorm.zeros(5, 3, 8, 8)).shape
    torch.Size([5, 3, 4, 4])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, kernel_size if stride is None else stride, padding
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def forward(self, input: Any) -> Any:
        settings = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override
        return F.avg_pool2d(input, *settings)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AdaptiveAvgPool2d(Module):
    """The means of as many windows as are asked for, whatever the size of the image.

    Parameters
    ----------
    output_size : int, two ints or None
        As in `nn.functional.adaptive_avg_pool2d`.

    Raises
    ------
    RuntimeError
        When the layer is called: an argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> AdaptiveAvgPool2d(1)(tinynorm.zeros(5, 3, 8, 6)).shape
    torch.Size([5, 3, 1, 1])
    """

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Any) -> Any:
        return F.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
