"""Losses of class indices and class probabilities. Each is one node of the graph, with its backward in closed form.

A class index selects one number of each row: the forward reads this number of log p, and the backward changes this number of
the gradient. (A product with a one-hot matrix (N, C) would take several times the memory. It would also compute 0 * inf = NaN
for a class with probability 0 that is no target.)
"""

from __future__ import annotations

import math
import warnings
from functools import cached_property
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..kernels.buffers import empty
from ..kernels.select import kernels_for
from ..tensor import Tensor, raw, wrap
from .activation import log_normalized
from .common import as_tensor_like, keep_where, namespace, narrowed, promote, sum_over, sum_to, widened
from .indexing import add_at, at, lines

REDUCTIONS = ("mean", "sum", "none")


def per_row(g: Any, divisor: Any) -> Any:
    """The gradient of each row's loss: g / divisor; without reduction, g itself with a new dimension 1."""
    g = widened(g)
    if divisor is None:
        return namespace(g).expand_dims(g, axis=1)
    return g / max(divisor, 1) if isinstance(divisor, int) else g / divisor


def reduced(terms: Any, divisor: Any) -> Any:
    """Reduce the terms of the rows: -Σ terms / divisor, or -terms if the divisor is None.

    If there are no rows, the result is NaN. (Python's own division by 0 would raise an error.)
    """
    if divisor is None:
        return -terms
    total = -namespace(terms).sum(terms)
    return total * math.nan if isinstance(divisor, int) and divisor == 0 else total / divisor


class Classes:
    """Targets given as class indices y: q_c = w_c ((1 - ε) [c = y] + ε / C), and q_c = 0 for an ignored row.

    Parameters
    ----------
    y : array
        The classes, (N, 1, *). An ignored row has any valid class.
    counts : array or None
        Which rows count (are not ignored), (N, 1, *). None: all rows count.
    weight : array or None
        w, (1, C, ...).
    smoothing : float
        ε.
    shape : tuple
        The shape of the input, (N, C, *).

    Attributes
    ----------
    shifted : tuple or None
        (kernels, c, c_y), where c = x - max x in each row, if a kernel computed these when it looked at y.
    """

    shifted: Any = None

    def __init__(self, y: Any, counts: Any, weight: Any, smoothing: float, shape: tuple[int, ...]) -> None:
        self.y, self.counts, self.w, self.smoothing, self.shape = y, counts, weight, smoothing, shape
        self.w_y = None if weight is None else namespace(y).reshape(weight, (-1,))[y]  # (N, 1, *)

    @cached_property
    def places(self) -> tuple:
        """The index of each row's class in x."""
        return (*lines(self.y, self.shape[:1]), self.y, *lines(self.y, self.shape[2:], behind=True))

    def selected(self, rows: Any) -> Any:
        """`rows`, (N, 1, *), with 0 for the ignored rows, also where these are infinite or NaN."""
        return rows if self.counts is None else namespace(rows).where(_as(rows, self.counts), rows, 0.0)

    def total_weight(self, like: Any) -> Any:
        """The divisor of the mean: Σ w_y; without weights, the number of rows that count.

        That number is an int on the CPU, but an array on the GPU, so that the host does not wait for it.
        """
        if self.w_y is not None:
            return namespace(like).sum(self.selected(self.w_y))
        n = math.prod(self.y.shape) if self.counts is None else namespace(like).count_nonzero(self.counts)
        return n if isinstance(n, int) else backend.astype(n, like.dtype)

    def loss(self, log_p: Any, divisor: Any) -> Any:
        """-Σ_c q_c log p_c, reduced.

        The part of the target class and the part of the smoothing are reduced separately, and then added. With a total weight
        of 0 the first part is 0 / 0 = NaN; in one common sum this NaN could become inf.
        """
        terms = log_p[self.places] if self.w_y is None else self.w_y * log_p[self.places]
        loss = reduced(self.selected(terms)[:, 0, ...], divisor)
        if self.smoothing:
            terms = sum_over(log_p if self.w is None else self.w * log_p, (1,))
            rest = reduced(self.selected(terms)[:, 0, ...], divisor)
            loss = (1 - self.smoothing) * loss + (self.smoothing / self.shape[1]) * rest
        return loss

    def of_class(self, g: Any) -> Any:
        """g (1 - ε) w_y for each row: the entry of g q at the row's class, without the smoothing term."""
        g = g if not self.smoothing else g * (1 - self.smoothing)
        return self.selected(g if self.w_y is None else g * _as(g, self.w_y))

    def gradient(self, g: Any, p: Any) -> Any:
        """g (p Σ_c q_c - q), where g has one number per row. If p is an array, it is overwritten."""
        g_y = self.of_class(g)
        if not self.smoothing:
            return add_at_classes(_times(p, g_y), self.places, -g_y)  # cf. SX.29: t is one-hot
        g_c = self.selected(g) * (self.smoothing / self.shape[1])  # the smoothing term of each class, (N, 1, *)
        g_c = g_c if self.w is None else g_c * _as(g, self.w)  # (N, C, *)
        total = g_y + (self.shape[1] * g_c if self.w is None else sum_over(g_c, (1,)))
        return add_at_classes(_times(p, total) - g_c, self.places, -g_y)


def _as(g: Any, constant: Any) -> Any:
    """Convert a constant array to a Tensor if g is a Tensor."""
    return wrap(constant) if isinstance(g, Tensor) else constant


def _times(p: Any, rows: Any) -> Any:
    """Multiply each row of p by its number in `rows`. If p is an array, it is overwritten."""
    if isinstance(p, Tensor):
        return p * rows
    p *= rows
    return p


def add_at_classes(x: Any, places: tuple, v: Any) -> Any:
    """Add v to x at one class of each row (its index is `places`). If x is an array, it may be overwritten."""
    if isinstance(x, Tensor):
        return AddAtClasses(places)(x, v)
    if isinstance(x, np.ndarray) or backend.on_gpu(x):
        x[places] += v
        return x
    xp, shape = namespace(x), (1, x.shape[1], *(1,) * (x.ndim - 2))  # no assignment by index arrays in the array standard
    return xp.where(xp.reshape(xp.arange(x.shape[1], device=x.device), shape) == places[1], x + v, x)


class AddAtClasses(Node):
    """y = x with v added at one class of each row;  dx = g, dv = g at these places, summed over broadcast dimensions."""

    def __init__(self, places):
        self.places = places

    def forward(self, x, v):
        self.shape = v.shape
        return add_at_classes(backend.copy(x), self.places, v)

    def backward(self, g):
        return g, sum_to(at(g, self.places), self.shape) if self.needs[1] else None


class CrossEntropy(Node):
    """ℓ = -Σ_c q_c log p_c, p = softmax(x) along dim 1;  dx = g (p Σ_c q_c - q),  dq = -g log p.

    q is the weighted target distribution: a `Classes`, or class probabilities times the weights. For class indices without
    weights Σ q = 1, so dx = g (p - q): softmax minus target. 0 log 0 counts as 0, so p_c = 0 is allowed where q_c = 0.
    """

    fresh = True
    kernel: Any = None  # if there is one, it computes p, which is kept in place of log p

    def __init__(self, divisor):
        self.divisor = divisor  # None: no reduction

    def log_p(self, x):
        return log_normalized(widened(x), 1)

    def forward(self, x, q):
        self.classes = q
        if isinstance(q, Classes):
            self.save(x)
            if q.shifted is not None:
                return self.loss_by_kernel(q)
            self.kept = log_p = self.log_p(x)
            return narrowed(q.loss(log_p, self.divisor), x)
        self.save(x, q)
        self.kept = log_p = self.log_p(x)
        terms = sum_over(keep_where((q != 0) | (log_p != log_p), q * log_p), (1,))  # a NaN in log p stays NaN
        return narrowed(reduced(terms[:, 0, ...], self.divisor), x)

    def loss_by_kernel(self, q):
        (self.kernel, c, c_y), q.shifted = q.shifted, None  # only the node holds c, which becomes p
        self.kept, loss = np.exp(c, out=c), empty((), c.dtype)
        self.kernel.losses(c, c_y, float(self.divisor), loss)
        return loss

    def backward(self, g, x, q=None):
        if self.kernel is not None and not isinstance(g, Tensor):
            dz = empty(x.shape, x.dtype)
            self.kernel.gradient(self.kept, self.classes.y, g.reshape(1), float(self.divisor), dz)
            return dz, None
        log_p = self.recall(self.log_p, x)
        p, dell = namespace(g).exp(log_p), per_row(g, self.divisor)
        if q is None:
            return narrowed(self.classes.gradient(dell, p), x), None
        dx = narrowed(dell * (p * sum_over(q, (1,)) - q), x) if self.needs[0] else None  # SX.26: t is q
        return dx, narrowed(-dell * log_p, q) if self.needs[1] else None


class NLL(Node):
    """ℓ = -Σ_c q_c x_c along dim 1, where x = log p and q is a `Classes`;  dx = -g q."""

    fresh = True

    def __init__(self, divisor):
        self.divisor = divisor

    def forward(self, x, q):
        self.classes = q
        return narrowed(q.loss(widened(x), self.divisor), x)

    def backward(self, g):
        g_y = narrowed(self.classes.of_class(per_row(g, self.divisor)), g)
        shape, places = self.classes.shape, self.classes.places
        if isinstance(g, Tensor):
            return add_at(shape, places, namespace(g).broadcast_to(-g_y, self.classes.y.shape)), None
        return add_at_classes(backend.zeros(shape, g), places, -g_y), None


# ---- as functions ----------------------------------------------------------------------------------------------------


def _check_scores(op: str, x: Tensor) -> None:
    if x._array.ndim < 1:
        raise RuntimeError(f"{op}: expected input (C), (N, C) or (N, C, *), got a 0-d tensor")


def check_input(op: str, x: Any) -> None:
    """Raise TypeError if the input of a loss is not a floating-point Tensor."""
    if not isinstance(x, Tensor) or not backend.is_floating(x._array):
        raise TypeError(f"{op}: expected a floating-point Tensor as input, got {getattr(raw(x), 'dtype', type(x).__name__)}")


def the_reduction(
    op: str,
    reduction: str,
    size_average: bool | None,
    reduce: bool | None,
    known: tuple[str, ...] = REDUCTIONS,
    stacklevel: int = 3,
) -> str:
    """`reduction`, checked; or what PyTorch's old arguments say in its place, if one of them is given.

    ``reduce=False`` is "none"; else ``size_average=False`` is "sum", and True is "mean". The warning shows the caller's caller,
    or one `stacklevel` further up.
    """
    if size_average is not None or reduce is not None:
        average, scalar = (flag is None or bool(flag) for flag in (size_average, reduce))
        reduction = "none" if not scalar else "mean" if average else "sum"
        warnings.warn(f"{op}: size_average= and reduce= are deprecated; write reduction={reduction!r}", stacklevel=stacklevel)
    if reduction not in known:
        raise ValueError(f"{op}: expected reduction to be one of {', '.join(map(repr, known))}, got {reduction!r}")
    return reduction


def _is_integer(t: Any) -> bool:
    a = raw(t)
    return not backend.is_floating(a) and not backend.is_bool(a)


def _check_weight(op: str, x: Tensor, weight: Tensor | None) -> Any:
    if weight is None:
        return None
    if not isinstance(weight, Tensor):
        raise TypeError(f"{op}: expected weight to be a Tensor or None, got {type(weight).__name__}; use tinynorm.tensor(...)")
    C = x.shape[1]
    if tuple(weight.shape) != (C,):
        raise RuntimeError(f"{op}: expected weight (C,) = ({C},), got {tuple(weight.shape)}")
    backend.check_same_device(op, [x._array, weight._array])
    w = backend.astype(weight._array, widened(x._array).dtype)
    return namespace(w).reshape(w, (1, C, *(1,) * (x.ndim - 2)))


def _classes(op: str, x: Tensor, target: Tensor, weight: Any, ignore_index: int, smoothing: float = 0.0) -> Classes:
    """Check the class indices in `target`, and return them as `Classes`.

    Raises
    ------
    ValueError, RuntimeError
        `target` does not have one class for each row; ValueError if it has another batch size.
    IndexError
        A class index is out of range.
    """
    shape = x._array.shape
    C, expected = shape[1], (shape[0], *shape[2:])
    if target._array.shape != expected:
        of_batch = target._array.ndim == len(expected) and target._array.shape[:1] != shape[:1]
        raise (ValueError if of_batch else RuntimeError)(  # as in PyTorch
            f"{op}: expected target of class indices (N, *) = {expected} for input (N, C, *) = {shape}, "
            f"got {tuple(target.shape)}"
        )
    backend.check_same_device(op, [x._array, target._array])
    xp, y = namespace(x._array), target._array
    simple = type(y) in backend.NUMPYS and y.dtype == np.int64 and y.size and not 0 <= ignore_index < C
    if simple and np.maximum.reduce(y.view(np.uint64), None) < C:  # all rows count (as uint64, a negative class is huge)
        return Classes(y[:, None].copy(), None, weight, smoothing, shape)  # a copy: backward needs it as it is now
    counts: Any = y != ignore_index
    wrong = ((y < 0) | (y >= C)) & counts
    if bool(xp.any(wrong)):
        first = int(y[wrong][0])
        raise IndexError(
            f"{op}: expected class indices from 0 to C-1 = {C - 1} (or ignore_index={ignore_index}), got {first} in the target"
        )
    y = xp.expand_dims(xp.where(counts, y, 0) if C else y, axis=1)
    counts = None if type(counts) in backend.NUMPYS and counts.all() else xp.expand_dims(counts, axis=1)
    return Classes(backend.astype(y, xp.int64), counts, weight, smoothing, tuple(x.shape))


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross-entropy between softmax(x) and the target, where x are logits. It is one node of the graph.

    Parameters
    ----------
    input : Tensor
        Logits, (C), (N, C) or (N, C, *).
    target : Tensor
        Class indices (integers) in x's shape without C; or class probabilities in x's shape and dtype.
    weight : Tensor, optional
        A factor per class, (C).
    ignore_index : int
        Rows with this class index are ignored. With class probabilities, `ignore_index` >= 0 is an error.
    reduction : {"mean", "sum", "none"}
        The mean divides by the sum of the weights of the targets that are not ignored; with class probabilities, by the
        number of rows.
    label_smoothing : float
        From 0 to 1: how much of the target is spread evenly over all classes.
    size_average, reduce : bool, optional
        PyTorch's old form of `reduction`: ``size_average=False`` is "sum", ``reduce=False`` is "none".

    Returns
    -------
    Tensor
        A scalar; for "none", a tensor of the shape of the class indices.

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
    if weight is None and label_smoothing == 0 and reduction != "none" and size_average is None and reduce is None:
        loss = _by_kernels(x, target, ignore_index, reduction)
        if loss is not None:
            return loss
    check_input(op, x)
    reduction = the_reduction(op, reduction, size_average, reduce)
    _check_scores(op, x)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"{op}: expected label_smoothing from 0 to 1, got {label_smoothing!r}")
    if not isinstance(target, Tensor):
        raise TypeError(f"{op}: expected target to be a Tensor, got {type(target).__name__}")
    if x._array.ndim == 1:
        options: dict[str, Any] = {"ignore_index": ignore_index, "reduction": reduction, "label_smoothing": label_smoothing}
        loss = cross_entropy(x.unsqueeze(0), target.unsqueeze(0), weight, **options)
        return loss[0] if reduction == "none" else loss
    w = _check_weight(op, x, weight)
    divisor: Any = 1 if reduction == "sum" else None
    if _is_integer(target):
        q: Any = _classes(op, x, target, w, ignore_index, label_smoothing)
        divisor = q.total_weight(widened(x._array)) if reduction == "mean" else divisor
    else:
        C = x.shape[1]
        if ignore_index >= 0:
            raise RuntimeError(f"{op}: expected no ignore_index beside class probabilities, got {ignore_index}; leave it out")
        divisor = (math.prod(x.shape) // C if C else 0) if reduction == "mean" else divisor
        x, q = _probabilities(op, x, target)
        q = q if not label_smoothing else (1 - label_smoothing) * q + label_smoothing / C
        q = q if w is None else q * as_tensor_like(w, x)
    return CrossEntropy(divisor)(x, q)


def _by_kernels(x: Any, target: Any, ignore_index: int, reduction: str) -> Any:
    """The cross-entropy of class indices by kernels; None if none fits, or if not each row has a class from 0 to C - 1."""
    if not isinstance(x, Tensor) or not isinstance(target, Tensor) or reduction not in ("mean", "sum"):
        return None
    z, y = x._array, target._array
    shape = z.shape
    if len(shape) != 2 or y.shape != shape[:1] or type(y) not in backend.NUMPYS or y.dtype.kind not in "iu":
        return None
    kernels = kernels_for("classes", z)
    if kernels is None or 0 <= ignore_index < shape[1]:
        return None
    y = y if y.dtype == np.int64 and y.flags.carray else y.astype(np.int64)
    N, dtype = shape[0], z.dtype
    c, classes, c_y = empty(shape, dtype), empty((N, 1), y.dtype), empty((N + 1,), dtype)
    kernels.shift(z, y, c, classes, c_y)
    if not c_y[N:]:
        return None
    q = Classes(classes, None, None, 0.0, shape)
    q.shifted = kernels, c, c_y
    return CrossEntropy(N if reduction == "mean" else 1)(x, q)


def _probabilities(op: str, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Check the class probabilities in `target`; return both in one dtype, the target in that of the computation."""
    if tuple(target.shape) != tuple(x.shape) or not backend.is_floating(target._array):
        raise RuntimeError(
            f"{op}: expected target to be class indices (int64) of shape {(x.shape[0], *x.shape[2:])} or class probabilities "
            f"({x._array.dtype}) of the input's shape {tuple(x.shape)}, got {target._array.dtype} {tuple(target.shape)}"
        )
    x, target = promote(x, target)
    return x, target.to(widened(x._array).dtype)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of the target classes, where x are log-probabilities. It is one node of the graph.

    Parameters
    ----------
    input : Tensor
        Log-probabilities, (C), (N, C) or (N, C, *), as `log_softmax` gives them.
    target : Tensor
        Class indices (integers) in x's shape without C.
    weight, size_average, ignore_index, reduce, reduction
        As in `cross_entropy`.

    Returns
    -------
    Tensor
        A scalar; for "none", a tensor of the target's shape.

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
    tensor(0.9000)
    """
    op, x = "nll_loss", input
    check_input(op, x)
    reduction = the_reduction(op, reduction, size_average, reduce)
    _check_scores(op, x)
    if not isinstance(target, Tensor) or not _is_integer(target):
        got = getattr(target, "dtype", type(target).__name__)
        raise TypeError(f"{op}: expected target to be a Tensor of class indices (int64), got {got}")
    if x.ndim == 1:
        loss = nll_loss(x.unsqueeze(0), target.unsqueeze(0), weight, ignore_index=ignore_index, reduction=reduction)
        return loss[0] if reduction == "none" else loss
    w = _check_weight(op, x, weight)
    q = _classes(op, x, target, w, ignore_index)
    divisor = q.total_weight(widened(x._array)) if reduction == "mean" else None
    return NLL({"mean": divisor, "sum": 1, "none": None}[reduction])(x, q)
