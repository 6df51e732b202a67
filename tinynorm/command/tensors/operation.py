"""An operation of a file's own tensors, as a forward and a backward of arrays."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import Problem, differentiable, random_state_kept
from ..functions.depends import agreeing
from ..read.read_code import nodes_of, parameters, signature_of
from ..run_code import attempt
from .own_tensor import OwnTensor

SHAPES = ((6, 9), (6,), (), (2, 3, 5, 7))  # of the first tensor; the third is for those that hold one number
AXIS = re.compile("(axis|dim|axes|dims)\\d?")
SHAPE = re.compile("\\w*shape|sizes?|dims")
BROADCAST = (((6, 1), (6, 9)), ((6, 9), (3, 6, 9)))  # along an axis that is there, and along a new one
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
        return signature_of(self.names)

    def __call__(self, *arrays: Any) -> tuple[np.ndarray, tuple]:
        """Return (the array of the result, the arrays and NumPy's random state), of which backward makes the graph anew: that
        can go back once, and draws the same mask.
        """
        random_state = np.random.get_state()  # noqa: NPY002
        return self.own.array(self._run(arrays)[0]), (arrays, random_state)

    def _run(self, arrays: tuple) -> tuple[Any, list[Any]]:
        leaves = dict(zip(self.names, map(self.own.made, arrays), strict=True))
        given = {**self.arguments, **{name: self.own.result_of(leaf) if self.behind else leaf for name, leaf in leaves.items()}}
        outs = [self.function(*given.values(), *self.rest, **self.keywords) for _ in range(1 + self.twice)]
        return self.own.joined(*outs) if self.twice else outs[0], list(leaves.values())

    def backward(self, dout: Any, cache: tuple) -> tuple:
        arrays, random_state = cache
        with random_state_kept():
            np.random.set_state(random_state)  # noqa: NPY002
            out, tensors = self._run(arrays)
        assert self.own.pull is not None
        self.own.pull(self.own, out, dout)
        return tuple(map(self.own.gradient_of, tensors))

    def calls(self) -> list[ast.Call]:
        """Return the calls in its code."""
        return [node for node in nodes_of(self.function) if isinstance(node, ast.Call)]

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
        ran = attempt(self, *self.inputs)[0]
        return ran is not None and attempt(self.backward, np.ones(np.shape(ran[0])), ran[1])[1] is None

    def keeps(self) -> bool:
        """Whether it returns what it is given: it may only wrap an array, as tensor(data)."""
        return np.array_equal(self(*self.inputs)[0], self.inputs[0])

    def _with(self, name: str, x: Any) -> Operation:
        return replace(self, arguments=self.arguments | {name: x})

    def _asked(self, name: str, value: Any) -> Operation:
        """Return the operation with another value of an argument that is no tensor."""
        return self._with(name, value) if name in self.arguments else replace(self, keywords={name: value})

    def broadcasts(self) -> bool:
        """Whether such shapes are meant: not where broadcast_to is for them, and gradients keep the shape of the output."""
        if not any(hasattr(self.own.cls, name) for name in ("broadcast_to", "broadcast", "expand")):
            return True
        out, cache = self(*self.inputs)
        grads = attempt(self.backward, np.ones(np.shape(out)), cache)[0]
        return grads is None or all(np.shape(g) == np.shape(x) for g, x in zip(grads, self.inputs, strict=True))

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
        by_elements = self(*self.inputs)[0].shape == np.shape(first) == SHAPES[0]  # a loss need not take other shapes
        for name in [name for name in others if by_elements and np.shape(self.arguments[name]) == SHAPES[0]]:
            for shape in (first.shape[1:], (len(first), 1), (1, first.shape[1])):
                other = self._with(name, np.resize(self.arguments[name], shape))
                yield from [(f"{name} {shape}", other)] if other.broadcasts() else []
            other = self._with(x, first[0])
            yield from [(f"{x} {first.shape[1:]}", other)] if other.broadcasts() else []
        for name in [name for name in others if SHAPE.fullmatch(name) and isinstance(self.arguments[name], tuple)]:
            for before, after in BROADCAST:
                other = replace(self, arguments=self.arguments | {x: np.resize(first, before), name: after})
                yield f"{x} {before}, {name} {after}", other
        known = {p.name: self.arguments.get(p.name, p.default) for p in parameters(self.function)[1:]}
        for name, now in known.items():
            values = [axis for axis in (0, 1, -1) if axis != now] if AXIS.fullmatch(name) else []
            repeated = [np.array([0, 2, 0])] if isinstance(now, slice) else []  # a row that is taken twice gets the sum of both
            for value in [*values, *repeated, *([True] if name in KEPT and now is False else [])]:
                other = self._asked(name, value)
                in_tuple = self._asked(name, (value,)) if value in values and not other.runs() else other  # axes=(0,)
                yield f"{name} {value}", in_tuple if in_tuple.runs() else other
        if first.shape == ():
            yield f"{x} < 0", replace(self, arguments=self.arguments | {x: np.array(-first)})
        if self.own.chains:
            yield BEHIND, replace(self, behind=True)
        if self.own.in_order:
            yield "each a result that two use", replace(self, behind=True, twice=True)


def at_two_depths(own: OwnTensor) -> Callable:
    """Return a function of two tensors, in which a result is used by an operation, and by one behind that."""
    one, other = own.sound[0], own.sound[-1]

    def graph(x: Any, y: Any) -> Any:
        a = other(x, y)
        b = one(other(a, y), x)
        return one(other(a, b), other(b, a))

    return graph
