"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, raw, version_of


class Parameter(Tensor):
    """A leaf tensor. When it is assigned to an attribute of a module, it becomes a parameter of this module.

    Parameters
    ----------
    data : Tensor or array
        The parameter shares its memory.
    requires_grad : bool

    Raises
    ------
    RuntimeError
        `requires_grad` is True, but the data are not floating-point.

    Examples
    --------
    >>> import tinynorm
    >>> Parameter(tinynorm.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(raw(data), requires_grad)
        if isinstance(data, Tensor):
            self._version_ = version_of(data)  # both share the memory, so they share the version counter

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
