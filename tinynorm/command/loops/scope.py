"""The names that are known where a network trains: in a function, or in its file."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np


@dataclass
class Scope:
    """The body of a function, or of a file, and what is known there."""

    name: str  # of the function, or "the file"
    body: list[ast.stmt]
    given: dict[str, Any]  # arguments, with their defaults; and what is learned, or an element of the data
    known: dict[str, Any]  # of the file
    whole: bool = False  # whether it is the file's
    penalties: set[str] = field(default_factory=set)  # the factors of penalties

    def is_data(self, name: str) -> bool:
        """Whether a name is an argument without a default, or an array or a list of the file."""
        there = self.known.get(name) if name not in self.given else self.given[name]
        argument = name in self.given and not isinstance(there, bool | int | float | str)
        several = isinstance(there, list | tuple) or (isinstance(there, np.ndarray) and there.size > 1)
        return argument or (self.whole and several)

    def is_number(self, name: str) -> bool:
        """Whether a name is a number of the file, or an argument with one as its default."""
        there = self.given.get(name, self.known.get(name))
        return isinstance(there, int | float) and not isinstance(there, bool)

    def is_free(self, name: str) -> bool:
        """Whether a name that nothing sets is data, and no function, module or number of the file."""
        there = self.known.get(name, getattr(builtins, name, None))
        return name in self.given or not (callable(there) or isinstance(there, ModuleType | int | float | str))
