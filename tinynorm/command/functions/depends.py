"""What an output depends on, and whether a gradient says so: forward runs with other inputs, and the outputs are compared.

A forward is here a function that returns the list of its outputs, [] where it raises: `Call.outputs` or `Layer.outputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import Problem, differentiable
from .kinds import has_word

Outputs = Callable[..., list[Any]]

# An output that changes by less does not depend on x, but for rounding that 1 / sqrt(0 + eps) has made larger.
STANDS = 1e-6
# Between conventions one derivative decides. With a wrong one it is wrong by far, with the right one right to 1e-8.
STEP, CLOSE = 1e-5, 1e-4


def alike(first: Sequence[Any], second: Sequence[Any], rtol: float = 1e-9, atol: float = 0.0) -> bool:
    """Whether two forwards gave the same, to rounding; not where one of them raised."""
    shapes = [[np.shape(y) for y in outputs] for outputs in (first, second)]
    return bool(first) and shapes[0] == shapes[1] and all(map(lambda y, z: np.allclose(y, z, rtol, atol), first, second))


def moves(forward: Outputs, inputs: Sequence[Any], i: int, name: str, before: list[Any]) -> bool:
    """Whether the outputs depend on the input i. Only a norm's, of the mean of one number, and zeros are suspected not to."""
    may_stand = has_word(name, "norm") or not any(np.any(np.abs(y) > STANDS) for y in before)
    if not may_stand or not differentiable(inputs[i]):
        return True
    after = _with(forward, inputs, i, inputs[i] + np.random.default_rng(0).random(np.shape(inputs[i])))
    return not alike(before, after, 0, STANDS)


def beside(forward: Outputs, inputs: Sequence[Any], i: int) -> tuple[Any, Any]:
    """Return the output for x (N, D, ...), the input i, and for another x[0, 0]; (None, None) where these are not one array."""
    x = inputs[i]
    if np.ndim(x) < 2:
        return None, None
    other = np.array(x)
    other[0, 0] += 1
    before, after = (_with(forward, inputs, i, one) for one in (x, other))
    return (np.asarray(before[0]), np.asarray(after[0])) if len(before) == len(after) == 1 else (None, None)


def takes_no_classes(forward: Outputs, inputs: Sequence[Any], i: int) -> bool:
    """Whether the input i is of whole numbers, and forward takes others too: then they are no numbers of classes."""
    y = np.asarray(inputs[i])
    return y.dtype.kind == "i" and bool(_with(forward, inputs, i, y + 0.5))


def _with(forward: Outputs, inputs: Sequence[Any], i: int, x: Any) -> list[Any]:
    return forward(*[x if i == j else y for j, y in enumerate(inputs)])


def agreeing(problem: Problem) -> Iterator[tuple[str, np.ndarray, bool]]:
    """Yield (name, gradient, whether it is forward's along a random direction) for each input that has a gradient."""
    rng = np.random.default_rng(0)
    problem.seeded = True
    u = rng.standard_normal(problem(problem.point).size)
    for i, gradient in enumerate(problem.gradients(problem.point, u)):
        if gradient is not None and gradient.shape != problem.point[i].shape:
            yield problem.names[i], gradient, False
        elif gradient is not None:
            way = rng.standard_normal(gradient.shape)
            moved = ([x + step * way if i == j else x for j, x in enumerate(problem.point)] for step in (STEP, -STEP))
            after, before = (u @ problem(point) for point in moved)
            error = np.sum(gradient * way) - (after - before) / (2 * STEP)
            yield problem.names[i], gradient, bool(abs(error) <= CLOSE * np.sum(np.abs(gradient * way)))
