"""Activations that are met less often. Some are nodes of their own, the others are composed of ops that there are."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import raw, wrap
from .activation import ELU, Sigmoid, Softplus, Tanh, activated, sigmoid, softmax, written
from .arithmetic import masked_fill
from .common import (
    accepts_axis,
    as_float,
    as_held_by,
    keep_where,
    namespace,
    narrowed,
    of_tensors,
    one_dim,
    only_floats,
    only_numbers,
    printed_as,
    promote,
    sum_to,
    widened,
)
from .inplace import scatter
from .logic import argmax
from .pieces import chunk
from .shape import zeros_like


class PReLU(Node):
    """y = x where x > 0, else w x;  dx = g where x > 0, else w g;  dw = Σ g x over x <= 0.

    He et al. 2015, "Delving deep into rectifiers", equations 1, 8 and 9.
    """

    fresh = True

    def forward(self, x, w):
        self.save(x, w)
        return namespace(x).where(x > 0, x, w * x)

    def backward(self, g, x, w):
        positive = x > 0
        dx = namespace(g).where(positive, g, w * g)
        return dx, narrowed(sum_to(keep_where(~positive, widened(g) * x), w.shape), w)


class Hardtanh(Node):
    """y = x clipped to [a, b];  dx = g where a < x < b, else 0. (`clamp` hands g on at a and b too.)"""

    fresh = True

    def __init__(self, a: float, b: float) -> None:
        self.a, self.b = a, b

    def forward(self, x):
        self.save(x)
        xp = namespace(x)
        return xp.minimum(xp.maximum(x, self.a), self.b)

    def backward(self, g, x):
        return (keep_where(~((x <= self.a) | (x >= self.b)), g),)  # where x is NaN, g passes, as in ReLU


class Pointwise(Node, ABC):
    """y = f(x), element by element;  dx = g f'(x)."""

    fresh = True

    @abstractmethod
    def f(self, x):
        """f(x)."""

    @abstractmethod
    def slope(self, x):
        """f'(x)."""

    def forward(self, x):
        self.save(x)
        return narrowed(self.f(widened(x)), x)

    def backward(self, g, x):
        return (narrowed(widened(g) * self.slope(widened(x)), g),)


class Softsign(Pointwise):
    """f = x / (1 + |x|);  f' = 1 / (1 + |x|)²."""

    def f(self, x):
        return x / (1 + namespace(x).abs(x))

    def slope(self, x):
        r = 1 / (1 + namespace(x).abs(x))
        return r * r


class Tanhshrink(Pointwise):
    """f = x - tanh(x);  f' = tanh²(x)."""

    def f(self, x):
        return x - Tanh()(x)

    def slope(self, x):
        t = Tanh()(x)
        return t * t


class Mish(Pointwise):
    """f = x t with t = tanh(log(1 + e^x));  f' = t + x (1 - t²) σ(x).

    Misra 2020, "Mish: a self regularized non-monotonic activation function", equations 1 and 3.
    """

    def t(self, x):
        return Tanh()(Softplus(1.0, math.inf)(x))

    def f(self, x):
        return x * self.t(x)

    def slope(self, x):
        t = self.t(x)
        return t + x * ((1 - t * t) * Sigmoid()(x))


# ---- as functions ----------------------------------------------------------------------------------------------------


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else weight · x.

    Parameters
    ----------
    input : Tensor
        (N, C, *), or any shape if there is one weight.
    weight : Tensor
        (C), a weight for each channel; or (1), one for all.

    Raises
    ------
    RuntimeError
        The number of weights is neither 1 nor C.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([[-1.0, -1.0], [2.0, 2.0]])
    >>> tinynorm.nn.functional.prelu(x, tinynorm.tensor([0.25, 0.5]))
    tensor([[-0.2500, -0.5000],
            [ 2.0000,  2.0000]])
    """
    x, w = promote(only_floats("prelu", input), only_floats("prelu", weight))
    n, C = math.prod(w.shape), x.shape[1] if x.ndim > 1 else 1
    if w.ndim > 1 or n not in (1, C):
        raise RuntimeError(f"prelu: expected 1 weight, or C={C} as the input (N, C, *) has, got {tuple(w.shape)}")
    return PReLU()(x, w.reshape((1, C) + (1,) * (x.ndim - 2)) if n > 1 else w.reshape((1,) * x.ndim))


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x clipped to the range from min_val to max_val, both in the dtype of x. `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.hardtanh(tinynorm.tensor([-3.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: expected min_val <= max_val, got {min_val} and {max_val}")
    return _clipped("hardtanh", input, min_val, max_val, inplace)


def _clipped(op: str, input: Any, a: float, b: float, inplace: bool) -> Any:
    """Integers stay integers, unlike in the other activations."""
    x = only_numbers(op, input)
    if not backend.is_floating(raw(x)):  # as in PyTorch, the fractions go first, and no negative limit is counted down
        a, b = (float(math.trunc(n)) if math.isfinite(n) else n for n in (a, b))
    return written(op, Hardtanh(as_held_by(op, x.dtype, a), as_held_by(op, x.dtype, b)), x, inplace)


def relu6(input: Any, inplace: bool = False) -> Any:
    """x clipped to the range from 0 to 6. `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.relu6(tinynorm.tensor([-1.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return _clipped("relu6", input, 0.0, 6.0, inplace)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """x / 6 + 1 / 2, but 0 below x = -3 and 1 above x = 3. `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.hardsigmoid(tinynorm.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """

    def node(x: Any) -> Any:
        return printed_as("HardsigmoidBackward0", narrowed(_hardsigmoid(widened(x)), x))

    return activated("hardsigmoid", node, input, inplace)


def _hardsigmoid(x: Any) -> Any:
    return (Hardtanh(-3.0, 3.0)(x) + 3) / 6  # x / 6 + 1 / 2 would lose the digits of x + 3 near x = -3


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x `hardsigmoid`(x). `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.hardswish(tinynorm.tensor([-4.0, 1.5, 4.0]))
    tensor([-0.0000, 1.1250, 4.0000])
    """

    def node(x: Any) -> Any:
        x32 = widened(x)
        return printed_as("HardswishBackward0", narrowed(x32 * _hardsigmoid(x32), x))

    return activated("hardswish", node, input, inplace)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # they keep mean 0 and variance 1; the paper, equation 14


def selu(input: Any, inplace: bool = False) -> Any:
    """scale · `elu`(x, alpha), with alpha = 1.6733 and scale = 1.0507. `inplace` writes the result into the input.

    Klambauer et al. 2017, "Self-normalizing neural networks", equation 2.

    >>> import tinynorm
    >>> tinynorm.nn.functional.selu(tinynorm.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """

    def node(x: Any) -> Any:
        return printed_as("EluBackward0", narrowed(SELU_SCALE * ELU(SELU_ALPHA)(widened(x)), x))

    return activated("selu", node, input, inplace)


def logsigmoid(input: Any) -> Any:
    """log σ(x), where σ is the sigmoid; accurate also where σ(x) would round to 0 or 1.

    >>> import tinynorm
    >>> tinynorm.nn.functional.logsigmoid(tinynorm.tensor([-50.0, 0.0]))
    tensor([-50.0000,  -0.6931])
    """
    return printed_as("LogSigmoidBackward0", -Softplus(1.0, math.inf)(-only_floats("logsigmoid", input)))


@of_tensors
def softsign(input: Any) -> Any:
    """x / (1 + |x|).

    >>> import tinynorm
    >>> tinynorm.nn.functional.softsign(tinynorm.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return Softsign()(as_float(input))


@of_tensors
def tanhshrink(input: Any) -> Any:
    """x - tanh(x).

    >>> import tinynorm
    >>> tinynorm.nn.functional.tanhshrink(tinynorm.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    return Tanhshrink()(as_float(input))


def mish(input: Any, inplace: bool = False) -> Any:
    """x tanh(log(1 + e^x)). `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.mish(tinynorm.tensor([-1.0, 1.0]))
    tensor([-0.3034,  0.8651])
    """
    return activated("mish", Mish(), input, inplace)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where x > threshold, else `value`; both in the dtype of x. `inplace` writes the result into the input.

    >>> import tinynorm
    >>> tinynorm.nn.functional.threshold(tinynorm.tensor([0.5, 2.0]), 1.0, 20.0)
    tensor([20.,  2.])
    """
    dtype = only_numbers("threshold", input).dtype
    limit, value = as_held_by("threshold", dtype, threshold), as_held_by("threshold", dtype, value)

    def node(x: Any) -> Any:
        return printed_as("ThresholdBackward0", masked_fill(x, x.detach() <= limit, value))

    return written("threshold", node, input, inplace)


@accepts_axis
def glu(input: Any, dim: int = -1) -> Any:
    """a σ(b), where a and b are the halves of the input along `dim`, and σ is the sigmoid.

    Dauphin et al. 2017, "Language modeling with gated convolutional networks", equation 1.

    Raises
    ------
    RuntimeError
        The size along `dim` is odd, or the input has no dimensions.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.glu(tinynorm.tensor([2.0, 4.0, 0.0, 100.0]))
    tensor([1., 4.])
    """
    x = only_floats("glu", input)
    if not x.ndim:
        raise RuntimeError("glu: expected a tensor of at least 1 dimension, got a 0-d one")
    d = one_dim(dim, x.ndim, "glu")
    if x.shape[d] % 2:
        raise RuntimeError(f"glu: expected an even size along dim {dim}, got an input of shape {tuple(x.shape)}")
    a, b = chunk(widened(x), 2, d)
    return printed_as("GluBackward0", narrowed(a * sigmoid(b), x))


@accepts_axis
def softmin(input: Any, dim: int, dtype: Any = None) -> Any:
    """`softmax` of -x.

    >>> import tinynorm
    >>> tinynorm.nn.functional.softmin(tinynorm.tensor([0.0, 0.0, 1000.0]), dim=0)
    tensor([0.5000, 0.5000, 0.0000])
    """
    return softmax(-input, dim, dtype)


@accepts_axis
def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A class drawn with the probabilities softmax(logits), in a form that can be differentiated.

    Jang, Gu and Poole 2017, "Categorical reparameterization with Gumbel-softmax", equations 1 and 2.

    Parameters
    ----------
    logits : Tensor
        Log-probabilities, up to a constant.
    tau : float
        The temperature: the smaller it is, the closer the result is to one-hot.
    hard : bool
        Return one-hot vectors. The gradient is that of the soft ones.
    eps : float
        Ignored, as in PyTorch.
    dim : int

    Returns
    -------
    Tensor
        In the shape of the logits; it sums to 1 along `dim`. The random numbers come from tinynorm's default generator.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.gumbel_softmax(tinynorm.tensor([0.0, 1000.0, 0.0]), hard=True)
    tensor([0., 1., 0.])
    """
    d = one_dim(dim, only_floats("gumbel_softmax", logits).ndim, "gumbel_softmax")
    drawn = backend.default_generator.rng.standard_exponential(tuple(logits.shape), dtype="float32")  # as in dropout
    gumbel = -np.log(np.maximum(drawn, np.finfo(np.float32).tiny))
    x = widened(logits)
    noise = backend.astype(backend.from_host(gumbel, x._array), x._array.dtype)
    y = narrowed(softmax((x + wrap(noise)) / tau, d), logits)
    if not hard:
        return y
    soft = y.detach()
    return scatter(zeros_like(soft), d, argmax(soft, d, keepdim=True), value=1.0) - soft + y
