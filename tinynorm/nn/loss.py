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


class _Weighted(_Loss):
    """The base class of the losses whose only option is a weight."""

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


class BCELoss(_Weighted):
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


class TripletMarginLoss(_Loss):
    """`functional.triplet_margin_loss` as a module: an anchor must be nearer to its positive than to its negative.

    >>> import tinynorm
    >>> a, p, n = tinynorm.zeros(1, 2), tinynorm.ones(1, 2), tinynorm.tensor([[2.0, 0.0]])
    >>> TripletMarginLoss()(a, p, n)
    tensor(0.4142)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if not margin > 0:
            raise ValueError(f"TripletMarginLoss: expected margin > 0, got {margin}")
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        options: dict[str, Any] = {"margin": self.margin, "p": self.p, "eps": self.eps, "swap": self.swap}
        return F.triplet_margin_loss(anchor, positive, negative, **options, reduction=self.reduction)


class _MarginLoss(_Loss):
    """The base class of the losses whose only option is a margin."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class CosineEmbeddingLoss(_MarginLoss):
    """`functional.cosine_embedding_loss` as a module. Inputs: (N, D). Target: 1 for similar vectors, -1 for others, (N).

    >>> import tinynorm
    >>> x1, x2 = tinynorm.tensor([[1.0, 0.0]]), tinynorm.tensor([[0.0, 1.0]])
    >>> CosineEmbeddingLoss()(x1, x2, tinynorm.tensor([1]))
    tensor(1.)
    """

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        return F.cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(_MarginLoss):
    """`functional.margin_ranking_loss` as a module. Target: 1 where input1 must be the larger one, -1 where input2.

    >>> import tinynorm
    >>> MarginRankingLoss()(tinynorm.tensor([1.0]), tinynorm.tensor([3.0]), tinynorm.tensor([1]))
    tensor(2.)
    """

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(_MarginLoss):
    """`functional.hinge_embedding_loss` as a module. Input: distances. Target: 1 where they must be small, -1 where large.

    >>> import tinynorm
    >>> HingeEmbeddingLoss()(tinynorm.tensor([0.5, 0.25]), tinynorm.tensor([1, -1]))
    tensor(0.6250)
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """`functional.soft_margin_loss` as a module: log(1 + e^(-target x)), where the target is 1 or -1.

    >>> import tinynorm
    >>> SoftMarginLoss()(tinynorm.tensor([0.0]), tinynorm.tensor([1]))
    tensor(0.6931)
    """

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_Weighted):
    """`functional.multilabel_soft_margin_loss` as a module. Input: logits (N, C). Target: 0 or 1, (N, C).

    `weight` has a factor for each class, (C). It is a buffer, which moves with the module.

    >>> import tinynorm
    >>> MultiLabelSoftMarginLoss()(tinynorm.tensor([[0.0, 0.0]]), tinynorm.tensor([[1.0, 0.0]]))
    tensor(0.6931)
    """

    def forward(self, input: Any, target: Any) -> Any:
        return F.multilabel_soft_margin_loss(input, target, self.weight, reduction=self.reduction)


class PoissonNLLLoss(_Loss):
    """`functional.poisson_nll_loss` as a module. Input: log λ. Target: counts, of the same shape.

    >>> import tinynorm
    >>> PoissonNLLLoss()(tinynorm.tensor([0.0]), tinynorm.tensor([2.0]))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Any, target: Any) -> Any:
        options: dict[str, Any] = {"log_input": self.log_input, "full": self.full, "eps": self.eps}
        return F.poisson_nll_loss(log_input, target, **options, reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """`functional.gaussian_nll_loss` as a module. Input: expectations. Target: of the same shape. `var`: variances.

    >>> import tinynorm
    >>> GaussianNLLLoss()(tinynorm.tensor([0.0]), tinynorm.tensor([2.0]), tinynorm.tensor([1.0]))
    tensor(2.)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)
