"""Stand-ins for modules that are not installed, and for a text that is not there.

A file that only plots or loads data with such a module can still be checked; so can one that makes its vocabulary of
``open("input.txt").read()``.
"""

from __future__ import annotations

import builtins
import collections
import io
import re
import sys
import warnings
from collections import abc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import floordiv, ifloordiv, itruediv, truediv
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

# Packages that give the names of Python 2 or 3 to the other; what they give is built in here.
OF_PYTHON_2 = ("future", "past", "six")
DIVIDED = "_divided_"  # what a division becomes a call of


def divided(a: Any, b: Any, in_place: bool = False) -> Any:
    """Return what Python 2 makes of a / b, or of a /= b."""
    whole = all(np.asarray(x).dtype.kind in "iub" for x in (a, b))
    return ((ifloordiv if whole else itruediv) if in_place else (floordiv if whole else truediv))(a, b)


ONE_NUMBER = "_one_number_"  # what the value of an element becomes a call of


def one_number(x: Any) -> Any:
    """Return the number that an array of one holds, and warn of it; anything else as it is."""
    if not isinstance(x, np.ndarray) or not x.ndim or x.size != 1:
        return x
    warnings.warn("NumPy 2.4 raises here: an array of one number is no number; take x.item()", FutureWarning, stacklevel=2)
    return x.item()


OLD_NAMES = {"xrange": range, "unicode": str, "basestring": str, "long": int, DIVIDED: divided}
CUPY = "cupy"  # where that is not installed NumPy stands in for it
OF_CUPY = {"asnumpy": np.asarray, "get_array_module": lambda *_: np}  # all else of it NumPy has too
NOT_YET = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")  # `override` of typing is Python 3.12's
# It has few different letters: a vocabulary's size is that of the parameters, and of the time that a check takes.
TEXT = "a text that is not the one that it stands for\n" * 50
TEXTS = ("", ".txt", ".text")  # what the names of texts end with; one of ours in place of a table would say nothing


class StandIn:
    """What is imported from a module that is not there: a decorator that does nothing; called with anything else, it raises."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> StandIn:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if not arguments:
            return self
        if len(arguments) == 1 and callable(arguments[0]) and not keywords:
            return arguments[0]
        raise ModuleNotFoundError(f"No module named {self._module!r}", name=self._module)

    def __mro_entries__(self, bases: tuple) -> tuple[type, ...]:
        return ()


class _Missing(ModuleType):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = []  # so that modules in it are looked for, and found missing too

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.__name__.partition(".")[0] in OF_PYTHON_2 and (name in OLD_NAMES or hasattr(builtins, name)):
            return OLD_NAMES.get(name) or getattr(builtins, name)
        if self.__name__ == CUPY and (name in OF_CUPY or hasattr(np, name)):
            return OF_CUPY.get(name) or getattr(np, name)
        return StandIn(self.__name__)


def stand_in_for(error: BaseException | None) -> str:
    """Return what was not found, where something stands in for it now, so that what raised can be run again; else ""."""
    lacks = NOT_YET.match(str(error)) if type(error) is ImportError else None
    if lacks and lacks[2] in sys.stdlib_module_names and not hasattr(sys.modules[lacks[2]], lacks[1]):
        setattr(sys.modules[lacks[2]], lacks[1], StandIn(f"{lacks[2]}.{lacks[1]}"))
        return f"{lacks[2]}.{lacks[1]}"
    if not isinstance(error, ModuleNotFoundError) or not error.name or error.name in sys.modules:
        return ""
    sys.modules[error.name] = module = _Missing(error.name)
    above, _, name = error.name.rpartition(".")
    if above in sys.modules:
        setattr(sys.modules[above], name, module)
    return error.name


class _Written(_Missing):
    """A module that a cell of a notebook writes: its names are the notebook's, which are there already."""

    def __init__(self, name: str, names: dict[str, Any]) -> None:
        super().__init__(name)
        self.__all__: list[str] = []
        self._names = names

    def __getattr__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise AttributeError(name) from None


def stand_for(names: dict[str, Any], file: str) -> None:
    """Let the import of a file that a cell writes find the notebook's names."""
    module = file.removesuffix(".py").replace("/", ".")
    sys.modules[module] = _Written(module, names)


@contextmanager
def removed_afterwards() -> Iterator[None]:
    """Another file may ask whether a module is installed, by ``try: import cupy``. Inside, `collections` has its old names."""
    moved = {name: getattr(abc, name) for name in abc.__all__ if not hasattr(collections, name)}  # until Python 3.10
    vars(collections).update(moved)
    try:
        yield
    finally:
        for name in moved:
            vars(collections).pop(name, None)
        for name, module in list(sys.modules.items()):
            if isinstance(module, _Missing):
                del sys.modules[name]
            elif name in sys.stdlib_module_names:
                for lacked in [n for n, value in vars(module).items() if isinstance(value, StandIn)]:
                    delattr(module, lacked)


def open_or_stand_in(remark: Callable[[str], None]) -> Callable:
    """Return an `open` that gives a short text in place of a missing one."""

    def opened(file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
        try:
            return open(file, mode, *arguments, **keywords)
        except FileNotFoundError:
            if mode not in ("r", "rt", "rb") or Path(file).suffix not in TEXTS:
                raise
        remark(f"there is no {file}: a short text stands in for it")
        return io.BytesIO(TEXT.encode()) if "b" in mode else io.StringIO(TEXT)

    return opened
