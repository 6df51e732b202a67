"""OneCycleLR: a schedule that changes the learning rate and the momentum over one cycle, after every batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .optimizer import Optimizer, check_number
from .schedule import LRScheduler, check_count, groups_unless_error


class OneCycleLR(LRScheduler):
    """One cycle of the rate: up to `max_lr`, then down to far below the first rate (Smith and Topin 2018).

    The momentum goes the other way: down, then up.

    Call `step` after every batch.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or list of float
        The highest rate: one for all groups, or one per group.
    total_steps : int, optional
        The number of steps in the cycle. Without it, pass `epochs` and `steps_per_epoch`.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        The fraction of the cycle in which the rate goes up.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Change the momentum (Adam: the first beta) from `max_momentum` to `base_momentum` and back.
    base_momentum, max_momentum : float or list of float
    div_factor : float
        The first rate is ``max_lr / div_factor``.
    final_div_factor : float
        The last rate is the first one divided by this.
    three_phase : bool
        Lower the rate to the first rate in as many steps as it went up, and then to the last rate.
    last_epoch : int

    Raises
    ------
    TypeError, ValueError
        The number of steps is missing; a number is out of range; the optimizer has no momentum; or `step` goes past the end.

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
        verbose: Any = False,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"OneCycleLR: expected an Optimizer, got {type(optimizer).__name__}")
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: expected total_steps, or epochs and steps_per_epoch, got neither")
            check_count("OneCycleLR", "epochs", epochs)
            check_count("OneCycleLR", "steps_per_epoch", steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        check_count("OneCycleLR", "total_steps", total_steps)
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
        with groups_unless_error(optimizer):
            if last_epoch == -1:
                for group, top, low, high in zip(groups, rates, least, most, strict=True):
                    first = top / div_factor
                    group.update(initial_lr=first, max_lr=top, min_lr=first / final_div_factor)
                    if cycle_momentum:
                        group.update(max_momentum=high, base_momentum=low)
            super().__init__(optimizer, last_epoch)

    _older = LRScheduler._older | {"use_beta1", "anneal_func", "step_size_up", "step_size_down"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As `LRScheduler.load_state_dict`. PyTorch's state has the phases in the place of `pct_start` and `three_phase`."""
        if isinstance(state_dict, dict) and "pct_start" not in state_dict and "total_steps" in state_dict:
            phases = state_dict.get("_schedule_phases", [])
            top = phases[0]["end_step"] if phases else state_dict.get("step_size_up")
            state_dict = {
                **state_dict,
                "pct_start": self.pct_start if top is None else (top + 1) / state_dict["total_steps"],
                "three_phase": len(phases) == 3,
                "anneal_strategy": state_dict.get("_anneal_func_type", self.anneal_strategy),
            }
        super().load_state_dict(state_dict)

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
        """The phase of step `n`: (first step, last step), and the group's entries where rate and momentum start and end."""
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
        """The value between `start` (pct = 0) and `end` (pct = 1)."""
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
