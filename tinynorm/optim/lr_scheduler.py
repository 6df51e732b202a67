"""Learning-rate schedules: each `step` sets the "lr" of the optimiser's groups.

Those that multiply the rate that is there (all but LambdaLR and OneCycleLR) can be used together, as in PyTorch.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .optimizer import Optimizer, check_number


class LRScheduler:
    """What all schedules share; a subclass writes `get_lr`.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups get an "initial_lr" beside their "lr".
    last_epoch : int
        The number of steps already taken; -1 to begin.

    Attributes
    ----------
    last_epoch : int
        How often `step` was called.
    base_lrs : list of float
        Each group's learning rate at the beginning.

    Raises
    ------
    TypeError, ValueError
        `optimizer` is none; or `last_epoch` says that this goes on from before, and a group has no "initial_lr".
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: expected an Optimizer, got {type(optimizer).__name__}")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(
                    f"{name}: last_epoch={last_epoch} goes on from before, but param_groups[{i}] has no 'initial_lr'; "
                    "load the optimizer's state first, or begin with last_epoch=-1"
                )
        self.optimizer = optimizer
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch + 1
        self._step_count = 1
        self._set(self.get_initial_lr())

    def get_lr(self) -> list[float]:
        """The groups' learning rates at step `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__}: write get_lr(self) in the subclass")

    def get_initial_lr(self) -> list[float]:
        """The groups' learning rates when the schedule is made; where it goes on from before, those that are there."""
        return self.get_lr() if self.last_epoch == 0 else self._scaled(1.0)

    def get_last_lr(self) -> list[float]:
        """The learning rates that were last set, one for each group."""
        return self._last_lr

    def step(self) -> None:
        """Go on by one: after each epoch, or where the schedule counts batches (OneCycleLR) after each batch."""
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(
                f"{type(self).__name__}.step() before the first optimizer.step() skips the schedule's first learning rate; "
                "call optimizer.step() first",
                stacklevel=2,
            )
        self.last_epoch += 1
        try:
            rates = self.get_lr()
        except ValueError:
            self.last_epoch -= 1
            raise
        self._step_count += 1
        self._set(rates)

    def _set(self, rates: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = rates

    def _scaled(self, factor: float) -> list[float]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All that changes and was chosen, as numbers, strings and lists; the optimizer is not in it."""
        return {name: value for name, value in vars(self).items() if name != "optimizer" and not callable(value)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. The rates themselves are in the optimizer's state: load that too.

        Raises
        ------
        TypeError, KeyError, ValueError
            It is another schedule's, or one for another number of groups; nothing is changed then.
        """
        where, mine = f"{type(self).__name__}.load_state_dict", self.state_dict()
        if not isinstance(state_dict, dict):
            raise TypeError(f"{where}: expected a dict, got {type(state_dict).__name__}")
        missing = [name for name in mine if name not in state_dict and not name.startswith("_")]
        unexpected = [name for name in state_dict if name not in mine and not name.startswith("_")]
        if missing or unexpected:
            raise KeyError(f"{where}: missing {missing}, unexpected {unexpected}; is it another schedule's?")
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise ValueError(f"{where}: expected base_lrs of {len(self.base_lrs)} groups, got {len(state_dict['base_lrs'])}")
        for name in mine:
            if name in state_dict:
                value = state_dict[name]
                setattr(self, name, list(value) if isinstance(value, list) else value)


class LambdaLR(LRScheduler):
    """The initial rate times a function of the step number.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable or list of callables
        From the step number to a factor; one for all groups, or one for each. It is not in the `state_dict`.
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
        """As `LRScheduler.load_state_dict`; the functions are those given here."""
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})


class StepLR(LRScheduler):
    """Every `step_size` steps the rate is multiplied by `gamma`.

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
        _check_count("StepLR", "step_size", step_size)
        check_number("StepLR", "gamma", gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma if self.last_epoch > 0 and self.last_epoch % self.step_size == 0 else 1.0)


class MultiStepLR(LRScheduler):
    """At each of the `milestones` (step numbers) the rate is multiplied by `gamma`; twice at one that is named twice."""

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        check_number("MultiStepLR", "gamma", gamma)
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma ** self.milestones.count(self.last_epoch))


class ExponentialLR(LRScheduler):
    """Every step multiplies the rate by `gamma`."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        check_number("ExponentialLR", "gamma", gamma)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return self._scaled(self.gamma if self.last_epoch > 0 else 1.0)


class LinearLR(LRScheduler):
    """The rate times a factor that goes in a line from `start_factor` to `end_factor` in `total_iters` steps, and stays there.

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
        _check_count(name, "total_iters", total_iters)
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        n, N = self.last_epoch, self.total_iters
        if n == 0:
            return self._scaled(self.start_factor)
        if n > N:
            return self._scaled(1.0)
        slope = self.end_factor - self.start_factor  # over N steps; the factor at n is (N start + n slope) / N
        return self._scaled(1.0 + slope / (N * self.start_factor + (n - 1) * slope))


class ConstantLR(LRScheduler):
    """The rate times `factor` for `total_iters` steps, and then the rate itself."""

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"ConstantLR: expected 0 < factor <= 1, got {factor}")
        _check_count("ConstantLR", "total_iters", total_iters)
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        return self._scaled(1.0 / self.factor if self.last_epoch == self.total_iters else 1.0)


class CosineAnnealingLR(LRScheduler):
    """From the initial rate to `eta_min` in `T_max` steps along half a cosine, and back up if stepped on.

    ``lr = eta_min + (initial_lr - eta_min) * (1 + cos(pi * n / T_max)) / 2`` (Loshchilov and Hutter 2017, equation 5), written
    as a change of the rate that is there, so that schedules can be used together.

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
        _check_count("CosineAnnealingLR", "T_max", T_max)
        check_number("CosineAnnealingLR", "eta_min", eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        n, N, low = self.last_epoch, self.T_max, self.eta_min
        if n == 0:
            return self._scaled(1.0)
        if (n - 1 - N) % (2 * N) == 0:  # the step before was at the lowest point, from which no factor leads up
            rise = (1 - math.cos(math.pi / N)) / 2
            pairs = zip(self.base_lrs, self.optimizer.param_groups, strict=True)
            return [group["lr"] + (base - low) * rise for base, group in pairs]
        ratio = (1 + math.cos(math.pi * n / N)) / (1 + math.cos(math.pi * (n - 1) / N))
        return [ratio * (group["lr"] - low) + low for group in self.optimizer.param_groups]


class OneCycleLR(LRScheduler):
    """One cycle: up to `max_lr`, and down to far below the beginning; momentum the other way (Smith and Topin 2018).

    Call `step` after every batch.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or list of float
        The highest rate, of all groups or of each.
    total_steps : int, optional
        The length of the cycle; or give `epochs` and `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        The part of the cycle that goes up.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Let momentum (Adam: the first beta) go from `max_momentum` to `base_momentum` and back.
    base_momentum, max_momentum : float or list of float
    div_factor : float
        The first rate is ``max_lr / div_factor``.
    final_div_factor : float
        The last rate is the first one divided by this.
    three_phase : bool
        Down to the first rate as fast as up, and only then to the last.
    last_epoch : int

    Raises
    ------
    TypeError, ValueError
        The length is not given; a number is out of range; or the optimizer has no momentum to cycle. `step` beyond the end.

    Examples
    --------
    >>> import tinynorm
    >>> optimizer = tinynorm.optim.Adam([tinynorm.ones(1, requires_grad=True)])
    >>> schedule = OneCycleLR(optimizer, max_lr=0.5, total_steps=10)
    >>> round(schedule.get_last_lr()[0], 12), optimizer.param_groups[0]["betas"]
    (0.02, (0.95, 0.999))
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"OneCycleLR: expected an Optimizer, got {type(optimizer).__name__}")
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: expected total_steps, or epochs and steps_per_epoch, got neither")
            _check_count("OneCycleLR", "epochs", epochs)
            _check_count("OneCycleLR", "steps_per_epoch", steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        _check_count("OneCycleLR", "total_steps", total_steps)
        if not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: expected 0 <= pct_start <= 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: expected anneal_strategy 'cos' or 'linear', got {anneal_strategy!r}")
        for name, factor in (("div_factor", div_factor), ("final_div_factor", final_div_factor)):
            if not factor > 0:
                raise ValueError(f"OneCycleLR: expected {name} > 0, got {factor}")
        groups = optimizer.param_groups
        rates = _one_each("max_lr", max_lr, groups)
        least, most = _one_each("base_momentum", base_momentum, groups), _one_each("max_momentum", max_momentum, groups)
        if cycle_momentum and "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError(f"OneCycleLR: {type(optimizer).__name__} has no momentum to cycle; pass cycle_momentum=False")
        self.total_steps, self.pct_start, self.three_phase = total_steps, pct_start, three_phase
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        if last_epoch == -1:
            for group, top, low, high in zip(groups, rates, least, most, strict=True):
                first = top / div_factor
                group.update(initial_lr=first, max_lr=top, min_lr=first / final_div_factor)
                if cycle_momentum:
                    group.update(base_momentum=low, max_momentum=high)
        super().__init__(optimizer, last_epoch)

    def get_initial_lr(self) -> list[float]:
        return self.get_lr()

    def get_lr(self) -> list[float]:
        n = self.last_epoch
        if n > self.total_steps:
            raise ValueError(f"OneCycleLR.step: expected at most total_steps={self.total_steps} steps, this is step {n}")
        (first, last), start, end, m_start, m_end = self._phase(n)
        pct = (n - first) / (last - first) if last > first else 1.0
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            _set_momentum(group, self._anneal(group[m_start], group[m_end], pct))
        return [self._anneal(group[start], group[end], pct) for group in self.optimizer.param_groups]

    def _phase(self, n: int) -> tuple[tuple[float, float], str, str, str, str]:
        """The phase of step `n`: (first step, last step), and between which of the group's entries rate and momentum go."""
        top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1.0
        phases = [((0.0, top), "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if self.three_phase:
            down = 2 * self.pct_start * self.total_steps - 2
            phases.append(((top, down), "max_lr", "initial_lr", "base_momentum", "max_momentum"))
            phases.append(((down, last), "initial_lr", "min_lr", "max_momentum", "max_momentum"))
        else:
            phases.append(((top, last), "max_lr", "min_lr", "base_momentum", "max_momentum"))
        return next((phase for phase in phases if n <= phase[0][1]), phases[-1])

    def _anneal(self, start: float, end: float, pct: float) -> float:
        """From `start` to `end` as `pct` goes from 0 to 1."""
        if self.anneal_strategy == "linear":
            return start + pct * (end - start)
        return end + (start - end) / 2 * (1 + math.cos(math.pi * pct))


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def _one_each(name: str, value: Any, groups: list) -> list[float]:
    values = list(value) if isinstance(value, (list, tuple)) else [value] * len(groups)
    if len(values) != len(groups):
        raise ValueError(f"OneCycleLR: expected {name} for each of {len(groups)} groups, got {len(values)} values")
    for v in values:
        check_number("OneCycleLR", name, v)
    return values


def _check_count(where: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"{where}: expected {name} to be a positive int, got {value!r}")
