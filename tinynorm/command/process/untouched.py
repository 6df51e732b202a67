"""Whether a file has changed what the checker computes with: NumPy, Python's own functions, the checker itself."""

from __future__ import annotations

import sys
from types import FunctionType, ModuleType
from typing import Any

WATCHED = ("builtins", "math", "numpy", "tinynorm")
# Files written for NumPy 1 give it back the old names of these, np.bool = bool. Nothing computes otherwise.
TYPES = (bool, int, float, complex, str, object)
KINDS = (ModuleType, property, staticmethod, classmethod)  # beside what can be called


class Untouched:
    """Remembers the modules that are loaded, and in those WATCHED the functions, the classes and their methods."""

    def __init__(self) -> None:
        self.loaded, self.setattr = sys.modules, setattr
        self.modules = {name: module for name, module in sys.modules.items() if name != "__main__"}
        self.owners: list[tuple[str, Any, dict[str, Any]]] = []  # (name, a module or a class, what it has)
        self.codes: dict[FunctionType, Any] = {}
        for name, module in self.modules.items():
            if name.partition(".")[0] in WATCHED:
                self._remember(name, module)
                for value in list(vars(module).values()) if name.startswith("tinynorm") else ():
                    if isinstance(value, type) and value.__module__ == name:
                        self._remember(f"{name}.{value.__name__}", value)

    def _remember(self, where: str, owner: Any) -> None:
        has = {name: value for name, value in vars(owner).items() if callable(value) or isinstance(value, KINDS)}
        self.owners.append((where, owner, has))
        self.codes |= {value: value.__code__ for value in has.values() if isinstance(value, FunctionType)}

    def put_back(self) -> str:
        """Put back what is changed; return the name of one such thing, or "". No function is called that may be changed."""
        changed = ""
        for name, module in self.modules.items():
            if self.loaded.get(name) is not module:
                changed, self.loaded[name] = f"sys.modules[{name!r}]", module
        for where, owner, has in self.owners:
            now = owner.__dict__
            for name, value in has.items():
                if now.get(name) is not value:
                    known = [kind for kind in TYPES if kind is now.get(name)]
                    changed = changed if known else f"{where}.{name}"
                    self.setattr(owner, name, value)
        for function, code in self.codes.items():
            if function.__code__ is not code:
                changed, function.__code__ = f"{function.__module__}.{function.__qualname__}", code
        return changed
