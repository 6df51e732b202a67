"""Learning-rate schedules: each `step` sets the "lr" of the optimiser's groups.

Most schedules multiply the current rate, so that they can be used together. LambdaLR, CosineAnnealingWarmRestarts and
OneCycleLR set it, as in PyTorch.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

from ..recording import opaque
from .one_cycle import OneCycleLR
from .optimizer import Optimizer, check_number
from .schedule import LRScheduler, check_count, groups_unless_error

_LRScheduler = LRScheduler  # its name in older programs

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


class _OfLambdas(LRScheduler):
    """The base class of the schedules that functions of the step number make."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable | Sequence[Callable], last_epoch: int = -1, verbose: Any = False
    ) -> None:
        groups = len(getattr(optimizer, "param_groups", ()))
        lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(lambdas) != groups:
            raise ValueError(f"{type(self).__name__}: expected one function for each of {groups} groups, got {len(lambdas)}")
        self.lr_lambdas = lambdas
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        state = {name: value for name, value in super().state_dict().items() if name != "lr_lambdas"}
        return state | {"lr_lambdas": [None if isinstance(f, FunctionType) else dict(_kept_by(f)) for f in self.lr_lambdas]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As `LRScheduler.load_state_dict`, but this schedule keeps its own functions; objects get their attributes back."""
        super().load_state_dict({**state_dict, "lr_lambdas": self.lr_lambdas})
        for f, kept in zip(self.lr_lambdas, state_dict.get("lr_lambdas", ()), strict=False):
            _kept_by(f).update(kept or {})


def _kept_by(f: Callable) -> dict[str, Any]:
    """The attributes of an object that is called as a function."""
    return getattr(f, "__dict__", {})


class LambdaLR(_OfLambdas):
    """The initial rate times a function of the step number.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable or list of callables
        A function that maps the step number to a factor; one for all groups, or one per group. `state_dict` has None for each
        function, and the attributes of an object that is called as one.
    last_epoch : int

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=0.5)
    >>> LambdaLR(optimizer, lambda n: 0.5**n).get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[float]:
        return [lr * f(self.last_epoch) for f, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]

    def get_initial_lr(self) -> list[float]:
        return self.get_lr()


class MultiplicativeLR(_OfLambdas):
    """Multiply the rate at each step by a function of the step number. The parameters are those of `LambdaLR`.

    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = MultiplicativeLR(optimizer, lambda n: 1 / n)
    >>> for epoch in range(2):
    ...     optimizer.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._scaled(1.0)
        pairs = zip(self.lr_lambdas, self.optimizer.param_groups, strict=False)  # `_set` raises an error if groups were added
        return [group["lr"] * f(self.last_epoch) for f, group in pairs]


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

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1, verbose: Any = False
    ) -> None:
        check_count("StepLR", "step_size", step_size)
        check_number("StepLR", "gamma", gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma if self.last_epoch > 0 and self.last_epoch % self.step_size == 0 else 1.0)


class MultiStepLR(LRScheduler):
    """Multiply the rate by `gamma` at each of the `milestones` (step numbers); twice if a number is listed twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1, verbose: Any = False
    ) -> None:
        check_number("MultiStepLR", "gamma", gamma)
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma ** self.milestones.count(self.last_epoch))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As `LRScheduler.load_state_dict`. PyTorch counts how often each milestone is listed."""
        given = state_dict.get("milestones") if isinstance(state_dict, dict) else None
        if isinstance(given, Mapping):
            state_dict = {**state_dict, "milestones": sorted(int(n) for n, times in given.items() for _ in range(times))}
        super().load_state_dict(state_dict)


class ExponentialLR(LRScheduler):
    """Multiply the rate by `gamma` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1, verbose: Any = False) -> None:
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
        verbose: Any = False,
    ) -> None:
        name = type(self).__name__
        if not 0 < start_factor <= 1:
            raise ValueError(f"{name}: expected 0 < start_factor <= 1, got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"{name}: expected 0 <= end_factor <= 1, got {end_factor}")
        check_count(name, "total_iters", total_iters, least=0)
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

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1, verbose: Any = False
    ) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: expected 0 < factor <= 1, got {factor}")
        check_count("ConstantLR", "total_iters", total_iters, least=0)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1.0 / self.factor if self.last_epoch == self.total_iters else 1.0)


class PolynomialLR(LRScheduler):
    """The initial rate times (1 - n / total_iters)^power at step n, and 0 from `total_iters` on.

    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = PolynomialLR(optimizer, total_iters=2, power=2.0)
    >>> optimizer.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1, verbose: Any = False
    ) -> None:
        check_count("PolynomialLR", "total_iters", total_iters, least=0)
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        n, N = self.last_epoch, self.total_iters
        if n == 0 or n > N:
            return self._scaled(1.0)
        return self._scaled(((1 - n / N) / (1 - (n - 1) / N)) ** self.power)


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

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1, verbose: Any = False
    ) -> None:
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


class CosineAnnealingWarmRestarts(LRScheduler):
    """Lower the rate from its initial value to `eta_min` along half a cosine, then begin again (Loshchilov and Hutter 2017).

    ``lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2``, equation 5, where T_cur counts the epochs since
    the last restart.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        The number of epochs T_i until the first restart.
    T_mult : int
        T_i grows by this factor at each restart.
    eta_min : float
    last_epoch : int

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += [round(lr, 4) for lr in schedule.get_last_lr()]
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [1.0, 0.5, 1.0, 0.8536]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        verbose: Any = False,
    ) -> None:
        check_count("CosineAnnealingWarmRestarts", "T_0", T_0)
        check_count("CosineAnnealingWarmRestarts", "T_mult", T_mult)
        check_number("CosineAnnealingWarmRestarts", "eta_min", eta_min)
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.T_cur, self.T_i = self._since_restart(last_epoch, T_0)
        super().__init__(optimizer, last_epoch)

    def _since_restart(self, T_cur: float, T_i: int) -> tuple[float, int]:
        """The epochs since the last restart, and from there to the next, where `T_cur` counts from an earlier restart."""
        if self.T_mult == 1:
            return T_cur % T_i if T_cur >= T_i else T_cur, T_i
        while T_cur >= T_i:
            T_cur, T_i = T_cur - T_i, T_i * self.T_mult
        return T_cur, T_i

    def get_initial_lr(self) -> list[float]:
        return self.get_lr()

    def get_lr(self) -> list[float]:
        part = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * part for lr in self.base_lrs]

    @opaque
    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch and set its rates.

        Parameters
        ----------
        epoch : float, optional
            Go there instead. It may be a fraction: after each batch, ``step(epoch + i / len(loader))``.
        """
        before = self.last_epoch, self.T_cur, self.T_i
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            self.T_cur, self.T_i = self._since_restart(self.T_cur + 1, self.T_i)
        elif epoch >= 0:
            self.last_epoch = math.floor(epoch) - 1
            self.T_cur, self.T_i = self._since_restart(epoch, self.T_0)
        else:
            raise ValueError(f"CosineAnnealingWarmRestarts.step: expected epoch >= 0, got {epoch}")
        try:
            super().step()
        except BaseException:
            self.last_epoch, self.T_cur, self.T_i = before
            raise


class _OfSchedules(LRScheduler):
    """The base class of the schedules that other schedules make."""

    _schedulers: list[LRScheduler]

    def _take(self, name: str, optimizer: Optimizer, schedulers: Sequence[LRScheduler]) -> None:
        """Keep the schedules, which are checked."""
        for i, schedule in enumerate(schedulers):
            if not isinstance(schedule, LRScheduler) or isinstance(schedule, ReduceLROnPlateau):
                raise TypeError(
                    f"{name}: expected schedulers[{i}] to be a schedule whose step() needs no metric, "
                    f"got {type(schedule).__name__}"
                )
            if schedule.optimizer is not optimizer:
                raise ValueError(f"{name}: expected schedules of this optimizer, but schedulers[{i}] is another's")
        self._schedulers, self.optimizer = list(schedulers), optimizer

    def _undo(self) -> None:
        for schedule in self._schedulers:
            schedule._undo()

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        del state["_schedulers"]  # in PyTorch's order it comes last
        return state | {"_schedulers": [schedule.state_dict() for schedule in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As `LRScheduler.load_state_dict`, with the states of all schedules."""
        name, n = type(self).__name__, len(self._schedulers)
        states = state_dict.get("_schedulers") if isinstance(state_dict, dict) else None
        if not isinstance(states, (list, tuple)) or len(states) != n:
            got = len(states) if isinstance(states, (list, tuple)) else type(states).__name__
            raise ValueError(f"{name}.load_state_dict: expected {n} schedules' states as '_schedulers', got {got}")
        before = [schedule.state_dict() for schedule in self._schedulers]
        try:
            for schedule, state in zip(self._schedulers, states, strict=True):
                schedule.load_state_dict(state)
            super().load_state_dict({name: value for name, value in state_dict.items() if name != "_schedulers"})
        except BaseException:
            for schedule, state in zip(self._schedulers, before, strict=True):
                schedule.load_state_dict(state)
            raise


class SequentialLR(_OfSchedules):
    """One schedule after the other: the next one begins at its milestone, from the initial rates.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
    milestones : list of int
        The step numbers at which the second schedule begins, the third, …
    last_epoch : int

    Raises
    ------
    TypeError, ValueError
        A schedule is another optimizer's or a ReduceLROnPlateau, or the number of milestones does not fit.

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> warmup = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule = SequentialLR(optimizer, [warmup, ExponentialLR(optimizer, gamma=0.5)], milestones=[2])
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.75, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
        verbose: Any = False,
    ) -> None:
        self._take("SequentialLR", optimizer, schedulers)
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "SequentialLR: expected at least one schedule and a milestone between each two, "
                f"got {len(schedulers)} schedules and {len(milestones)} milestones"
            )
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        with groups_unless_error(optimizer) as groups:
            for group in groups:
                group["lr"] = group["initial_lr"]
            self._undo()  # the first steps that the schedules took when they were made
            first = self._schedulers[bisect_right(self._milestones, 0)]
            first._start()
        self._last_lr = first.get_last_lr()

    @opaque
    def step(self, epoch: None = None) -> None:  # type: ignore[override]
        """Go to the next epoch and set its rates."""
        i = bisect_right(self._milestones, self.last_epoch + 1)
        self._schedulers[i].step(0 if i > 0 and self._milestones[i - 1] == self.last_epoch + 1 else None)
        self.last_epoch += 1
        self._last_lr = self._schedulers[i].get_last_lr()


class ChainedScheduler(_OfSchedules):
    """Several schedules at once: each `step` calls the step of each of them.

    Parameters
    ----------
    schedulers : list of LRScheduler
        Of the same optimizer.
    optimizer : Optimizer, optional
        That one.

    Raises
    ------
    TypeError, ValueError
        A schedule is another optimizer's or a ReduceLROnPlateau, or there is none.

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = ChainedScheduler([ConstantLR(optimizer, factor=0.5, total_iters=2), ExponentialLR(optimizer, gamma=0.5)])
    >>> rates = []
    >>> for epoch in range(4):
    ...     rates += schedule.get_last_lr()
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if not schedulers:
            raise ValueError("ChainedScheduler: expected at least one schedule, got none")
        self._take("ChainedScheduler", optimizer or schedulers[0].optimizer, schedulers)
        self._last_lr = self._scaled(1.0)

    def _start(self) -> None:
        for schedule in self._schedulers:
            schedule._start()
        self._last_lr = self._scaled(1.0)

    @opaque
    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to the given one, and set its rates."""
        for schedule in self._schedulers:
            schedule.step(epoch)
        self._last_lr = self._scaled(1.0)


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by `factor` when a metric has not improved for more than `patience` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether a smaller or a larger metric is better.
    factor : float
        Less than 1.
    patience : int
    threshold : float
        How much better a metric must be to count as an improvement.
    threshold_mode : {"rel", "abs"}
        Whether `threshold` is a part of the best metric so far, or a difference.
    cooldown : int
        For how many epochs after a reduction epochs without improvement do not count.
    min_lr : float or list of float
        No rate gets lower: one for all groups, or one per group.
    eps : float
        A rate that would become lower by no more than this stays.

    Attributes
    ----------
    best : float
        The best metric so far.
    num_bad_epochs : int
        How many epochs ago that was.

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    >>> rates = []
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    ...     rates += schedule.get_last_lr()
    >>> rates
    [1.0, 1.0, 1.0, 0.5]
    """

    _older = LRScheduler._older | {"default_min_lr", "mode_worse"}

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
        verbose: Any = False,
    ) -> None:
        name = "ReduceLROnPlateau"
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: expected an Optimizer, got {type(optimizer).__name__}")
        if not factor < 1:
            raise ValueError(f"{name}: expected factor < 1, got {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"{name}: expected mode 'min' or 'max' and threshold_mode 'rel' or 'abs', got {mode!r} and {threshold_mode!r}"
            )
        groups = len(optimizer.param_groups)
        each = isinstance(min_lr, (list, tuple))
        least: list[float] = list(min_lr) if each else [min_lr] * groups  # type: ignore[arg-type, list-item]
        if len(least) != groups:
            raise ValueError(f"{name}: expected min_lr for each of {groups} groups, got {len(least)} values")
        # in PyTorch's order, in which a state is printed; nothing reads `default_min_lr` and `mode_worse`
        self.optimizer, self.factor, self.default_min_lr, self.min_lrs = optimizer, factor, None if each else min_lr, least
        self.patience, self.cooldown, self.eps, self.last_epoch = patience, cooldown, eps, 0
        self._last_lr = self._scaled(1.0)
        self.mode_worse, self.mode = math.inf if mode == "min" else -math.inf, mode
        self.threshold, self.threshold_mode, self.best = threshold, threshold_mode, self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = 0

    def _is_better(self, metric: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        relative, margin = self.threshold_mode == "rel", sign * self.threshold
        least = self.best * (1 + margin) if relative else self.best + margin
        return metric > least if self.mode == "max" else metric < least

    @opaque
    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take the metric of one more epoch, a number or a 0-d tensor, and lower the rates if they must be."""
        metric = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(metric):
            self.best, self.num_bad_epochs = metric, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
            pairs = zip(self._scaled(1.0), self.min_lrs, strict=False)  # `_set` raises an error if groups were added
            lowered = [(lr, max(lr * self.factor, least)) for lr, least in pairs]
            self._set([new if lr - new > self.eps else lr for lr, new in lowered])
        self._last_lr = self._scaled(1.0)
