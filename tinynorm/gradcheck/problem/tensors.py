"""Functions of Tensors, and modules, as Problems: the claimed gradients are those that the graph gives."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ... import backend
from ...autograd import enable_grad, grad
from ...nn import Module
from ...tensor import Tensor, version_of, wrap
from .problem import BACKWARD, CannotCheck, Point, Problem, beside, differentiable, fresh, host, random_state_kept, repeatable

DEPTH = 5  # of what holds what holds ... a module
MANY = 2000  # things that are looked at


class TensorProblem(Problem):
    """A function of Tensors. The inputs that require grad are checked; the others are handed on."""

    def __init__(self, func: Callable, inputs: Sequence[Any], names: Sequence[str], modules: Sequence[Module] = ()) -> None:
        super().__init__()
        self.func, self.inputs, self.all_names, self.modules = func, list(inputs), list(names), modules
        self.wrt = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad and differentiable(x.data)]
        self.names = [names[i] for i in self.wrt]
        self._begin([self.inputs[i].data for i in self.wrt])

    def _begin(self, arrays: list) -> None:
        """Take the arrays as the point; run in float64 where the function takes it, else in their own dtype."""
        self.originals = arrays
        self.point = [host(a) for a in arrays]
        self.own = [np.dtype(str(a.dtype)) for a in arrays]
        given = np.result_type(*self.own)
        try:
            self._start(np.dtype(float))
        except Exception:
            if given == np.float64:
                raise
            self._start(given)
        self.settle_own()

    def _start(self, dtype: Any) -> None:
        self.dtype = dtype
        outputs = self.outputs(self.point)
        if not outputs:
            raise CannotCheck("gradcheck: the function returned no floating-point Tensor")
        self.shapes = [tuple(y.shape) for y in outputs]

    # -- one run -------------------------------------------------------------------------------------------------------

    def leaves(self, point: Point, own: bool = False) -> list[Tensor]:
        """The point as Tensors that require grad, on the inputs' own devices."""
        kinds = self.own if own else [self.dtype] * len(self.own)
        arrays = [beside(original, x.astype(kind)) for x, original, kind in zip(point, self.originals, kinds, strict=True)]
        return [Tensor(array, requires_grad=True) for array in arrays]

    def run(self, leaves: list[Tensor]) -> list[Tensor]:
        """The floating-point outputs of one call."""
        arguments = copied(self.inputs)
        for i, x in zip(self.wrt, leaves, strict=False):  # behind them, a module has its parameters
            arguments[i] = x
        return self.call(self.func, arguments)

    def call(self, func: Callable, arguments: list) -> list[Tensor]:
        with repeatable(self.seeded), enable_grad():
            out = func(*arguments)
        outputs = list(out) if isinstance(out, tuple | list) else [out]
        return [y for y in outputs if isinstance(y, Tensor) and backend.is_floating(y.data)]

    def outputs(self, point: Point, own: bool = False) -> list:
        with self.lent(own):
            return [y.data for y in self.run(self.leaves(point, own))]

    def claimed(self, point: Point, u: list, own: bool = False) -> list:
        with self.lent(own):
            leaves = self.leaves(point, own)
            outputs = self.run(leaves)
            return self.differentiated(outputs, leaves, self.cotangents(outputs, u))

    @contextmanager
    def lent(self, own: bool = False) -> Iterator[None]:
        """Within, the modules that the function runs work in our dtype (or in their own), and on copies of what they hold."""
        with ExitStack() as stack:
            for module in self.modules:
                stack.enter_context(kept(module, None if own else self.dtype))
            yield

    def differentiated(self, outputs: list[Tensor], leaves: list[Tensor], douts: list[Tensor]) -> list:
        """The graph's gradients; 0 for a leaf that no output depends on."""
        pairs = [(y, v) for y, v in zip(outputs, douts, strict=True) if y.requires_grad]
        if not pairs:
            return [np.zeros(x.shape) for x in leaves]
        ys, vs = zip(*pairs, strict=True)
        with repeatable(self.seeded, BACKWARD):
            found = grad(ys, leaves, vs, allow_unused=True)
        return [np.zeros(x.shape) if g is None else g.data for g, x in zip(found, leaves, strict=True)]

    @staticmethod
    def cotangents(outputs: list[Tensor], u: list) -> list[Tensor]:
        """`u` on the devices and in the dtypes of the outputs."""
        return [wrap(beside(y.data, v.astype(np.dtype(str(y.dtype))))) for y, v in zip(outputs, u, strict=True)]

    # -- the differentiable inputs among all ---------------------------------------------------------------------------

    def input_number(self, i: int) -> int:
        return self.wrt[i]

    def spread(self, values: list) -> list:
        by_number = dict(zip(self.wrt, values, strict=True))
        return [by_number.get(number) for number in range(len(self.inputs))]

    def host_inputs(self, point: Point) -> list:
        own = [backend.to_numpy(x.data) if isinstance(x, Tensor) else x for x in self.inputs]
        return [x if p is None else p for p, x in zip(self.spread(point), own, strict=True)]


class ModuleProblem(TensorProblem):
    """A module: its inputs that are floating-point Tensors, and its parameters."""

    def __init__(self, module: Module, inputs: Sequence[Any], names: Sequence[str], func: Callable | None = None) -> None:
        """`func`, where it is not the module itself, runs it."""
        Problem.__init__(self)
        self.func, self.modules, self.inputs = func or module, [module], list(inputs)
        self.wrt = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and differentiable(x.data)]
        parameters = {name: p for name, p in module.named_parameters() if p.requires_grad and differentiable(p.data)}
        self.parameters = list(parameters.values())
        self.all_names = [*names, *parameters]
        self.names = [names[i] for i in self.wrt] + list(parameters)
        self._begin([self.inputs[i].data for i in self.wrt] + [p.data for p in self.parameters])

    def leaves(self, point: Point, own: bool = False) -> list[Tensor]:
        """The inputs as new Tensors; the parameters themselves, which `kept` gives back what they had."""
        made = super().leaves(point, own)
        k = len(self.wrt)
        for parameter, new in zip(self.parameters, made[k:], strict=True):
            parameter.data = new.data
        return [*made[:k], *self.parameters]

    def input_number(self, i: int) -> int:
        return self.wrt[i] if i < len(self.wrt) else len(self.inputs) + i - len(self.wrt)

    def spread(self, values: list) -> list:
        return [*super().spread(values[: len(self.wrt)]), *values[len(self.wrt) :]]

    def host_inputs(self, point: Point) -> list:
        return [*super().host_inputs(point[: len(self.wrt)]), *point[len(self.wrt) :]]


def copied(inputs: Sequence[Any]) -> list:
    """Inputs that a function may write into."""
    return [x.detach().clone() if isinstance(x, Tensor) else fresh(x) for x in inputs]


@contextmanager
def untouched(modules: Sequence[Module]) -> Iterator[None]:
    """Afterwards, the modules and the generators of random numbers are as if nothing had been run."""
    with ExitStack() as stack:
        stack.enter_context(random_state_kept())
        for module in modules:
            stack.enter_context(kept(module))
        yield


@contextmanager
def kept(module: Module, dtype: Any = None) -> Iterator[None]:
    """Within, the module works on copies of its parameters and buffers (in `dtype`); at the end each has its own array again.

    Whatever happens in between: its parameters and buffers are the same objects with the same memory and numbers, and its
    attributes what they were (but for what is inside a list or an array of the user's own).
    """
    tensors = [*module.parameters(), *module.buffers()]
    arrays = [t.data for t in tensors]
    counts = [version_of(t).count for t in tensors]
    attributes = [(vars(m), dict(vars(m))) for m in module.modules()]  # the mode, counters, buffers that forward replaces
    leaves = [(p, p.grad, p.requires_grad) for p in module.parameters()]
    for t in tensors:
        copy = backend.copy(t.data)
        t.data = backend.astype(copy, dtype) if dtype is not None and backend.is_floating(copy) else copy
    try:
        yield
    finally:
        for now, before in attributes:
            now.clear()
            now.update(before)
        for t, array, count in zip(tensors, arrays, counts, strict=True):
            t.data, version_of(t).count = array, count
        for p, gradient, wanted in leaves:
            p.requires_grad = wanted
            p.grad = gradient


def modules_in(*things: Any) -> list[Module]:
    """The modules that functions would run: themselves, what they close over, find by name, have as defaults, in lists ..."""
    found: dict[int, Module] = {}
    seen: set[int] = set()
    todo = deque((thing, 0) for thing in things)
    while todo and len(seen) < MANY:
        thing, depth = todo.popleft()
        if isinstance(thing, Module):
            found[id(thing)] = thing
        elif id(thing) not in seen and depth < DEPTH:
            seen.add(id(thing))
            todo += [(inner, depth + 1) for inner in _held_by(thing)]
    return list(found.values())


def _held_by(thing: Any) -> Iterator[Any]:
    """What a function, a partial one, a container or an object of a user's has hold of."""
    if isinstance(thing, dict | list | tuple | set):
        yield from list(thing.values() if isinstance(thing, dict) else thing)[:MANY]
    elif isinstance(thing, partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, FunctionType):
        yield from (cell.cell_contents for cell in thing.__closure__ or () if not _is_empty(cell))
        yield from (*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values(), getattr(thing, "__wrapped__", None))
        yield from (thing.__globals__.get(name) for name in thing.__code__.co_names)
    elif not isinstance(thing, type | ModuleType | Tensor | np.ndarray):
        yield from list(getattr(thing, "__dict__", {}).values())[:MANY]


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False
