"""The losses as modules."""

from __future__ import annotations

from typing import Any

from ..ops.loss import REDUCTIONS, the_reduction
from ..tensor import Tensor
from . import functional as F
from .module import Module


class _Loss(Module):
    """The base class of the losses: the reduction, and `size_average` and `reduce`, PyTorch's old form of it."""

    reductions: tuple[str, ...] = REDUCTIONS

    def __init__(self, size_average: bool | None, reduce: bool | None, reduction: str) -> None:
        super().__init__()
        self.reduction = the_reduction(type(self).__name__, reduction, size_average, reduce, self.reductions, stacklevel=4)


class CrossEntropyLoss(_Loss):
    """`functional.cross_entropy` as a module. Input: logits (N, C, *). Target: class indices (N, *) or class probabilities.

    Parameters
    ----------
    weight : Tensor, optional
        A factor per class, (C). It is a buffer, which moves with the module.
    size_average, reduce : bool, optional
        PyTorch's old form of `reduction`: ``size_average=False`` is "sum", ``reduce=False`` is "none".
    ignore_index : int
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        From 0 to 1.

    Raises
    ------
    ValueError
        `reduction` or `label_smoothing` has another value.

    Examples
    --------
    >>> import tinynorm
    >>> CrossEntropyLoss()(tinynorm.tensor([[0.0, 0.0]]), tinynorm.tensor([1]))
    tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"CrossEntropyLoss: expected label_smoothing from 0 to 1, got {label_smoothing!r}")
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_Loss):
    """`functional.nll_loss` as a module. Input: log-probabilities (N, C, *). Target: class indices (N, *).

    The parameters and errors are the same as in `CrossEntropyLoss`, but there is no `label_smoothing`.

    >>> import tinynorm
    >>> NLLLoss()(tinynorm.tensor([[-0.5, -0.9]]), tinynorm.tensor([1]))
    tensor(0.9000)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(_Loss):
    """`functional.mse_loss` as a module: (input - target)², averaged, summed or without reduction.

    >>> import tinynorm
    >>> MSELoss()(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """`functional.l1_loss` as a module: |input - target|, averaged, summed or without reduction.

    >>> import tinynorm
    >>> L1Loss()(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 4.0]))
    tensor(1.)
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """`functional.smooth_l1_loss` as a module: squares up to `beta`, and a straight line beyond it.

    >>> import tinynorm
    >>> SmoothL1Loss()(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 4.0]))
    tensor(0.7500)
    """

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """`functional.huber_loss` as a module: half squares up to `delta`, and a straight line beyond it.

    >>> import tinynorm
    >>> HuberLoss(delta=2.0)(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 6.0]))
    tensor(3.)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(None, None, reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_Loss):
    """`functional.binary_cross_entropy` as a module. Input: probabilities. Target: probabilities, of the same shape.

    Parameters
    ----------
    weight : Tensor, optional
        A factor for each element; broadcasts to the shape of the input. It is a buffer, which moves with the module.
    size_average, reduce, reduction
        As in `CrossEntropyLoss`.

    Examples
    --------
    >>> import tinynorm
    >>> BCELoss()(tinynorm.tensor([0.5]), tinynorm.tensor([1.0]))
    tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """`functional.binary_cross_entropy_with_logits` as a module. Input: logits. Target: probabilities, of the same shape.

    Parameters
    ----------
    weight, pos_weight : Tensor, optional
        Factors for each element, and for the part of the positive class; they broadcast to the shape of the input. They are
        buffers, which move with the module.
    size_average, reduce, reduction
        As in `CrossEntropyLoss`.

    Examples
    --------
    >>> import tinynorm
    >>> BCEWithLogitsLoss()(tinynorm.tensor([0.0]), tinynorm.tensor([1.0]))
    tensor(0.6931)
    """

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """`functional.kl_div` as a module. Input: log-probabilities (N, *). Target: probabilities of the same shape.

    With `log_target`, the target has log-probabilities.
    ``reduction="batchmean"`` divides by N, and so gives the mean divergence of a sample.

    >>> import tinynorm
    >>> x, t = tinynorm.tensor([[0.5, 0.5]]).log(), tinynorm.tensor([[1.0, 0.0]])
    >>> KLDivLoss(reduction="batchmean")(x, t)
    tensor(0.6931)
    """

    reductions = (*REDUCTIONS, "batchmean")

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
