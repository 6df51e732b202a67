"""Whether a class may be right by chance with some inputs, or its output not depend on them: others are drawn then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable
from ..functions.kinds import kind_of
from ..functions.try_call import STANDS, may_stand
from ..run_code import attempt
from .call_layer import Layer
from .find_layers import LOSS_NAME
from .parameters import run, values_of
from .readings import share_right


def rows_in(arguments: dict[str, Any]) -> int:
    """Return how many samples the first argument holds, in rows or in columns."""
    shapes = [np.shape(x) for x in arguments.values()] or [()]
    return min(shapes[0]) if len(shapes[0]) > 1 or shapes.count(shapes[0]) > 1 else 1  # x and y, a number for each sample


def right_by_chance(layer: Layer, made: dict[str, Any], kinds: dict[str, Any], out: Any) -> bool:
    """Whether a class that works with one row, or a vector, is wrong there too, or right by chance.

    x.T is x for a vector x, and a sum over one number is that number. So a matrix must be one, and have a gradient.
    """
    flat = any(kind_of(name) == "weight" and np.ndim(x) == 1 for name, x in made.items())
    one = any(kind == "in" and made.get(name) == 1 for name, kind in kinds.items())
    same = np.array_equal(np.ravel(out), np.ravel(next(iter(layer.arguments.values()))))
    return flat or one or same or bool(layer.unseen) or attempt(share_right, layer)[0] != 1


def row_by_row(layer: Layer) -> bool:
    """Whether the first row of the inputs has no influence on the other rows of the output."""
    x, *rest = values_of(layer)
    other = np.concatenate([x[:1] + np.random.default_rng(0).random(x[:1].shape), x[1:]])
    before, after = (_outputs(layer, one, rest)[0] for one in (x, other))
    return np.shape(before)[:1] == x.shape[:1] and np.array_equal(before[1:], after[1:])


def moves(layer: Layer, words: str) -> bool:
    """Whether the output depends on the first input, where it may not. The parameters must be drawn before."""
    x, *rest = values_of(layer) or (0,)
    before = _outputs(layer, x, rest)
    if before[0] is None or not differentiable(x) or not may_stand(words, before):
        return True
    after = _outputs(layer, x + np.random.default_rng(0).random(np.shape(x)), rest)
    return after[0] is None or not all(np.allclose(y, z, rtol=0, atol=STANDS) for y, z in zip(before, after, strict=True))


def _outputs(layer: Layer, x: Any, rest: list[Any]) -> list[Any]:
    """Return what forward gives, [None] where it raises."""
    found = attempt(lambda: layer.parts(layer.run((x, *rest))))[0]
    return found or [None]


def is_no_target(layer: Layer, out: Any) -> bool:
    """Whether forward computes with a target that is drawn as class numbers: y of x + y; or one number, beside arrays."""
    y, x = np.asarray(layer.arguments.get(layer.target, 0.0)), next(iter(layer.arguments.values()), 0.0)
    sum_of_two = np.shape(out) == np.shape(x) and not LOSS_NAME.search(layer.cls.__name__)
    if y.dtype.kind != "i" or not np.ndim(x) or not (sum_of_two or not y.ndim):
        return False
    moved = replace(layer, arguments=layer.arguments | {layer.target: y + 0.5})  # no class, and no index
    return attempt(run, moved)[1] is None
