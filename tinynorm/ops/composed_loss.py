"""Losses that are composed of the ops that there are: of margins and distances, of counts, of variances.

As `pair_loss`, they do not broadcast the input against the target.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..tensor import Tensor
from .activation import softplus
from .arithmetic import clamp_min, minimum, where
from .common import as_float, namespace, narrowed, of_tensors, printed_as, promote, widened
from .distance import cosine_similarity, pairwise_distance
from .exponential import exp, log
from .loss import the_reduction
from .pair_loss import EPSILON, _pair, binary_cross_entropy_with_logits
from .reduction import mean, sum
from .shape import full_like, unsqueeze


def _reduced(losses: Any, reduction: str, *inputs: Any) -> Any:
    """The mean or the sum of the losses, or all of them; in float16 if the inputs that are not integers are."""
    loss = {"mean": mean, "sum": sum, "none": lambda x: x}[reduction](losses)
    floats = [x for x in inputs if backend.is_floating(x._array)]
    return narrowed(loss, floats[0]) if floats and all(backend.is_half(x._array) for x in floats) else loss


@of_tensors
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(‖a - p‖ - ‖a - n‖ + margin, 0): the anchor must be nearer to the positive than to the negative.

    Balntas et al. 2016, "Learning local feature descriptors with triplets and shallow convolutional neural networks".

    Parameters
    ----------
    anchor, positive, negative : Tensor
        (N, D) or (D).
    margin : float
        Greater than 0.
    p, eps : float
        As in `pairwise_distance`.
    swap : bool
        Compare with the negative's distance from the positive, if that is the smaller one (section 3.2).
    size_average, reduce, reduction
        As in `mse_loss`.

    Raises
    ------
    RuntimeError, ValueError
        The tensors have different numbers of dimensions, or the margin is not positive.

    Examples
    --------
    >>> import tinynorm
    >>> a, p, n = tinynorm.zeros(1, 2), tinynorm.ones(1, 2), tinynorm.tensor([[2.0, 0.0]])
    >>> tinynorm.nn.functional.triplet_margin_loss(a, p, n)
    tensor(0.4142)
    """
    op = "triplet_margin_loss"
    reduction = the_reduction(op, reduction, size_average, reduce)
    _same_ndim(op, anchor=anchor, positive=positive, negative=negative)
    if not margin > 0:
        raise ValueError(f"{op}: expected margin > 0, got {margin}")
    a, b, c = map(widened, (anchor, positive, negative))
    near, far = pairwise_distance(a, b, p, eps), pairwise_distance(a, c, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(b, c, p, eps))
    return _reduced(clamp_min(margin + near - far, 0), reduction, anchor, positive, negative)


@of_tensors
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """1 - cos(x1, x2) where the target is 1, max(cos(x1, x2) - margin, 0) where it is -1.

    Parameters
    ----------
    input1, input2 : Tensor
        (N, D), with a target (N); or (D), with a target ().
    target : Tensor
    margin : float
    size_average, reduce, reduction
        As in `mse_loss`.

    Raises
    ------
    RuntimeError
        The shapes do not fit.

    Examples
    --------
    >>> import tinynorm
    >>> x1, x2 = tinynorm.tensor([[1.0, 0.0], [1.0, 0.0]]), tinynorm.tensor([[0.0, 1.0], [3.0, 0.0]])
    >>> tinynorm.nn.functional.cosine_embedding_loss(x1, x2, tinynorm.tensor([1, -1]))
    tensor(1.)
    """
    op = "cosine_embedding_loss"
    reduction = the_reduction(op, reduction, size_average, reduce)
    if input1.shape != input2.shape or tuple(target.shape) != tuple(input1.shape[:-1]) or input1.ndim not in (1, 2):
        shapes = f"{tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(target.shape)}"
        raise RuntimeError(f"{op}: expected inputs (N, D) and a target (N), or inputs (D) and a target (), got {shapes}")
    a, b = as_float(input1), as_float(input2)
    cos = cosine_similarity(widened(a), widened(b), -1, eps=math.sqrt(EPSILON))
    losses = where(target == 1, 1 - cos, 0.0) + where(target == -1, clamp_min(cos - margin, 0), 0.0)
    return _reduced(losses, reduction, a, b)


@of_tensors
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """max(-target (x1 - x2) + margin, 0): where the target is 1, x1 must be the larger one, where it is -1, x2.

    The three have one number of dimensions. `size_average`, `reduce` and `reduction` are as in `mse_loss`.

    >>> import tinynorm
    >>> x1, x2, t = tinynorm.tensor([1.0, 1.0]), tinynorm.tensor([2.0, 3.0]), tinynorm.tensor([1, -1])
    >>> tinynorm.nn.functional.margin_ranking_loss(x1, x2, t, reduction="none")
    tensor([1., 0.])
    """
    op = "margin_ranking_loss"
    reduction = the_reduction(op, reduction, size_average, reduce)
    _same_ndim(op, input1=input1, input2=input2, target=target)
    losses = clamp_min(-target * (widened(input1) - widened(input2)) + float(margin), 0)
    return _reduced(losses, reduction, input1, input2, target)


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """x where the target is 1, max(margin - x, 0) where it is -1; x is a distance. Shapes and errors are those of `mse_loss`.

    >>> import tinynorm
    >>> x, t = tinynorm.tensor([0.5, 0.25]), tinynorm.tensor([1, -1])
    >>> tinynorm.nn.functional.hinge_embedding_loss(x, t, reduction="none")
    tensor([0.5000, 0.7500])
    """
    op = "hinge_embedding_loss"
    reduction = the_reduction(op, reduction, size_average, reduce)
    _, t = _pair(op, input, target)
    x32 = widened(input)
    losses = where(t != 1, clamp_min(margin - x32, 0), 0.0) + where(t != -1, x32, 0.0)
    return _reduced(losses, reduction, input)


def soft_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """log(1 + e^(-target x)), where the target is 1 or -1. Shapes and errors are those of `mse_loss`.

    >>> import tinynorm
    >>> tinynorm.nn.functional.soft_margin_loss(tinynorm.tensor([0.0, 1000.0]), tinynorm.tensor([1, -1]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    op = "soft_margin_loss"
    reduction = the_reduction(op, reduction, size_average, reduce)
    x, t = _pair(op, input, target)
    losses = softplus(-widened(t) * widened(x), threshold=math.inf)
    return printed_as("SoftMarginLossBackward0", narrowed(_reduced(losses, reduction, x), input))


def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`binary_cross_entropy_with_logits`, averaged over the classes, the last dimension. `weight` has a factor for each class.

    >>> import tinynorm
    >>> x, t = tinynorm.tensor([[0.0, 0.0]]), tinynorm.tensor([[1.0, 0.0]])
    >>> tinynorm.nn.functional.multilabel_soft_margin_loss(x, t)
    tensor(0.6931)
    """
    op = "multilabel_soft_margin_loss"
    reduction = the_reduction(op, reduction, size_average, reduce)
    x, t = _pair(op, input, target)
    x, t = (x, t) if weight is None else (promote(each, weight)[0] for each in (x, t))
    losses = binary_cross_entropy_with_logits(widened(x), widened(t), weight, reduction="none")
    return _reduced(mean(losses, -1), reduction, x)


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of counts t under Poisson distributions: λ - t log λ, without the constant log t!.

    Parameters
    ----------
    input : Tensor
        log λ; λ itself if not `log_input`.
    target : Tensor
        t, of the same shape.
    log_input : bool
    full : bool
        Add Stirling's approximation of log t! where t > 1: t log t - t + log(2π t) / 2.
    eps : float
        Added to λ in log λ, if not `log_input`.
    size_average, reduce, reduction
        As in `mse_loss`.

    Raises
    ------
    RuntimeError
        The shapes differ.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.poisson_nll_loss(tinynorm.tensor([0.0, 1.0]), tinynorm.tensor([2.0, 2.0]), reduction="none")
    tensor([1.0000, 0.7183])
    """
    op = "poisson_nll_loss"
    reduction = the_reduction(op, reduction, size_average, reduce)
    x, t = _pair(op, as_float(input), target)
    z, n = widened(x), widened(t)
    losses = exp(z) - n * z if log_input else z - n * log(z + eps)
    if full:
        m = where(n > 1, n, 1.0)
        losses = losses + where(n > 1, m * log(m) - m + 0.5 * log(2 * math.pi * m), 0.0)
    return _reduced(losses, reduction, x)


def gaussian_nll_loss(input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> Any:
    """The negative log-likelihood of t under normal distributions: (log var + (x - t)² / var) / 2, without a constant.

    Nix and Weigend 1994, "Estimating the mean and variance of the target probability distribution".

    Parameters
    ----------
    input, target : Tensor
        The expectations x, and t, of the same shape.
    var : Tensor or float
        The variances, of the same shape, or with 1 for one of the sizes, or without the last dimension. A variance counts as
        at least eps; its gradient is taken as if it were not.
    full : bool
        Add the constant log(2π) / 2.
    eps : float
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    RuntimeError, ValueError
        The shapes do not fit, or a variance is negative.

    Examples
    --------
    >>> import tinynorm
    >>> x, t = tinynorm.tensor([0.0, 0.0]), tinynorm.tensor([0.0, 2.0])
    >>> tinynorm.nn.functional.gaussian_nll_loss(x, t, tinynorm.ones(2), reduction="none")
    tensor([0., 2.])
    """
    op = "gaussian_nll_loss"
    reduction = the_reduction(op, reduction, None, None)
    x, t = _pair(op, input, target)
    var = var if isinstance(var, Tensor) else full_like(x, var)
    z, v = widened(x), as_float(widened(var))
    if v.ndim == x.ndim - 1 and tuple(v.shape) == tuple(x.shape[:-1]) and tuple(v.shape) != tuple(x.shape):
        v = unsqueeze(v, -1)
    if v.ndim != x.ndim or [b for a, b in zip(x.shape, v.shape, strict=True) if a != b] not in ([], [1]):
        raise RuntimeError(
            f"{op}: expected var of the input's shape {tuple(x.shape)}, with 1 for one of the sizes or without the last, "
            f"got {tuple(v.shape)}"
        )
    if bool(namespace(v._array).any(v._array < 0)):
        raise ValueError(f"{op}: expected variances, which are not negative; apply exp or softplus to the network's output")
    v = where(v.detach() < eps, v + (eps - v).detach(), v)  # eps, with the gradient of v
    d = z - widened(t)
    losses = 0.5 * (log(v) + d * d / v)
    return _reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction, x, var)


def _same_ndim(op: str, **tensors: Any) -> None:
    if len({x.ndim for x in tensors.values()}) > 1:
        shapes = " and ".join(f"{name} {tuple(x.shape)}" for name, x in tensors.items())
        raise RuntimeError(f"{op}: expected tensors of one number of dimensions, got {shapes}")
