"""What a step's Python code depends on beside tensors: the names that it reads, and the lists and objects behind them."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from operator import call, is_
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

NUMBERS = (bool, int, float, str, type(None))

# A longer list or dict is data, and is not looked into.
LONG = 256

# Functions of these packages depend on what they are given only.
PACKAGES = sys.stdlib_module_names | {"tinynorm", "numpy"}


class Surroundings:
    """What is found from some objects on, as it is now.

    Attributes
    ----------
    tensors : list of Tensor
        Those that were found.
    iterators : list of str
        The names of those that were found: what they give next is not seen.

    Notes
    -----
    Of a module or an object it is what has a name that the code found on the way uses; of a network, a list or a dict all.

    >>> rate = {"lr": 0.1}
    >>> around = Surroundings([rate])
    >>> around.changed()
    ''
    >>> rate["lr"] = 0.2
    >>> around.changed()
    "dict['lr']"
    """

    def __init__(self, roots: Iterable[Any]) -> None:
        roots, names = list(roots), {"__call__", "forward", "backward"}
        self._names, known = names, 0
        while known < len(names):  # more code uses more names, and more is found by them
            known = len(names)
            self._looks: list[tuple[Callable[[], Iterable], tuple, list[str], str]] = []
            self._visited: dict[int, Any] = {}
            self.tensors: list[Any] = []
            self.iterators: list[str] = []
            for x in roots:
                self._visit(x, type(x).__name__)
        self._at_once = [look for look, *_ in self._looks]
        self._before = tuple(chain.from_iterable(before for _, before, *_ in self._looks))

    def has(self, x: Any) -> bool:
        """Whether it was found."""
        return id(x) in self._visited

    def found(self, kind: type) -> list[Any]:
        """The objects of a class that were found."""
        return [x for x in self._visited.values() if isinstance(x, kind)]

    def same(self) -> bool:
        """Whether all is as it was."""
        now = tuple(chain.from_iterable(map(call, self._at_once)))
        return (len(now) == len(self._before) and all(map(is_, now, self._before))) or not self.changed()

    def changed(self) -> str:
        """What is not as it was, or ""."""
        for look, before, paths, path in self._looks:
            now = tuple(look())
            if len(now) != len(before):
                return f"the length of {path}"
            for a, b, part in zip(now, before, paths, strict=True):
                if not _equal(a, b):
                    return part
        return ""

    def _watch(self, look: Callable[[], Iterable], paths: list[str], path: str) -> None:
        before = tuple(look())
        self._looks.append((look, before, paths, path))
        for x, part in zip(before, paths, strict=True):
            self._visit(x, part)

    def _visit(self, x: Any, path: str) -> None:
        if isinstance(x, NUMBERS) or id(x) in self._visited:
            return
        self._visited[id(x)] = x
        if hasattr(x, "_array"):
            self.tensors.append(x)
        elif isinstance(x, dict):
            if len(x) <= LONG:
                keys = [repr(k) if isinstance(k, NUMBERS) else type(k).__name__ for k in x]
                self._watch(x.values, [f"{path}[{key}]" for key in keys], path)
        elif isinstance(x, (list, tuple, deque, set)):
            if len(x) <= LONG:
                self._watch(partial(iter, x), [f"{path}[{i}]" for i in range(len(x))], path)
        elif isinstance(x, FunctionType):
            self._visit_function(x)
        elif isinstance(x, MethodType):
            self._visit(x.__func__, path)
            self._visit(x.__self__, "self")
        elif isinstance(x, partial):
            for part in (x.func, x.args, x.keywords):
                self._visit(part, path)
        elif isinstance(x, (staticmethod, classmethod, property)):
            self._visit(x.fget if isinstance(x, property) else x.__func__, path)
        elif isinstance(x, np.random.Generator):
            self._watch(lambda: [repr(x.bit_generator.state)], [path], path)
        elif isinstance(x, (ModuleType, type)):
            if _package(x.__name__ if isinstance(x, ModuleType) else x.__module__) not in PACKAGES:
                self._named(vars(x), self._names, f"{path}.")
        elif hasattr(x, "__next__"):
            self.iterators.append(path)
        else:
            self._visit_object(x, path)

    def _visit_function(self, f: FunctionType) -> None:
        cells, names = f.__closure__ or (), list(f.__code__.co_freevars)
        if _package(f.__globals__.get("__name__")) in PACKAGES:  # it may call a function of the user's
            for cell, name in zip(cells, names, strict=True):
                self._visit(_content(cell), name)
            return
        used = _names(f.__code__)
        self._names |= used
        self._named(f.__globals__, used, "")
        if cells:
            self._watch(partial(map, _content, cells), names, "")
        self._named(vars(f), self._names, f"{f.__name__}.")
        for x in (*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()):
            self._visit(x, f"a default of {f.__name__}")

    def _visit_object(self, x: Any, path: str) -> None:
        if hasattr(x, "_kinds"):  # a network
            self._visited[id(x._kinds)] = x._kinds  # what kinds of things it holds
            self._watch(vars(x).values, [f"{path}.{name}" for name in vars(x)], path)
        elif _package(type(x).__module__) not in PACKAGES or hasattr(x, "load_state_dict"):
            self._named(getattr(x, "__dict__", {}), self._names, f"{path}.")
            slots = [name for kind in type(x).__mro__ for name in getattr(kind, "__slots__", ()) if name in self._names]
            if slots:
                self._watch(lambda: [getattr(x, name, None) for name in slots], [f"{path}.{name}" for name in slots], path)
        groups = getattr(x, "param_groups", ())  # of an optimiser, whose step sees the options itself
        for group in groups:
            if "param_groups" not in self._names:
                self._visited[id(group)] = group
            self._visit(group["params"], f"{path}'s parameters")
        self._visit(groups, f"{path}.param_groups")
        self._visit(getattr(x, "__wrapped__", None), path)  # another captured step's function
        for kind in type(x).__mro__:
            self._visit(kind, kind.__name__)

    def _named(self, place: Any, names: set[str], prefix: str) -> None:
        """What has these names in the dict of a module, a class or an object."""
        there = sorted(name for name in names if name in place)
        if there:
            self._watch(partial(map, place.get, there), [prefix + name for name in there], prefix)


def _names(code: CodeType) -> set[str]:
    """The names that a code uses, with those of the functions in it."""
    texts = {c for c in code.co_consts if isinstance(c, str)}  # getattr may be given them
    return {*code.co_names, *texts, *(name for c in code.co_consts if isinstance(c, CodeType) for name in _names(c))}


def _package(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it has no value yet
        return None


def _equal(a: Any, b: Any) -> bool:
    if type(a) is float and type(b) is float:
        return a.hex() == b.hex()  # 0.0 is not -0.0
    return a is b or (type(a) is type(b) and type(a) in NUMBERS and a == b)
