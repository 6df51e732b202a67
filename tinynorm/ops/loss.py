"""Losses, each one node with its closed-form backward."""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, raw
from .activation import log_normalized
from .common import as_tensor_like, keep_where, namespace, narrowed, promote, reshaped, sum_over, widened

REDUCTIONS = ("mean", "sum", "none")


def per_row(g: Any, divisor: Any) -> Any:
    """The gradient of one row's loss: g over the mean's divisor, or, without reduction, g itself beside dim 1.

    Where no target counts, the divisor is 0 and the loss NaN. No row has a part in it, so the gradient is 0, as in PyTorch.
    """
    if divisor is None:
        return namespace(g).expand_dims(g, axis=1)
    if isinstance(divisor, int):
        return g / max(divisor, 1)
    return g / namespace(divisor).where(divisor == 0, 1.0, divisor)


def minus_q_log_p(q: Any, log_p: Any, divisor: Any) -> Any:
    """-Σ_c q_c log p_c of each row, or of all rows over the divisor. 0 log 0 = 0: what is no target may be impossible."""
    terms = keep_where(q != 0, q * log_p)
    return -namespace(q).sum(terms, axis=1) if divisor is None else -namespace(q).sum(terms) / divisor


class CrossEntropy(Node):
    """ℓ = -Σ_c q_c log p_c, p = softmax(x) along dim 1;  dx = g (p Σ_c q_c - q),  dq = -g log p.

    q is the weighted target distribution: for a class index the indicator of the class (smoothed, times the class's weight),
    for class probabilities these, times the weights. Σ q = 1 for a plain index: then dx = g (p - q), softmax minus target.
    """

    fresh = True

    def __init__(self, divisor):
        self.divisor = divisor  # None: no reduction

    def log_p(self, x):
        return log_normalized(widened(x), 1)

    def forward(self, x, q):
        self.save(x, q)
        self.kept = self.log_p(x)
        return narrowed(minus_q_log_p(q, self.kept, self.divisor), x)

    def backward(self, g, x, q):
        xp = namespace(g)
        log_p = self.recall(self.log_p, x)
        g = per_row(g, self.divisor)
        dx = narrowed(g * (xp.exp(log_p) * sum_over(q, (1,)) - q), x) if self.needs[0] else None
        dq = narrowed(-g * log_p, q) if self.needs[1] else None
        return dx, dq


class NLL(Node):
    """ℓ = -Σ_c q_c x_c along dim 1, x = log p;  dx = -g q."""

    fresh = True

    def __init__(self, divisor):
        self.divisor = divisor

    def forward(self, x, q):
        self.save(q)
        return narrowed(minus_q_log_p(q, widened(x), self.divisor), x)

    def backward(self, g, q):
        return narrowed(-per_row(g, self.divisor) * q, g), None


class MSE(Node):
    """ℓ = Σ (x - t)² / n;  dx = 2 g (x - t) / n,  dt = -dx."""

    fresh = True

    def __init__(self, divisor):
        self.divisor = divisor  # None: no reduction

    def forward(self, x, t):
        self.save(x, t)
        d = widened(x) - widened(t)
        return narrowed(d * d if self.divisor is None else namespace(x).sum(d * d) / self.divisor, x)

    def backward(self, g, x, t):
        dx = narrowed((2 / (self.divisor or 1)) * g * (x - t), x)
        return dx, -dx if self.needs[1] else None


# ---- as functions ----------------------------------------------------------------------------------------------------


def _check_scores(op: str, x: Tensor) -> None:
    if x.ndim < 1:
        raise RuntimeError(f"{op}: expected input (C), (N, C) or (N, C, *), got a 0-d tensor")


def _check_common(op: str, x: Any, reduction: str) -> None:
    if not isinstance(x, Tensor) or not backend.is_floating(x.data):
        raise TypeError(f"{op}: expected a floating-point Tensor as input, got {getattr(x, 'dtype', type(x).__name__)}")
    if reduction not in REDUCTIONS:
        raise ValueError(f"{op}: expected reduction to be one of {', '.join(map(repr, REDUCTIONS))}, got {reduction!r}")


def _is_integer(t: Any) -> bool:
    return not backend.is_floating(raw(t)) and not backend.is_bool(raw(t))


def _check_weight(op: str, x: Tensor, weight: Tensor | None) -> Any:
    if weight is None:
        return None
    if not isinstance(weight, Tensor):
        raise TypeError(f"{op}: expected weight to be a Tensor or None, got {type(weight).__name__}; use tinynorm.tensor(...)")
    C = x.shape[1]
    if tuple(weight.shape) != (C,):
        raise RuntimeError(f"{op}: expected weight (C,) = ({C},), got {tuple(weight.shape)}")
    backend.check_same_device(op, [x.data, weight.data])
    return namespace(x.data).reshape(widened(weight.data), (1, C, *(1,) * (x.ndim - 2)))


def _indicator(op: str, x: Tensor, target: Tensor, ignore_index: int) -> tuple[Any, Any]:
    """(the indicator of the target classes, (N, C, *), zero where ignored; the mask of the targets that count)."""
    C = x.shape[1]
    expected = (x.shape[0], *x.shape[2:])
    if tuple(target.shape) != expected:
        raise RuntimeError(
            f"{op}: expected target of class indices (N, *) = {expected} for input (N, C, *) = {tuple(x.shape)}, "
            f"got {tuple(target.shape)}"
        )
    backend.check_same_device(op, [x.data, target.data])
    xp, classes = namespace(x.data), target.data
    counts = classes != ignore_index
    wrong = ((classes < 0) | (classes >= C)) & counts
    if bool(xp.any(wrong)):
        first = int(classes[wrong][0])
        raise IndexError(
            f"{op}: expected class indices from 0 to C-1 = {C - 1} (or ignore_index={ignore_index}), got {first} in the target"
        )
    every = xp.reshape(xp.arange(C, **backend.on_device_of(classes)), (1, C, *(1,) * (x.ndim - 2)))
    N, *positions = classes.shape
    hit = every == reshaped(classes, (N, 1, *positions))  # an ignored index outside 0 to C-1 hits none by itself
    if 0 <= ignore_index < C:
        hit = hit & xp.expand_dims(counts, axis=1)
    return hit, counts


def _count(mask: Any, like: Any) -> Any:
    """How many there are; NumPy says it in an int, the GPU in an array, which nobody waits for."""
    n = namespace(mask).count_nonzero(mask)
    return n if isinstance(n, int) else backend.astype(n, like.dtype)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross-entropy between softmax(x) and the target, from logits, as one node.

    Parameters
    ----------
    input : Tensor
        Logits, (C), (N, C) or (N, C, *).
    target : Tensor
        Class indices, int, of x's shape without C; or class probabilities, of x's shape and dtype.
    weight : Tensor, optional
        A factor per class, (C).
    ignore_index : int
        Targets of this value count for nothing (class indices only).
    reduction : {"mean", "sum", "none"}
        The mean is over the weights of the targets that count.
    label_smoothing : float
        From 0 to 1: how much of the target is spread evenly over all classes.

    Returns
    -------
    Tensor
        A scalar, or for "none" of the shape of the class indices.

    Raises
    ------
    IndexError
        A class index is out of range.
    RuntimeError, TypeError, ValueError
        Shapes, dtypes, devices or options do not fit.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.cross_entropy(tinynorm.tensor([[0.0, 0.0]]), tinynorm.tensor([1]))
    tensor(0.6931)
    """
    op, x = "cross_entropy", input
    _check_common(op, x, reduction)
    _check_scores(op, x)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{op}: expected label_smoothing from 0 to 1, got {label_smoothing!r}")
    if not isinstance(target, Tensor):
        raise TypeError(f"{op}: expected target to be a Tensor, got {type(target).__name__}")
    if x.ndim == 1:
        loss = cross_entropy(x.unsqueeze(0), target.unsqueeze(0), weight, ignore_index, reduction, label_smoothing)
        return loss[0] if reduction == "none" else loss
    w = _check_weight(op, x, weight)
    C = x.shape[1]
    rows = math.prod(x.shape) // C if C else 0
    divisor: Any = rows
    if _is_integer(target):
        hit, counts = _indicator(op, x, target, ignore_index)
        q: Any = backend.astype(hit, widened(x.data).dtype)
        if reduction == "mean":
            divisor = _count(counts, q) if w is None else namespace(q).sum(q * w)
        if label_smoothing:
            counts = namespace(q).expand_dims(backend.astype(counts, q.dtype), axis=1)
            q = ((1 - label_smoothing) * q + label_smoothing / C) * counts
        q = q if w is None else q * w
    else:
        q = _probabilities(op, x, target)
        q = q if not label_smoothing else (1 - label_smoothing) * q + label_smoothing / C
        q = q if w is None else q * as_tensor_like(w, x)
    return CrossEntropy({"mean": divisor, "sum": 1, "none": None}[reduction])(x, q)


def _probabilities(op: str, x: Tensor, target: Tensor) -> Tensor:
    if tuple(target.shape) != tuple(x.shape) or not backend.is_floating(target.data):
        raise RuntimeError(
            f"{op}: expected target to be class indices (int64) of shape {(x.shape[0], *x.shape[2:])} or class probabilities "
            f"({x.dtype}) of the input's shape {tuple(x.shape)}, got {target.dtype} {tuple(target.shape)}"
        )
    return target.to(widened(x.data).dtype)


def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """The negative log-likelihood of the target classes, from log-probabilities, as one node.

    Parameters
    ----------
    input : Tensor
        Log-probabilities, (C), (N, C) or (N, C, *), as `log_softmax` gives them.
    target : Tensor
        Class indices, int, of x's shape without C.
    weight, ignore_index, reduction
        As in `cross_entropy`.

    Returns
    -------
    Tensor
        A scalar, or for "none" of the target's shape.

    Raises
    ------
    IndexError
        A class index is out of range.
    RuntimeError, TypeError, ValueError
        Shapes, dtypes, devices or options do not fit.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.nll_loss(tinynorm.tensor([[-0.5, -0.9]]), tinynorm.tensor([1]))
    tensor(0.9)
    """
    op, x = "nll_loss", input
    _check_common(op, x, reduction)
    _check_scores(op, x)
    if not isinstance(target, Tensor) or not _is_integer(target):
        got = getattr(target, "dtype", type(target).__name__)
        raise TypeError(f"{op}: expected target to be a Tensor of class indices (int64), got {got}")
    if x.ndim == 1:
        loss = nll_loss(x.unsqueeze(0), target.unsqueeze(0), weight, ignore_index, reduction)
        return loss[0] if reduction == "none" else loss
    w = _check_weight(op, x, weight)
    hit, _ = _indicator(op, x, target, ignore_index)
    q = backend.astype(hit, widened(x.data).dtype)
    q = q if w is None else q * w
    return NLL({"mean": namespace(q).sum(q), "sum": 1, "none": None}[reduction])(x, q)


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared error (x - target)², averaged, summed or as it is.

    Parameters
    ----------
    input, target : Tensor
        Of one shape; no broadcasting, which here is nearly always a mistake.
    reduction : {"mean", "sum", "none"}

    Returns
    -------
    Tensor
        A scalar, or for "none" of the shape of x.

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
    x = input
    _check_common("mse_loss", x, reduction)
    if not isinstance(target, Tensor) and not backend.is_array(target):
        raise TypeError(f"mse_loss: expected target to be a Tensor, got {type(target).__name__}; use tinynorm.tensor(...)")
    if tuple(x.shape) != tuple(target.shape):
        raise RuntimeError(
            f"mse_loss: expected input and target of one shape, got {tuple(x.shape)} and {tuple(target.shape)}; reshape one "
            "(broadcasting (N, 1) against (N,) would compare every sample with every other)"
        )
    x, target = promote(x, target)
    return MSE({"mean": math.prod(x.shape), "sum": 1, "none": None}[reduction])(x, target)
