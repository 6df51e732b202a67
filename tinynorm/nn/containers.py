"""Modules that hold modules in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .module import MODULE, Module


class _Ordered(Module):
    """The base class of the containers: it holds modules in order, under the names "0", "1", ..."""

    def _entries(self) -> list[tuple[str, Any]]:
        """(name, module) of all entries in order. An entry that is None is included, as in PyTorch."""
        return [(name, self.__dict__[name]) for name, kind in self._kinds.items() if kind == MODULE]

    def _modules_in_order(self) -> list[Any]:
        return [module for _, module in self._entries()]

    def _replace(self, modules: Iterable[Module | None]) -> None:
        """Replace all modules by these modules, numbered from 0."""
        modules = list(modules)
        for module in modules:
            if module is not None and not isinstance(module, Module):
                raise TypeError(f"{type(self).__name__}: expected modules, got {type(module).__name__}")
        for name in [name for name, kind in self._kinds.items() if kind == MODULE]:
            delattr(self, name)
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def append(self, module: Module) -> Any:
        """Add a module at the end; returns itself."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add modules at the end; returns itself. If one of them is not a module, none is added."""
        modules = list(modules)
        for i, module in enumerate(modules, len(self)):
            if module is not None and not isinstance(module, Module):
                name, got = type(self).__name__, type(module).__name__
                raise TypeError(f"{name}: expected {str(i)!r} to be a Module or None, got {got}")
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Add a module before number `index`; returns itself."""
        modules = self._modules_in_order()
        modules.insert(index, module)
        self._replace(modules)
        return self

    def __len__(self) -> int:
        return len(self._modules_in_order())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules_in_order())

    def __contains__(self, module: object) -> bool:
        return any(module is m for m in self)

    def _name_at(self, index: int) -> str:
        names = [name for name, _ in self._entries()]
        try:
            return names[index]
        except IndexError:
            raise IndexError(f"{type(self).__name__}: index {index} is out of range: it holds {len(names)} modules") from None

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)._of(self._entries()[index])
        return self.__dict__[self._name_at(index)]

    @classmethod
    def _of(cls, named: list[tuple[str, Module]]) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        modules = self._modules_in_order()
        if not isinstance(index, slice):
            self._name_at(index)  # checks the range
        del modules[index]
        self._replace(modules)


class Sequential(_Ordered):
    """Modules that run one after the other. The input of each is the output of the one before it.

    Parameters
    ----------
    *modules : Module, or one mapping from names to modules

    Raises
    ------
    TypeError
        One of them is not a module.

    Examples
    --------
    >>> import tinynorm
    >>> from tinynorm import nn
    >>> nn.Sequential(nn.Flatten(), nn.ReLU())
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): ReLU()
    )
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        first = modules[0] if len(modules) == 1 else None
        named = first if isinstance(first, Mapping) else {str(i): module for i, module in enumerate(modules)}
        for name, module in named.items():
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential: expected modules, got {type(module).__name__} as {name!r}; nn.ReLU() is one, F.relu is not"
                )
            self.add_module(name, module)

    @classmethod
    def _of(cls, named: list[tuple[str, Module]]) -> Sequential:
        some = cls()
        for name, module in named:
            some.add_module(name, module)  # may be None, which the constructor refuses
        return some

    def forward(self, x: Any) -> Any:
        values = self.__dict__
        for name, kind in self._kinds.items():
            if kind == MODULE and values[name] is not None:
                x = values[name](x)
        return x


class ModuleList(_Ordered):
    """A list of modules. Their parameters belong to the list, and so to the module that holds it. It has no forward.

    Parameters
    ----------
    modules : iterable of Module, optional

    Raises
    ------
    TypeError
        One of them is not a module.

    Examples
    --------
    >>> from tinynorm import nn
    >>> layers = nn.ModuleList([nn.Linear(4, 3), nn.Linear(3, 2)])
    >>> [name for name, _ in layers.named_parameters()]
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    @classmethod
    def _of(cls, named: list[tuple[str, Module]]) -> ModuleList:
        return cls(module for _, module in named)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raise an error: a list does not define how its modules run."""
        raise NotImplementedError("ModuleList: it is a list and has no forward; loop over it, or use nn.Sequential")
