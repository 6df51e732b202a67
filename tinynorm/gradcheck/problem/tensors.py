"""A function of Tensors, or a module, as a Problem: the claimed gradients are those of the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from ... import backend
from ...autograd import enable_grad, grad
from ...nn import Module
from ...tensor import Tensor, wrap
from .modules import kept
from .problem import Point, Problem, Words, beside, differentiable, fresh, repeatable, shuffled


class TensorProblem(Problem):
    """A function of Tensors: its inputs that require grad; for a module, all its floating-point inputs and its parameters."""

    words = Words(
        forward="the function",
        copy="clone",
        dout="the incoming gradient",
        copy_of_dout="a copy",
        saved="saved",
        no_output="gradcheck: the function returned no floating-point Tensor",
    )

    def __init__(
        self,
        func: Callable,
        inputs: Sequence[Any],
        names: Sequence[str],
        modules: Sequence[Module],
        parameters_of: Module | None = None,
    ) -> None:
        """`modules` are those that `func` runs; the parameters of `parameters_of` count as inputs too."""
        self.func, self.modules, self.count = func, modules, len(inputs)
        named = [] if parameters_of is None else parameters_of.named_parameters()
        self.parameters = {name: p for name, p in named if p.requires_grad and differentiable(p.data)}
        of_module = parameters_of is not None
        wrt = [i for i, x in enumerate(inputs) if _is_floating(x) and (x.requires_grad or of_module)]
        wrt += range(self.count, self.count + len(self.parameters))
        everything = [*inputs, *self.parameters.values()]
        super().__init__(everything, [*names, *self.parameters], wrt, [everything[i].data for i in wrt])

    @property
    def argument_names(self) -> list[str]:
        return self.names

    def arguments(self, point: Point, own: bool = False) -> list[Tensor]:
        """New Tensors that require grad, and the parameters themselves with new data (`kept` gives their own data back)."""
        leaves = self._leaves(point, own)
        before = len(leaves) - len(self.parameters)
        for parameter, new in zip(self.parameters.values(), leaves[before:], strict=True):
            parameter.data = new.data
        return [*leaves[:before], *self.parameters.values()]

    def _leaves(self, point: Point, own: bool) -> list[Tensor]:
        return [Tensor(array, requires_grad=True) for array in self.arrays(point, own)]

    def run(self, arguments: list) -> tuple[list[Tensor], tuple[list[Tensor], list[Tensor]]]:
        given = copied(self.inputs[: self.count])
        for i, x in zip(self.wrt, arguments, strict=True):
            if i < self.count:
                given[i] = x
        with repeatable(self.seeded), enable_grad():
            outputs = floating_tensors(self.func(*given))
        return outputs, (outputs, arguments)

    def floating(self, out: Any) -> list:
        return [y.data for y in out]

    def cotangent(self, out: Any, u: list) -> list[Tensor]:
        return [wrap(beside(y.data, v.astype(np.dtype(str(y.dtype))))) for y, v in zip(out, u, strict=True)]

    def run_backward(self, dout: Any, saved: Any) -> list:
        """The gradients of the graph; 0 for a leaf that no output depends on."""
        outputs, leaves = saved
        pairs = [(y, v) for y, v in zip(outputs, dout, strict=True) if y.requires_grad]
        if not pairs:
            return [np.zeros(x.shape) for x in leaves]
        ys, vs = zip(*pairs, strict=True)
        with repeatable(self.seeded, seed=1):  # as for a PairProblem
            found = grad(ys, leaves, vs, allow_unused=True)
        return [np.zeros(x.shape) if g is None else g.data for g, x in zip(found, leaves, strict=True)]

    def elsewhere(self, arguments: list, own: bool = False) -> Iterator[list]:
        """Other inputs with the same parameters: the backward pass still needs these."""
        inputs = len(arguments) - len(self.parameters)
        for point in shuffled(self.point, rescaled=True):
            yield [*self._leaves(point, own)[:inputs], *arguments[inputs:]]

    @contextmanager
    def lent(self, own: bool = False) -> Iterator[None]:
        with ExitStack() as stack:
            for module in self.modules:
                stack.enter_context(kept(module, None if own else self.dtype))
            yield


def floating_tensors(out: Any) -> list[Tensor]:
    """The floating-point Tensors in an output."""
    outputs = list(out) if isinstance(out, tuple | list) else [out]
    return [y for y in outputs if _is_floating(y)]


def _is_floating(x: Any) -> bool:
    return isinstance(x, Tensor) and backend.is_floating(x.data)


def copied(inputs: Sequence[Any]) -> list:
    """Copies of inputs, which a function may write into."""
    return [x.detach().clone() if isinstance(x, Tensor) else fresh(x) for x in inputs]
