"""Weight normalisation: a weight as a length and a direction, which are learnt in its place."""

from __future__ import annotations

from typing import Any

from ..ops import norm
from ..ops.common import one_dim
from .module import Module
from .parameter import Parameter


class _WeightNorm:
    """What makes the weight anew before each forward pass: w = g v / ‖v‖."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, dim

    def lengths(self, v: Any) -> Any:
        """‖v‖: of each slice along `dim`; of the whole, if that is None (or -1, as in PyTorch)."""
        if self.dim in (None, -1):
            return norm(v)
        dim = one_dim(self.dim, v.ndim, "weight_norm")
        return norm(v, 2, tuple(k for k in range(v.ndim) if k != dim), True)

    def weight(self, module: Module) -> Any:
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / self.lengths(v))

    def __call__(self, module: Module, args: tuple) -> None:
        setattr(module, self.name, self.weight(module))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Give a module's weight as w = g v / ‖v‖, and let it learn g and v.

    Salimans and Kingma 2016, "Weight normalization", equation 2. The gradient of v is orthogonal to v: of v only the direction
    is learnt.

    Parameters
    ----------
    module : Module
    name : str
        The parameter w. In its place are then ``name_g`` and ``name_v``; `name` is a tensor, made before each forward pass.
    dim : int or None
        g has a number for each slice along this dimension; one for the whole weight if it is None (or -1, as in PyTorch).

    Returns
    -------
    Module
        The same module.

    Raises
    ------
    RuntimeError
        The weight is normalised already.
    ValueError
        The module has no such parameter.
    IndexError
        The weight has no such dimension.

    Examples
    --------
    >>> import tinynorm
    >>> layer = tinynorm.nn.utils.weight_norm(tinynorm.nn.Linear(20, 40))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([40, 1]), torch.Size([40, 20]))
    """
    if _of(module, name) is not None:
        what = f"{name!r} of {type(module).__name__}"
        raise RuntimeError(f"weight_norm: {what} is normalised already; remove_weight_norm undoes it")
    w = module._parameters.get(name)
    if w is None:
        known = ", ".join(module._parameters) or "none"
        raise ValueError(f"weight_norm: expected {name!r} to be a parameter of {type(module).__name__}, which has: {known}")
    form = _WeightNorm(name, dim)
    g, v = Parameter(form.lengths(w.detach())), Parameter(w.detach().clone())  # raises before anything has changed
    delattr(module, name)
    module.register_parameter(name + "_g", g)
    module.register_parameter(name + "_v", v)
    form(module, ())
    module.register_forward_pre_hook(form)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Undo `weight_norm`: the weight is a parameter again, with the value that it has.

    Raises
    ------
    ValueError
        The weight is not normalised.

    Examples
    --------
    >>> import tinynorm
    >>> layer = tinynorm.nn.utils.weight_norm(tinynorm.nn.Linear(20, 40))
    >>> [name for name, _ in tinynorm.nn.utils.remove_weight_norm(layer).named_parameters()]
    ['bias', 'weight']
    """
    key = _of(module, name)
    if key is None:
        raise ValueError(f"remove_weight_norm: {name!r} of {type(module).__name__} is not normalised by weight_norm")
    hooks = module._forward_pre_hooks or {}
    w = hooks[key].weight(module).detach()  # type: ignore[attr-defined]
    for part in ("_g", "_v", ""):
        delattr(module, name + part)
    module.register_parameter(name, Parameter(w))
    del hooks[key]
    return module


def _of(module: Module, name: str) -> int | None:
    """The number of the hook that makes this weight, if there is one."""
    if not isinstance(module, Module):
        raise TypeError(f"weight_norm: expected a Module, got {type(module).__name__}")
    hooks = module._forward_pre_hooks or {}
    return next((key for key, hook in hooks.items() if isinstance(hook, _WeightNorm) and hook.name == name), None)
