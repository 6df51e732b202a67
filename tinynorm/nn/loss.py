"""The losses as modules."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module


class _Loss(Module):
    """The base class of the losses: the reduction, and the class weights (a buffer, which moves with the module)."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None, reduction: str) -> None:
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"{type(self).__name__}: expected reduction to be 'mean', 'sum' or 'none', got {reduction!r}")
        self.register_buffer("weight", weight)
        self.reduction = reduction


class CrossEntropyLoss(_Loss):
    """`functional.cross_entropy` as a module. Input: logits (N, C, *). Target: class indices (N, *) or class probabilities.

    Parameters
    ----------
    weight : Tensor, optional
        A factor per class, (C).
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

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(weight, reduction)
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"CrossEntropyLoss: expected label_smoothing from 0 to 1, got {label_smoothing!r}")
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        return F.cross_entropy(input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


class NLLLoss(_Loss):
    """`functional.nll_loss` as a module. Input: log-probabilities (N, C, *). Target: class indices (N, *).

    The parameters and errors are the same as in `CrossEntropyLoss`, but there is no `label_smoothing`.

    >>> import tinynorm
    >>> NLLLoss()(tinynorm.tensor([[-0.5, -0.9]]), tinynorm.tensor([1]))
    tensor(0.9)
    """

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        return F.nll_loss(input, target, self.weight, self.ignore_index, self.reduction)


class MSELoss(_Loss):
    """`functional.mse_loss` as a module: (input - target)², averaged, summed or without reduction.

    >>> import tinynorm
    >>> MSELoss()(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(None, reduction)

    def forward(self, input: Any, target: Any) -> Any:
        return F.mse_loss(input, target, self.reduction)
