"""Node: one op in the graph, its forward beside its hand-derived backward.

A node is made with the op's settings and called with its inputs: ``Sum(dim)(x)``. Calling it runs `forward` on raw
arrays and, if an input wants a gradient, keeps what `backward` needs. `backward` is array algebra that takes its functions from
its arguments: on arrays it is the gradient; on Tensors (``create_graph=True``) it records a graph of its own.

References run one way, from an output to the node to the node's inputs, so a graph is freed as soon as its output is.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from .. import backend
from ..backend import Array
from ..tensor import Tensor, Version, version_of, wrap
from .mode import mode

_clock = count()  # a node is younger than every node it stands on


class Saved:
    """An array kept for backward: which tensor it belongs to, and how often that had been changed in place by then."""

    __slots__ = ("array", "count", "origin", "version")

    def __init__(self, array: Array, origin: Tensor | int | None, version: Version | None) -> None:
        self.array = array
        self.origin = origin  # the input Tensor; or the number of the output (its Tensor would close a cycle); or None
        self.version = version
        self.count = version.count if version else 0


class Node:
    """One op. Subclasses write `forward` and `backward`; see `ops/arithmetic.py` for the shortest ones.

    Attributes
    ----------
    needs : list of bool
        For each input, whether a gradient is wanted; `backward` need not compute the others.
    """

    is_view = False  # whether the output may share memory with the first input
    fresh = False  # whether backward returns only new arrays, which a leaf can keep without a copy
    nondifferentiable: tuple[int, ...] = ()  # outputs that have no gradient
    needs: list[bool]
    age: int
    edges: list
    outputs: tuple[Array, ...] | None  # kept only where there are several
    hooks: dict[int, dict[int, Callable]] | None = None  # output number -> its tensor's hooks
    retained: dict[int, weakref.ref] | None = None  # output number -> the tensor that wants its gradient
    _to_save: tuple[Array, ...] = ()
    saved: list[Saved] | None = None  # None once backward has freed it

    def forward(self, *inputs: Any) -> Any:
        """From arrays to the output array, or a tuple of them."""
        raise TypeError(f"{self.name}: forward is not defined; write forward and backward in the subclass")

    def backward(self, *args: Any) -> Any:
        """From the outputs' gradients, and what `save` kept, to a tuple of the inputs' gradients."""
        raise TypeError(f"{self.name}: backward is not defined; write forward and backward in the subclass")

    def save(self, *arrays: Array | None) -> None:
        """In `forward`: keep these inputs or outputs; `backward` is handed them behind the gradients."""
        self._to_save = arrays

    def recall(self, formula: Callable, x: Any, *args: Any) -> Any:
        """In `backward`: what `forward` left in ``self.kept`` by ``formula(x, *args)``.

        On Tensors the formula runs again, so that second derivatives see how the values depend on `x`.
        """
        return formula(x, *args) if isinstance(x, Tensor) else self.kept

    kept: Any = None

    @property
    def name(self) -> str:
        return type(self).__name__

    # -- recording -----------------------------------------------------------------------------------------------------

    def __call__(self, *inputs: Any) -> Any:
        """Run forward; with no Tensor among the inputs, on arrays to arrays."""
        recording = mode.enabled
        arrays, needs, tensors, on_numpy = [], [], False, True
        for x in inputs:
            if isinstance(x, Tensor):
                tensors = True
                needs.append(recording and x._requires_grad)
                x = x.data
            else:
                needs.append(False)
            arrays.append(x)
            on_numpy = on_numpy and type(x) is np.ndarray
        if not on_numpy:
            backend.check_same_device(self.name, arrays)
        self.needs = needs
        out = self.forward(*arrays)
        if not tensors:
            return out
        if type(out) is tuple:
            outputs = tuple(wrap(y) for y in out)
            self._share_version(inputs, outputs)
            if True in needs:
                self._record(inputs, outputs)
            return outputs
        y = wrap(out)
        if self.is_view:
            self._share_version(inputs, (y,))
        if True in needs:
            self._record(inputs, (y,))
        return y

    def _share_version(self, inputs: tuple, outputs: tuple[Tensor, ...]) -> None:
        if self.is_view and isinstance(inputs[0], Tensor):
            for y in outputs:
                y._version_ = version_of(inputs[0])
                y._is_view = True

    def _record(self, inputs: tuple, outputs: tuple[Tensor, ...]) -> None:
        """Make this the node of its outputs: link it to the inputs' nodes, and note the versions of what it saved."""
        self.age = next(_clock)
        # where each input's gradient goes: a leaf itself, or (node, output number), or None
        self.edges = [
            (x if x.grad_fn is None else (x.grad_fn, x._output_nr)) if need else None
            for x, need in zip(inputs, self.needs, strict=True)
        ]
        self.outputs = tuple(y.data for y in outputs) if len(outputs) > 1 else None
        for nr, y in enumerate(outputs):
            if nr not in self.nondifferentiable and (len(outputs) == 1 or backend.is_floating(y.data)):
                y._requires_grad, y.grad_fn, y._output_nr = True, self, nr
                if y._is_view:
                    version_of(y).viewed = True
        self.saved = [self._saved(array, inputs, outputs) for array in self._to_save]
        self._to_save = ()

    def _saved(self, array: Any, inputs: tuple, outputs: tuple[Tensor, ...]) -> Saved:
        for x in inputs:
            if array is not None and isinstance(x, Tensor) and x.data is array:
                return Saved(array, x, version_of(x))
        for nr, y in enumerate(outputs):
            if array is not None and y.data is array:
                return Saved(array, nr, version_of(y))
        return Saved(array, None, None)

    # -- what the backward loop asks of a node -----------------------------------------------------------------------------

    def unpack(self, as_tensors: bool) -> list:
        """What forward saved, as arrays or (create_graph) as Tensors with their history; checked for changes since."""
        if self.saved is None:
            raise RuntimeError(
                f"backward: {self.name} has already been differentiated, and what it had saved for that was freed. "
                "To go through the same graph twice, pass retain_graph=True the first time; "
                "or compute the loss again before each backward"
            )
        values = []
        for i, s in enumerate(self.saved):
            if s.version is not None and s.version.count != s.count:
                self._explain_change(i, s)
            values.append(self._as_tensor(s) if as_tensors and hasattr(s.array, "shape") else s.array)
        return values

    def _as_tensor(self, s: Saved) -> Tensor:
        if isinstance(s.origin, Tensor):
            return s.origin
        t = wrap(s.array)
        if s.origin is not None:
            t._requires_grad, t.grad_fn, t._output_nr = True, self, s.origin
        return t

    def _explain_change(self, i: int, s: Saved) -> None:
        assert s.version is not None
        what = f"its {'output' if isinstance(s.origin, int) else 'input'} of shape {tuple(s.array.shape)}"
        raise RuntimeError(
            f"backward: {self.name} saved {what} for its backward, and {s.version.op} then changed it in place "
            f"(version {s.version.count}, saved at version {s.count}). Use the out-of-place op instead of {s.version.op}, "
            "or hand one of the two a .clone()"
        )

    def free(self) -> None:
        """Let go of what was saved; nodes that saved nothing can be gone through again."""
        if self.saved:
            self.saved, self.kept = None, None

    def gradients(self, grads: list, as_tensors: bool) -> Any:
        """Call `backward`. (Function, for users' own ops, checks here what comes back.)"""
        return self.backward(*grads, *self.unpack(as_tensors))

    @property
    def output_count(self) -> int:
        return 1 if self.outputs is None else len(self.outputs)

    def zeros(self, nr: int) -> Array:
        """The gradient of an output, one of several, that none has reached."""
        assert self.outputs is not None
        return backend.namespace(self.outputs[nr]).zeros_like(self.outputs[nr])

    # -- hooks ---------------------------------------------------------------------------------------------------------

    def hooks_of(self, nr: int) -> dict[int, Callable]:
        self.hooks = {} if self.hooks is None else self.hooks
        return self.hooks.setdefault(nr, {})

    def retain(self, output: Tensor) -> None:
        """Have `backward` leave the output's gradient in its `.grad` (held weakly: it must not close a cycle)."""
        self.retained = {} if self.retained is None else self.retained
        self.retained[output._output_nr] = weakref.ref(output)
