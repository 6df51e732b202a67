"""Losses that compare x with a target t element by element, and then average, add up, or hand on what they found.

A subclass of `PairLoss` says what one pair costs (`terms`), and the derivatives of that (`slopes`).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, raw
from .activation import sigmoid
from .common import keep_where, mean_over, namespace, narrowed, promote, reshaped, widened
from .loss import REDUCTIONS, check_input, the_reduction


class PairLoss(Node, ABC):
    """ℓ = Σ f(x, t) / n;  dx = (g / n) ∂f/∂x, dt = (g / n) ∂f/∂t. Weights are constants; their gradient is None."""

    fresh = True
    factor: float = 1  # of both slopes: `slopes` leaves it out
    dtype: Any = None  # of the loss; None: that of x and t

    def __init__(self, divisor):
        self.divisor = divisor  # n; None: no reduction

    @abstractmethod
    def terms(self, x, t, *weights):
        """f(x, t)."""

    @abstractmethod
    def slopes(self, g, x, t, *weights):
        """(g ∂f/∂x, g ∂f/∂t); the second may be None if self.needs[1] is False."""

    def forward(self, x, t, *weights):
        self.save(x, t, *weights)
        return backend.astype(self.reduced(self.terms(widened(x), widened(t), *weights)), self.dtype or x.dtype)

    def reduced(self, terms):
        """Reduce the terms. `mean_over` computes the mean, because the sum could overflow where the mean does not."""
        if self.divisor is None:
            return terms
        if self.divisor == 1:
            return namespace(terms).sum(terms)
        mean = reshaped(mean_over(terms, tuple(range(terms.ndim))), ())
        if not self.divisor:
            return mean * math.nan
        n = math.prod(terms.shape)
        return mean if n == self.divisor else mean * (n / self.divisor)

    def backward(self, g, x, t, *weights):
        factor = self.factor / (self.divisor or 1)
        g = widened(g) if factor == 1 else factor * widened(g)
        dx, dt = self.slopes(g, widened(x), widened(t), *weights)
        return narrowed(dx, x), None if dt is None else narrowed(dt, t), *[None] * len(weights)


class OfDifference(PairLoss):
    """f depends on d = x - t alone, so dt = -dx."""

    @abstractmethod
    def slope(self, d):
        """df/dd, without the factor."""

    def slopes(self, g, x, t):
        dx = g * self.slope(x - t)
        return dx, -dx if self.needs[1] else None


class MSE(OfDifference):
    """f = d², d = x - t;  df/dd = 2 d."""

    factor = 2

    def terms(self, x, t):
        d = x - t
        return d * d

    def slope(self, d):
        return d


class L1(OfDifference):
    """f = |d|, d = x - t;  df/dd = sign d, and 0 at d = 0."""

    def terms(self, x, t):
        return namespace(x).abs(x - t)

    def slope(self, d):
        return namespace(d).sign(d)


class Huber(OfDifference):
    """f = c (|d| - c / 2) with d = x - t and c = min(|d|, δ);  df/dd = d clamped to ±δ.

    Near 0 this is d² / 2, and from |d| = δ on it goes on as a straight line. Huber 1964, "Robust estimation of a location
    parameter".
    """

    def __init__(self, divisor, delta):
        super().__init__(divisor)
        self.delta = delta

    def terms(self, x, t):
        xp = namespace(x)
        a = xp.abs(x - t)
        c = xp.minimum(a, self.delta)
        return c * (a - 0.5 * c)

    def slope(self, d):
        xp = namespace(d)
        return xp.where(xp.abs(d) < self.delta, d, self.delta * xp.sign(d))  # from |d| = δ on without a second derivative


class SmoothL1(Huber):
    """`Huber`, divided by β = δ. Girshick 2015, "Fast R-CNN", equation 3."""

    def __init__(self, divisor, beta):
        super().__init__(divisor, beta)
        self.factor = 1 / beta

    def terms(self, x, t):
        return super().terms(x, t) * self.factor


EPSILON = float(np.float32(1e-12))  # PyTorch's constant, which is a float32


class BinaryCrossEntropy(PairLoss):
    """f = -w (t log x + (1 - t) log(1 - x)), x is a probability;  ∂f/∂x = w (x - t) / (x (1 - x)).

    So that x = 0 and x = 1 cost something finite, no logarithm is below -100, and no divisor below 10⁻¹², as in PyTorch.
    """

    def logs(self, x):
        """(log x, log(1 - x))."""
        xp = namespace(x)
        return xp.maximum(xp.log(x), -100.0), xp.maximum(xp.log1p(-x), -100.0)

    def terms(self, x, t, w=None):
        log, log1m = self.logs(x)
        f = -(t * log + (1 - t) * log1m)
        return f if w is None else w * f

    def slopes(self, g, x, t, w=None):
        g = g if w is None else w * g
        dx = g * ((x - t) / namespace(x).maximum(x * (1 - x), EPSILON))
        if not self.needs[1]:
            return dx, None
        log, log1m = self.logs(x)
        return dx, g * (log1m - log)


class BinaryCrossEntropyOfLogits(PairLoss):
    """f = w (p t softplus(-x) + (1 - t) softplus(x));  ∂f/∂x = w ((1 - t) σ(x) - p t σ(-x)).

    x is a logit: σ(x) is the probability, softplus(x) = log(1 + e^x) = -log σ(-x). p (`pos_weight`) weighs the positive class.
    Both softplus are >= 0, so a small loss keeps its digits. (PyTorch's (1 - t) x - log σ(x) loses all of them in float32 at
    x = -17, t = 0: it is 0, not e⁻¹⁷.)
    """

    def softplus(self, x):
        """(softplus(x), softplus(-x))."""
        xp = namespace(x)
        small = xp.log1p(xp.exp(-xp.abs(x)))  # the exponential is at most 1, so nothing overflows
        return xp.maximum(x, 0.0) + small, xp.maximum(-x, 0.0) + small

    def terms(self, x, t, w=None, p=None):
        plus, minus = self.softplus(x)
        f = (t if p is None else p * t) * minus + (1 - t) * plus
        return f if w is None else w * f

    def slopes(self, g, x, t, w=None, p=None):
        g = g if w is None else w * g
        dx = g * ((1 - t) * sigmoid(x) - (t if p is None else p * t) * sigmoid(-x))
        if not self.needs[1]:
            return dx, None
        if p is None:
            return dx, g * -x
        plus, minus = self.softplus(x)
        return dx, g * (p * minus - plus)


class KLDiv(PairLoss):
    """f = t (log t - x), where x = log q, and 0 where t = 0;  ∂f/∂x = -t, ∂f/∂t = log t + 1 - x."""

    def terms(self, x, t):
        xp = namespace(x)
        return keep_where((t != 0) | (x != x), t * (xp.log(t) - x))  # a NaN in x stays NaN

    def slopes(self, g, x, t):
        return g * -t, g * (namespace(t).log(t) + 1 - x) if self.needs[1] else None


class KLDivOfLogs(PairLoss):
    """f = e^t (t - x), where x = log q and t = log p;  ∂f/∂x = -e^t, ∂f/∂t = e^t (t - x + 1)."""

    def terms(self, x, t):
        return namespace(t).exp(t) * (t - x)

    def slopes(self, g, x, t):
        p = namespace(t).exp(t)
        return g * -p, g * p * (t - x + 1) if self.needs[1] else None


# ---- as functions ----------------------------------------------------------------------------------------------------


EITHER = {"mse_loss", "l1_loss", "smooth_l1_loss"}  # these take integers beside floats as the input too


def _pair(op: str, x: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Check the input and the target, and convert them to one dtype."""
    check_input(op, target if op in EITHER and isinstance(x, Tensor) and not backend.is_floating(x._array) else x)
    if not isinstance(target, Tensor) and not backend.is_array(target):
        raise TypeError(f"{op}: expected target to be a Tensor, got {type(target).__name__}; use tinynorm.tensor(...)")
    if tuple(x.shape) != tuple(target.shape):
        raise (ValueError if op.startswith("binary") else RuntimeError)(  # as in PyTorch
            f"{op}: expected input and target of one shape, got {tuple(x.shape)} and {tuple(target.shape)}; reshape one "
            "(broadcasting (N, 1) against (N,) would compare every sample with every other)"
        )
    return promote(x, target)


def _divisor(x: Tensor, reduction: str) -> int | None:
    """What the sum of the terms is divided by; None: no reduction."""
    if reduction == "batchmean":
        return x.shape[0] if x.ndim else 1
    return {"mean": math.prod(x.shape), "sum": 1, "none": None}[reduction]


def _weight(op: str, name: str, weight: Any, x: Tensor) -> Any:
    """A weight as a constant in the dtype of the computation; None stays None."""
    if weight is None:
        return None
    if not isinstance(weight, Tensor):
        raise TypeError(f"{op}: expected {name} to be a Tensor or None, got {type(weight).__name__}; use tinynorm.tensor(...)")
    ours = (1,) * (x.ndim - weight.ndim) + tuple(weight.shape)
    if len(ours) != x.ndim or any(n not in (1, size) for n, size in zip(ours, x.shape, strict=True)):
        shapes = f"the input's shape {tuple(x.shape)}, got {tuple(weight.shape)}"
        raise RuntimeError(f"{op}: expected {name} to broadcast to {shapes}")
    return weight.detach().to(widened(x._array).dtype)


def mse_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """The squared error (x - target)², averaged, summed or without reduction.

    Parameters
    ----------
    input, target : Tensor
        Of the same shape; one of them may be integers. They do not broadcast, because in a loss broadcasting is nearly always
        a mistake.
    size_average, reduce : bool, optional
        PyTorch's old form of `reduction`: ``size_average=False`` is "sum", ``reduce=False`` is "none".
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    Tensor
        A scalar; for "none", a tensor of the shape of x.

    Raises
    ------
    RuntimeError
        The shapes differ.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.mse_loss(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 4.0]))
    tensor(2.)
    """
    x, t = _pair("mse_loss", input, target)
    return MSE(_divisor(x, the_reduction("mse_loss", reduction, size_average, reduce)))(x, t)


def l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """The absolute error |x - target|. Shapes, `reduction` and errors are those of `mse_loss`; the gradient at 0 is 0.

    >>> import tinynorm
    >>> tinynorm.nn.functional.l1_loss(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 4.0]))
    tensor(1.)
    """
    x, t = _pair("l1_loss", input, target)
    return L1(_divisor(x, the_reduction("l1_loss", reduction, size_average, reduce)))(x, t)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """(x - target)² / (2 beta) where |x - target| < beta, else |x - target| - beta / 2; for beta = 0, `l1_loss`.

    Shapes, `reduction` and errors are those of `mse_loss`.

    Raises
    ------
    ValueError
        `beta` is negative.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.smooth_l1_loss(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.5, 4.0]), reduction="none")
    tensor([0.1250, 1.5000])
    """
    x, t = _pair("smooth_l1_loss", input, target)
    divisor = _divisor(x, the_reduction("smooth_l1_loss", reduction, size_average, reduce))
    if not beta >= 0:
        raise ValueError(f"smooth_l1_loss: expected beta >= 0, got {beta}")
    return (SmoothL1(divisor, beta) if beta else L1(divisor))(x, t)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """(x - target)² / 2 where |x - target| < delta, else delta (|x - target| - delta / 2).

    Shapes, `reduction` and errors are those of `mse_loss`.

    Raises
    ------
    ValueError
        `delta` is not positive.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.huber_loss(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.5, 6.0]), "none", delta=2.0)
    tensor([0.1250, 6.0000])
    """
    x, t = _pair("huber_loss", input, target)
    if not delta > 0:
        raise ValueError(f"huber_loss: expected delta > 0, got {delta}")
    loss = Huber(_divisor(x, the_reduction("huber_loss", reduction, None, None)), delta)
    loss.dtype = raw(input).dtype
    return loss(x, t)


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """-(t log x + (1 - t) log(1 - x)), where x are probabilities. `binary_cross_entropy_with_logits` keeps more digits.

    Parameters
    ----------
    input, target : Tensor
        Numbers from 0 to 1, of the same shape and floating-point.
    weight : Tensor, optional
        A factor for each element; broadcasts to the shape of x. It gets no gradient.
    size_average, reduce, reduction
        As in `mse_loss`. The mean divides by the number of elements, whatever the weights are.

    Returns
    -------
    Tensor
        A scalar; for "none", a tensor of the shape of x. A logarithm below -100 counts as -100.

    Raises
    ------
    RuntimeError
        The shapes differ, or a number is not from 0 to 1.
    TypeError
        The target is not floating-point.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.binary_cross_entropy(tinynorm.tensor([0.5, 0.9]), tinynorm.tensor([1.0, 1.0]), reduction="none")
    tensor([0.6931, 0.1054])
    """
    op = "binary_cross_entropy"
    reduction = the_reduction(op, reduction, size_average, reduce)
    x, t = _binary_pair(op, input, target)
    xp = namespace(x._array)
    if bool(xp.any((x._array < 0) | (x._array > 1))):
        fix = "apply sigmoid first, or use binary_cross_entropy_with_logits"
        raise RuntimeError(f"{op}: all elements of input should be between 0 and 1; {fix}")
    if bool(xp.any((t._array < 0) | (t._array > 1))):
        raise RuntimeError(f"{op}: all elements of target should be between 0 and 1")
    return BinaryCrossEntropy(_divisor(x, reduction))(x, t, _weight(op, "weight", weight, x))


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """`binary_cross_entropy` of sigmoid(x), where x are logits of any size, without overflow and without losing digits.

    Parameters
    ----------
    input, target : Tensor
        Of the same shape and floating-point.
    weight : Tensor, optional
        A factor for each element; broadcasts to the shape of x. It gets no gradient.
    size_average, reduce, reduction
        As in `binary_cross_entropy`.
    pos_weight : Tensor, optional
        A factor for the part of the positive class, t log sigmoid(x); broadcasts to the shape of x. It gets no gradient.

    Returns
    -------
    Tensor
        A scalar; for "none", a tensor of the shape of x.

    Raises
    ------
    RuntimeError
        The shapes differ.
    TypeError
        The target is not floating-point.

    Examples
    --------
    >>> import tinynorm
    >>> x, t = tinynorm.tensor([0.0, 1000.0]), tinynorm.tensor([1.0, 0.0])
    >>> tinynorm.nn.functional.binary_cross_entropy_with_logits(x, t, reduction="none").tolist()
    [0.6931471824645996, 1000.0]
    """
    op = "binary_cross_entropy_with_logits"
    reduction = the_reduction(op, reduction, size_average, reduce)
    x, t = _binary_pair(op, input, target)
    w, p = _weight(op, "weight", weight, x), _weight(op, "pos_weight", pos_weight, x)
    loss = BinaryCrossEntropyOfLogits(_divisor(x, reduction))
    loss.dtype = raw(target).dtype
    return loss(x, t, w, p)


def _binary_pair(op: str, x: Any, target: Any) -> tuple[Tensor, Tensor]:
    x, t = _pair(op, x, target)
    if not backend.is_floating(target._array if isinstance(target, Tensor) else target):
        raise RuntimeError(f"{op}: expected a floating-point Tensor as target, got {raw(target).dtype}; use target.float()")
    return x, t


def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """The Kullback-Leibler divergence of the target from x: t (log t - x), where x are log-probabilities.

    Parameters
    ----------
    input : Tensor
        Log-probabilities, as `log_softmax` gives them, (N, *).
    target : Tensor
        Probabilities of the same shape; with `log_target`, log-probabilities. A probability of 0 costs nothing.
    size_average, reduce : bool, optional
        As in `mse_loss`.
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean" divides by N, and so gives the mean divergence of a sample; "mean" divides by the number of elements.
    log_target : bool

    Returns
    -------
    Tensor
        A scalar; for "none", a tensor of the shape of x.

    Raises
    ------
    RuntimeError
        The shapes differ.
    TypeError
        The target is not floating-point.

    Examples
    --------
    >>> import tinynorm
    >>> x, t = tinynorm.tensor([[0.5, 0.5]]).log(), tinynorm.tensor([[1.0, 0.0]])
    >>> tinynorm.nn.functional.kl_div(x, t, reduction="batchmean")
    tensor(0.6931)
    """
    reduction = the_reduction("kl_div", reduction, size_average, reduce, (*REDUCTIONS, "batchmean"))
    x, t = _binary_pair("kl_div", input, target)
    return (KLDivOfLogs if log_target else KLDiv)(_divisor(x, reduction))(x, t)
