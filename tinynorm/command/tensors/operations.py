"""The operations of a file's own tensors, each as a forward and a backward of arrays."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import Problem, differentiable
from ..functions.depends import agreeing
from ..read.read_code import code_of, methods_in, nodes_of, parameters, returned
from ..run_code import attempt
from .own_tensor import OwnTensor, as_own_tensor, has_operations_of_arrays, is_of_operators, times_gradient

SHAPES = ((6, 9), (6,), (), (2, 3, 5, 7))  # of the first tensor; the third is for those that hold one number
MOST = 40  # calls that are tried for one shape
# Names of what is no operation; and of those that return one for what is not differentiable.
OTHERWISE = re.compile(
    "(init|from|zeros?|ones|rand|save|load|draw|plot|show|print|visuali[sz]e|trace|detach|clone|copy|cpu|cuda|gpu|to|numpy|item|"
    "backward|backprop|build|topo|train|fit|step|update|test|main|check|get|set|parameters|no_grad|as|astype|ensure|unbroadcast)(_|$)"
)
AXIS, SHAPE = re.compile("(axis|dim|axes|dims)\\d?"), re.compile("\\w*shape|sizes?|dims")
INDEX = re.compile("idx|ind\\w*|key|item|slices?|i")
TARGET = re.compile("y|t|targets?|labels?|y_true|classes")
BOUND = re.compile("(a_)?(min|max|low|high|lower|upper)(_|$)")
ABOVE_0 = re.compile("log\\d*|ln|r?sqrt")  # they may be cut off at 1e-15, where their derivative is of no use
NUMBERS = (3, 2.5)  # a power may have to be whole
REVERSED = ("radd", "rmul", "rsub", "rtruediv", "rpow", "rdiv")  # which Python calls for 3 - x
NO_OPERATORS = ("__repr__", "__str__", "__hash__", "__len__", "__eq__", "__rmatmul__")
KEPT = ("keepdims", "keepdim")
BEHIND = "each the result of another"


@dataclass
class Operation:
    """A function of tensors, with arguments for it."""

    own: OwnTensor
    function: Callable
    arguments: dict[str, Any] = field(default_factory=dict)  # by name; those that are arrays of floats are given as tensors
    rest: tuple = ()  # what follows by place: 9, 6 of reshape(9, 6)
    keywords: dict[str, Any] = field(default_factory=dict)
    twice: bool = False  # whether it is called twice with the same tensors, and the results are joined
    behind: bool = False  # whether its tensors are results of another operation
    whole: bool = False  # whether it stands for backward itself

    @property
    def names(self) -> list[str]:
        """The arguments that are tensors."""
        return [name for name, x in self.arguments.items() if differentiable(x)]

    @property
    def inputs(self) -> list[np.ndarray]:
        return [x for x in self.arguments.values() if differentiable(x)]

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in self.names])

    def __call__(self, *arrays: Any) -> tuple[np.ndarray, tuple]:
        """Return (the array of the result, the arrays), of which backward makes the graph anew: that can go back once."""
        return self.own.array(self._run(arrays)[0]), arrays

    def _run(self, arrays: tuple) -> tuple[Any, list[Any]]:
        leaves = dict(zip(self.names, map(self.own.made, arrays), strict=True))
        given = {**self.arguments, **{name: self.own.result_of(leaf) if self.behind else leaf for name, leaf in leaves.items()}}
        outs = [self.function(*given.values(), *self.rest, **self.keywords) for _ in range(1 + self.twice)]
        return self.own.joined(*outs) if self.twice else outs[0], list(leaves.values())

    def backward(self, dout: Any, arrays: tuple) -> tuple:
        out, tensors = self._run(arrays)
        assert self.own.pull is not None
        self.own.pull(self.own, out, dout)
        return tuple(map(self.own.gradient_of, tensors))

    def right(self) -> bool:
        """Whether its gradients are forward's along one direction."""
        problem = Problem(self, self.backward, self.inputs, self.names)
        found = attempt(lambda: [right for *_, right in agreeing(problem)])[0]
        return bool(found) and all(found) and len(found) == len(self.inputs)

    def works(self, moves: bool = True) -> bool:
        """Whether it returns a tensor of finite numbers, which change with the first argument."""
        if not self.inputs:
            return False
        first, *others = self.inputs
        outs = [attempt(self._run, (x, *others))[0] for x in (first, 1.01 * first)]
        if any(out is None or type(out[0]) is not self.own.cls or out[0] is out[1][0] for out in outs):
            return False
        was, now = (attempt(self.own.array, out[0])[0] for out in outs)
        if was is None or now is None:  # it holds a tensor
            return False
        return was.size > 0 and bool(np.all(np.isfinite(was))) and not (moves and np.array_equal(was, now))

    def runs(self) -> bool:
        """Whether backward takes it without an exception."""
        return attempt(self.backward, np.ones(np.shape(self(*self.inputs)[0])), tuple(self.inputs))[1] is None

    def keeps(self) -> bool:
        """Whether it returns what it is given: it may only wrap an array, as tensor(data)."""
        return np.array_equal(self(*self.inputs)[0], self.inputs[0])

    def variants(self) -> Iterator[tuple[str, Operation]]:
        """Yield (what is other, the operation) for other arguments that it takes."""
        if self.whole and self.own.sound:
            yield "a result used at two depths", replace(self, function=at_two_depths(self.own))
        elif self.whole:
            yield BEHIND, replace(self, behind=True)
        if self.whole:
            return
        if self.own.chains or (self.own.backward and not self.own.known):
            yield "each used by two operations", replace(self, twice=True)
        x, *others = self.arguments
        first = self.arguments[x]
        for name in [name for name in others if np.shape(self.arguments[name]) == np.shape(first) == SHAPES[0]]:
            for shape in (first.shape[1:], (len(first), 1), (1, first.shape[1])):
                other = np.resize(self.arguments[name], shape)
                yield f"{name} {shape}", replace(self, arguments=self.arguments | {name: other})
            yield f"{x} {first.shape[1:]}", replace(self, arguments=self.arguments | {x: first[0]})
        known = {p.name: self.arguments.get(p.name, p.default) for p in parameters(self.function)[1:]}
        for name, now in known.items():
            values = [axis for axis in (0, 1, -1) if axis != now] if AXIS.fullmatch(name) else []
            for value in [*values, *([True] if name in KEPT and now is False else [])]:
                changed = {name: value}
                of_place = name in self.arguments
                yield (
                    f"{name} {value}",
                    (replace(self, arguments=self.arguments | changed) if of_place else replace(self, keywords=changed)),
                )
        if first.shape == ():
            yield f"{x} < 0", replace(self, arguments=self.arguments | {x: np.array(-first)})
        if self.own.chains:
            yield BEHIND, replace(self, behind=True)
        if self.own.in_order:
            yield "each a result that two use", replace(self, behind=True, twice=True)


def own_tensors(names: dict[str, Any]) -> tuple[list[OwnTensor], list[str]]:
    """Return the classes of tensors among the names of a file, its own and those that it imports; and the classes that look
    like one, and are not understood, with the reason.
    """
    found, missed = [], []
    for cls in [cls for name, cls in names.items() if inspect.isclass(cls) and cls.__name__ == name]:
        own = as_own_tensor(cls)
        works = {} if own is None else _working(own)
        if own is not None and _takes_a_way(own, works):
            found.append(own)
        elif works or is_of_operators(cls):
            why = "no backward gives right gradients" if works else "no arguments that were tried are any for its operations"
            why = "no array with its gradient is seen in its objects" if own is None else why
            missed.append(f"{cls.__name__} (it looks like an own autograd; {why})")
    return found, missed


def _working(own: OwnTensor) -> dict[str, Operation]:
    """Return the operations of a class by name; or the functions of its module, where it has none."""
    of_module = _functions(vars(sys.modules[own.cls.__module__]), own.cls.__module__)
    sets = ({name.split(".")[-1]: f for name, f in _methods(own).items()}, of_module)
    drawn = ({name: one for name, one in draw(own, functions).items() if one is not None} for functions in sets)
    return next(filter(None, drawn), {})


def _takes_a_way(own: OwnTensor, works: dict[str, Operation]) -> bool:
    """Take the way that makes most operations right, and note which are; return whether there is one."""
    rights = [((own.backward, own.pull), [name for name, one in works.items() if one.right()]) for _ in own.ways()]
    if not own.arrays and not any(names for _, names in rights):
        own.backward, own.pull = own.backwards[0], times_gradient
        rights = [((own.backward, own.pull), [name for name, one in works.items() if one.right()])]
    (own.backward, own.pull), best = max(rights, key=lambda pair: len(pair[1]))
    own.known = {name: works[name].function for name in ("__add__", "__mul__") if name in best}
    graph = graph_of(own)
    own.in_order = graph is not None and own.sound != [] and replace(graph, function=at_two_depths(own)).right()
    return bool(best)


def graph_of(own: OwnTensor) -> Operation | None:
    """Return a pair for backward itself, if there are operations to make a graph of."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, *SHAPES[0])) if own.arrays else (np.array(0.7), np.array(-1.3))
    graphs = [Operation(own, function, {"x": x, "y": y}, whole=True) for function in own.known.values() if own.backward]
    own.chains = bool(graphs) and Operation(own, own.result_of, {"x": x}, behind=True).right()
    sound = [one for one in graphs if replace(one, twice=True).right() and replace(one, behind=True).right()]
    own.sound = [one.function for one in sound]
    return sound[0] if sound else graphs[0] if graphs and not own.chains else None


def at_two_depths(own: OwnTensor) -> Callable:
    """Return a function of two tensors, in which a result is used by an operation, and by one behind that."""
    one, other = own.sound[0], own.sound[-1]

    def graph(x: Any, y: Any) -> Any:
        a = other(x, y)
        b = one(other(a, y), x)
        return one(other(a, b), other(b, a))

    return graph


def draw(own: OwnTensor, functions: dict[str, Callable]) -> dict[str, Operation | None]:
    """Return the operations among some functions by name, with arguments; None for one for which none are found."""
    functions = {n: f for n, f in functions.items() if _may_be_one(n.split(".")[-1], f)}
    if own.pull and not own.backward:  # an expression of others ends there
        functions = {n: f for n, f in functions.items() if inner_functions(f)}
    drawn = {n: _drawn(own, f, SHAPES) for n, f in functions.items()} if own.arrays else {}
    of_numbers = any(one and () in map(np.shape, one.inputs) for one in drawn.values())
    if not own.arrays or (of_numbers and not has_operations_of_arrays(own.cls)):
        numbers = {n: _drawn(own, f, ((),)) for n, f in functions.items()}
        own.arrays = not any(numbers.values())  # or they hold lists
        drawn = {n: _drawn(own, f, SHAPES) for n, f in functions.items()} if own.arrays else numbers
    return drawn


def find_operations(names: dict[str, Any], home: str, own: OwnTensor) -> tuple[dict[str, Operation], list[str]]:
    """Return the operations of a file's own tensors by name, and its functions of tensors; and what is left over, and why."""
    functions = (_methods(own) if own.cls.__module__ == home else {}) | _functions(names, home)
    drawn = draw(own, functions)
    graph = graph_of(own) if own.cls.__module__ == home else None
    missed = [n for n, one in drawn.items() if one is None and inner_functions(functions[n])]
    missed = [f"{name} (no arguments that were tried are any for it)" for name in missed]
    if own.cls.__module__ == home and not any(drawn.values()):
        missed.append(f"{own.cls.__name__} (it looks like an own autograd; no operation is seen that can be run alone)")
    return {n: one for n, one in (drawn | {f"{own.cls.__name__}.{own.backward}": graph}).items() if one is not None}, missed


def _functions(names: dict[str, Any], home: str) -> dict[str, Callable]:
    return {n: f for n, f in names.items() if inspect.isfunction(f) and f.__module__ == home}


def _methods(own: OwnTensor) -> dict[str, Callable]:
    """Return the methods of a class by name, and those of its properties, as T."""
    properties = {name: p.fget for name, p in vars(own.cls).items() if isinstance(p, property) and p.fget}
    return {f"{own.cls.__name__}.{name}": method for name, method in (methods_in(own.cls) | properties).items()}


def _may_be_one(name: str, function: Callable) -> bool:
    """Whether a function may be an operation of its own, and no expression of others, as ``self + (-other)``."""
    taken = parameters(function)[:1]
    if not taken or not returned(function) or OTHERWISE.match(name.strip("_")) or name in NO_OPERATORS:
        return False
    calls = [node for node in nodes_of(function) if isinstance(node, ast.Call)]
    handed = [x for call in calls for part in call.args for x in ast.walk(part) if isinstance(x, ast.Name)]
    return bool(inner_functions(function)) or any(x.id == taken[0].name for x in handed)


def inner_functions(function: Callable) -> list[ast.AST]:
    """Return the functions that are made inside a function: those that send its gradients back."""
    nodes = list(ast.walk(code_of(function) or ast.Pass()))[1:]
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.Lambda)]


def _drawn(own: OwnTensor, function: Callable, shapes: Sequence[tuple[int, ...]]) -> Operation | None:
    """Return an operation with arguments that it takes, also backwards if there are such; None where none are found."""
    for shape in shapes:
        raising: Operation | None = None
        for operation in filter(Operation.works, _candidates(own, function, shape)):
            if own.pull is None:
                return operation
            if operation.keeps() and not operation.right():
                return None
            if operation.runs():
                return operation
            raising = raising or operation
        if raising is not None:
            return raising
    return None


def _candidates(own: OwnTensor, function: Callable, shape: tuple[int, ...]) -> Iterator[Operation]:
    first, *others = parameters(function)
    needed = [p for p in others if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    starred = [p for p in others if p.kind is p.VAR_POSITIONAL]
    title = getattr(function, "__name__", "").strip("_")
    for positive in (True,) if ABOVE_0.fullmatch(title) else (False, True):
        rng = np.random.default_rng(0)
        x = np.asarray(rng.standard_normal(shape)) if shape else np.array(0.7)
        x = np.asarray(np.abs(x) + 0.5) if positive else x
        options = [list(_values(p.name, own, x, rng, positive)) for p in needed]
        options = [list(NUMBERS)] if title in REVERSED else options
        tails = [()] if not starred else [(), x.shape[::-1], (x.shape[::-1],), *(range(x.ndim)[::-1],), (0,)]
        for rest, values in islice(product(tails, product(*options)), MOST):
            named = dict(zip([p.name for p in needed], values, strict=True))
            yield Operation(own, function, {"x" if first.name == "self" else first.name: x} | named, tuple(rest))


def _values(name: str, own: OwnTensor, x: np.ndarray, rng: np.random.Generator, positive: bool) -> Iterator[Any]:
    """Yield values for an argument beside x, the likeliest first."""
    if AXIS.fullmatch(name):
        yield from (0, tuple(range(x.ndim))[::-1], 1)
    elif SHAPE.fullmatch(name):
        yield x.shape[::-1]
    elif INDEX.fullmatch(name):
        yield from (slice(1, 4), np.array([0, 2, 0]), 1)
        yield from [tensor] if (tensor := attempt(own.made, np.array([0, 2, 0]))[0]) is not None else []
    elif BOUND.match(name):
        yield -0.6 if re.search("min|low", name) else 0.9
    elif TARGET.fullmatch(name):
        yield from (rng.integers(0, x.shape[-1], x.shape[:-1]),) if x.ndim else ()
        yield np.eye(x.shape[-1])[rng.integers(0, x.shape[-1], x.shape[:-1])] if x.ndim else 1.0
    else:
        y = rng.standard_normal(x.shape) if x.ndim else np.array(-1.3)
        yield np.abs(y) + 0.5 if positive else np.asarray(y)
        if x.ndim > 1:
            yield rng.standard_normal((*x.shape[:-2], x.shape[-1], 4))
        yield from NUMBERS
