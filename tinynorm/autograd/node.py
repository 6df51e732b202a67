"""Node: one op in the graph, with its forward and its hand-derived backward.

A node is created with the op's settings and called with its inputs: ``Sum(dim)(x)``. The call runs `forward` on raw arrays.
If an input requires grad, the node keeps what `backward` needs. `backward` works on arrays and on Tensors: on arrays it
computes the gradient; on Tensors (``create_graph=True``) it also records a graph of the gradient.

References point one way: from an output to its node, and from the node to its inputs. So Python frees the graph as soon as it
frees the output.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from .. import backend
from ..backend import Array, hush, unhush
from ..printing import name_of
from ..tensor import Tensor, Version, base_of, version_of, wrap
from .anomaly import caller, detection
from .mode import mode

ndarray = np.ndarray  # as a name of this file: NumPy's names take five times as long to look up
next_age = count().__next__  # a node is younger than the nodes that made its inputs


class Saved:
    """A saved tensor: the array, the edge that its gradient goes to, and its version count when it was saved."""

    __slots__ = ("array", "count", "known", "origin", "version")

    def __init__(self, array: Any, origin: Any, version: Version | None, known: bool = True) -> None:
        self.array = array
        self.known = known  # whether the array is itself an input or output of the op
        self.origin = origin  # an input's edge; an output's number (a Tensor would make a reference cycle); or None
        self.version = version  # None if the array shares no memory with an input or output
        self.count = version.count if version else 0


class AccumulateGrad:
    """The end of a gradient's way, as `Node.next_functions` tells it: the leaf `variable` that keeps it."""

    next_functions = ()

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return id(self.variable)


class Node:
    """One op. A subclass defines `forward` and `backward`; the shortest examples are in `ops/arithmetic.py`.

    Attributes
    ----------
    needs : list of bool
        For each input, whether its gradient is needed. `backward` may skip the other gradients.
    """

    is_view = False  # whether the output may share memory with the first input
    fresh = False  # whether backward returns only new arrays; a leaf then keeps them without a copy
    nondifferentiable: tuple[int, ...] = ()  # outputs that have no gradient
    printed = ""  # how PyTorch names the op where that depends on the function that was called; see `printing`
    called = ""  # the line that called it, known while anomalies are detected
    needs: list[bool]
    age: int
    edges: list
    outputs: tuple[Array, ...] | None = None  # kept only if the op has several outputs
    output_count = 1
    hooks: dict[int, dict[int, Callable]] | None = None  # output number -> its tensor's hooks
    retained: dict[int, weakref.ref] | None = None  # output number -> the tensor that retains its gradient
    _to_save: tuple[Array, ...] = ()
    saved: Sequence | None = ()  # arrays are stored as Saved, other objects unchanged; None after backward freed it

    def forward(self, *inputs: Any) -> Any:
        """Compute the output array, or a tuple of output arrays, from the input arrays."""
        raise TypeError(f"{self.op_name}: forward is not defined; write forward and backward in the subclass")

    def backward(self, *args: Any) -> Any:
        """Compute a tuple of input gradients from the output gradients and the saved arrays."""
        raise TypeError(f"{self.op_name}: backward is not defined; write forward and backward in the subclass")

    def save(self, *arrays: Array | None) -> None:
        """In `forward`: keep these inputs or outputs. `backward` gets them as arguments after the gradients."""
        self._to_save = arrays

    def recall(self, formula: Callable, x: Any, *args: Any) -> Any:
        """In `backward`: the value of ``formula(x, *args)``, which `forward` stored in ``self.kept``.

        If `x` is a Tensor, the formula runs again and is recorded, because second derivatives need its dependence on `x`.
        """
        return formula(x, *args) if isinstance(x, Tensor) else self.kept

    kept: Any = None  # must not share memory with inputs or outputs: only `save` detects in-place changes

    @property
    def op_name(self) -> str:
        return type(self).__name__

    def name(self) -> str:
        """What PyTorch calls this op, as in ``MulBackward0``."""
        name = name_of(self)
        return f"torch::autograd::{name}" if name in ("CopySlices", "CopyBackwards") else name

    def __repr__(self) -> str:
        return f"<{name_of(self)} object at {id(self):#x}>"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each input, where its gradient goes: (its node, its output number), a leaf's `AccumulateGrad`, or None.

        >>> import tinynorm
        >>> w = tinynorm.ones(2, requires_grad=True)
        >>> [(node.name(), nr) for node, nr in (w * w.exp()).grad_fn.next_functions]
        [('torch::autograd::AccumulateGrad', 0), ('ExpBackward0', 0)]
        """
        edges = self.edges
        return tuple((AccumulateGrad(e), 0) if isinstance(e, Tensor) else e or (None, 0) for e in edges)

    # -- recording -----------------------------------------------------------------------------------------------------

    def __call__(self, *inputs: Any) -> Any:
        """Run forward. If no input is a Tensor, the result is an array or a tuple of arrays."""
        recording, tensors, elsewhere = mode.enabled, False, False
        arrays: list = []
        needs: list[bool] = []
        edges: list = []  # an edge is where an input's gradient goes: a leaf itself, or (node, output number)
        self.needs, self.edges = needs, edges
        for x in inputs:
            edge = None
            if isinstance(x, Tensor):
                tensors = True
                if recording and x._requires_grad:
                    edge = x if x.grad_fn is None else (x.grad_fn, x._output_nr)
                x = x._array
            edges.append(edge)
            needs.append(edge is not None)
            arrays.append(x)
            if type(x) is not ndarray and hasattr(x, "dtype"):
                elsewhere = True
        recorded = True in needs
        if elsewhere:
            arrays = list(map(backend.plain, arrays))
            backend.check_same_device(self.op_name, arrays)
        n = len(arrays)
        if (
            recorded
            and n > 1
            and (  # (written out, as a set of three takes four times as long)
                arrays[0] is arrays[1]
                or (n == 3 and (arrays[2] is arrays[0] or arrays[2] is arrays[1]))
                or (n > 3 and len(set(map(id, arrays))) < n)
            )
        ):
            _tell_apart(arrays, edges)
        token = hush()
        try:
            out = self.forward(*arrays)
        except (ValueError, OverflowError) as error:
            raise self.explained(error, arrays) from None
        finally:
            unhush(token)
        if not tensors:
            return out
        if type(out) is tuple:
            return self._several(inputs, arrays, out, recorded)
        y = wrap(out)
        if self.is_view:
            self._share_memory(inputs, (y,))
        if recorded:
            self.age = next_age()
            if not self.nondifferentiable:
                y._requires_grad, y.grad_fn = True, self
            if self._to_save or detection.on:
                self._keep(inputs, arrays, (out,), (y,))
        return y

    def _several(self, inputs: tuple, arrays: list, out: tuple, recorded: bool) -> tuple[Tensor, ...]:
        """The rest of a call, if there are several outputs."""
        outputs = tuple(map(wrap, out))
        if self.is_view:
            self._share_memory(inputs, outputs)
        if recorded:
            self.age = next_age()
            self.outputs, self.output_count = tuple(y._array for y in outputs), len(outputs)
            for nr, y in enumerate(outputs):
                if nr not in self.nondifferentiable:
                    y._requires_grad, y.grad_fn, y._output_nr = True, self, nr
            self._keep(inputs, arrays, out, outputs)
        return outputs

    def explained(self, error: ValueError | OverflowError, arrays: list) -> Exception:
        """The error to raise when NumPy or CuPy rejects the inputs. (Their own message does not name the op.)"""
        shapes = " and ".join(str(tuple(x.shape)) for x in arrays if hasattr(x, "shape"))
        return RuntimeError(f"{self.op_name}: the inputs do not fit together: {str(error).strip()}; got shapes {shapes}")

    def _share_memory(self, inputs: tuple, outputs: tuple[Tensor, ...]) -> None:
        if isinstance(inputs[0], Tensor):
            share(inputs[0], outputs[0], self if mode.enabled else None)

    def again(self) -> Node:
        """A new node with the same settings, for another call."""
        node = Node.__new__(type(self))
        vars(node).update(vars(self))
        node.hooks = node.retained = None
        return node

    def _keep(self, inputs: tuple, arrays: list, out: tuple, outputs: tuple[Tensor, ...]) -> None:
        """Store what `forward` saved, tensors with their version counts."""
        if detection.on:
            self.called = f"It was called in {caller()}"
        self.saved = saved = []
        for a in self._to_save:
            i = 0
            for array in arrays:
                if array is a:
                    x = inputs[i]
                    break
                i += 1
            else:
                x = None
            if isinstance(x, Tensor):
                saved.append(Saved(x._array, self.edges[i], x._version_ or version_of(x)))
            elif not hasattr(a, "shape"):
                saved.append(a)
            else:
                saved.append(self._saved(a, inputs, out, outputs) if x is None else Saved(a, None, Version()))
        self._to_save = ()

    def _saved(self, array: Array, inputs: tuple, out: tuple, outputs: tuple[Tensor, ...]) -> Saved:
        """A saved array that is none of the inputs."""
        for nr, y in enumerate(out):
            if y is array:
                return Saved(outputs[nr]._array, nr, version_of(outputs[nr]))  # (if y is a NumPy scalar, wrap made an array)
        for t in (*inputs, *outputs):
            if isinstance(t, Tensor) and owner(t._array) == owner(array):
                return Saved(array, None, version_of(t), known=False)
        return Saved(array, None, None, known=False)

    # -- called by the backward loop ---------------------------------------------------------------------------------------

    def unpack(self, as_tensors: bool) -> list:
        """The saved tensors: as arrays, or with `as_tensors` (create_graph) as Tensors with their history.

        Raises an error if one was changed in place after it was saved.
        """
        if self.saved is None:
            raise RuntimeError(
                f"backward: {self.op_name} has already been differentiated, and what it had saved for that was freed. "
                "To go through the same graph twice, pass retain_graph=True the first time; "
                "or compute the loss again before each backward"
            )
        values = []
        for s in self.saved:
            if type(s) is Saved:
                if s.version is not None and s.version.count != s.count:
                    self._explain_change(s)
                s = self._as_tensor(s) if as_tensors else s.array
            values.append(s)
        return values

    def _as_tensor(self, s: Saved) -> Tensor:
        if isinstance(s.origin, Tensor) and s.origin._array is s.array:  # a leaf
            return s.origin
        if isinstance(s.origin, Tensor):
            raise RuntimeError(
                f"backward: {self.op_name} saved a leaf of shape {tuple(s.array.shape)} whose .data was replaced since; with "
                "create_graph=True, go backward first"
            )
        t = wrap(s.array)
        t._version_ = s.version
        if s.origin is not None:
            t.grad_fn, t._output_nr = s.origin if type(s.origin) is tuple else (self, s.origin)
            t._requires_grad = t.grad_fn is not self or s.origin not in self.nondifferentiable
        return t

    def _explain_change(self, s: Saved) -> None:
        assert s.version is not None
        what = f"its {'output' if isinstance(s.origin, int) else 'input'} of shape {tuple(s.array.shape)}"
        raise RuntimeError(
            f"backward: {self.op_name} saved {what} for its backward, and {s.version.op} then changed it in place "
            f"(version {s.version.count}, saved at version {s.count}). Use the out-of-place op instead of {s.version.op}, "
            "or hand one of the two a .clone()"
        )

    def free(self) -> None:
        """Free the saved tensors. A node that saved nothing can run backward again."""
        if self.saved:
            self.saved, self.kept = None, None

    def gradients(self, grads: list, as_tensors: bool) -> Any:
        """Call `backward`. (Function, the base class of user-defined ops, overrides this to check the returned gradients.)"""
        grads_in = self.backward(*grads + self.unpack(as_tensors))
        if len(grads_in) != len(self.edges):
            raise RuntimeError(
                f"backward: expected {self.op_name}.backward to return {len(self.edges)} gradients, one for each input, got "
                f"{len(grads_in)}"
            )
        return grads_in

    def zeros(self, nr: int) -> Array:
        """Zeros, as the gradient of an output that no gradient has reached. The op has several outputs."""
        assert self.outputs is not None
        return backend.namespace(self.outputs[nr]).zeros_like(self.outputs[nr])

    # -- hooks ---------------------------------------------------------------------------------------------------------

    def hooks_of(self, nr: int) -> dict[int, Callable]:
        self.hooks = {} if self.hooks is None else self.hooks
        return self.hooks.setdefault(nr, {})

    def retain(self, output: Tensor) -> None:
        """Make `backward` store the output's gradient in its `.grad`. (A weak reference avoids a reference cycle.)"""
        self.retained = {} if self.retained is None else self.retained
        self.retained[output._output_nr] = weakref.ref(output)

    def release(self, output: Tensor) -> bool:
        """Undo `retain`. Returns whether the output was retained."""
        known = (self.retained or {}).get(output._output_nr)
        if known is None or known() is not output:
            return False
        del self.retained[output._output_nr]  # type: ignore[union-attr]
        return True


def _tell_apart(arrays: list, edges: list) -> None:
    """Replace an array by a view of it if two tensors with different histories hold it, as in ``x * x.detach()``.

    Then a saved array shows which of the tensors it came from.
    """
    first: dict[int, Any] = {}
    for i, (array, edge) in enumerate(zip(arrays, edges, strict=True)):
        if not _same_edge(first.setdefault(id(array), edge), edge):
            arrays[i] = array[...]


def _same_edge(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) is tuple and a == b)


def share(x: Tensor, y: Tensor, node: Node | tuple | None) -> None:
    """Mark y as a view of x. They share one version counter; `node`, if given, leads from y back to x (see `views.py`)."""
    y._version_ = version = x._version_ or version_of(x)
    if node is not None:
        y._view = x, node
    else:
        base = base_of(x)
        y._view = weakref.ref(base) if base._view is None else base._view
    version.add_view(y)


def owner(array: Any) -> int:
    """A number for the array's memory; all views of one array have the same number."""
    base = getattr(array, "base", None)
    return id(array if base is None else base)
