"""Whether a call works only by chance: NumPy makes fit what was not meant, or a vector hides what is wrong for a matrix."""

from __future__ import annotations

import numpy as np

from ..read.read_code import nodes_of
from ..run_code import attempt
from .call_pair import Call
from .depends import alike, takes_no_classes
from .kinds import NORMS
from .layouts import COLUMN
from .settle import settled
from .try_call import agreement, beside_x


def works_by_chance(call: Call, best: Call) -> bool:
    """Whether a call with one row, or column, is no better than one with several: NumPy makes it fit more mistakes."""
    rows, before = call.layout, best.layout
    if rows is None or before is None or not best.rank[0]:
        return False
    if rows.columns and rows.x == COLUMN.x != before.x and "second_weight" not in call.kinds:
        return not call.turned
    if best.unsummed and len(rows.x) > len(before.x):
        return True  # with one more axis, and parameters that have it, what is not summed may fit
    if best.summed and any(np.shape(x) == () for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "affine"):
        return True  # and what is summed over too many, with numbers
    if best.raised and rows.convolved and isinstance(call.shape, tuple) and 1 in call.shape and 1 not in rows.x:
        return True  # with one window beside which there is no other
    if not len(before.x) > len(rows.x) == 1:
        return False
    words = {getattr(node, "attr", "") for node in nodes_of(call.user_backward)}
    if best.raised and len(call.inputs) == 1 and words & {"diag", "diagflat", "outer", "delete"}:  # the Jacobian of a vector
        return not all(call.rank)
    if best.raised and not NORMS & {*best.kinds} and _mixes_rows(best):
        return attempt(lambda: agreement(settled(call)))[0] != 1  # forward is meant for a vector: it mixes several rows
    same = len(call.inputs) == 1 and alike(call.outputs(*call.inputs), call.inputs)  # as x.T of a vector
    return bool(best.raised) or best.unsummed or same or attempt(agreement, call)[0] != 1


def _mixes_rows(call: Call) -> bool:
    """Whether an element of one row of x (N, D) has an influence on what forward makes of the others, of x's shape."""
    before, after = beside_x(call)
    return before is not None and before.ndim == 2 and not np.array_equal(before[1:], after[1:])


def is_broadcast(call: Call) -> bool:
    """Whether NumPy has made inputs fit that were not meant to.

    Targets are one number, or one column, beside several of x; or of a row and a column it has made more axes than x has.
    """
    assert call.layout is not None
    shapes = dict(zip(call.kinds, map(np.shape, call.inputs), strict=True))
    x, target, axes = shapes.get("x", ()), shapes.get("target", ()), len(call.layout.x)
    alone = target in ((), (1,)) and x not in ((), (1,)) and (len(x) < 2 or x[0] == 1)
    if len(x) == len(shapes.get("weight", ())) == 2 and "target" in shapes and _is_meant_for_one_output(call, shapes):
        return True
    if {*call.kinds} == {"x", "target"} and (alone or (len(x) == len(target) == 2 and x[-1] != target[-1])):
        return (alone and _takes_no_classes(call)) or attempt(agreement, call)[0] != 1
    more = isinstance(call.shape, tuple) and len(call.shape) > axes and "x" in call.kinds and not call.keys
    return more and (not call.rank[1] or axes == 1)


def _is_meant_for_one_output(call: Call, shapes: dict[str, tuple[int, ...]]) -> bool:
    """Whether a loss of several outputs is given what suits one: class numbers that it subtracts, a bias that moves nothing.

    So it is where there are as many outputs as samples, of x @ w.T.
    """
    if shapes["weight"] == shapes["x"] or _takes_no_classes(call):
        return True
    moved = [x + 1.0 if kind == "bias" else x for x, kind in zip(call.inputs, call.kinds, strict=True)]
    return shapes.get("bias") == () and alike(call.outputs(*call.inputs), call.outputs(*moved))


def _takes_no_classes(call: Call) -> bool:
    return takes_no_classes(call.outputs, call.inputs, call.kinds.index("target"))


def is_square(call: Call) -> bool:
    """Whether a weight is square, so that its transpose has the same shape."""
    shapes = [np.shape(x) for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "weight"]
    return any(len(shape) == 2 and shape[0] == shape[1] for shape in shapes)
