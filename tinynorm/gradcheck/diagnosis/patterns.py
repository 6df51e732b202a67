"""What a wrong gradient looks like, whatever the layer: patterns in its values, compared with the measured ones.

Each pattern is a function of a `Comparison`. It returns a finding if the pattern fits, else None.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ..report.evidence import Evidence, Finding, Sample
from .hypotheses import as_factor, by_constants, constants_in, either, explains, norm
from .naming import NAMED, NEAR_ONE, Names


def tolerance_of(sample: Sample) -> np.ndarray:
    """How far a gradient may be from each measured value: the measurement's own error, and some rounding of the gradient."""
    typical = float(np.sqrt(np.mean(sample.value**2))) if sample.value.size else 0.0
    return 10 * sample.error + 1e-7 * np.abs(sample.value) + 1e-9 * typical


class Comparison:
    """A claimed gradient G and the measured values N, at the elements that were measured."""

    def __init__(self, evidence: Evidence, i: int, G: np.ndarray, sample: Sample) -> None:
        self.evidence, self.i, self.name = evidence, i, evidence.names[i]
        self.full, self.shape, self.index = G, G.shape, sample.index
        self.G, self.N, self.tolerance = G.ravel()[sample.index], sample.value, tolerance_of(sample)
        self.wrong = ~(np.abs(self.G - self.N) <= self.tolerance)
        self.complete = sample.index.size == G.size
        self.telling = np.abs(self.N) > 100 * self.tolerance  # far enough from 0 to divide by

    @property
    def dy(self) -> np.ndarray | None:
        """The incoming gradient at the measured elements, if it has the input's shape and there are enough elements to tell."""
        dy = self.evidence.cotangent
        return dy.ravel()[self.index] if dy.shape == self.shape and self.G.size > 3 else None

    @property
    def measured(self) -> np.ndarray | None:
        """N in the input's shape, if all elements were measured."""
        if not self.complete:
            return None
        full = np.empty(self.full.size)
        full[self.index] = self.N
        return full.reshape(self.shape)

    def same(self, prediction: np.ndarray, factor: float = 1.0) -> bool:
        """Whether G is the prediction, whose error is at most `factor` times that of N."""
        return bool(np.all(np.abs(self.G - prediction) <= self.tolerance * max(abs(factor), 1.0) * 2))

    def ratio(self, where: np.ndarray) -> float | None:
        """c, if G = c N in all these elements; else None."""
        where = where & self.telling
        if not np.any(where):
            return None
        N = self.N[where]
        c = float(np.sum(self.G[where] * N) / np.sum(N * N))
        return c if np.all(np.abs(self.G[where] - c * N) <= 2 * self.tolerance[where] * max(abs(c), 1.0)) else None

    def finding(
        self, kind: str, says: str, formula: str = "", prediction: np.ndarray | None = None, **details: object
    ) -> Finding:
        """A finding about this gradient, with the share of the error that it explains if it predicts G."""
        measured = "" if self.complete else f" (of the {self.index.size} elements measured)"
        sentence, left = f"d{self.name}: {says}{measured}.", 0.0
        if prediction is not None:
            left = norm(self.G - prediction) / norm(self.G - self.N)
            sentence += f" {explains(left)}" if left < 0.01 else ""
        return Finding(kind, self.name, sentence, formula, 1.0 - left, details)


def place(where: np.ndarray) -> str:
    """ "(2, 3)"."""
    return f"({', '.join(str(int(k)) for k in where)})"


def not_finite(c: Comparison) -> Finding | None:
    """NaN or infinity in some elements."""
    bad = ~np.isfinite(c.full)
    if not np.any(bad) or not np.all(np.isfinite(c.G[~c.wrong])):
        return None
    count, first = int(np.sum(bad)), place(np.argwhere(bad)[0])
    return c.finding("not_finite", f"{count} of {bad.size} elements are NaN or infinite, the first at {first}")


def zero(c: Comparison) -> Finding | None:
    """G = 0."""
    return c.finding("zero", "it is zero everywhere", "0") if np.all(c.full == 0) else None


def factor(c: Comparison) -> Finding | None:
    """G = k N. A constant input with the value k, or 1/k, may be the reason."""
    k = c.ratio(np.ones(c.G.size, dtype=bool))
    if k is None or abs(k - 1) < NEAR_ONE or not c.same(k * c.N, k) or np.sum(c.telling) < min(2, c.G.size):
        return None
    dy = c.evidence.cotangent
    if dy.size == 1 and abs(k * float(dy.ravel()[0]) - 1) < NAMED:
        return c.finding("dy_forgotten", "the incoming gradient dy is not multiplied in; it is not always 1", "dy", k * c.N)
    names = Names(_sizes(c.evidence, c.i))
    if c.G.size == 1 and names.of(k) is None:
        return None
    kind, says, formula, value = as_factor(k, names)
    reasons = [reason for reason, _ in by_constants(k, constants_in(c.evidence))]
    return c.finding(kind, either([says, *reasons]), formula, k * c.N, factor=value)


def _sizes(evidence: Evidence, i: int) -> dict[str, int]:
    """The numbers that a factor may be, with a phrase for each."""
    shape, output = evidence.inputs[i].shape, evidence.output
    sizes = {"the number of rows": output.shape[0]} if output.ndim else {}
    for axis, n in enumerate(shape):
        if axis or not output.ndim or n != output.shape[0]:  # axis 0 of that size is the rows
            sizes[f"the size of axis {axis}"] = n
    return sizes | {"the number of outputs": output.size}


def plus_dy(c: Comparison) -> Finding | None:
    """G is N + dy, N - dy or dy: the identity path, as around a residual block, counts twice, not at all, or alone."""
    dy = c.dy
    if dy is None:
        return None
    if c.same(c.N + dy):
        return c.finding("doubled_accumulation", "it is the right gradient and dy once more: take dy out", "+ dy", c.N + dy)
    if c.same(c.N - dy):
        says = "dy itself is missing: add it, as the path around a block (y = x + ...) hands it on"
        return c.finding("missing_accumulation", says, "- dy", c.N - dy)
    if c.same(dy) and not c.same(c.N):
        return c.finding("wrong_function", "it is dy, passed on as it is; the right gradient is another", "dy", dy)
    return None


def offset(c: Comparison) -> Finding | None:
    """G = N + k."""
    difference = c.G - c.N
    k = float(np.median(difference))
    if c.G.size > 3 and np.ptp(c.N) > 0 and np.all(np.abs(difference - k) <= 2 * c.tolerance):
        says = f"it is the right gradient and one constant more, {k:.6g} at this dy, in every element"
        return c.finding("constant_offset", says, f"+ {k:.6g}", c.N + k, offset=k)
    return None


def reduced(c: Comparison) -> Finding | None:
    """G is constant along an axis, and is the sum or mean of N along it."""
    N = c.measured
    if N is None:
        return None
    for axis, n in enumerate(N.shape):
        if n < 2 or np.ptp(c.full, axis=axis).max() > 1e-9 * np.abs(c.full).max():
            continue
        for word, value in (("sum", N.sum(axis=axis, keepdims=True)), ("mean", N.mean(axis=axis, keepdims=True))):
            if np.all(np.abs(c.full - value) <= 2 * n * np.max(c.tolerance)):
                says = f"it is the right gradient's {word} over axis {axis}, the same for all elements along it"
                return c.finding("wrong_axes", says, f"{word} over axis {axis}")
    return None


def dy_factor(c: Comparison) -> Finding | None:
    """An elementwise function's derivative without the chain rule, G = N / dy; or with dy twice, G = N dy."""
    dy = c.dy
    if dy is None:
        return None
    if np.all(dy != 0) and c.same(c.N / dy, float(np.max(np.abs(1 / dy)))):
        return c.finding("dy_forgotten", "the incoming gradient dy is not multiplied in", "dy", c.N / dy)
    if c.same(c.N * dy, float(np.max(np.abs(dy)))):
        return c.finding("dy_twice", "the incoming gradient dy is multiplied in once too often", "dy", c.N * dy)
    return None


def moved(c: Comparison) -> Finding | None:
    """N transposed, or moved by one place along an axis."""
    N = c.measured
    if N is None or N.size < 4 or np.ptp(N) == 0:
        return None
    if N.ndim == 2 and N.shape[0] == N.shape[1] and c.same(N.T.ravel()[c.index]):
        return c.finding("transposed", "it is the transposed of the right gradient", "transpose")
    close = 2 * np.max(c.tolerance)
    for axis, n in enumerate(N.shape):
        for shift in (1, -1) if n > 2 else ():
            shifted = np.roll(N, shift, axis=axis)
            inner = [slice(None)] * N.ndim  # without the row that enters at the border
            inner[axis] = slice(1, None) if shift == 1 else slice(None, -1)
            G_off, N_off = (np.abs(a - shifted)[tuple(inner)] for a in (c.full, N))
            if np.all(G_off <= close) and np.any(N_off > 50 * close):
                line = {0: "row", N.ndim - 1: "column"}.get(axis, f"place along axis {axis}") if N.ndim > 1 else "place"
                source = "i - 1" if shift == 1 else "i + 1"
                says = f"it is the right gradient moved by one {line}: at i it has what belongs to {source}"
                return c.finding("off_by_one", says, f"axis {axis}, {shift:+d}")
    return None


def swapped(evidence: Evidence) -> Iterator[Finding]:
    """A finding about each of two wrong gradients that were returned in each other's place."""
    for i, j in combinations(evidence.wrong, 2):
        if np.size(evidence.inputs[i]) > 1 and _claims(evidence, i, j) and _claims(evidence, j, i):
            for one, other in ((i, j), (j, i)):
                a, b = f"d{evidence.names[one]}", f"d{evidence.names[other]}"
                says = f"{a}: it is {b}, and {b} is {a}: the two are swapped."
                yield Finding("swapped", evidence.names[one], says, b)


def _claims(evidence: Evidence, i: int, j: int) -> bool:
    """Whether the gradient claimed for input `i` is the one that was measured for input `j`."""
    G, sample = evidence.analytic[i], evidence.numeric[j]
    if G is None or sample is None or G.shape != evidence.inputs[j].shape or sample.index.size < 2:
        return False
    return bool(np.any(sample.value) and np.all(np.abs(G.ravel()[sample.index] - sample.value) <= tolerance_of(sample)))
