"""Parameter: a tensor that a module learns."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, raw, version_of


class Parameter(Tensor):
    """A leaf tensor that becomes one of a module's parameters when it is assigned to one of its attributes.

    Parameters
    ----------
    data : Tensor or array
        Shares its memory.
    requires_grad : bool

    Raises
    ------
    RuntimeError
        `requires_grad` for numbers that are not floating-point.

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
            self._version_ = version_of(data)  # the memory is shared, so a change of it is a change of both

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
