"""Modules that hold modules or parameters in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from ..tensor import Tensor
from .activation import ReLU
from .joined import joined_by_relu, layer_and_relu
from .module import MODULE, PARAMETER, Module
from .parameter import Parameter


class _Ordered(Module):
    """The base class of the lists: it holds modules (or parameters) in order, under the names "0", "1", ..."""

    _kind = MODULE

    def _entries(self) -> list[tuple[str, Any]]:
        """(name, entry) of all entries in order. An entry that is None is included, as in PyTorch."""
        return [(name, self.__dict__[name]) for name, kind in self._kinds.items() if kind == self._kind]

    def _in_order(self) -> list[Any]:
        return [entry for _, entry in self._entries()]

    def _checked(self, name: str, entry: Any) -> Any:
        """The entry; an error if it cannot be one."""
        if entry is not None and not isinstance(entry, Module):
            raise TypeError(f"{type(self).__name__}: expected {name!r} to be a Module or None, got {type(entry).__name__}")
        return entry

    def _replace(self, entries: Iterable[Any]) -> None:
        """Replace all entries by these, numbered from 0."""
        entries = [self._checked(str(i), entry) for i, entry in enumerate(entries)]
        for name, _ in self._entries():
            delattr(self, name)
        for i, entry in enumerate(entries):
            self._register(str(i), self._kind, entry)

    def append(self, module: Any) -> Any:
        """Add an entry at the end; returns itself."""
        name = str(len(self))
        self._register(name, self._kind, self._checked(name, module))
        return self

    def extend(self, modules: Iterable[Any]) -> Any:
        """Add entries at the end; returns itself. If one of them cannot be one, none is added."""
        for entry in [self._checked(str(i), entry) for i, entry in enumerate(modules, len(self))]:
            self.append(entry)
        return self

    __iadd__ = extend

    def insert(self, index: int, module: Any) -> Any:
        """Add an entry before number `index`; returns itself."""
        entries = self._in_order()
        entries.insert(index, module)
        self._replace(entries)
        return self

    def pop(self, index: int) -> Any:
        """Take an entry out, and return it."""
        entry = self[index]
        del self[index]
        return entry

    def __add__(self, other: Iterable[Any]) -> Any:
        """A new list, of the entries of both."""
        return type(self)._of([(str(i), entry) for i, entry in enumerate([*self, *other])])

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._in_order())

    def __contains__(self, entry: object) -> bool:
        return any(entry is e for e in self)

    def _name_at(self, index: int) -> str:
        names = [name for name, _ in self._entries()]
        try:
            return names[index]
        except IndexError:
            held = "modules" if self._kind == MODULE else "parameters"
            raise IndexError(f"{type(self).__name__}: index {index} is out of range: it holds {len(names)} {held}") from None

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)._of(self._entries()[index])
        return self.__dict__[self._name_at(index)]

    @classmethod
    def _of(cls, named: list[tuple[str, Any]]) -> Any:
        return cls([entry for _, entry in named])  # type: ignore[call-arg]

    def __setitem__(self, index: int, module: Any) -> None:
        name = self._name_at(index)
        setattr(self, name, self._checked(name, module))

    def __delitem__(self, index: int | slice) -> None:
        entries = self._in_order()
        if not isinstance(index, slice):
            self._name_at(index)  # checks the range
        del entries[index]
        self._replace(entries)


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

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential: expected a Sequential beside +, got {type(other).__name__}; use extend, or wrap it")
        return super().__add__(other)

    @classmethod
    def _of(cls, named: list[tuple[str, Any]]) -> Sequential:
        some = cls()
        for name, module in named:
            some.add_module(name, module)  # may be None, which the constructor refuses
        return some

    def forward(self, input: Any) -> Any:
        values, layer = self.__dict__, None
        for name, kind in list(self._kinds.items()):
            module = values[name]
            if kind != MODULE or module is None:
                continue
            if layer is not None and type(module) is ReLU and joined_by_relu(layer, module):
                input, layer = layer_and_relu(layer, module, input), None
            else:
                input, layer = input if layer is None else layer(input), module  # it waits for what comes behind it
        return input if layer is None else layer(input)


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
    >>> layers = nn.ModuleList([nn.Linear(4, 3), nn.Linear(3, 3), nn.Linear(3, 3)])
    >>> [name for name, _ in layers.named_parameters()]
    ['0.weight', '0.bias', '1.weight', '1.bias', '2.weight', '2.bias']
    >>> layers
    ModuleList(
      (0): Linear(in_features=4, out_features=3, bias=True)
      (1-2): 2 x Linear(in_features=3, out_features=3, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raise an error: a list does not define how its modules run."""
        raise NotImplementedError("ModuleList: it is a list and has no forward; loop over it, or use nn.Sequential")

    def __repr__(self) -> str:
        """Modules that follow each other and look the same are shown once."""
        lines, start = [], 0
        for text, alike in groupby(map(repr, self)):
            n = len(list(alike))
            lines.append(f"({start}): {text}" if n == 1 else f"({start}-{start + n - 1}): {n} x {text}")
            start += n
        return self._shown(lines)


class _Named(Module):
    """The base class of the dicts: it holds modules (or parameters) by their names."""

    _kind = MODULE

    def update(self, entries: Any) -> None:
        """Add or replace several entries: a mapping, or (name, entry) pairs."""
        for name, entry in dict(entries).items():
            self[name] = entry

    @property
    def _held(self) -> Any:
        return self._modules if self._kind == MODULE else self._parameters

    def __getitem__(self, key: str) -> Any:
        return self._held[key]

    def __setitem__(self, key: str, entry: Any) -> None:
        self.add_module(key, entry)

    def __delitem__(self, key: str) -> None:
        del self._held[key]

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def keys(self) -> Any:
        """The names, in order."""
        return self._held.keys()

    def values(self) -> Any:
        """The entries, in order."""
        return self._held.values()

    def items(self) -> Any:
        """(name, entry), in order."""
        return self._held.items()

    def pop(self, key: str) -> Any:
        """Take an entry out, and return it."""
        entry = self[key]
        del self[key]
        return entry

    def clear(self) -> None:
        """Take out all entries."""
        for key in list(self):
            del self[key]


class ModuleDict(_Named):
    """A dict of modules. Their parameters belong to the dict, and so to the module that holds it. It has no forward.

    Parameters
    ----------
    modules : mapping of str to Module, or iterable of (name, module), optional

    Raises
    ------
    TypeError
        One of them is not a module.
    KeyError, AttributeError
        A name is empty, has a dot, or is the name of a method.

    Examples
    --------
    >>> from tinynorm import nn
    >>> layers = nn.ModuleDict({"in": nn.Linear(4, 3), "out": nn.Linear(3, 2)})
    >>> layers["out"].out_features
    2
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})


class ParameterList(_Ordered):
    """A list of parameters, which belong to the module that holds the list. A plain tensor becomes a parameter.

    Parameters
    ----------
    values : iterable of Tensor, optional

    Raises
    ------
    TypeError
        One of them is not a Tensor.

    Examples
    --------
    >>> import tinynorm
    >>> from tinynorm import nn
    >>> nn.ParameterList([tinynorm.zeros(2, 3), tinynorm.zeros(3)])
    ParameterList(
        (0): Parameter containing: [torch.float32 of size 2x3]
        (1): Parameter containing: [torch.float32 of size 3]
    )
    """

    _kind = PARAMETER

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def _checked(self, name: str, entry: Any) -> Any:
        if not isinstance(entry, Tensor):
            raise TypeError(f"ParameterList: expected {name!r} to be a Tensor, got {type(entry).__name__}")
        return entry if isinstance(entry, Parameter) else Parameter(entry)

    def extra_repr(self) -> str:
        return _shown_parameters({str(i): (f"torch.{p._array.dtype}", p) for i, p in enumerate(self)})


class ParameterDict(_Named):
    """A dict of parameters, which belong to the module that holds the dict. A plain tensor becomes a parameter.

    Parameters
    ----------
    parameters : mapping of str to Tensor, or iterable of (name, Tensor), optional

    Raises
    ------
    TypeError
        One of them is not a Tensor.
    KeyError
        A name is empty, has a dot, or is the name of a method.

    Examples
    --------
    >>> import tinynorm
    >>> from tinynorm import nn
    >>> nn.ParameterDict({"weight": tinynorm.zeros(2, 3), "bias": tinynorm.zeros(3)})
    ParameterDict(
        (weight): Parameter containing: [torch.FloatTensor of size 2x3]
        (bias): Parameter containing: [torch.FloatTensor of size 3]
    )
    """

    _kind = PARAMETER

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def __setitem__(self, key: str, entry: Tensor) -> None:
        if not isinstance(entry, Tensor):
            raise TypeError(f"ParameterDict: expected {key!r} to be a Tensor, got {type(entry).__name__}")
        self.register_parameter(key, entry if isinstance(entry, Parameter) else Parameter(entry))

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter, or `default` if there is none."""
        return self._parameters.get(key, default)

    def extra_repr(self) -> str:
        return _shown_parameters({name: (p.type(), p) for name, p in self.items()})


def _shown_parameters(entries: dict[str, tuple[Any, Any]]) -> str:
    """A line for each parameter, given with what its kind is called."""
    lines = []
    for name, (kind, p) in entries.items():
        place = f" (GPU {p.device.index or 0})" if p.is_cuda else ""
        lines.append(f"  ({name}): Parameter containing: [{kind} of size {'x'.join(map(str, p.shape))}{place}]")
    return "\n".join(lines)
