"""Function: an op of the user's own, with a hand-written backward, used like any other."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..tensor import Tensor, raw
from .node import Node, Saved


class Function:
    """Subclass this with static methods `forward` and `backward` on raw arrays; call it with ``apply``.

    ``forward(ctx, *inputs)`` gets NumPy or CuPy arrays (and any other arguments as they are) and returns an array, or a tuple
    of them. ``backward(ctx, *grads)`` gets one gradient per output and returns one per argument of `forward`, None for those
    that have none. Under ``create_graph=True`` the gradients and ``ctx.saved_tensors`` are Tensors: a backward written with
    operators and methods that arrays and Tensors share is then differentiable itself.

    ``ctx.save_for_backward(*arrays)`` keeps inputs and outputs; other attributes may be set on `ctx` freely.
    ``ctx.needs_input_grad`` tells which gradients are wanted; ``ctx.mark_non_differentiable(*arrays)`` which outputs have none.

    Raises
    ------
    RuntimeError, TypeError
        On backward: the number, shape, dtype or type of the returned gradients is not that of the inputs; it says which.

    Examples
    --------
    >>> import tinynorm
    >>> class Square(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, dy):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * dy
    >>> x = tinynorm.tensor([1.0, -3.0], requires_grad=True)
    >>> Square.apply(x).sum().backward()
    >>> x.grad
    tensor([ 2., -6.])
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Any:
        raise TypeError("Function: define a static method forward(ctx, *inputs) in the subclass")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise TypeError("Function: define a static method backward(ctx, *grads) in the subclass")

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Run the op, and record it where an input requires grad."""
        return Context(cls, inputs)(*inputs)


class Context(Node):
    """The `ctx` of a Function, and its node in the graph."""

    def __init__(self, function: type[Function], inputs: tuple) -> None:
        self.function = function
        self.expected: list[Any] = [(x.data.shape, x.data.dtype) if isinstance(x, Tensor) else None for x in inputs]
        self.saved_tensors: tuple = ()  # in backward: what save_for_backward kept

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument of `forward`, whether its gradient is wanted."""
        return tuple(self.needs)

    def save_for_backward(self, *arrays: Any) -> None:
        """In `forward`: keep inputs or outputs for `backward`."""
        self.save(*arrays)

    def mark_non_differentiable(self, *arrays: Any) -> None:
        """In `forward`: these outputs have no gradient."""
        self._marked = arrays

    _marked: tuple = ()

    def forward(self, *inputs: Any) -> Any:
        out = self.function.forward(self, *inputs)
        outputs = out if isinstance(out, tuple) else (out,)
        for nr, y in enumerate(outputs):
            if not backend.is_array(y) and not hasattr(y, "dtype"):
                raise TypeError(f"{self.name}.forward: expected an array for output {nr}, got {type(y).__name__}")
        self.nondifferentiable = tuple(
            nr for nr, y in enumerate(outputs) if not backend.is_floating(y) or any(y is m for m in self._marked)
        )
        self._marked = ()
        return out

    def explained(self, error: ValueError, arrays: list) -> Exception:
        """The user's own error, as it is."""
        return error

    def gradients(self, grads: list, as_tensors: bool) -> tuple:
        """Call the user's backward, and check what comes back."""
        self.saved_tensors = tuple(self.unpack(as_tensors))
        if as_tensors:
            self._refuse_intermediates()
        try:
            result = self.function.backward(self, *grads)
        finally:
            self.saved_tensors = ()
        result = result if isinstance(result, tuple) else (result,)
        if len(result) != len(self.expected):
            raise RuntimeError(
                f"{self.name}.backward: expected {len(self.expected)} gradients, one for each argument of forward "
                f"(None where it has none), got {len(result)}"
            )
        return tuple(self._checked(i, g, as_tensors) if self.needs[i] else None for i, g in enumerate(result))

    def _refuse_intermediates(self) -> None:
        for s in self.saved or ():
            if isinstance(s, Saved) and s.version is None and backend.is_floating(s.array):
                raise RuntimeError(
                    f"{self.name}: with create_graph=True, save_for_backward can keep only inputs and outputs of forward: an "
                    f"intermediate (here of shape {tuple(s.array.shape)}) has no history to differentiate. "
                    "Save the input and compute it again in backward"
                )

    def _checked(self, i: int, g: Any, as_tensors: bool) -> Any:
        if g is None:
            return None
        what = f"{self.name}.backward: gradient {i} of {len(self.expected)}"
        shape, dtype = self.expected[i]
        if not hasattr(raw(g), "dtype"):
            raise TypeError(f"{what}: expected an array of shape {tuple(shape)}, got {type(g).__name__}")
        if as_tensors and not isinstance(g, Tensor):
            raise TypeError(
                f"{what}: with create_graph=True the backward gets Tensors and must return Tensors, got {type(g).__name__}; "
                "use operators and methods that arrays and Tensors share, not .data or .numpy()"
            )
        g = g if as_tensors else raw(g)
        if tuple(g.shape) != tuple(shape):
            raise RuntimeError(
                f"{what}: expected shape {tuple(shape)}, as of that argument of forward, got {tuple(g.shape)}; "
                "an argument that was broadcast needs its gradient summed over the broadcast axes"
            )
        if g.dtype != dtype:
            raise RuntimeError(
                f"{what}: expected dtype {dtype}, as of that argument of forward, got {g.dtype}; use .astype({str(dtype)!r})"
            )
        return g
