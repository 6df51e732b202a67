"""Stand-ins for modules that are not installed: a file that only plots or loads data with them can still be checked."""

from __future__ import annotations

import builtins
import collections
import sys
from collections import abc
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

# Packages that give the names of Python 2 or 3 to the other; what they give is built in here.
OF_PYTHON_2 = ("future", "past", "six")
OLD_NAMES = {"xrange": range, "unicode": str, "basestring": str, "long": int}


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
        return StandIn(self.__name__)


def stand_in_for(error: BaseException | None) -> bool:
    """Whether a module was not found, and something stands in for it now: what raised can be run again."""
    if not isinstance(error, ModuleNotFoundError) or not error.name or error.name in sys.modules:
        return False
    sys.modules[error.name] = module = _Missing(error.name)
    above, _, name = error.name.rpartition(".")
    if above in sys.modules:
        setattr(sys.modules[above], name, module)
    return True


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
        for name in [name for name, module in sys.modules.items() if isinstance(module, _Missing)]:
            del sys.modules[name]
