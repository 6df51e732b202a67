"""Which kernels run: `use`, and the answer to "is there a kernel for these arrays?"."""

from __future__ import annotations

import os
import warnings
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..backend import NUMPYS
from ..recording import state as recorded

# An array of fewer numbers is left to the formula: importing Numba takes a third of a second, which a program that only looks
# at a few small arrays would never win back. (test_select.py holds that such a program does not import it.)
WORTH = 512

CHOICES = ("auto", "numpy", "numba")
DTYPES = np.dtype(np.float32), np.dtype(np.float64)


def _first_choice() -> str:
    chosen = os.environ.get("TINYNORM_KERNELS") or "auto"
    if chosen not in CHOICES:
        raise ValueError(f"TINYNORM_KERNELS: expected one of {', '.join(CHOICES)}, got {chosen!r}")
    return chosen


state = SimpleNamespace(choice=_first_choice(), warning="")


@cache
def why_not() -> str:
    """Why there are no kernels, and what to do; "" if there are. The first call imports Numba."""
    try:
        there = find_spec("numba") is not None
    except ValueError:  # it is hidden: sys.modules has None in its place
        there = False
    if not there:
        return "Numba is not installed; pip install 'tinynorm[fast]'"
    try:
        disabled = family("compiled").DISABLED
    except Exception as error:  # whatever goes wrong in another library, the formulas are there
        state.warning = f"Numba does not import ({type(error).__name__}: {error}); pip install -U 'tinynorm[fast]'"
        return state.warning
    return "Numba does not compile: unset NUMBA_DISABLE_JIT" if disabled else ""


def use(choice: str) -> _Use:
    """Choose which kernels run, from now on or in a ``with`` block.

    Parameters
    ----------
    choice : {"auto", "numpy", "numba"}
        "auto": Numba's where it is installed and the arrays are worth it (512 numbers). "numpy": none, the formulas run.
        "numba": Numba's for arrays of any size. The environment variable TINYNORM_KERNELS sets the first choice. It holds for
        all threads.

    Raises
    ------
    ValueError
        There is no such choice.
    ModuleNotFoundError
        "numba", and Numba is not installed or does not import.

    Examples
    --------
    >>> import tinynorm
    >>> with tinynorm.kernels.use("numpy"):
    ...     tinynorm.nn.LayerNorm(2)(tinynorm.tensor([[1.0, 3.0]])).round().tolist()
    [[-1.0, 1.0]]
    """
    if choice not in CHOICES:
        raise ValueError(f"kernels.use: expected one of {', '.join(map(repr, CHOICES))}, got {choice!r}")
    if choice == "numba" and why_not():
        raise ModuleNotFoundError(f"kernels.use: {why_not()}")
    return _Use(choice)


class _Use:
    def __init__(self, choice: str) -> None:
        self.before = state.choice
        state.choice = choice

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        state.choice = self.before


def kernels_for(name: str, *arrays: Any, any_size: bool = False) -> Any:
    """The kernels of a family (the name of its file), if they are wanted for these arrays; else None.

    The arrays must be NumPy's, row-major, writeable, and all float32 or all float64. The first one's size counts, if
    `any_size` does not say that a kernel has run before.
    """
    x, choice = arrays[0], state.choice
    if choice == "numpy" or type(x) not in NUMPYS or x.size < (WORTH if choice == "auto" and not any_size else 1):
        return None
    dtype = x.dtype
    if dtype not in DTYPES:
        return None
    for a in arrays:
        if a is not None and (type(a) not in NUMPYS or a.dtype != dtype or not a.flags.carray):
            return None
    if why_not():
        return _none()
    return family(name) if recorded.tape is None else recorded.tape.noting(family(name))


def _none() -> None:
    """There are no kernels: an error if somebody said that there are, and once a warning if Numba is broken."""
    if state.choice == "numba":
        raise ModuleNotFoundError(f"TINYNORM_KERNELS=numba: {why_not()}")
    if state.warning:
        text, state.warning = f"kernels: {state.warning}. The formulas run, which is slower", ""
        warnings.warn(text, RuntimeWarning, stacklevel=2)


@cache
def family(name: str) -> Any:
    """The kernels in the file of this name."""
    return import_module(f"{__package__}.{name}")
