"""What a wrong gradient looks like, whatever the layer: from the claimed gradient G and the measured values N alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..evidence import Evidence, Finding, Sample
from .judge import NAMED, name_of

FEW = 0.34  # of the elements measured, that may be wrong to speak of some


class Pattern:
    """G and N at the elements that were measured, and how near to each other two numbers have to be to be the same."""

    def __init__(self, evidence: Evidence, i: int, sample: Sample) -> None:
        G = evidence.analytic[i]
        assert G is not None
        self.name, self.full, self.shape, self.index = evidence.names[i], G, G.shape, sample.index
        self.G, self.N = G.ravel()[sample.index], sample.value
        typical = float(np.sqrt(np.mean(self.N**2))) if self.N.size else 0.0
        self.tolerance = 10 * sample.error + 1e-7 * np.abs(self.N) + 1e-9 * typical
        self.wrong = ~(np.abs(self.G - self.N) <= self.tolerance)
        self.complete = sample.index.size == G.size
        self.telling = np.abs(self.N) > 100 * self.tolerance  # elements of which a ratio can be taken
        self.sizes = _sizes(evidence, i)

    def same(self, prediction: np.ndarray, factor: float = 1.0) -> bool:
        """Whether G is this prediction, made of numbers as exact as `factor` times N."""
        return bool(np.all(np.abs(self.G - prediction) <= self.tolerance * max(abs(factor), 1.0) * 2))

    def ratio(self, where: np.ndarray) -> float | None:
        """The one factor of all these elements, if there is one."""
        where = where & self.telling
        if not np.any(where):
            return None
        weight = self.N[where]
        c = float(np.sum(self.G[where] * weight) / np.sum(weight * weight))
        return c if np.all(np.abs(self.G[where] - c * weight) <= 2 * self.tolerance[where] * max(abs(c), 1.0)) else None

    def as_full(self) -> np.ndarray | None:
        """N in the input's shape, where all of it was measured."""
        if not self.complete:
            return None
        full = np.empty(self.full.size)
        full[self.index] = self.N
        return full.reshape(self.shape)

    def finding(self, kind: str, says: str, formula: str = "", **details: object) -> Finding:
        measured = "" if self.complete else f" (of the {self.index.size} elements measured)"
        return Finding(kind, self.name, f"d{self.name}: {says}{measured}.", formula, 1.0, details)


def _sizes(evidence: Evidence, i: int) -> dict[str, int]:
    sizes = {}
    if evidence.output.ndim:
        sizes["the number of rows"] = evidence.output.shape[0]
    for k, n in enumerate(evidence.inputs[i].shape):
        sizes[f"the size of axis {k}"] = n
    sizes["the number of outputs"] = evidence.output.size
    return sizes


def explain(evidence: Evidence, i: int) -> Finding | None:
    """The first pattern that fits; None where none does."""
    sample = evidence.numeric[i]
    G = evidence.analytic[i]
    if sample is None or G is None or not sample.index.size:
        return None
    pattern = Pattern(evidence, i, sample)
    if not np.any(pattern.wrong):
        return None
    for look in PATTERNS:
        found = look(pattern, evidence)
        if found is not None:
            return found
    return None


def _not_finite(p: Pattern, evidence: Evidence) -> Finding | None:
    bad = ~np.isfinite(p.full)
    if not np.any(bad) or not np.all(np.isfinite(p.G[~p.wrong])):
        return None
    where = np.argwhere(bad)[0]
    count = int(np.sum(bad))
    return p.finding("not_finite", f"{count} of {bad.size} elements are NaN or infinite, the first at {_place(where)}")


def _zero(p: Pattern, evidence: Evidence) -> Finding | None:
    if np.all(p.full == 0):
        return p.finding("zero", "it is zero everywhere; it is never filled in", "0")
    return None


def _factor(p: Pattern, evidence: Evidence) -> Finding | None:
    c = p.ratio(np.ones(p.G.size, dtype=bool))
    if c is None or not p.same(c * p.N, c) or np.sum(p.telling) < min(2, p.G.size):
        return None
    if abs(c + 1) < NAMED:
        return p.finding("sign", "it has the wrong sign; multiply by -1", "-1", factor=-1.0)
    dy = evidence.cotangent
    if dy.size == 1 and abs(c * float(dy.ravel()[0]) - 1) < NAMED:
        return p.finding("dy_forgotten", "the incoming gradient dy is not multiplied in; it is not always 1", "dy")
    named = name_of(c, p.sizes)
    if p.G.size == 1 and named is None:
        return None
    how = f"{named}" if named else f"{c:.6g}"
    inverse = name_of(1 / c, p.sizes) or f"{1 / c:.6g}"
    fix = f"divide by {how}" if abs(c) > 1 else f"multiply by {inverse}"
    return p.finding("constant_factor", f"it is {how} times the right gradient; {fix}", how, factor=c)


def _some(p: Pattern, evidence: Evidence) -> Finding | None:
    """A few elements, or some rows or columns, are wrong, and the others right."""
    wrong = p.index[p.wrong]
    if np.all(p.wrong) or not np.any(~p.wrong & p.telling):
        return None
    places = np.stack(np.unravel_index(wrong, p.shape), axis=1) if p.shape else np.zeros((1, 0), int)
    lines = _lines(p, places)
    c = p.ratio(p.wrong)
    what = _what(p, c)
    if lines is not None and (c is not None or p.wrong.mean() <= FEW):
        axis, k = lines
        line = {0: "row", len(p.shape) - 1: "column"}.get(axis, f"slice of axis {axis},") if len(p.shape) > 1 else "element"
        return p.finding("some_elements", f"only {line} {k} is wrong: {what}", places=[tuple(map(int, q)) for q in places[:8]])
    if p.wrong.mean() <= FEW:
        shown = ", ".join(_place(q) for q in places[:4]) + (", ..." if len(places) > 4 else "")
        count = f"{len(places)} of {p.full.size} elements {'is' if len(places) == 1 else 'are'} wrong"
        return p.finding("some_elements", f"{count}, at {shown}: {what}", places=[tuple(map(int, q)) for q in places[:8]])
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
        return f"{p.G[worst]:.6g} where {p.N[worst]:.6g} was measured"
    if c == 0 or np.all(p.G[p.wrong] == 0):
        return "0, where it is not"
    return "the sign is wrong" if abs(c + 1) < NAMED else f"{c:.6g} times the right value"


def _part(p: Pattern, evidence: Evidence) -> Finding | None:
    """Each element is right, or wrong by the same factor: a sign, or a path that was counted twice or not at all."""
    if np.all(p.wrong) or np.sum(p.wrong) < 3 or _lines(p, np.stack(np.unravel_index(p.index[p.wrong], p.shape), axis=1)):
        return None
    c = p.ratio(p.wrong)
    if c is None:
        return None
    share = f"{int(p.wrong.sum())} of {p.G.size} elements"
    if abs(c + 1) < NAMED:
        return p.finding(
            "shifted_sign", f"the sign is wrong in {share}, and right in the others{_which(p, evidence)}", "-1 in a part"
        )
    if abs(c - 2) < NAMED:
        return p.finding(
            "doubled_accumulation", f"{share} are 2 times the right value: a path to them is added twice", "2 in a part"
        )
    if abs(c - 0.5) < NAMED:
        says = f"{share} are half the right value: one of two equal paths to them is not added (= for +=?)"
        return p.finding("missing_accumulation", says, "1/2 in a part")
    return None


def _which(p: Pattern, evidence: Evidence) -> str:
    """Whether the wrong elements are those where the input, the output or the gradient is negative."""
    x = next((a for a, n in zip(evidence.inputs, evidence.names, strict=True) if n == p.name), None)
    for name, values in ((p.name, x), ("dy", evidence.cotangent), ("the output", evidence.output)):
        if values is not None and np.shape(values) == p.shape:
            chosen = np.ravel(values)[p.index]
            for word, there in (("negative", chosen < 0), ("positive", chosen > 0)):
                if np.array_equal(there[p.telling], p.wrong[p.telling]):
                    return f": where {name} is {word}"
    return ""


def _offset(p: Pattern, evidence: Evidence) -> Finding | None:
    """G = N + c."""
    difference = p.G - p.N
    c = float(np.median(difference))
    if p.G.size > 3 and np.ptp(p.N) > 0 and np.all(np.abs(difference - c) <= 2 * p.tolerance):
        return p.finding("constant_offset", f"it is the right gradient and {c:.6g} in every element", f"+ {c:.6g}", offset=c)
    return None


def _moved(p: Pattern, evidence: Evidence) -> Finding | None:
    """The right numbers in the wrong places."""
    N = p.as_full()
    if N is None or N.size < 4 or np.ptp(N) == 0:
        return None
    if N.ndim == 2 and N.shape[0] == N.shape[1] and p.same(N.T.ravel()[p.index]):
        return p.finding("transposed", "it is the transposed of the right gradient", "transpose")
    for axis, n in enumerate(N.shape):
        for shift in (1, -1) if n > 2 else (1,) if n == 2 else ():
            moved = np.roll(N, shift, axis=axis)
            G = p.full
            inner = [slice(None)] * N.ndim
            inner[axis] = slice(1, None) if shift == 1 else slice(None, -1)
            off = np.abs(G - moved)[tuple(inner)]
            if n > 2 and np.all(off <= 2 * np.max(p.tolerance)) and np.any(np.abs(N - moved) > 100 * np.max(p.tolerance)):
                line = "row" if axis == 0 else "column" if axis == N.ndim - 1 else f"place along axis {axis}"
                source = "i - 1" if shift == 1 else "i + 1"
                says = f"it is the right gradient moved by one {line}: at i it has what belongs to {source}"
                return p.finding("off_by_one", says, f"axis {axis}, {shift:+d}")
    return None


def _reduced(p: Pattern, evidence: Evidence) -> Finding | None:
    """G is the same along an axis, and is the right gradient's sum or mean along it."""
    N = p.as_full()
    if N is None:
        return None
    for axis, n in enumerate(N.shape):
        if n < 2 or np.ptp(p.full, axis=axis).max() > 1e-9 * np.abs(p.full).max():
            continue
        for word, value in (("sum", N.sum(axis=axis, keepdims=True)), ("mean", N.mean(axis=axis, keepdims=True))):
            if np.all(np.abs(p.full - value) <= 2 * n * np.max(p.tolerance)):
                says = f"it is the right gradient's {word} over axis {axis}, the same for all elements along it"
                return p.finding("wrong_axes", says, f"{word} over axis {axis}")
    return None


def _without_dy(p: Pattern, evidence: Evidence) -> Finding | None:
    """An elementwise function's derivative, without the chain rule: G dy = N."""
    if evidence.cotangent.shape == p.shape and p.G.size > 3:
        dy = evidence.cotangent.ravel()[p.index]
        if p.same(p.N / dy, 2.0):
            return p.finding("dy_forgotten", "the incoming gradient dy is not multiplied in", "dy")
    return None


def _place(where: np.ndarray) -> str:
    return f"({', '.join(str(int(k)) for k in where)})"


PATTERNS: tuple[Callable[[Pattern, Evidence], Finding | None], ...] = (
    _not_finite,
    _zero,
    _factor,
    _part,
    _some,
    _offset,
    _moved,
    _reduced,
    _without_dy,
)
