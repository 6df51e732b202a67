"""Initial values of parameters. Each function fills a tensor in place, is not recorded in the graph, and returns the tensor.

Random numbers are drawn on the host, by tinynorm's default generator or by the given generator. So a seed gives the same
numbers on every device.
"""

from __future__ import annotations

import math

import numpy as np

from ..autograd import no_grad
from ..backend import Generator, default_generator
from ..ops.inplace import fill_from_host
from ..tensor import Tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The gain of an activation: the factor that compensates for its effect on the standard deviation of its input.

    Parameters
    ----------
    nonlinearity : str
        "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
    param : float, optional
        The negative slope of "leaky_relu", 0.01 unless told otherwise.

    Raises
    ------
    ValueError
        `nonlinearity` has another value.

    Examples
    --------
    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    slope = 0.01 if param is None else param
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain: expected one of {', '.join(gains)}, got {nonlinearity!r}")
    return gains[nonlinearity]


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform random numbers from [a, b).

    >>> import tinynorm
    >>> uniform_(tinynorm.empty(2), 3.0, 3.0)
    tensor([3., 3.])
    """
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal random numbers.

    >>> import tinynorm
    >>> normal_(tinynorm.empty(2), mean=3.0, std=0.0)
    tensor([3., 3.])
    """
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> Tensor:
    """Fill with random numbers from the normal distribution truncated to [a, b], by its inverse distribution function.

    Raises
    ------
    ValueError
        `std` is not positive, or `a` is not below `b`.

    Examples
    --------
    >>> import tinynorm
    >>> bool((trunc_normal_(tinynorm.empty(100), a=-0.5, b=0.5).abs() <= 0.5).all())
    True
    """
    if not std > 0 or not a < b:
        raise ValueError(f"trunc_normal_: expected std > 0 and a < b, got std={std}, a={a}, b={b}")
    from statistics import NormalDist  # a slow import, which only this function needs

    unit = NormalDist()
    low, high = unit.cdf((a - mean) / std), unit.cdf((b - mean) / std)
    rng = (generator or default_generator).rng
    p = np.clip(low + (high - low) * rng.random(tuple(tensor.shape)), 1e-300, 1 - 2**-53)  # the inverse of 0 and 1 is infinite
    z = np.asarray(np.frompyfunc(unit.inv_cdf, 1, 1)(p)).astype(np.float64)
    return fill_from_host(tensor, "trunc_normal_", np.clip(mean + std * z, a, b))


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number.

    >>> import tinynorm
    >>> constant_(tinynorm.empty(2), 0.5)
    tensor([0.5000, 0.5000])
    """
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones.

    >>> import tinynorm
    >>> ones_(tinynorm.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    >>> import tinynorm
    >>> zeros_(tinynorm.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill with the identity matrix.

    Raises
    ------
    ValueError
        The tensor does not have 2 dimensions.

    Examples
    --------
    >>> import tinynorm
    >>> eye_(tinynorm.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ValueError(f"eye_: expected a tensor of 2 dimensions, got shape {tuple(tensor.shape)}")
    return fill_from_host(tensor, "eye_", np.eye(tensor.shape[0], tensor.shape[1]))


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, *). PyTorch's programs call it, in spite of its name.

    >>> import tinynorm
    >>> _calculate_fan_in_and_fan_out(tinynorm.empty(3, 4, 5))
    (20, 15)
    """
    return _fans("_calculate_fan_in_and_fan_out", tensor)


def _fans(op: str, tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, *)."""
    if tensor.ndim < 2:
        raise ValueError(f"{op}: expected a weight (out, in, *) of at least 2 dimensions, got shape {tuple(tensor.shape)}")
    out, into, *kernel = tensor.shape
    return into * math.prod(kernel), out * math.prod(kernel)


def _xavier_std(op: str, tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2 / max(sum(_fans(op, tensor)), 1))


def _kaiming_std(op: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{op}: expected mode to be 'fan_in' or 'fan_out', got {mode!r}")
    fan = _fans(op, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))  # an empty weight may have fan = 0


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform random numbers of standard deviation gain √(2 / (fan_in + fan_out)).

    Glorot and Bengio 2010, equation 16.

    Raises
    ------
    ValueError
        The tensor has fewer than 2 dimensions.

    Examples
    --------
    >>> import tinynorm
    >>> bool((xavier_uniform_(tinynorm.empty(3, 3)).abs() <= 1).all())
    True
    """
    bound = math.sqrt(3) * _xavier_std("xavier_uniform_", tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal random numbers of standard deviation gain √(2 / (fan_in + fan_out)).

    Glorot and Bengio 2010, section 4.2. It raises the same errors as `xavier_uniform_`.

    >>> import tinynorm
    >>> xavier_normal_(tinynorm.empty(3, 3)).shape
    torch.Size([3, 3])
    """
    return normal_(tensor, 0.0, _xavier_std("xavier_normal_", tensor, gain), generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Tensor:
    """Fill with uniform random numbers of standard deviation gain / √fan.

    He et al. 2015, "Delving deep into rectifiers", equation 14.

    Parameters
    ----------
    tensor : Tensor
        (out, in, *).
    a : float
        The negative slope of "leaky_relu".
    mode : {"fan_in", "fan_out"}
        Whether the standard deviation is preserved in the forward pass or in the backward pass.
    nonlinearity : str
        As in `calculate_gain`.
    generator : Generator, optional

    Raises
    ------
    ValueError
        The tensor has fewer than 2 dimensions, or an option has another value.

    Examples
    --------
    >>> import tinynorm
    >>> bool((kaiming_uniform_(tinynorm.empty(3, 6)).abs() <= 1).all())
    True
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> Tensor:
    """Fill with normal random numbers of standard deviation gain / √fan; otherwise as `kaiming_uniform_`.

    >>> import tinynorm
    >>> kaiming_normal_(tinynorm.empty(3, 6)).shape
    torch.Size([3, 6])
    """
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with gain times a random matrix with orthonormal rows or columns, whichever are fewer.

    A tensor (out, in, *) is treated as a matrix (out, in · *). Saxe, McClelland and Ganguli 2014. The matrix is Q of a QR
    decomposition, multiplied by the signs of R's diagonal: this makes Q uniformly distributed.

    Raises
    ------
    ValueError
        The tensor has fewer than 2 dimensions.

    Examples
    --------
    >>> import tinynorm
    >>> Q = orthogonal_(tinynorm.empty(2, 3))
    >>> (Q @ Q.T - tinynorm.eye(2)).abs().max().item() < 1e-6
    True
    """
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: expected a tensor of at least 2 dimensions, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    normal = (generator or default_generator).rng.standard_normal((max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(normal)
    Q = Q * np.where(np.diag(R) < 0, -1.0, 1.0)
    return fill_from_host(tensor, "orthogonal_", gain * (Q if rows >= columns else Q.T).reshape(tensor.shape))


# The old spellings
uniform, normal, constant, eye, orthogonal = uniform_, normal_, constant_, eye_, orthogonal_
xavier_uniform, xavier_normal = xavier_uniform_, xavier_normal_
kaiming_uniform, kaiming_normal = kaiming_uniform_, kaiming_normal_
