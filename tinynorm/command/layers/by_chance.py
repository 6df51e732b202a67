"""Whether a class may be right by chance with some inputs, or take for a target what is none: others are drawn then."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..functions.depends import beside, takes_no_classes
from ..functions.kinds import kind_of
from ..run_code import attempt
from .call_layer import Layer
from .find_layers import is_loss
from .parameters import values_of
from .readings import share_right


def rows_in(arguments: dict[str, Any]) -> int:
    """Return how many samples the first argument holds, in rows or in columns."""
    shapes = [np.shape(x) for x in arguments.values()] or [()]
    shapes[0] = shapes[0][:-1] if len(shapes[0]) > 2 and shapes[0][-1] == 1 else shapes[0]  # a column for each
    return min(shapes[0]) if len(shapes[0]) > 1 or shapes.count(shapes[0]) > 1 else 1  # x and y, a number for each sample


def is_square_image(arguments: dict[str, Any]) -> bool:
    """Whether the first argument is an image as high as it is wide."""
    shape = np.shape(next(iter(arguments.values()), 0))
    return any(n == m > 1 for n, m in pairwise(shape))


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
    values = values_of(layer)
    before, after = beside(layer.outputs, values, 0)
    return np.shape(before)[:1] == values[0].shape[:1] and np.array_equal(before[1:], after[1:])


def has_one_window(layer: Layer, out: Any) -> bool:
    """Whether there is one window along an axis of x: what is wrong for the windows beside it does not show."""
    x = np.shape(next(iter(layer.arguments.values()), 0))
    return len(x) == np.ndim(out) > 2 and 1 in np.shape(out) and 1 not in x


def is_no_target(layer: Layer, out: Any) -> bool:
    """Whether forward computes with a target that is drawn as class numbers: y of x + y; or one number, beside arrays."""
    names, values = list(layer.arguments), list(layer.arguments.values())
    if layer.target not in names or not np.ndim(values[0]):
        return False
    i, sum_of_two = names.index(layer.target), np.shape(out) == np.shape(values[0]) and not is_loss(layer.cls)
    return (sum_of_two or not np.ndim(values[i])) and takes_no_classes(layer.outputs, values, i)
