"""The activations as modules."""

from __future__ import annotations

from typing import Any

from ..creation import full
from . import functional as F
from .init import constant_
from .module import Module
from .parameter import Parameter


class _Inplace(Module):
    """The base class of the activations whose only option is `inplace`: whether they write the result into the input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_Inplace):
    """y = max(x, 0).

    >>> import tinynorm
    >>> ReLU()(tinynorm.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Any) -> Any:
        return F.relu(input, self.inplace)


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
    tensor([0.5000])
    """

    def forward(self, input: Any) -> Any:
        return F.sigmoid(input)


class Tanh(Module):
    """y = tanh(x).

    >>> import tinynorm
    >>> Tanh()(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input: Any) -> Any:
        return F.tanh(input)


class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope · x.

    >>> import tinynorm
    >>> LeakyReLU(0.5)(tinynorm.tensor([-1.0, 2.0]))
    tensor([-0.5000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, input: Any) -> Any:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(Module):
    """y = x where x > 0, else alpha (e^x - 1).

    >>> import tinynorm
    >>> ELU()(tinynorm.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def forward(self, input: Any) -> Any:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class SiLU(_Inplace):
    """y = x / (1 + e^(-x)), also called swish.

    >>> import tinynorm
    >>> SiLU()(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7311])
    """

    def forward(self, input: Any) -> Any:
        return F.silu(input, self.inplace)


class Softplus(Module):
    """y = log(1 + e^(beta x)) / beta, a smooth ReLU; x itself where beta x > threshold.

    >>> import tinynorm
    >>> Softplus()(tinynorm.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Any) -> Any:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class _Along(Module):
    """The base class of the activations along a dimension."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(_Along):
    """y = e^x / Σ e^x along `dim`.

    >>> import tinynorm
    >>> Softmax(dim=0)(tinynorm.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Any) -> Any:
        return F.softmax(input, self.dim)


class LogSoftmax(_Along):
    """y = x - log Σ e^x along `dim`.

    >>> import tinynorm
    >>> LogSoftmax(dim=0)(tinynorm.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Any) -> Any:
        return F.log_softmax(input, self.dim)


class PReLU(Module):
    """y = x where x > 0, else weight · x, with a learnt weight: one for all, or one for each channel of (N, C, *).

    Parameters
    ----------
    num_parameters : int
        1 or C.
    init : float
        The initial weight.
    device, dtype
        The device and the dtype of the weight.

    Examples
    --------
    >>> import tinynorm
    >>> PReLU()(tinynorm.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), float(init), dtype=dtype, device=device))

    def reset_parameters(self) -> None:
        """Set the weights to `init`."""
        constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Hardtanh(Module):
    """y = x clipped to the range from min_val to max_val.

    >>> import tinynorm
    >>> Hardtanh()(tinynorm.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(f"{type(self).__name__}: expected min_val < max_val, got {min_val} and {max_val}")
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, input: Any) -> Any:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class ReLU6(Hardtanh):
    """y = x clipped to the range from 0 to 6.

    >>> import tinynorm
    >>> ReLU6()(tinynorm.tensor([-1.0, 8.0]))
    tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class SELU(_Inplace):
    """y = scale · x where x > 0, else scale · alpha (e^x - 1), with constants that keep mean 0 and variance 1.

    >>> import tinynorm
    >>> SELU()(tinynorm.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """

    def forward(self, input: Any) -> Any:
        return F.selu(input, self.inplace)


class Mish(_Inplace):
    """y = x tanh(log(1 + e^x)).

    >>> import tinynorm
    >>> Mish()(tinynorm.tensor([-1.0, 1.0]))
    tensor([-0.3034,  0.8651])
    """

    def forward(self, input: Any) -> Any:
        return F.mish(input, self.inplace)


class Hardsigmoid(Module):
    """y = x / 6 + 1 / 2, but 0 below x = -3 and 1 above x = 3.

    >>> import tinynorm
    >>> Hardsigmoid()(tinynorm.tensor([-4.0, 1.5]))
    tensor([0.0000, 0.7500])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        return F.hardsigmoid(input, self.inplace)


class Hardswish(Hardsigmoid):
    """y = x times `Hardsigmoid` of x.

    >>> import tinynorm
    >>> Hardswish()(tinynorm.tensor([1.5, 4.0]))
    tensor([1.1250, 4.0000])
    """

    def forward(self, input: Any) -> Any:
        return F.hardswish(input, self.inplace)


class LogSigmoid(Module):
    """y = log σ(x), where σ is the sigmoid.

    >>> import tinynorm
    >>> LogSigmoid()(tinynorm.tensor([-50.0, 0.0]))
    tensor([-50.0000,  -0.6931])
    """

    def forward(self, input: Any) -> Any:
        return F.logsigmoid(input)


class Softsign(Module):
    """y = x / (1 + |x|).

    >>> import tinynorm
    >>> Softsign()(tinynorm.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Any) -> Any:
        return F.softsign(input)


class Tanhshrink(Module):
    """y = x - tanh(x).

    >>> import tinynorm
    >>> Tanhshrink()(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """

    def forward(self, input: Any) -> Any:
        return F.tanhshrink(input)


class Threshold(Module):
    """y = x where x > threshold, else `value`.

    >>> import tinynorm
    >>> Threshold(1.0, 20.0)(tinynorm.tensor([0.5, 2.0]))
    tensor([20.,  2.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def forward(self, input: Any) -> Any:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class Softmin(_Along):
    """y = e^(-x) / Σ e^(-x) along `dim`.

    >>> import tinynorm
    >>> Softmin(dim=0)(tinynorm.tensor([0.0, 1000.0]))
    tensor([1., 0.])
    """

    def forward(self, input: Any) -> Any:
        return F.softmin(input, self.dim)


class GLU(_Along):
    """y = a σ(b), where a and b are the halves of the input along `dim`, and σ is the sigmoid.

    >>> import tinynorm
    >>> GLU()(tinynorm.tensor([2.0, 4.0, 0.0, 100.0]))
    tensor([1., 4.])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input: Any) -> Any:
        return F.glu(input, self.dim)
