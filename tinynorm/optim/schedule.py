"""LRScheduler: the base class of the learning-rate schedules."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

from ..printing import named_in_errors
from ..recording import opaque
from .optimizer import Optimizer


class LRScheduler:
    """The base class of all schedules. A subclass defines `get_lr`.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups get an entry "initial_lr" in addition to "lr".
    last_epoch : int
        The number of the last finished epoch, counted from 0: pass n - 1 to continue after n epochs, or -1 to begin.
    verbose
        Ignored, here and in all schedules. Older versions of PyTorch had it.

    Attributes
    ----------
    last_epoch : int
        The number of the current epoch, counted from 0: how often `step` was called since the beginning. A new schedule starts
        with one more than the argument.
    base_lrs : list of float
        The initial learning rate of each group.

    Raises
    ------
    TypeError, ValueError
        `optimizer` is not an Optimizer; or `last_epoch` is not -1 and a group has no "initial_lr". The optimizer is then
        unchanged.

    Examples
    --------
    >>> import tinynorm
    >>> from tinynorm.optim.lr_scheduler import ExponentialLR
    >>> optimizer = tinynorm.optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=1.0)
    >>> schedule = ExponentialLR(optimizer, gamma=0.5)
    >>> for epoch in range(2):
    ...     optimizer.step(); schedule.step()
    >>> schedule.last_epoch, schedule.get_last_lr()
    (2, [0.25])
    >>> again = ExponentialLR(optimizer, gamma=0.5, last_epoch=1)  # epochs 0 and 1 are done
    >>> again.last_epoch, again.get_last_lr()
    (2, [0.25])
    """

    _older: frozenset[str] = frozenset({"verbose"})  # entries that some states of PyTorch's have and others not

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        named_in_errors(cls)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1, verbose: Any = False) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: expected an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        with groups_unless_error(optimizer) as groups:
            for i, group in enumerate(groups):
                if last_epoch == -1:
                    group.setdefault("initial_lr", group["lr"])
                elif "initial_lr" not in group:
                    raise ValueError(
                        f"{name}: last_epoch={last_epoch} goes on from before, but param_groups[{i}] has no 'initial_lr'; "
                        "load the optimizer's state first, or begin with last_epoch=-1"
                    )
            self.base_lrs = [group["initial_lr"] for group in groups]
            self.last_epoch = last_epoch
            self._start()

    def _start(self) -> None:
        """Go to the first epoch."""
        self._step_count = 0
        self._is_initial = self._get_lr_called_within_step = False  # nothing reads them: a printed state has them in PyTorch
        self.step()

    def _undo(self) -> None:
        """Go back by an epoch, without setting rates."""
        self.last_epoch -= 1

    def get_lr(self) -> list[float]:
        """The groups' learning rates at step `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__}: write get_lr(self) in the subclass")

    def get_initial_lr(self) -> list[float]:
        """The groups' learning rates at the start. A schedule that continues from a later epoch keeps the current rates."""
        return self.get_lr() if self.last_epoch == 0 else self._scaled(1.0)

    def get_last_lr(self) -> list[float]:
        """The learning rates that the last step set, one for each group."""
        return self._last_lr

    @opaque
    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch and set its rates. OneCycleLR counts batches: call this after each batch.

        Parameters
        ----------
        epoch : int, optional
            Go to this epoch instead, with the rates that the schedule alone has there.
        """
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(
                f"{type(self).__name__}.step() before the first optimizer.step() skips the schedule's first learning rate; "
                "call optimizer.step() first",
                stacklevel=2,
            )
        before, first = self.last_epoch, self._step_count == 0
        self._step_count += 1
        try:
            with groups_unless_error(self.optimizer):
                if epoch is not None:
                    self._go_to(epoch)
                else:
                    self.last_epoch += 1
                    self._set(self.get_initial_lr() if first else self.get_lr())
        except BaseException:
            self.last_epoch = before
            self._step_count -= 1
            raise

    def _go_to(self, epoch: int) -> None:
        if not isinstance(epoch, int) or epoch < 0:
            raise ValueError(f"{type(self).__name__}.step: expected epoch to be an int of at least 0, got {epoch!r}")
        self._set(list(self.base_lrs))
        for self.last_epoch in range(epoch + 1):
            self._set(self.get_lr())

    def _set(self, rates: list[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise ValueError(
                f"{type(self).__name__}: it was made for {len(rates)} parameter groups, its optimizer now has {len(groups)}; "
                "add groups before the schedule is made"
            )
        for group, lr in zip(groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = rates

    def _scaled(self, factor: float) -> list[float]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The settings and counters of the schedule, as numbers, strings and lists. It does not contain the optimizer."""
        return {name: value for name, value in vars(self).items() if name != "optimizer" and not callable(value)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a state that `state_dict` returned. The current rates are in the optimizer's state: load that too.

        Raises
        ------
        TypeError, KeyError, ValueError
            The state belongs to another kind of schedule or has another number of groups. Nothing is changed then.
        """
        where, mine = f"{type(self).__name__}.load_state_dict", self.state_dict()
        if not isinstance(state_dict, dict):
            raise TypeError(f"{where}: expected a dict, got {type(state_dict).__name__}")
        missing = [name for name in mine if name not in {*state_dict, *self._older} and not name.startswith("_")]
        unexpected = [name for name in state_dict if name not in {*mine, *self._older} and not name.startswith("_")]
        if missing or unexpected:
            raise KeyError(f"{where}: missing {missing}, unexpected {unexpected}; is it another schedule's?")
        rates = state_dict.get("base_lrs", [])
        if not isinstance(rates, (list, tuple)) or not all(isinstance(rate, Real) for rate in rates):
            raise TypeError(f"{where}: expected base_lrs to be a list of numbers, got {rates!r}")
        if "base_lrs" in mine and len(rates) != len(self.base_lrs):
            raise ValueError(f"{where}: expected base_lrs of {len(self.base_lrs)} groups, got {len(rates)}")
        for name, value in mine.items():
            if isinstance(value, Real) and name not in self._older and not isinstance(state_dict.get(name, value), Real):
                raise TypeError(f"{where}: expected {name} to be a number, got {type(state_dict[name]).__name__}")
        for name in mine:
            if name in state_dict:
                value = state_dict[name]
                setattr(self, name, list(value) if isinstance(value, list) else value)


@contextmanager
def groups_unless_error(optimizer: Optimizer) -> Iterator[list[dict[str, Any]]]:
    """Give the optimizer's groups to a block that changes them; if the block raises an error, restore their entries."""
    groups = optimizer.param_groups
    before = [dict(group) for group in groups]
    try:
        yield groups
    except BaseException:
        for group, entries in zip(groups, before, strict=True):
            group.clear()
            group.update(entries)
        raise


def check_count(where: str, name: str, value: Any, least: int = 1) -> None:
    """Raise ValueError if a number of steps is not an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        kind = "a positive int" if least == 1 else f"an int of at least {least}"
        raise ValueError(f"{where}: expected {name} to be {kind}, got {value!r}")
