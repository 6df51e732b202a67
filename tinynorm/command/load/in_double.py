"""Read float32 in a file as float64: where forward rounds to seven digits, a finite difference sees little of a mistake."""

from __future__ import annotations

import gc
import sys
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ..run_code import is_the_users

SINGLE = {"float32": "float64", "float16": "float64"}


def read_in_double(names: dict[str, Any], before: set[str]) -> bool:
    """Let the user's functions and settings have float64 for float32; return whether they had any.

    They are those with these names, and those in the modules that were not there before.
    """
    files = [vars(m) for name, m in list(sys.modules.items()) if name not in before and is_the_users(m)]
    known = {id(held): held for held in (names, *files)}
    homes, every = {held["__name__"] for held in known.values()}, gc.get_objects()
    classes = [c for c in every if isinstance(c, type) and c.__module__ in homes]
    if any(not _is_single(held.get(name, "float32")) for name in SINGLE for held in (*known.values(), *map(vars, classes))):
        return False  # another thing is called so
    changed = False
    for held in known.values():
        for name, x in [(name, x) for name, x in held.items() if _is_single(x)]:
            held[name] = held[SINGLE.get(name, name)] = _double(x)  # float64 too, of `from numpy import float32`
            changed = True
    for cls in classes:
        for name, x in [(name, x) for name, x in vars(cls).items() if _is_single(x)]:
            setattr(cls, name, _double(x))
    for f in [f for f in every if isinstance(f, FunctionType) and id(f.__globals__) in known]:
        f.__defaults__ = f.__defaults__ and tuple(map(_double, f.__defaults__))
        f.__kwdefaults__ = f.__kwdefaults__ and {name: _double(x) for name, x in f.__kwdefaults__.items()}
        code = _in_double(f.__code__)
        if code is not f.__code__:
            f.__code__, changed = code, True
    return changed


def _is_single(x: Any) -> bool:
    named = isinstance(x, str) and x in SINGLE
    return named or (isinstance(x, type | np.dtype) and x in (np.float32, np.float16))


def _double(x: Any) -> Any:
    """Return float64 for float32, as a word or a type; anything else as it is."""
    return x if not _is_single(x) else "float64" if isinstance(x, str) else np.float64


def _in_double(code: CodeType) -> CodeType:
    """Return a function's code, and of those in it, with float64 for float32."""
    constants = tuple(_in_double(x) if isinstance(x, CodeType) else _double(x) for x in code.co_consts)
    found = tuple(SINGLE.get(name, name) for name in code.co_names)
    same = constants == code.co_consts and found == code.co_names
    return code if same else code.replace(co_consts=constants, co_names=found)
