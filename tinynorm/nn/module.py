"""Module: an object that holds parameters, buffers and other modules, with the forward pass that uses them."""

from __future__ import annotations

import types
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from .. import backend
from ..autograd import no_grad
from ..left_out import USE
from ..ops.convert import as_dtype, dtype_and_device
from ..printing import named_in_errors
from ..recording import state as recorded
from ..tensor import HookHandle, Tensor, raw, version_of
from .hooks import BackwardHooks
from .parameter import Parameter
from .state import IncompatibleKeys, load_into

PARAMETER, BUFFER, MODULE = "parameter", "buffer", "module"
_TYPES: dict[str, type] = {PARAMETER: Parameter, BUFFER: Tensor}  # MODULE is added below, after the class
_MAY_BE_HIDDEN = {"type", "float", "double", "half", "cpu", "cuda"}  # methods whose names programs use for numbers of their own


class Module:
    """The base class of all layers and networks.

    A subclass calls ``super().__init__()``, assigns parameters, buffers (`register_buffer`) and modules to its attributes, and
    defines ``forward``. Calling the module runs ``forward``.

    Attributes
    ----------
    training : bool
        True in training mode, False in eval mode; set by `train` and `eval`.

    Examples
    --------
    >>> import tinynorm
    >>> from tinynorm import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.gain = nn.Parameter(tinynorm.tensor([2.0]))
    ...
    ...     def forward(self, x):
    ...         return x * self.gain
    >>> scale = Scale()
    >>> scale(tinynorm.tensor([1.0, 3.0])).tolist()
    [2.0, 6.0]
    >>> dict(scale.state_dict())
    {'gain': tensor([2.])}
    """

    training: bool
    # The kind of each registered name, in order. The values are ordinary attributes, so that reading one costs nothing extra.
    _kinds: dict[str, str]
    _temporary: frozenset[str] = frozenset()  # buffers that state_dict leaves out
    _hooked: bool = False  # whether a hook was ever registered
    _forward_pre_hooks: dict[int, Callable] | None = None
    _forward_hooks: dict[int, Callable] | None = None
    _backward_hooks: dict[int, Callable] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        named_in_errors(cls)

    def __init__(self) -> None:
        self.__dict__["_kinds"] = {}
        self.__dict__["training"] = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if recorded.tape is not None:
            recorded.tape.visit(self)
        return self._call_with_hooks(args, kwargs) if self._hooked else self.forward(*args, **kwargs)

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        for hook in list((self._forward_pre_hooks or {}).values()):
            changed = hook(self, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        around = BackwardHooks(self, self._backward_hooks) if self._backward_hooks else None
        if around is not None:
            args = around.inputs(args)
        y = self.forward(*args, **kwargs)
        for hook in list((self._forward_hooks or {}).values()):
            changed = hook(self, args, y)
            y = y if changed is None else changed
        return y if around is None else around.outputs(y)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs from the inputs. The subclass defines this method."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, ...) in the class")

    def _register_hook(self, kind: str, hook: Callable) -> HookHandle:
        if getattr(self, kind) is None:
            self.__dict__[kind] = {}
        self.__dict__["_hooked"] = True
        return HookHandle(getattr(self, kind), hook)

    def register_forward_pre_hook(self, hook: Callable[[Module, tuple], Any]) -> HookHandle:
        """Call ``hook(module, args)`` before each forward pass.

        If the hook returns a value that is not None, this value (or this tuple of values) replaces the positional arguments.
        The ``remove()`` method of the returned handle removes the hook.
        """
        return self._register_hook("_forward_pre_hooks", hook)

    def register_forward_hook(self, hook: Callable[[Module, tuple, Any], Any]) -> HookHandle:
        """Call ``hook(module, args, output)`` after each forward pass.

        If the hook returns a value that is not None, this value replaces the output. The ``remove()`` method of the returned
        handle removes the hook.
        """
        return self._register_hook("_forward_hooks", hook)

    def register_full_backward_hook(self, hook: Callable[[Module, tuple, tuple], Any]) -> HookHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the module's inputs have been computed.

        Both are tuples, with an entry for each positional argument and for each output. An entry is None if it is no tensor, or
        if no argument requires grad; beside one that does, a tensor that needs no gradient has one of zeros, as in PyTorch.
        If the hook returns a tuple, it replaces `grad_input`. The ``remove()`` method of the returned handle removes the hook.

        Examples
        --------
        >>> import tinynorm
        >>> layer = tinynorm.nn.ReLU()
        >>> handle = layer.register_full_backward_hook(lambda module, grad_input, grad_output: print(grad_input, grad_output))
        >>> layer(tinynorm.tensor([-1.0, 2.0], requires_grad=True)).sum().backward()
        (tensor([0., 1.]),) (tensor([1., 1.]),)
        """
        return self._register_hook("_backward_hooks", hook)

    # -- attributes ------------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        kind = _kind_of(value)
        kinds = self.__dict__.get("_kinds")
        if kinds is None and kind is not None:
            raise AttributeError(
                f"{type(self).__name__}: cannot assign {kind} {name!r} before Module.__init__() has run; "
                "call super().__init__() first in __init__"
            )
        before = kinds.get(name) if kinds else None
        if kind is not None and kinds is not None:
            self._check_method(name, value, registered=True)
            if before == BUFFER and kind == PARAMETER:
                self._temporary -= {name}
            kinds[name] = kind
        elif before is not None:
            _check_replacement(name, before, value)
        elif name not in self.__dict__:  # a new attribute
            self._check_method(name, value)
        object.__setattr__(self, name, value)

    def _check_method(self, name: str, value: Any, registered: bool = False) -> None:
        """Raise an error if a value would hide a method of the class. (A function may replace a method.)"""
        known = getattr(type(self), name, None)
        if isinstance(known, types.FunctionType) and (registered or not (callable(value) or name in _MAY_BE_HIDDEN)):
            switch = f"; to switch the mode, call module.{name}()" if name in ("train", "eval") else ""
            raise AttributeError(
                f"{type(self).__name__}: cannot assign {type(value).__name__} to {name!r}: it is a method of the module, "
                f"and would be hidden. Take another name, e.g. {name}_{switch}"
            )

    def __getattr__(self, name: str) -> Any:  # Python calls this only if the attribute does not exist
        kinds = self.__dict__.get("_kinds")
        if kinds is None:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}: Module.__init__() has not run; call super().__init__() first"
            )
        use = USE.get(f"nn.Module.{name}")  # what to write in place of a method of PyTorch's
        say = f"use {use}" if use else f"registered are: {', '.join(kinds) or 'none'}"
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}; {say}")

    def __delattr__(self, name: str) -> None:
        self._kinds.pop(name, None)
        self._temporary -= {name}
        object.__delattr__(self, name)

    def _register(self, name: str, kind: str, value: Any) -> None:
        """Check the name and the value, then register and assign the value. None is registered too."""
        what = f"{type(self).__name__}: register_{kind}"
        if "_kinds" not in self.__dict__:
            raise AttributeError(f"{what}: Module.__init__() has not run; call super().__init__() first in __init__")
        if not isinstance(name, str):
            raise TypeError(f"{what}: expected a name, got {type(name).__name__}")
        if value is not None and not isinstance(value, _TYPES[kind]):
            raise TypeError(f"{what}: expected {name!r} to be a {_TYPES[kind].__name__} or None, got {type(value).__name__}")
        if not name or "." in name:
            raise KeyError(f"{what}: expected a name that is not empty and has no '.', got {name!r}")
        self._check_method(name, value, registered=True)
        if self._kinds.get(name) != kind and (name in self.__dict__ or hasattr(type(self), name)):
            raise KeyError(f"{what}: the attribute {name!r} already exists; take another name, or delete it first")
        self._kinds[name] = kind
        object.__setattr__(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter. None registers the name without a parameter (for example, in a layer without bias).

        Raises
        ------
        TypeError
            `param` is neither a Parameter nor None.
        KeyError
            The name is empty, has a dot, or is taken by another attribute.
        AttributeError
            The name is the name of a method.
        """
        self._register(name, PARAMETER, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not learnt; `persistent=False` keeps it out of `state_dict`.

        It raises the same errors as `register_parameter`.
        """
        self._register(name, BUFFER, tensor)
        self._temporary = self._temporary - {name} if persistent else self._temporary | {name}

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name. It raises the same errors as `register_parameter`."""
        self._register(name, MODULE, module)

    register_module = add_module

    # -- what it holds ---------------------------------------------------------------------------------------------------

    def _own(self, kind: str) -> Iterator[tuple[str, Any]]:
        """(name, value) of all values of this kind that this module itself holds, without those that are None."""
        if "_kinds" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}: Module.__init__() has not run; call super().__init__() in __init__")
        values = self.__dict__
        return ((name, values[name]) for name, k in self._kinds.items() if k == kind and values[name] is not None)

    @property
    def _parameters(self) -> MutableMapping[str, Parameter | None]:
        """The parameters that this module itself holds, by name: PyTorch's dict. What is written into it is registered."""
        return _Registered(self, PARAMETER)

    @property
    def _buffers(self) -> MutableMapping[str, Tensor | None]:
        return _Registered(self, BUFFER)

    @property
    def _modules(self) -> MutableMapping[str, Module | None]:
        return _Registered(self, MODULE)

    def named_modules(
        self, memo: set | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(name, module) of this module and all modules in it, at any depth.

        A shared module is listed once, unless `remove_duplicate` is False.
        """
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        if remove_duplicate:
            memo.add(id(self))
        yield prefix, self
        for name, module in self._own(MODULE):
            yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all modules in it, at any depth; a shared module is listed once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the modules directly in this module; a shared module is listed once."""
        seen: set[int] = set()
        for name, module in self._own(MODULE):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules directly in this module; a shared module is listed once."""
        return (module for _, module in self.named_children())

    def _named(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        seen: set[int] = set()
        for path, module in modules:
            for name, value in module._own(kind):
                if id(value) not in seen:
                    if remove_duplicate:
                        seen.add(id(value))
                    yield _join(path, name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter) of all parameters; a shared one is listed once, unless `remove_duplicate` is False."""
        return self._named(PARAMETER, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters; a shared parameter is listed once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(name, buffer) of all buffers: the tensors that belong to the state but are not learnt."""
        return self._named(BUFFER, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers: the tensors that belong to the state but are not learnt."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module with the dotted name `target`; for "", this module itself.

        Raises
        ------
        AttributeError
            There is no such module.
        """
        module = self
        for name in target.split(".") if target else ():
            if module._kinds.get(name) != MODULE:
                raise AttributeError(
                    f"{type(self).__name__}: no module {target!r}: {type(module).__name__} has no module {name!r}"
                )
            module = module.__dict__[name]
        return module

    def _get(self, target: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if module._kinds.get(name) != kind:
            raise AttributeError(f"{type(self).__name__}: no {kind} {target!r}: {type(module).__name__} has no {kind} {name!r}")
        return module.__dict__[name]

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with the dotted name `target`. It raises the same errors as `get_submodule`."""
        return self._get(target, PARAMETER)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with the dotted name `target`. It raises the same errors as `get_submodule`."""
        return self._get(target, BUFFER)

    # -- modes -----------------------------------------------------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Module:
        """Call `fn` on all modules in this module, and then on this module; returns this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        """Switch this module and all modules in it to training mode (with False: to eval mode); returns this module."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: expected mode to be True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Switch this module and all modules in it to eval mode; returns this module."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Set `requires_grad` of all parameters (False freezes them); returns this module.

        Raises
        ------
        RuntimeError
            `requires_grad` is True, but a parameter is not floating-point. No parameter has changed then.
        """
        for name, p in self.named_parameters():
            if requires_grad and not p.is_floating_point():
                raise RuntimeError(f"requires_grad_: only floating-point tensors have gradients, {name!r} is {p._array.dtype}")
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or (with `set_to_none=False`) fill them with zeros."""
        for p in self.parameters():
            p.zero_grad(set_to_none)

    # -- dtype and device ------------------------------------------------------------------------------------------------

    def to(
        self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, memory_format: Any = None
    ) -> Module:
        """Convert the parameters, their gradients and the buffers to another floating-point dtype, another device, or both.

        Integer buffers keep their dtype. The conversion is in place: the parameters stay the same objects, so an optimiser can
        still use them. Returns this module.

        Parameters
        ----------
        *args : dtype, device, device name or Tensor
            As in `Tensor.to`.
        non_blocking, memory_format
            For PyTorch's programs; they change nothing here.

        Raises
        ------
        RuntimeError
            The device is not available; the message has the reason and the fix. Nothing has moved then.
        TypeError
            The dtype is not a floating-point dtype.
        """
        dtype, device = dtype_and_device(args, dtype, device)
        if dtype is not None and str(as_dtype(dtype)).rpartition(".")[2] not in ("float16", "float32", "float64"):
            raise TypeError(f"{type(self).__name__}.to: expected a floating-point dtype, got {dtype}")

        def move(t: Tensor) -> Tensor:
            return t.to(dtype=dtype if t.is_floating_point() else None, device=device)

        return self._apply(move)

    def _apply(self, move: Callable[[Tensor], Tensor]) -> Module:
        """Replace the arrays of the parameters and gradients, and the buffers, after all new arrays have been computed."""
        with no_grad():
            new_arrays = []  # (tensor, its new array), gradients among them
            for p in self.parameters():
                new_arrays += [(t, raw(move(t))) for t in (p, p._grad) if t is not None]
            new_buffers = {id(b): move(b) for b in self.buffers()}
        for t, array in new_arrays:
            if array is not t._array:
                version_of(t).bump("Module.to")  # if a node has saved the old array, its backward raises an error
                t.array = array
        for module in self.modules():
            for name, b in module._own(BUFFER):
                module.__dict__[name] = new_buffers[id(b)]
        return self

    def float(self) -> Module:
        """Convert floating-point parameters, gradients and buffers to float32; returns this module."""
        return self.to(backend.float32)

    def double(self) -> Module:
        """Convert floating-point parameters, gradients and buffers to float64; returns this module."""
        return self.to(backend.float64)

    def half(self) -> Module:
        """Convert floating-point parameters, gradients and buffers to float16; returns this module."""
        return self.to(backend.float16)

    def type(self, dst_type: Any) -> Module:
        """Convert all parameters, gradients and buffers to a dtype, buffers of integers too; returns this module."""
        return self._apply(lambda t: t.type(dst_type))

    def cpu(self) -> Module:
        """Move parameters, gradients and buffers to the CPU; returns this module."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Module:
        """Move parameters, gradients and buffers to the GPU (with this number, or this device); returns this module."""
        return self.to("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)

    # -- state -----------------------------------------------------------------------------------------------------------

    def state_dict(self, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Tensor]:
        """An OrderedDict of the parameters and persistent buffers by name. A shared tensor is listed under each of its names.

        The tensors share the memory of the module (use ``.clone()`` to keep the current numbers). With `keep_vars=True` the
        dict has the parameters themselves.
        """
        state: OrderedDict[str, Tensor] = OrderedDict()
        for kind in (PARAMETER, BUFFER):
            for name, t in self._own(kind):
                if name not in self._temporary:
                    state[prefix + name] = t if keep_vars else t.detach()
        for name, module in self._own(MODULE):
            state.update(module.state_dict(f"{prefix}{name}.", keep_vars))
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy the numbers of a state dict into the parameters and buffers, which keep their dtype and device.

        Parameters
        ----------
        state_dict : mapping of str to Tensor or array
            As `Module.state_dict` returns it.
        strict : bool
            Whether a missing or unexpected name is an error. A wrong shape is always an error.

        Returns
        -------
        IncompatibleKeys
            (missing_keys, unexpected_keys).

        Raises
        ------
        TypeError
            `state_dict` is not a mapping.
        RuntimeError
            The state does not fit. The message lists all names that are missing or unexpected, and all values of another shape
            or type. Nothing has changed then.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a mapping from names to tensors, got {type(state_dict).__name__}")
        return load_into(self.state_dict(keep_vars=True), state_dict, strict, type(self).__name__)

    def __copy__(self) -> Module:
        """A shallow copy with the same parameters, buffers and modules. A later assignment changes only one of the two."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__)
        copy.__dict__["_kinds"] = dict(self._kinds)
        for hooks in ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks"):
            if getattr(self, hooks) is not None:
                copy.__dict__[hooks] = dict(getattr(self, hooks))
        return copy

    # -- how it looks ----------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The settings that the repr shows; a subclass defines it."""
        return ""

    def __repr__(self) -> str:
        settings = self.extra_repr()
        modules = [f"({name}): {module!r}" for name, module in self._modules.items()]
        if not modules and "\n" not in settings:
            return f"{self._get_name()}({settings})"
        return self._shown([*settings.split("\n"), *modules] if settings else modules)

    def _shown(self, lines: list[str]) -> str:
        """The repr: the class, and these lines indented."""
        inner = "\n".join(lines).replace("\n", "\n  ")
        return f"{self._get_name()}(\n  {inner}\n)" if lines else f"{self._get_name()}()"

    def _get_name(self) -> str:
        """The class's name, as PyTorch's programs ask for it."""
        return type(self).__name__


_TYPES[MODULE] = Module


class _Registered(MutableMapping[str, Any]):
    """The entries of one kind that a module itself holds. The module's attributes are the entries: nothing is stored twice."""

    def __init__(self, module: Module, kind: str) -> None:
        self._module, self._kind = module, kind

    def __getitem__(self, name: str) -> Any:
        if self._module._kinds.get(name) != self._kind:
            raise KeyError(name)
        return self._module.__dict__[name]

    def __setitem__(self, name: str, value: Any) -> None:
        _check_replacement(name, self._kind, value)
        self._module._kinds[name] = self._kind
        self._module.__dict__[name] = value

    def __delitem__(self, name: str) -> None:
        del self._module.__dict__[name], self._module._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter([name for name, kind in self._module._kinds.items() if kind == self._kind])

    def __len__(self) -> int:
        return sum(kind == self._kind for kind in self._module._kinds.values())

    def keys(self) -> Any:  # these three as a dict has them: quicker, and printed alike
        return self._as_dict().keys()

    def values(self) -> Any:
        return self._as_dict().values()

    def items(self) -> Any:
        return self._as_dict().items()

    def _as_dict(self) -> dict[str, Any]:
        values = self._module.__dict__
        return {name: values[name] for name, kind in self._module._kinds.items() if kind == self._kind}

    def __repr__(self) -> str:
        return repr(self._as_dict())


def _kind_of(value: Any) -> str | None:
    """The kind under which an assigned value is registered; None for ordinary attributes, such as plain tensors."""
    return PARAMETER if isinstance(value, Parameter) else MODULE if isinstance(value, Module) else None


def _check_replacement(name: str, kind: str, value: Any) -> None:
    """Raise an error if the new value of a registered name is neither of the registered kind nor None."""
    if value is not None and not isinstance(value, _TYPES[kind]):
        fix = "; wrap it: nn.Parameter(...)" if kind == PARAMETER and isinstance(value, Tensor) else ""
        raise TypeError(
            f"cannot assign {type(value).__name__} to {name!r}, which is registered as a {kind}: expected a "
            f"{_TYPES[kind].__name__} or None{fix} (or delete the attribute first)"
        )


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
