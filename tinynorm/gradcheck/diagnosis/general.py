"""What a wrong gradient looks like, whatever the layer: from the claimed gradient G and the measured values N alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..report.evidence import Evidence, Finding
from .hypotheses import by_constants, either
from .naming import NAMED, NEAR_ONE, exactly, remedy
from .parts import moved, part, some
from .pattern import Pattern

Look = Callable[[Pattern, Evidence], Finding | None]


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
    return p.finding("not_finite", f"{count} of {bad.size} elements are NaN or infinite, the first at {p.place(where)}")


def _zero(p: Pattern, evidence: Evidence) -> Finding | None:
    return p.finding("zero", "it is zero everywhere", "0") if np.all(p.full == 0) else None


def _factor(p: Pattern, evidence: Evidence) -> Finding | None:
    """G = c N; and where an input is that number everywhere, it may be that input."""
    c = p.ratio(np.ones(p.G.size, dtype=bool))
    if c is None or abs(c - 1) < NEAR_ONE or not p.same(c * p.N, c) or np.sum(p.telling) < min(2, p.G.size):
        return None
    dy = evidence.cotangent
    if dy.size == 1 and abs(c * float(dy.ravel()[0]) - 1) < NAMED:
        return p.finding("dy_forgotten", "the incoming gradient dy is not multiplied in; it is not always 1", "dy", c * p.N)
    named = p.names.of(c)
    if p.G.size == 1 and named is None:
        return None
    says = [f"it is {named or exactly(c)} times the right gradient; {remedy(c, p.names)}"]
    kind = "constant_factor"
    if abs(c + 1) < NAMED:
        says, kind = ["it has the wrong sign; multiply by -1"], "sign"
    says += [what for what, _ in by_constants(c, p.constants)]
    return p.finding(kind, either(says), named or exactly(c), c * p.N, factor=-1.0 if kind == "sign" else c)


def _passed_on(p: Pattern, evidence: Evidence) -> Finding | None:
    """G = N + dy, or N - dy: the path that hands dy on, as around a block, counted twice or not at all."""
    if evidence.cotangent.shape != p.shape or p.G.size < 4:
        return None
    dy = evidence.cotangent.ravel()[p.index]
    if p.same(p.N + dy):
        return p.finding("doubled_accumulation", "it is the right gradient and dy once more: take dy out", "+ dy", p.N + dy)
    if p.same(p.N - dy):
        says = "dy itself is missing: add it, as the path around a block (y = x + ...) hands it on"
        return p.finding("missing_accumulation", says, "- dy", p.N - dy)
    if p.same(dy) and not p.same(p.N):
        return p.finding("wrong_function", "it is dy, passed on as it is; the right gradient is another", "dy", dy)
    return None


def _offset(p: Pattern, evidence: Evidence) -> Finding | None:
    """G = N + c."""
    difference = p.G - p.N
    c = float(np.median(difference))
    if p.G.size > 3 and np.ptp(p.N) > 0 and np.all(np.abs(difference - c) <= 2 * p.tolerance):
        says = f"it is the right gradient and one constant more, {c:.6g} at this dy, in every element"
        return p.finding("constant_offset", says, f"+ {c:.6g}", p.N + c, offset=c)
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
    """An elementwise function's derivative, without the chain rule: G dy = N; or with dy twice, G = N dy."""
    if evidence.cotangent.shape != p.shape or p.G.size < 4:
        return None
    dy = evidence.cotangent.ravel()[p.index]
    if np.all(dy != 0) and p.same(p.N / dy, float(np.max(np.abs(1 / dy)))):
        return p.finding("dy_forgotten", "the incoming gradient dy is not multiplied in", "dy", p.N / dy)
    if p.same(p.N * dy, float(np.max(np.abs(dy)))):
        return p.finding("dy_twice", "the incoming gradient dy is multiplied in once too often", "dy", p.N * dy)
    return None


PATTERNS: tuple[Look, ...] = (
    _not_finite,
    _zero,
    _factor,
    _passed_on,
    part,
    some,
    _offset,
    moved,
    _reduced,
    _without_dy,
)
