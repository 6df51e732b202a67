"""Activations and the softmax family."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..kernels.buffers import empty
from ..kernels.select import kernels_for
from ..tensor import Tensor, method
from .arithmetic import clamp
from .common import (
    accepts_axis,
    all_dims,
    as_float,
    keep_where,
    namespace,
    narrowed,
    of_tensors,
    one_dim,
    only_floats,
    only_numbers,
    size_along,
    sum_over,
    widened,
)
from .reduction import Reduction, amax


class ReLU(Node):
    """y = max(x, 0);  dx = dy where x > 0, else 0."""

    fresh = True

    def forward(self, x):
        y = namespace(x).maximum(x, 0)
        self.save(y)
        return y

    def backward(self, dy, y):
        kernel = kernels_for("activations", dy, y)
        if kernel is None:
            return (keep_where(~(y <= 0), dy),)  # RE.8: where x is NaN, dy passes
        dx = empty(dy.shape, dy.dtype)
        kernel.relu_backward(y.reshape(-1), dy.reshape(-1), dx.reshape(-1))
        return (dx,)


class Sigmoid(Node):
    """y = 1 / (1 + e^(-x));  dx = g y (1 - y)."""

    def forward(self, x):
        xp = namespace(x)
        y = xp.exp(xp.minimum(x, 0)) / (1 + xp.exp(-xp.abs(x)))  # both exponents are at most 0, so nothing overflows
        self.save(y)
        return y

    def backward(self, g, y):
        return (g * (y * (1 - y)),)


class Tanh(Node):
    """y = tanh(x);  dx = g (1 - y²)."""

    def forward(self, x):
        y = namespace(x).tanh(x)
        self.save(y)
        return y

    def backward(self, g, y):
        return (g * (1 - y * y),)


class Erf(Node):
    """y = 2/√π ∫₀ˣ e^(-t²) dt;  dx = g 2/√π e^(-x²)."""

    def forward(self, x):
        self.save(x)
        return narrowed(backend.special("erf", widened(x)), x)  # SciPy's erf converts float16 to float64

    def backward(self, g, x):
        return (g * (2 / math.sqrt(math.pi) * namespace(x).exp(-x * x)),)


class Erfc(Node):
    """y = 1 - erf(x), computed so that a small y keeps its digits;  dx = -g 2/√π e^(-x²)."""

    def forward(self, x):
        self.save(x)
        return narrowed(backend.special("erfc", widened(x)), x)

    def backward(self, g, x):
        return (g * (-2 / math.sqrt(math.pi) * namespace(x).exp(-x * x)),)


class GELU(Node):
    """y = x Φ(x);  dx = g (Φ(x) + x φ(x)), where Φ is the normal distribution function and φ its density.

    Φ(x) is computed as erfc(-x/√2) / 2. The formula (1 + erf(x/√2)) / 2 loses digits for negative x, and all of them at -8.3.
    Hendrycks and Gimpel 2016, "Gaussian error linear units", section 2.
    """

    fresh = True

    def forward(self, x):
        self.save(x)
        kernels = kernels_for("gelu", x)
        if kernels is not None:
            return in_two_sweeps(x, kernels.exponents, np.exp, kernels.gelu)
        x32 = widened(x)
        return narrowed(x32 * self.Phi(x32), x)

    def Phi(self, x):
        return 0.5 * erfc(x * -math.sqrt(0.5))

    def backward(self, g, x):
        kernels = kernels_for("gelu", g, x)
        if kernels is not None:
            return (in_two_sweeps(x, kernels.exponents, np.exp, kernels.gelu_backward, g),)
        x32 = widened(x)
        phi = namespace(x).exp(-0.5 * x32 * x32) * (1 / math.sqrt(2 * math.pi))
        return (narrowed(g * (self.Phi(x32) + x32 * phi), g),)


def in_two_sweeps(x, first, function, second, *grads):
    """By kernels: `first` makes the argument of one of NumPy's functions, and `second` uses its value."""
    between, y = empty(x.shape, x.dtype), empty(x.shape, x.dtype)
    x_, between_, y_, *grads_ = (a.reshape(-1) for a in (x, between, y, *grads))
    first(x_, between_)
    function(between_, out=between_)
    second(x_, between_, *grads_, y_)
    return y


class GELUTanh(Node):
    """y = x (1 + t) / 2, t = tanh(k (x + c x³));  dx = g ((1 + t) / 2 + x (1 - t²) k (1 + 3 c x²) / 2)."""

    k, c = math.sqrt(2 / math.pi), 0.044715
    fresh = True

    def forward(self, x):
        self.save(x)
        kernels = kernels_for("gelu", x)
        if kernels is not None:
            return in_two_sweeps(x, kernels.arguments, np.tanh, kernels.gelu_tanh)
        x32 = widened(x)
        return narrowed(0.5 * x32 * (1 + self.t(x32)), x)

    def t(self, x):
        return namespace(x).tanh(self.k * (x + self.c * x * x * x))

    def backward(self, g, x):
        kernels = kernels_for("gelu", g, x)
        if kernels is not None:
            return (in_two_sweeps(x, kernels.arguments, np.tanh, kernels.gelu_tanh_backward, g),)
        # Beyond ±32, 1 - t² is 0 in every dtype. The clamp keeps x² from overflowing: 0 * inf would be NaN.
        x32 = clamp(widened(x), -32.0, 32.0)
        t = self.t(x32)
        return (narrowed(g * (0.5 * (1 + t) + 0.5 * x32 * (1 - t * t) * (self.k * (1 + 3 * self.c * x32 * x32))), g),)


class LeakyReLU(Node):
    """y = x where x > 0, else s x;  dx = dy where x > 0, else s dy."""

    fresh = True

    def __init__(self, s: float) -> None:
        self.s = float(s)

    def forward(self, x):
        self.save(x)
        xp = namespace(x)
        return xp.maximum(x, 0) + self.s * xp.minimum(x, 0)

    def backward(self, dy, x):
        return (keep_where(x > 0, dy) + self.s * keep_where(~(x > 0), dy),)


class ELU(Node):
    """y = x where x > 0, else α (e^x - 1);  dx = dy where x > 0, else α e^x dy.

    Clevert, Unterthiner and Hochreiter 2016, "Fast and accurate deep network learning by exponential linear units", section 3.
    """

    fresh = True

    def __init__(self, alpha: float) -> None:
        self.alpha = float(alpha)  # (NumPy's float64 would make float64 of float32)

    def forward(self, x):
        self.save(x)
        xp = namespace(x)
        return xp.maximum(x, 0) + self.alpha * xp.expm1(xp.minimum(x, 0))

    def backward(self, dy, x):
        slope = self.alpha * namespace(dy).exp(keep_where(x < 0, x))  # (e^x may overflow where x > 0)
        return (keep_where(~(x <= 0), dy) + keep_where(x <= 0, dy * slope),)  # where x is NaN, dy passes, as in ReLU


class SiLU(Node):
    """y = x σ(x);  dx = dy σ(x) (1 + x (1 - σ(x))), where σ is the sigmoid."""

    fresh = True

    def forward(self, x):
        self.save(x)
        x32 = widened(x)
        return narrowed(x32 * Sigmoid()(x32), x)

    def backward(self, dy, x):
        x32 = widened(x)
        s = Sigmoid()(x32)
        return (narrowed(dy * (s * (1 + x32 * (1 - s))), dy),)


class Softplus(Node):
    """y = log(1 + e^(β x)) / β, or x where β x > t;  dx = dy σ(β x), or dy there."""

    fresh = True

    def __init__(self, beta: float, threshold: float) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x):
        self.save(x)
        xp, x32 = namespace(x), widened(x)
        z = self.beta * x32
        y = (xp.maximum(z, 0) + xp.log1p(xp.exp(-xp.abs(z)))) / self.beta  # e^z may overflow, e^(-|z|) does not
        return narrowed(xp.where(z > self.threshold, x32, y), x)

    def backward(self, dy, x):
        z = self.beta * widened(x)
        beyond = z > self.threshold
        return (narrowed(keep_where(beyond, dy) + keep_where(~beyond, dy * Sigmoid()(z)), dy),)


def largest(x: Any, dims: tuple[int, ...]) -> Any:
    """The maximum over `dims`, which stay with length 1; -inf if there are no elements.

    The graph treats it as a constant (`detach`). It is only subtracted from exponents, and cancels out of the result.
    """
    if not size_along(x.shape, dims):
        return -math.inf
    return amax(x.detach(), dims, keepdim=True) if isinstance(x, Tensor) else namespace(x).max(x, axis=dims, keepdims=True)


def log_normalized(x: Any, dim: int) -> Any:
    """log softmax: c - log Σ e^c with c = x - max x. The largest exponent is 0, so nothing overflows."""
    c = x - largest(x, (dim,))
    xp = namespace(x)
    return c - xp.log(sum_over(xp.exp(c), (dim,)))  # cf. SX.11: c = z - s


class Softmax(Node):
    """p = e^z / Σ e^z;  dz = p (dp - Σ dp p)."""

    fresh = True

    def __init__(self, dim):
        self.dim = dim

    def forward(self, x):
        z = widened(x)
        s = largest(z, (self.dim,))
        u = namespace(x).exp(z - s)  # SX.2
        S = sum_over(u, (self.dim,))  # SX.3
        p = narrowed(u / S, x)  # SX.4
        self.save(p)
        return p

    def backward(self, g, y):
        p, dp = widened(y), widened(g)
        return (narrowed(p * (dp - sum_over(dp * p, (self.dim,))), g),)  # SX.21


class LogSoftmax(Node):
    """y = x - log Σ e^x;  dx = g - e^y Σ g."""

    fresh = True

    def __init__(self, dim):
        self.dim = dim

    def forward(self, x):
        y = narrowed(log_normalized(widened(x), self.dim), x)
        self.save(y)
        return y

    def backward(self, g, y):
        log_p, dlog_p = widened(y), widened(g)
        return (narrowed(dlog_p - namespace(g).exp(log_p) * sum_over(dlog_p, (self.dim,)), g),)  # SX.24


class LogSumExp(Reduction):
    """y = m + s, with m = max x and s = log Σ e^(x - m);  dx = g e^(x - m - s), or 0 if all x of the row are -inf.

    Backward uses m and s, not y: where m is large, y has lost digits of s. In float32, 10^6 + 0.6931 is 10^6 + 0.6875.
    """

    def parts(self, x):
        """(m, s), with the reduced dimensions kept."""
        xp, x32 = namespace(x), widened(x)
        m = largest(x32, self.dims)
        m = xp.where(xp.isfinite(m), m, 0.0) if size_along(x.shape, self.dims) else 0.0  # empty: shift by 0
        return m, xp.log(sum_over(xp.exp(x32 - m), self.dims))

    def forward(self, x):
        self.shape = x.shape
        self.save(x)
        self.kept = m, s = self.parts(x)
        return narrowed(self.reduced(m + s), x)  # -inf for a row of -inf

    def backward(self, g, x):
        m, s = self.recall(self.parts, x)
        s = namespace(g).where(s == -math.inf, 0.0, s)  # e^(-inf - 0) = 0; NaN stays
        return (narrowed(self.expanded(widened(g)) * namespace(g).exp(widened(x) - m - s), g),)


# ---- as functions and methods ----------------------------------------------------------------------------------------


@method()
def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0); the gradient at 0 is 0, NaN stays NaN. `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.relu(tinynorm.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    only_numbers("relu", input)
    return input.relu_() if inplace else ReLU()(input)


@method()
def sigmoid(input: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow on either side.

    >>> import tinynorm
    >>> tinynorm.sigmoid(tinynorm.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return Sigmoid()(as_float(input))


@method()
def tanh(input: Any) -> Any:
    """The hyperbolic tangent.

    >>> import tinynorm
    >>> tinynorm.tanh(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return Tanh()(as_float(input))


@of_tensors
@method()
def erf(input: Any) -> Any:
    """The error function.

    >>> import tinynorm
    >>> tinynorm.erf(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return Erf()(as_float(input))


@of_tensors
@method()
def erfc(input: Any) -> Any:
    """1 - erf(x), accurate also where the result is small.

    >>> import tinynorm
    >>> tinynorm.erfc(tinynorm.tensor([0.0, 10.0], dtype="float64"))
    tensor([1.0000e+00, 2.0885e-45], dtype=torch.float64)
    """
    return Erfc()(as_float(input))


@method()
def gelu(input: Any, approximate: str = "none") -> Any:
    """x Φ(x), where Φ is the normal distribution function; ``approximate="tanh"`` uses an approximation by tanh.

    Raises
    ------
    ValueError
        `approximate` is neither "none" nor "tanh".

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.ops.gelu(tinynorm.tensor([-1.0, 1.0]))
    tensor([-0.1587,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: expected approximate='none' or 'tanh', got {approximate!r}")
    return (GELU() if approximate == "none" else GELUTanh())(only_floats("gelu", input))


def activated(name: str, node: Callable[[Any], Any], input: Any, inplace: bool) -> Any:
    """The node's result for floating-point numbers; with `inplace`, written into the input."""
    return written(name, node, only_floats(name, input), inplace)


def written(name: str, node: Callable[[Any], Any], input: Any, inplace: bool) -> Any:
    """The node's result; with `inplace`, written into the input."""
    if not inplace:
        return node(input)
    from .inplace import replace  # which imports this file

    return replace(input, f"{name}_", node)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else negative_slope · x. `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.leaky_relu(tinynorm.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return activated("leaky_relu", LeakyReLU(negative_slope), input, inplace)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else alpha (e^x - 1). `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.elu(tinynorm.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    return activated("elu", ELU(alpha), input, inplace)


def silu(input: Any, inplace: bool = False) -> Any:
    """x σ(x), where σ is the sigmoid; also called swish. `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.silu(tinynorm.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """
    return activated("silu", SiLU(), input, inplace)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """log(1 + e^(beta x)) / beta, a smooth relu; where beta x > threshold it is x, as in PyTorch.

    >>> import tinynorm
    >>> tinynorm.nn.functional.softplus(tinynorm.tensor([-1.0, 0.0, 100.0]))
    tensor([  0.3133,   0.6931, 100.0000])
    """
    return Softplus(beta, threshold)(only_floats("softplus", input))


@method()
@accepts_axis
def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """e^x / Σ e^x along `dim`. The exponents are shifted, so that nothing overflows.

    >>> import tinynorm
    >>> tinynorm.softmax(tinynorm.tensor([0.0, 0.0, 1000.0]), dim=0)
    tensor([0., 0., 1.])
    """
    x = only_floats("softmax", input if dtype is None else input.to(dtype))
    d = one_dim(dim, x.ndim, "softmax")
    return Softmax(d)(x) if x.ndim else Softmax(d)(x.reshape(1)).reshape(())


@method()
@accepts_axis
def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """x - log Σ e^x along `dim`, accurate also where the softmax itself would round to 0.

    >>> import tinynorm
    >>> tinynorm.log_softmax(tinynorm.tensor([0.0, 1000.0]), dim=0)
    tensor([-1000.,     0.])
    """
    x = only_floats("log_softmax", input if dtype is None else input.to(dtype))
    d = one_dim(dim, x.ndim, "log_softmax")
    return LogSoftmax(d)(x) if x.ndim else LogSoftmax(d)(x.reshape(1)).reshape(())


@method()
@accepts_axis
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """log Σ e^x over `dim`. The exponents are shifted, so that nothing overflows.

    >>> import tinynorm
    >>> tinynorm.logsumexp(tinynorm.tensor([500.0, 500.0]), dim=0)
    tensor(500.6931)
    """
    return LogSumExp(all_dims(dim, input.ndim, "logsumexp"), keepdim)(as_float(input))
