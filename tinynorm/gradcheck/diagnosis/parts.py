"""Gradients that are right in some places and wrong in others, or right numbers in wrong places."""

from __future__ import annotations

import numpy as np

from ..report.evidence import Evidence, Finding
from .naming import NAMED, NEAR_ONE, exactly
from .pattern import Pattern

FEW = 0.34  # of the elements measured, that may be wrong to speak of some


def some(p: Pattern, evidence: Evidence) -> Finding | None:
    """A few elements, or some rows or columns, are wrong, and the others right."""
    wrong = p.index[p.wrong]
    if np.all(p.wrong) or not np.any(~p.wrong & p.telling):
        return None
    places = np.stack(np.unravel_index(wrong, p.shape), axis=1) if p.shape else np.zeros((1, 0), int)
    lines = _lines(p, places)
    c = p.ratio(p.wrong)
    what = _what(p, c) + _which(p, evidence)
    shown = [tuple(map(int, q)) for q in places[:8]]
    if lines is not None and (c is not None or p.wrong.mean() <= FEW):
        axis, k = lines
        line = {0: "row", len(p.shape) - 1: "column"}.get(axis, f"slice of axis {axis},") if len(p.shape) > 1 else "element"
        return p.finding("some_elements", f"only {line} {k} is wrong: {what}", places=shown)
    if p.wrong.mean() <= FEW:
        at = ", ".join(p.place(q) for q in places[:4]) + (", ..." if len(places) > 4 else "")
        count = f"{len(places)} of {p.full.size} elements {'is' if len(places) == 1 else 'are'} wrong"
        return p.finding("some_elements", f"{count}, at {at}: {what}", places=shown)
    return None


def _lines(p: Pattern, places: np.ndarray) -> tuple[int, int] | None:
    """(axis, index) of the one row or column in which all wrong elements lie, of which all that was measured is wrong."""
    if len(places) < 2:
        return None
    every = np.stack(np.unravel_index(p.index, p.shape), axis=1)
    for axis in range(len(p.shape)):
        k = places[0, axis]
        there = every[:, axis] == k
        if np.all(places[:, axis] == k) and np.all(p.wrong[there] | ~p.telling[there]) and np.sum(there) < len(p.index):
            return axis, int(k)
    return None


def _what(p: Pattern, c: float | None) -> str:
    if c is None:
        worst = int(np.argmax(np.where(p.wrong, np.abs(p.G - p.N), -1)))
        at = p.place(np.array(np.unravel_index(p.index[worst], p.shape)))
        return f"at {at}, the worst of them, it is {p.G[worst]:.6g} where {p.N[worst]:.6g} was measured"
    if c == 0 or np.all(p.G[p.wrong] == 0):
        return "0, where it is not"
    if abs(c - 1) < NEAR_ONE:
        return f"1 {'+' if c > 1 else '-'} {abs(c - 1):.2g} times the right value"
    return "the sign is wrong" if abs(c + 1) < NAMED else f"{exactly(c)} times the right value"


def part(p: Pattern, evidence: Evidence) -> Finding | None:
    """Each element is right, or wrong by the same factor."""
    if np.all(p.wrong) or np.sum(p.wrong) < 3 or _lines(p, np.stack(np.unravel_index(p.index[p.wrong], p.shape), axis=1)):
        return None
    c = p.ratio(p.wrong)
    if c is None or abs(c - 1) < NEAR_ONE or not np.any(~p.wrong & p.telling):
        return None
    share = f"{int(p.wrong.sum())} of {p.G.size} elements"
    which = _which(p, evidence)
    prediction = np.where(p.wrong, c * p.N, p.N)
    if abs(c + 1) < NAMED:
        says = f"the sign is wrong in {share}, and right in the others{which}"
        return p.finding("shifted_sign", says, "-1 in a part", prediction)
    if not which and p.wrong.mean() <= FEW:
        return None  # a few elements, told by their places
    if c == 0 or np.all(p.G[p.wrong] == 0):
        return p.finding("zero_in_part", f"{share} are 0, and the others right{which}", "0 in a part")
    says = f"{share} are {exactly(c)} times the right value, and the others right{which}"
    return p.finding("factor_in_part", says, f"{exactly(c)} in a part", prediction, factor=c)


def _which(p: Pattern, evidence: Evidence) -> str:
    """Where the wrong elements are: where the input, the output or the gradient is negative, or at some value or above."""
    x = next((a for a, n in zip(evidence.inputs, evidence.names, strict=True) if n == p.name), None)
    others = [(n, a) for n, a in zip(evidence.names, evidence.inputs, strict=True) if n != p.name]
    for name, values in ((p.name, x), ("dy", evidence.cotangent), ("the output", evidence.output), *others):
        if not isinstance(values, np.ndarray) or values.shape != p.shape or np.sum(p.wrong) < 3:
            continue
        chosen, right = np.ravel(values)[p.index], ~p.wrong
        for word, there in (("negative", chosen < 0), ("positive", chosen > 0)):
            if np.array_equal(there[p.telling], p.wrong[p.telling]):
                return f": where {name} is {word}"
        if values.dtype.kind in "iub" and np.ptp(chosen[p.wrong]) == 0 and not np.any(chosen[right] == chosen[p.wrong][0]):
            return f": where {name} is {int(chosen[p.wrong][0])}"
    return ""


def moved(p: Pattern, evidence: Evidence) -> Finding | None:
    """The right numbers in the wrong places."""
    N = p.as_full()
    if N is None or N.size < 4 or np.ptp(N) == 0:
        return None
    if N.ndim == 2 and N.shape[0] == N.shape[1] and p.same(N.T.ravel()[p.index]):
        return p.finding("transposed", "it is the transposed of the right gradient", "transpose")
    for axis, n in enumerate(N.shape):
        for shift in (1, -1) if n > 2 else ():
            shifted, close = np.roll(N, shift, axis=axis), 2 * np.max(p.tolerance)
            inner = [slice(None)] * N.ndim
            inner[axis] = slice(1, None) if shift == 1 else slice(None, -1)
            off = np.abs(p.full - shifted)[tuple(inner)]
            if np.all(off <= close) and np.any(np.abs(N - shifted)[tuple(inner)] > 50 * close):
                line = (
                    "place"
                    if N.ndim == 1
                    else "row"
                    if axis == 0
                    else "column"
                    if axis == N.ndim - 1
                    else f"place along axis {axis}"
                )
                source = "i - 1" if shift == 1 else "i + 1"
                says = f"it is the right gradient moved by one {line}: at i it has what belongs to {source}"
                return p.finding("off_by_one", says, f"axis {axis}, {shift:+d}")
    return None
