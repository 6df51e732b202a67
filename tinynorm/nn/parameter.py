"""Parameter: a tensor that a module learns; and the tensors of a lazy module, whose shape is not known yet."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..tensor import Tensor, raw, tensor_of, version_of


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
        self._array = tensor_of(raw(data))._array
        self.requires_grad = requires_grad
        if isinstance(data, Tensor):
            self._version_ = version_of(data)  # both share the memory, so they share the version counter

    def __deepcopy__(self, memo: dict) -> Parameter:
        copy = super().__deepcopy__(memo)
        copy._grad = None  # as in PyTorch, where a copied network has no gradients
        return copy  # type: ignore[return-value]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Uninitialized(Tensor):
    """A tensor without a shape, which it gets from the first input of its module (`LazyLinear`) or from a state that is loaded.

    The object stays the same, so an optimiser may hold it before.
    """

    becomes: type[Tensor] = Tensor

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            f"{type(self).__name__}: a lazy module's tensor has no shape before the first forward pass, which shows the size "
            "of the input; call the module once before, e.g. on one batch"
        )

    def numel(self) -> int:
        return len(self.shape)  # raises

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """A tensor without a shape of another dtype, on another device, or both."""
        moved = type(self).__new__(type(self))
        moved._array, moved._requires_grad = raw(Tensor.to(self.detach(), *args, **kwargs)), self._requires_grad
        return moved

    def materialize(self, shape: tuple[int, ...]) -> None:
        """Become an ordinary tensor of this shape, with any numbers in it."""
        a = self._array
        self.array = backend.namespace(a).empty(tuple(shape), dtype=a.dtype, **backend.on_device_of(a))
        self.__class__ = self.becomes  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(Uninitialized, Parameter):
    """A parameter without a shape."""

    becomes = Parameter


class UninitializedBuffer(Uninitialized):
    """A buffer without a shape."""
