"""Gradients that are wrong in some elements and right in the others: which elements are wrong, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..report.evidence import Finding
from .naming import NAMED, NEAR_ONE, exactly
from .patterns import Comparison, place

# The largest share of wrong elements that is told as a list of places. If more than about a third are wrong, a list is no help.
FEW = 0.34


def some_elements(c: Comparison) -> Finding | None:
    """The wrong elements are a part with one factor, a row or column, or a few places."""
    if not np.any(~c.wrong & c.telling):
        return None
    places = np.stack(np.unravel_index(c.index[c.wrong], c.shape), axis=1)
    line, k = _line(c, places), c.ratio(c.wrong)
    where = _where(c, line is not None)
    in_part = _factor_in_part(c, k, where and f": {where}") if line is None and k is not None and len(places) > 2 else None
    return in_part or _few(c, places, line, k, where)


def _factor_in_part(c: Comparison, k: float, where: str) -> Finding | None:
    """Each element is right, or wrong by the factor k."""
    if abs(k - 1) < NEAR_ONE:
        return None
    share = f"{int(c.wrong.sum())} of {c.G.size} elements"
    prediction = np.where(c.wrong, k * c.N, c.N)
    if abs(k + 1) < NAMED:
        says = f"the sign is wrong in {share}, and right in the others{where}"
        return c.finding("shifted_sign", says, "-1 in a part", prediction)
    if not where and c.wrong.mean() <= FEW:
        return None
    if k == 0 or np.all(c.G[c.wrong] == 0):
        return c.finding("zero_in_part", f"{share} are 0, and the others right{where}", "0 in a part")
    says = f"{share} are {exactly(k)} times the right value, and the others right{where}"
    return c.finding("factor_in_part", says, f"{exactly(k)} in a part", prediction, factor=k)


def _few(c: Comparison, places: np.ndarray, line: tuple[int, int] | None, k: float | None, where: str) -> Finding | None:
    """One row or column is wrong, or a few elements are."""
    few, what, where = c.wrong.mean() <= FEW, _what(c, k), where and f", {where}"
    shown = [tuple(map(int, at)) for at in places[:8]]
    if line is not None and (k is not None or few):
        axis, at = line
        word = {0: "row", len(c.shape) - 1: "column"}.get(axis, f"slice of axis {axis},") if len(c.shape) > 1 else "element"
        last = ", the last," if at == c.shape[axis] - 1 else ""
        return c.finding("some_elements", f"only {word} {at}{last} is wrong{where}: {what}", places=shown)
    if few:
        listed = ", ".join(place(at) for at in places[:4]) + (", ..." if len(places) > 4 else "")
        count = f"{len(places)} of {c.full.size} elements {'is' if len(places) == 1 else 'are'} wrong{where}"
        return c.finding("some_elements", f"{count}, at {listed}: {what}", places=shown)
    return None


def _line(c: Comparison, places: np.ndarray) -> tuple[int, int] | None:
    """(axis, index) of the row or column that contains all wrong elements and is wrong wherever it was measured."""
    if len(places) < 2:
        return None
    every = np.stack(np.unravel_index(c.index, c.shape), axis=1)
    for axis, k in enumerate(places[0]):
        there = every[:, axis] == k
        if np.all(places[:, axis] == k) and np.all(c.wrong[there] | ~c.telling[there]) and np.sum(there) < len(c.index):
            return axis, int(k)
    return None


def _what(c: Comparison, k: float | None) -> str:
    """What the wrong elements are in place of the right values."""
    if k is None:
        worst = int(np.argmax(np.where(c.wrong, np.abs(c.G - c.N), -1)))
        at = place(np.array(np.unravel_index(c.index[worst], c.shape)))
        return f"the worst, at {at}, is {c.G[worst]:.6g}, and {c.N[worst]:.6g} was measured"
    if k == 0 or np.all(c.G[c.wrong] == 0):
        return "0 stands there"
    if abs(k - 1) < NEAR_ONE:
        return f"1 {'+' if k > 1 else '-'} {abs(k - 1):.2g} times the right value"
    return "the sign is wrong" if abs(k + 1) < NAMED else f"{exactly(k)} times the right value"


def wrong_where(c: Comparison) -> Finding | None:
    """Many elements are wrong, and a condition tells them from the right ones."""
    where = _where(c, line=False) if np.any(~c.wrong & c.telling) else ""
    says = f"{int(c.wrong.sum())} of {c.G.size} elements are wrong, {where}: {_what(c, None)}"
    return c.finding("some_elements", says) if where else None


def _where(c: Comparison, line: bool) -> str:
    """A condition that holds in the wrong elements only: on the values there, or on the places if they are no single line."""
    if np.sum(c.wrong) < 3:
        return ""
    if not np.any(c.telling & c.wrong):
        zero = "where the right gradient is 0"
        return f"{zero}, and {where}" if (where := _condition(_masks(c), c.wrong, np.ones_like(c.wrong))) else zero
    return _condition([*_masks(c), *_values(c), *([] if line else _places(c))], c.wrong, c.telling)


def _condition(conditions: Iterable[tuple[str, np.ndarray]], wrong: np.ndarray, telling: np.ndarray) -> str:
    """The first condition that holds in the wrong elements only; "" if none does."""
    return next((f"where {says}" for says, there in conditions if np.array_equal(there[telling], wrong[telling])), "")


def _values(c: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """An input, dy or the output is negative or positive."""
    inputs = list(zip(c.evidence.names, c.evidence.inputs, strict=True))
    own = inputs.pop(c.i)
    for name, values in (own, ("dy", c.evidence.cotangent), ("the output", c.evidence.output), *inputs):
        if isinstance(values, np.ndarray) and values.shape == c.shape:
            chosen = np.ravel(values)[c.index]
            yield f"{name} is negative", chosen < 0
            yield f"{name} is positive", chosen > 0


def _masks(c: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Whole numbers, one for each element or for each row: one of them, or the element that they name in a row."""
    for name, values in zip(c.evidence.names, c.evidence.inputs, strict=True):
        leading = isinstance(values, np.ndarray) and values.ndim and values.shape == c.shape[: values.ndim]
        if not leading or values.dtype.kind not in "iub":
            continue
        each = np.broadcast_to(values.reshape(values.shape + (1,) * (len(c.shape) - values.ndim)), c.shape).ravel()[c.index]
        value = each[c.wrong][0]
        yield f"{name} is {bool(value) if values.dtype.kind == 'b' else value}", each == value
        if values.ndim == len(c.shape) - 1:
            own, what = (
                np.unravel_index(c.index, c.shape)[-1] == each,
                "column" if len(c.shape) == 2 else "place on the last axis",
            )
            yield f"{name} names the {what}", own
            yield f"{name} names another {what}", ~own


def _places(c: Comparison) -> Iterator[tuple[str, np.ndarray]]:
    """Rows that an index names more than once; all from one index of an axis on, or up to one; the border of an image."""
    at = np.unravel_index(c.index, c.shape)
    for name, idx in zip(c.evidence.names, c.evidence.inputs, strict=True):
        if isinstance(idx, np.ndarray) and idx.dtype.kind in "iu" and np.all(idx >= 0):
            counts = np.bincount(idx.ravel(), minlength=c.shape[0])[: c.shape[0]]
            yield f"{name} names the row more than once", counts[at[0]] > 1
    for axis, n in enumerate(c.shape):
        low, high = int(at[axis][c.wrong].min()), int(at[axis][c.wrong].max())
        what = f"the index of axis {axis}" if len(c.shape) > 1 else "the index"
        yield f"{what} is {low}{' or more' if low < n - 1 else ''}", at[axis] >= low
        yield f"{what} is {high}{' or less' if high else ''}", at[axis] <= high
    for k in range(1, len(c.shape) - 1):
        inside = np.all([(at[a] > 0) & (at[a] < c.shape[a] - 1) for a in (k, k + 1)], axis=0)
        yield f"the place is in the border of axes {k}, {k + 1}", ~inside
