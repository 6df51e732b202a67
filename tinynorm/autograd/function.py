"""Function: a user-defined op with a hand-written backward. It is used like any other op."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..tensor import Tensor, base_of, raw, version_of, wrap
from .mode import mode, no_grad
from .node import Node, Saved, owner, share
from .views import NotWriteable, become, refuse_if_unsafe


class Function:
    """Subclass this with static methods `forward` and `backward`; call it with ``apply``.

    ``forward(ctx, *inputs)`` gets the Tensors, outside the graph, and all other arguments unchanged. Nothing is recorded in it.
    It returns a Tensor or a tuple of Tensors (arrays are taken too). ``backward(ctx, *grads)`` gets one gradient per output. It
    returns one gradient per argument of `forward`, and None for an argument without a gradient; more None at the end are
    ignored. With ``create_graph=True`` the gradients and ``ctx.saved_tensors`` have a history, and backward is recorded.

    ``ctx.save_for_backward(*tensors)`` keeps inputs and outputs. You may set any other attribute on `ctx`.
    ``ctx.needs_input_grad`` says which gradients are needed. ``ctx.mark_non_differentiable(*tensors)`` marks outputs that have
    no gradient. `forward` may also be written without ctx, beside a static method ``setup_context(ctx, inputs, output)``.

    `forward` must not write into its inputs, nor `backward` into ``ctx.saved_tensors``: on the CPU their memory is read-only.
    `backward` may write into the gradients, which are copies. A forward that works in place calls ``ctx.mark_dirty(x)`` before
    it writes into x, and returns x. An output that shares memory with an input is a view of it; such a view cannot be changed
    in place if the change would be recorded.

    See also
    --------
    from_arrays : makes an op of two functions of plain arrays.

    Raises
    ------
    RuntimeError, TypeError
        In backward: the returned gradients do not fit the inputs in number, type, shape or dtype. The message says which one.

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

    setup_context: Any = None

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Run the op, and record it if an input requires grad."""
        return Context(cls, inputs).run()


class Context(Node):
    """The `ctx` of a Function, and its node in the graph."""

    def __init__(self, function: type[Function], inputs: tuple) -> None:
        self.function, self._inputs = function, inputs
        self._dirty: list[tuple[Tensor, Any]] = []  # (input, its array)
        self.expected: list[Any] = [(x._array.shape, x._array.dtype) if isinstance(x, Tensor) else None for x in inputs]
        self.saved_tensors: tuple = ()  # during backward: the Tensors that save_for_backward kept

    @property
    def op_name(self) -> str:
        return self.function.__name__

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.op_name}Backward object at {id(self):#x}>"

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument of `forward`, whether its gradient is needed."""
        return tuple(self.needs)

    def save_for_backward(self, *tensors: Any) -> None:
        """In `forward`: save inputs or outputs for `backward`."""
        self.save(*map(self._original, tensors))

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """In `forward`: declare that these outputs have no gradient."""
        self._marked = tuple(map(self._original, tensors))

    _marked: tuple = ()

    def mark_dirty(self, *tensors: Any) -> None:
        """In `forward`: declare that it changes these inputs in place and returns them. Call this before writing into them.

        Raises
        ------
        RuntimeError
            One is not a tensor input; or the in-place change is not allowed, for the same reasons as in any in-place op.
        """
        for lent in tensors:
            i = next((i for i, its in enumerate(self._lent) if its is lent), None)
            x = None if i is None else self._inputs[i]
            if i is None or not isinstance(x, Tensor):
                raise RuntimeError(f"{self.op_name}: mark_dirty takes tensors that forward was given, got another")
            refuse_if_unsafe(self.op_name, x, self._recording and (base_of(x)._requires_grad or True in self.needs))
            version_of(x).bump(self.op_name)
            if isinstance(lent._array, np.ndarray):
                lent._array.flags.writeable = True
            self._dirty.append((x, self._given[i]))

    def run(self) -> Any:
        """Run forward on the inputs. An input that was marked dirty is itself returned as the output."""
        out = self(*self._inputs)
        outputs = out if isinstance(out, tuple) else (out,)
        dirty, self._inputs, self._given, self._lent, self._dirty = self._dirty, (), (), (), []
        for x, array in dirty:
            y = next((y for y in outputs if y._array is array), None)
            if y is None:
                raise RuntimeError(
                    f"{self.op_name}.forward: the input of shape {tuple(x.shape)}, marked dirty, is not returned"
                )
            if True in self.needs:
                become(x, y, self.op_name)
            outputs = tuple(x if other is y else other for other in outputs)
        return outputs if isinstance(out, tuple) else outputs[0]

    _given: tuple = ()  # the inputs' arrays
    _lent: tuple = ()  # what forward gets instead: Tensors outside the graph, whose memory is read-only

    def forward(self, *inputs: Any) -> Any:
        self._given = inputs
        self._lent = tuple(_lend(a) if isinstance(x, Tensor) else a for x, a in zip(self._inputs, inputs, strict=True))
        self._recording = mode.enabled
        try:
            with no_grad():
                out = self._user_forward()
        except NotWriteable as error:
            raise self.explained(error, []) from None
        outputs = tuple(map(self._original, out if isinstance(out, tuple) else (out,)))
        for nr, y in enumerate(outputs):
            if not backend.is_array(y) and not hasattr(y, "dtype"):
                raise TypeError(f"{self.op_name}.forward: expected a Tensor for output {nr}, got {type(y).__name__}")
        self.nondifferentiable = tuple(
            nr for nr, y in enumerate(outputs) if not backend.is_floating(y) or any(y is m for m in self._marked)
        )
        self._marked = ()
        memory = [owner(x._array) for x in self._inputs if isinstance(x, Tensor)] + [owner(y) for y in outputs]
        self.is_view = any(m in memory[:-i] for i, m in enumerate(reversed(memory[-len(outputs) :]), 1))
        return outputs if isinstance(out, tuple) else outputs[0]

    def _user_forward(self) -> Any:
        if self.function.setup_context is None:
            return self.function.forward(self, *self._lent)
        out = self.function.forward(*self._lent)
        self.function.setup_context(self, self._lent, out)
        return out

    def _original(self, x: Any) -> Any:
        """The input's own array, if `x` is the Tensor that forward got (or its array); else the array of `x`."""
        array = raw(x)
        return next((a for a, lent in zip(self._given, self._lent, strict=True) if raw(lent) is array), array)

    def _share_memory(self, inputs: tuple, outputs: tuple[Tensor, ...]) -> None:
        """Mark an output that shares memory with an input or an earlier output as its view. No node leads back from it."""
        earlier = [x for x in inputs if isinstance(x, Tensor)]
        for y in outputs:
            x = next((x for x in earlier if owner(x._array) == owner(y._array)), None)
            if x is not None:
                share(x, y, None)
            earlier.append(y)

    def _keep(self, inputs: tuple, arrays: list, out: tuple, outputs: tuple[Tensor, ...]) -> None:
        if self._dirty:  # what was changed is saved as an output, not as an input
            arrays = [... if any(a is array for _, array in self._dirty) else a for a in arrays]
        super()._keep(inputs, arrays, out, outputs)

    def explained(self, error: Exception, arrays: list) -> Exception:
        """The user's error, unchanged; an error about writing into a read-only input gets an explanation."""
        if "read-only" not in str(error):
            return error
        return RuntimeError(
            f"{self.op_name}.forward writes into its input, which is read-only: others may hold it or have saved it. "
            "Write into a clone; or call ctx.mark_dirty(x) before writing into x, and return x"
        )

    def gradients(self, grads: list, as_tensors: bool) -> tuple:
        """Call the user's backward, and check the gradients that it returns."""
        self.saved_tensors = tuple(map(_lend, self.unpack(as_tensors)))
        if as_tensors:
            self._refuse_intermediates()
        if not mode.lends:
            grads = [g.clone() if isinstance(g, Tensor) else backend.copy(g) for g in grads]
        try:
            result = self.function.backward(self, *(g if isinstance(g, Tensor) else wrap(g) for g in grads))
        finally:
            self.saved_tensors = ()
        result = result if isinstance(result, tuple) else (result,)
        while len(result) > len(self.expected) and result[-1] is None:
            result = result[:-1]
        if len(result) != len(self.expected):
            raise RuntimeError(
                f"{self.op_name}.backward: expected {len(self.expected)} gradients, one for each argument of forward "
                f"(None where it has none), got {len(result)}"
            )
        return tuple(self._checked(i, g, as_tensors) if self.needs[i] else None for i, g in enumerate(result))

    def _refuse_intermediates(self) -> None:
        for s in self.saved or ():
            if isinstance(s, Saved) and not s.known and backend.is_floating(s.array):
                raise RuntimeError(
                    f"{self.op_name}: with create_graph=True, save_for_backward can keep only inputs and outputs of forward: "
                    f"an intermediate (here of shape {tuple(s.array.shape)}) has no history to differentiate. "
                    "Save the input and compute it again in backward"
                )

    def _checked(self, i: int, g: Any, as_tensors: bool) -> Any:
        if g is None:
            return None
        what = f"{self.op_name}.backward: gradient {i} of {len(self.expected)}"
        shape, dtype = self.expected[i]
        if not hasattr(raw(g), "dtype"):
            raise TypeError(f"{what}: expected a Tensor of shape {tuple(shape)}, got {type(g).__name__}")
        if as_tensors and not isinstance(g, Tensor):
            raise TypeError(
                f"{what}: with create_graph=True the backward must return Tensors, whose history can be differentiated, got "
                f"{type(g).__name__}; compute it of Tensors, without .array or .numpy()"
            )
        g = g if as_tensors else raw(g)
        if tuple(g.shape) != tuple(shape):
            raise RuntimeError(
                f"{what}: expected shape {tuple(shape)}, as of that argument of forward, got {tuple(g.shape)}; "
                "an argument that was broadcast needs its gradient summed over the broadcast axes"
            )
        if g.dtype != dtype:
            raise RuntimeError(
                f"{what}: expected dtype {dtype}, as of that argument of forward, got {g.dtype}; use .to({str(dtype)!r})"
            )
        return g


def _lend(array: Any) -> Any:
    """A Tensor of the array, for the user's code: on the CPU its memory is read-only. Other objects are returned unchanged."""
    if isinstance(array, Tensor) or not backend.is_array(array):
        return array
    if isinstance(array, np.ndarray) and not mode.lends:
        array = array.view()
        array.flags.writeable = False
    return wrap(array)
