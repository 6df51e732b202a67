"""Learning-rate schedules: each `step` sets the "lr" of the optimiser's groups.

All schedules except LambdaLR and OneCycleLR multiply the current rate. They can be used together, as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .one_cycle import OneCycleLR
from .optimizer import Optimizer, check_number
from .schedule import LRScheduler, check_count

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "StepLR",
]


class LambdaLR(LRScheduler):
    """The initial rate times a function of the step number.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable or list of callables
        A function that maps the step number to a factor; one for all groups, or one per group. `state_dict` omits it.
    last_epoch : int

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=0.5)
    >>> LambdaLR(optimizer, lambda n: 0.5**n).get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable | Sequence[Callable], last_epoch: int = -1) -> None:
        groups = len(getattr(optimizer, "param_groups", ()))
        lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(lambdas) != groups:
            raise ValueError(f"LambdaLR: expected one function for each of {groups} groups, got {len(lambdas)}")
        self.lr_lambdas = lambdas
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]

    def get_initial_lr(self) -> list[float]:
        return self.get_lr()

    def state_dict(self) -> dict[str, Any]:
        return {name: value for name, value in super().state_dict().items() if name != "lr_lambdas"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As `LRScheduler.load_state_dict`, but this schedule keeps its own functions."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})


class StepLR(LRScheduler):
    """Multiply the rate by `gamma` every `step_size` steps.

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for epoch in range(5):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_count("StepLR", "step_size", step_size)
        check_number("StepLR", "gamma", gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma if self.last_epoch > 0 and self.last_epoch % self.step_size == 0 else 1.0)


class MultiStepLR(LRScheduler):
    """Multiply the rate by `gamma` at each of the `milestones` (step numbers); twice if a number is listed twice."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_number("MultiStepLR", "gamma", gamma)
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma ** self.milestones.count(self.last_epoch))


class ExponentialLR(LRScheduler):
    """Multiply the rate by `gamma` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_number("ExponentialLR", "gamma", gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma if self.last_epoch > 0 else 1.0)


class LinearLR(LRScheduler):
    """The initial rate times a factor that changes linearly from `start_factor` to `end_factor` in `total_iters` steps.

    After that, the factor stays `end_factor`. (Together with other schedules: the rate that they give, times the factor.)

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> LinearLR(optimizer, start_factor=0.5).get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        name = type(self).__name__
        if not 0 < start_factor <= 1:
            raise ValueError(f"{name}: expected 0 < start_factor <= 1, got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"{name}: expected 0 <= end_factor <= 1, got {end_factor}")
        check_count(name, "total_iters", total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        n, N = self.last_epoch, self.total_iters
        if n == 0:
            return self._scaled(self.start_factor)
        if n > N:
            return self._scaled(1.0)
        slope = self.end_factor - self.start_factor  # of N steps; the factor at step n is (N start + n slope) / N
        return self._scaled(1.0 + slope / (N * self.start_factor + (n - 1) * slope))


class ConstantLR(LRScheduler):
    """The initial rate times `factor` for the first `total_iters` steps, and then the initial rate.

    (Together with other schedules: the rate that they give, in place of the initial one.)
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: expected 0 < factor <= 1, got {factor}")
        check_count("ConstantLR", "total_iters", total_iters)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1.0 / self.factor if self.last_epoch == self.total_iters else 1.0)


class CosineAnnealingLR(LRScheduler):
    """Lower the rate from its initial value to `eta_min` in `T_max` steps along half a cosine; further steps raise it again.

    ``lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * n / T_max)) / 2`` (Loshchilov and Hutter 2017, equation 5). The
    code writes it as a change of the current rate, so that schedules can be used together.

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step(); schedule.step()
    >>> round(schedule.get_last_lr()[0], 12)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        check_count("CosineAnnealingLR", "T_max", T_max)
        check_number("CosineAnnealingLR", "eta_min", eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        n, N, low = self.last_epoch, self.T_max, self.eta_min
        if n == 0:
            return self._scaled(1.0)
        if (n - 1 - N) % (2 * N) == 0:  # the last rate was eta_min: lr - eta_min is 0, so no factor can raise it
            rise = (1 - math.cos(math.pi / N)) / 2
            pairs = zip(self.base_lrs, self.optimizer.param_groups, strict=False)  # `_set` raises an error if groups were added
            return [group["lr"] + (base - low) * rise for base, group in pairs]
        ratio = (1 + math.cos(math.pi * n / N)) / (1 + math.cos(math.pi * (n - 1) / N))
        return [ratio * (group["lr"] - low) + low for group in self.optimizer.param_groups]
