"""How kernels are compiled: by Numba, at the first call with a dtype, and kept on disk. Only kernels import this file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core import event

# A reduction may add in any order, so that the compiler can keep several partial sums. Nothing else may: (x - hi) - lo would
# become x - (hi + lo), which rounds the lo away.
ANY_ORDER = {"reassoc", "nsz", "contract"}


def elementwise(function: Callable) -> Any:
    """Compile a kernel whose operations stay in the order in which they are written."""
    return _compiled(function)


def reduction(function: Callable) -> Any:
    """Compile a kernel whose sums may be added in any order (the same one each time)."""
    return _compiled(function, fastmath=ANY_ORDER)


def _compiled(function: Callable, **options: Any) -> Any:
    options |= {"nogil": True, "error_model": "numpy"}  # other Python threads run; 1 / 0 is inf
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # there is no folder that can be written: compile in each process
        return njit(**options)(function)


class _Said(event.Listener):
    """Says once that the first compilation takes its time."""

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"].py_func.__module__.startswith("tinynorm.") and not self.done:
            self.done = True
            print("tinynorm: compiling kernels for this machine; they are kept for the next time", file=sys.stderr)

    def on_end(self, event: Any) -> None:
        pass

    done = False


event.register("numba:compile", _Said())
