"""A function of Tensors, or a module, as a Problem: the claimed gradients are those of the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from ... import backend
from ...autograd import enable_grad, grad
from ...nn import Module
from ...tensor import Tensor, tensor_of, wrap
from .modules import kept
from .problem import CannotCheck, Problem, differentiable


class TensorProblem(Problem):
    """A function of Tensors: its inputs that require grad; for a module, all its floating-point inputs and its parameters."""

    by_hand = False

    def __init__(
        self,
        func: Callable,
        inputs: Sequence[Any],
        names: Sequence[str],
        modules: Sequence[Module],
        parameters_of: Module | None = None,
    ) -> None:
        """`modules` are those that `func` runs; the parameters of `parameters_of` count as inputs too."""
        self.func, self.modules = func, modules
        named = [] if parameters_of is None else parameters_of.named_parameters()
        parameters = {name: p for name, p in named if p.requires_grad and differentiable(p.array)}
        self.fixed = list(parameters.values())
        of_module = parameters_of is not None
        wrt = [i for i, x in enumerate(inputs) if _is_floating(x) and (x.requires_grad or of_module)]
        wrt += range(len(inputs), len(inputs) + len(parameters))
        super().__init__(self._run, _gradients, [*inputs, *self.fixed], [*names, *parameters], wrt)

    def _run(self, *arguments: Any) -> tuple[tuple, tuple[list[Tensor], list[Tensor]]]:
        """(the arrays of the outputs, (the outputs, the leaves)). The leaves, inputs and parameters, have the given arrays."""
        given: list[Any] = list(arguments)
        for i in self.wrt:
            given[i] = tensor_of(arguments[i], requires_grad=True)
        count = len(given) - len(self.fixed)
        for parameter, new in zip(self.fixed, given[count:], strict=True):
            parameter.array = new.array
        leaves = [*(given[i] for i in self.wrt if i < count), *self.fixed]
        with enable_grad():
            outputs = floating_tensors(self.func(*given[:count]))
        if not outputs:
            raise CannotCheck("gradcheck: the function returned no floating-point Tensor")
        for i, leaf in zip(self.wrt, leaves, strict=True):
            if leaf.array is not arguments[i]:  # the function gave its input another array: that is a change of the input
                arguments[i][...] = leaf.array
        return tuple(y.array for y in outputs), (outputs, leaves)

    def elsewhere(self, arguments: list, own: bool) -> Iterator[list]:
        """Other inputs with the same parameters: the backward pass still needs these."""
        count = len(arguments) - len(self.fixed)
        for others in super().elsewhere(arguments, own):
            yield [*others[:count], *arguments[count:]]

    @contextmanager
    def lent(self, own: bool = False) -> Iterator[None]:
        """A context in which the parameters and buffers of the modules hold copies of their arrays, in the dtype of the run."""
        with ExitStack() as stack:
            for module in self.modules:
                stack.enter_context(kept(module, None if own else self.dtype))
            yield


def _gradients(douts: tuple, saved: tuple[list[Tensor], list[Tensor]]) -> list:
    """The gradients of the graph; 0 for a leaf that no output depends on."""
    outputs, leaves = saved
    pairs = [(y, wrap(v)) for y, v in zip(outputs, douts, strict=True) if y.requires_grad]
    if not pairs:
        return [np.zeros(x.shape) for x in leaves]
    ys, vs = zip(*pairs, strict=True)
    found = grad(ys, leaves, vs, allow_unused=True)
    return [np.zeros(x.shape) if g is None else g.array for g, x in zip(found, leaves, strict=True)]


def floating_tensors(out: Any) -> list[Tensor]:
    """The floating-point Tensors in an output."""
    outputs = list(out) if isinstance(out, tuple | list) else [out]
    return [y for y in outputs if _is_floating(y)]


def _is_floating(x: Any) -> bool:
    return isinstance(x, Tensor) and backend.is_floating(x.array)
