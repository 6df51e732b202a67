"""Let the user's code find another NumPy: one with a clip that cuts nothing off."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from .run_code import is_the_users


@contextmanager
def numpy_with(**changes: Any) -> Iterator[None]:
    """Let the user's modules find these in NumPy, also by a name of their own: from numpy import clip."""
    other = ModuleType("numpy")
    vars(other).update(vars(np), __getattr__=lambda name: getattr(np, name), **changes)
    instead = {id(np): other} | {id(getattr(np, name)): new for name, new in changes.items()}
    places = []
    for module in filter(is_the_users, list(sys.modules.values())):
        places += [(module, name, x) for name, x in list(vars(module).items()) if id(x) in instead]
    for module, name, x in places:
        setattr(module, name, instead[id(x)])
    try:
        yield
    finally:
        for module, name, x in places:
            setattr(module, name, x)


def unclipped(a: Any, low: Any, high: Any, out: Any = None, **options: Any) -> Any:
    """Return an array as it is, where np.clip would cut it off at -5 and 5."""
    symmetric = np.ndim(low) == np.ndim(high) == 0 and low == -high
    return np.clip(a, low, high, out=out, **options) if not symmetric else np.positive(a, out=out)
