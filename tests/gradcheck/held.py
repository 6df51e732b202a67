"""What holds a constant: a check that passes with its value, and fails when it is halved or doubled."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module


@contextmanager
def changed(constant: str, factor: float) -> Iterator[None]:
    """Within, the constant ("slopes.measure.SAFETY") is so many times as large, wherever it was imported to."""
    module, _, name = f"tinynorm.{constant if constant.startswith('command.') else 'gradcheck.' + constant}".rpartition(".")
    value = getattr(import_module(module), name)
    other = max(1, math.floor(value * factor)) if isinstance(value, int) else value * factor
    assert other != value
    known = [m for n, m in list(sys.modules.items()) if n.startswith("tinynorm.") and vars(m).get(name) is value]
    for m in known:
        setattr(m, name, other)
    try:
        yield
    finally:
        for m in known:
            setattr(m, name, value)


def holds(constant: str, check: Callable[[], None], factors: tuple[float, ...] = (0.5, 2.0)) -> None:
    """Raise AssertionError unless `check` passes, and fails (by AssertionError) with each multiple of the constant."""
    check()
    for factor in factors:
        with changed(constant, factor):
            try:
                check()
            except AssertionError:
                continue
        raise AssertionError(f"nothing holds {constant}: {factor} times as large, it would not be noticed")
