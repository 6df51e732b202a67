"""Copy the numbers of a state dict into a module's tensors: all of them, or none if one does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autograd import no_grad
from ..tensor import Tensor, raw, version_of
from .parameter import Uninitialized


class IncompatibleKeys(NamedTuple):
    """The result of `load_state_dict`: the names that the state dict lacks, and the names that the module lacks."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:  # as PyTorch prints it
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def load_into(own: dict[str, Tensor], state_dict: Mapping[str, Any], strict: bool, into: str) -> IncompatibleKeys:
    """Copy `state_dict` into a module's tensors `own`, for `Module.load_state_dict`. Error messages call the module `into`."""
    missing = [name for name in own if name not in state_dict]
    unexpected = [name for name in state_dict if name not in own]
    problems = [f"missing: {', '.join(missing)}"] if strict and missing else []
    problems += [f"unexpected: {', '.join(map(str, unexpected))}"] if strict and unexpected else []
    problems += [_misfit(name, t, state_dict[name]) for name, t in own.items() if name in state_dict]
    problems = [p for p in problems if p]
    if problems:
        listed = "\n  ".join(problems)
        raise RuntimeError(f"load_state_dict: the state does not fit {into}, nothing loaded:\n  {listed}")
    with no_grad():
        loaded = [(t, _apart(_fitted(state_dict[name], t), t, own)) for name, t in own.items() if name in state_dict]
    for t, array in loaded:
        if isinstance(t, Uninitialized):
            t.materialize(array.shape)
        t._array[...] = array
        version_of(t).bump("load_state_dict")
    return IncompatibleKeys(missing, unexpected)


def _misfit(name: str, t: Tensor, value: Any) -> str:
    """The reason why a loaded value does not fit the tensor `t`; "" if it fits."""
    if not isinstance(value, Tensor) and not backend.is_array(value):
        return f"{name}: expected a tensor, got {type(value).__name__}"
    if isinstance(value, np.ma.MaskedArray):
        return f"{name}: expected a tensor, got a masked array; fill it: a.filled(0.0)"
    dtype = raw(value).dtype
    if isinstance(dtype, np.dtype) and dtype.kind not in "fiub":
        return f"{name}: expected real numbers or booleans, got {dtype}"
    if isinstance(t, Uninitialized):
        return ""  # it takes the shape of the value
    if tuple(value.shape) != tuple(t.shape):
        return f"{name}: expected shape {tuple(t.shape)}, got {tuple(value.shape)}"
    if not backend.is_writeable(t._array):
        return f"{name}: the module's tensor of shape {tuple(t.shape)} was expanded or made of a read-only array"
    return ""


def _fitted(value: Any, t: Tensor) -> Any:
    """The array of a loaded value, converted to the dtype and moved to the device of the tensor `t`."""
    value = value if isinstance(value, Tensor) else Tensor(value)
    return raw(value.to(dtype=t.dtype, device=t.device if isinstance(t.device, backend.device) else None))


def _apart(array: Any, t: Tensor, own: dict[str, Tensor]) -> Any:
    """The array; a copy of it if it shares memory with another tensor of the module, which may be written to first."""
    mine = [o._array for o in own.values() if o is not t]
    shared = isinstance(array, np.ndarray) and any(np.may_share_memory(array, o) for o in mine if isinstance(o, np.ndarray))
    return backend.copy(array) if shared or any(array is o for o in mine) else array
