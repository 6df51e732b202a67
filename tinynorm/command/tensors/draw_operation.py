"""Which functions of tensors are operations, and arguments that they take."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from typing import Any

import numpy as np

from ..read.read_code import code_of, nodes_of, parameters, returned
from ..run_code import attempt
from .operation import AXIS, SHAPE, SHAPES, Operation
from .own_tensor import OwnTensor, has_operations_of_arrays

MOST = 40  # calls that are tried for one shape
# Names of what is no operation; and of those that return one for what is not differentiable.
OTHERWISE = re.compile(
    "(init|from|zeros?|ones|rand|save|load|draw|plot|show|print|visuali[sz]e|trace|detach|clone|copy|cpu|cuda|gpu|to|numpy|item|"
    "backward|backprop|build|topo|train|fit|step|update|test|main|check|get|set|parameters|no_grad|as|astype|ensure|unbroadcast)(_|$)"
)
INDEX = re.compile("idx|ind\\w*|key|item|slices?|i")
TARGET = re.compile("y|t|targets?|labels?|y_true|classes")
BOUND = re.compile("(a_)?(min|max|low|high|lower|upper)(_|$)")
PROBABLE = re.compile("(^|_)(b?ce|cce)(_|$)|entropy|nll|log_loss|(^|_)kl")  # losses of probabilities
ABOVE_0 = re.compile("log\\d*|ln|r?sqrt")  # they may be cut off at 1e-15, where their derivative is of no use
NUMBERS = (3, 2.5)  # for what may be one; a power may have to be whole
REVERSED = ("radd", "rmul", "rsub", "rtruediv", "rpow", "rdiv")  # which Python calls for 3 - x
NO_OPERATORS = ("__repr__", "__str__", "__hash__", "__len__", "__eq__", "__rmatmul__")


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
    probable = PROBABLE.search(title.lower()) and not any("logit" in p.name.lower() for p in (first, *needed))
    for positive in (True,) if ABOVE_0.fullmatch(title) else (False, True):
        rng = np.random.default_rng(0)
        x = np.asarray(rng.standard_normal(shape)) if shape else np.array(0.7)
        x = np.asarray(np.abs(x) + 0.5) if positive else x
        x = rng.uniform(0.1, 0.9, shape) if probable and shape else x
        options = [list(_values(p.name, own, x, rng, positive)) for p in needed]
        options = [list(NUMBERS)] if title in REVERSED else options
        tails = [()] if not starred else [(), x.shape[::-1], (x.shape[::-1],), tuple(range(x.ndim))[::-1], (0,)]
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
        yield rng.permuted(x) if x.min() > 0 and x.max() < 1 and x.ndim else np.abs(y) + 0.5 if positive else np.asarray(y)
        if x.ndim > 1:
            yield rng.standard_normal((*x.shape[:-2], x.shape[-1], 4))
        yield from NUMBERS
