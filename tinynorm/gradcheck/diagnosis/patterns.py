"""What a wrong gradient looks like, whatever the layer: patterns in its values, compared with the measured ones.

Each pattern is a function of a `Comparison`. It returns a finding if the pattern fits, else None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, permutations

import numpy as np

from ..report.evidence import Evidence, Finding, Sample
from .hypotheses import as_factor, by_constants, constants_in, either, explains, norm
from .naming import NAMED, NEAR_ONE, PLAIN, Names, exactly, named_axes, near


def tolerance_of(sample: Sample) -> np.ndarray:
    """How far a gradient may be from each measured value: the measurement's own error, and some rounding of the gradient."""
    typical = float(np.sqrt(np.mean(sample.value**2))) if sample.value.size else 0.0
    return 10 * sample.error + 1e-7 * np.abs(sample.value) + 1e-9 * typical


# A formula explains a mistake only if the mistake is this many times what the errors of the measurement allow.
CLEAR = 10.0

# What people multiply by: a value a (an input, or the output), or the derivative of an activation by its output a.
FACTORS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "{}": lambda a: a,
    "(1 - {}²)": lambda a: 1 - a * a,
    "{0} (1 - {0})": lambda a: a * (1 - a),
    "(1 - {})": lambda a: 1 - a,
    "(1 + {})": lambda a: 1 + a,
    "{}²": lambda a: a * a,
    "(1 - {})²": lambda a: (1 - a) ** 2,
}


class Comparison:
    """A claimed gradient G and the measured values N, at the elements that were measured."""

    def __init__(self, evidence: Evidence, i: int, G: np.ndarray, sample: Sample) -> None:
        self.evidence, self.i, self.name = evidence, i, evidence.names[i]
        self.full, self.shape, self.index = G, G.shape, sample.index
        self.G, self.N, self.tolerance = G.ravel()[sample.index], sample.value, tolerance_of(sample)
        self.wrong = ~(np.abs(self.G - self.N) <= self.tolerance)
        self.complete = sample.index.size == G.size
        self.telling = np.abs(self.N) > 100 * self.tolerance  # far enough from 0 to divide by

    @classmethod
    def of(cls, evidence: Evidence, i: int) -> Comparison | None:
        """The wrong gradient of input `i`; None if nothing was measured."""
        G, sample = evidence.analytic[i], evidence.numeric[i]
        return cls(evidence, i, G, sample) if G is not None and sample is not None and sample.index.size else None

    def arrays(self, shape: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
        """(name, array) for dy, the output and each input with several numbers, in this shape if they broadcast to it."""
        e = self.evidence
        for name, a in (("dy", e.cotangent), ("y", e.output), *zip(e.names, e.inputs, strict=True)):
            many = isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size > 1 and a.ndim <= len(shape)
            if many and all(m in (1, n) for m, n in zip(a.shape[::-1], shape[::-1], strict=False)):
                yield name, np.broadcast_to(a, shape)

    def factors(self, shape: tuple[int, ...]) -> Iterator[tuple[str, str, np.ndarray]]:
        """(kind, sentence, factor) for each factor that may be missing, or be there twice."""
        for name, a in self.arrays(shape):
            for written, f in FACTORS.items() if name != "dy" else [("{}", FACTORS["{}"])]:
                what, value = written.format(name), f(a)
                missing = "dy_forgotten" if name == "dy" else "input_forgotten" if what == name else "derivative_forgotten"
                what = "the incoming gradient dy" if name == "dy" else what
                says = f"{what} is not multiplied in"
                if written == "(1 + {})":
                    missing, says = "wrong_function", f"(1 - {name}) stands for (1 - {name}²) = (1 - {name}) (1 + {name})"
                if np.all(value != 0):
                    yield missing, says, 1 / value
                yield "dy_twice" if name == "dy" else "extra_factor", f"{what} is multiplied in once too often", value

    def terms(self) -> Iterator[tuple[str, np.ndarray]]:
        """(name, values) of what a gradient of this shape may have as a term; "" is the constant 1."""
        e, x = self.evidence, self.evidence.inputs[self.i]
        yield "", np.ones(self.G.size)
        for name, a in self.arrays(self.shape):
            yield name, a.ravel()[self.index]
        for name, other, sample in zip(e.names, e.inputs, e.numeric, strict=True):
            if sample is not None and name != self.name and np.shape(other) == self.shape:
                yield f"d{name}", sample.value if np.array_equal(sample.index, self.index) else np.zeros(self.G.size)
        if x.shape == e.output.shape and np.all(x != 0):
            yield f"dy * y / {self.name}", (e.cotangent * e.output / x).ravel()[self.index]

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
        """Whether G is the prediction, whose error is at most `factor` times that of N and far below the mistake."""
        allowed = self.tolerance * max(abs(factor), 1.0) * 2
        return bool(np.all(np.abs(self.G - prediction) <= allowed)) and norm(self.G - self.N) > CLEAR * norm(allowed)

    def ratio(self, where: np.ndarray | bool = True) -> float | None:
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


def subsets(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The axes one by one, then by two, and so on."""
    return (some for n in range(1, len(axes) + 1) for some in combinations(axes, n))


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
    """G = 0, or what rounding leaves of it."""
    nothing = np.all(c.full == 0) or (c.complete and c.same(0 * c.N))
    return c.finding("zero", "it is zero everywhere", "0") if nothing else None


def factor(c: Comparison) -> Finding | None:
    """G = k N. A constant input with the value k, or 1/k, may be the reason."""
    k = c.ratio()
    if k is None or abs(k - 1) < NEAR_ONE or not c.same(k * c.N, k) or np.sum(c.telling) < min(2, c.G.size):
        return None
    dy = c.evidence.cotangent
    if dy.size == 1 and abs(k * float(dy.ravel()[0]) - 1) < NAMED:
        return c.finding("dy_forgotten", "the incoming gradient dy is not multiplied in; it is not always 1", "dy", k * c.N)
    names = Names(sizes_of(c.evidence, c.i))
    if c.G.size == 1 and names.of(k) is None:
        return None
    kind, says, formula, value = as_factor(k, names)
    reasons = [reason for reason, _ in by_constants(k, constants_in(c.evidence))]
    return c.finding(kind, either([says, *reasons]), formula, k * c.N, factor=value)


def sizes_of(evidence: Evidence, i: int) -> dict[str, int]:
    """The numbers that a factor may be, with a phrase for each."""
    shape, output = evidence.inputs[i].shape, evidence.output
    sizes = {"the number of rows": output.shape[0]} if output.ndim else {}
    for axis, n in enumerate(shape):
        if axis or not output.ndim or n != output.shape[0]:  # axis 0 of that size is the rows
            sizes[f"the size of axis {axis}"] = n
    for name, a in (("dy", output), *zip(evidence.names, evidence.inputs, strict=True)):
        for axis, n in enumerate(np.shape(a)):
            if n not in sizes.values():
                sizes[f"the size of {name}'s axis {axis}"] = n
    return sizes | {"the number of outputs": output.size}


def plus_dy(c: Comparison) -> Finding | None:
    """G is N + dy, N - dy or dy: the identity path, as around a residual block, counts twice, not at all, or alone."""
    dy = c.dy
    return None if dy is None else _plus(c, "dy", dy)


def plus(c: Comparison) -> Finding | None:
    """G is N + k A or A, where A is a constant, an input, the output, another gradient or dy: a term too much or too little."""
    return next((found for name, A in c.terms() if (found := _plus(c, name, A))), None)


def _plus(c: Comparison, name: str, A: np.ndarray) -> Finding | None:
    difference, product = c.G - c.N, "product_rule" if "/" in name else ""
    if c.G.size < 4 or np.ptp(c.N) == 0 or np.sum(A != 0) < 4:
        return None
    r = float(np.median(c.G / A)) if name and np.all(A != 0) else 1.0
    if name and c.same(r * A, r):
        what = "dy, passed on as it is" if name == "dy" and near(r, 1.0) else name if near(r, 1.0) else f"{exactly(r)} * {name}"
        return c.finding(product or "wrong_function", f"it is {what}; the right gradient is another", name, r * A)
    rest = c.N - A
    k = float(np.sum((c.G - A) * rest) / np.sum(rest * rest)) if product else 1.0
    if abs(k - 1) > NEAR_ONE and c.same(A + k * rest, k):
        says = f"besides {name}, it has {exactly(k)} times the term that it has to have"
        return c.finding(product, says, name, A + k * rest)
    k = float(np.sum(difference * A) / np.sum(A * A))
    if abs(k) < NAMED or not c.same(c.N + k * A, k):
        return None
    if not name:
        says = f"it is the right gradient and one constant more, {k:.6g} at this dy, in every element"
        return c.finding("constant_offset", says, f"+ {k:.6g}", c.N + k, offset=k)
    if name == "dy" and near(k, 1.0):
        return c.finding("doubled_accumulation", "it is the right gradient and dy once more: take dy out", "+ dy", c.N + A)
    if name == "dy" and near(k, -1.0):
        says = "dy itself is missing: add it, as the path around a block (y = x + ...) hands it on"
        return c.finding("missing_accumulation", says, "- dy", c.N - A)
    if norm(difference) < 1e3 * norm(c.tolerance):
        return None
    term = _times(c.evidence, abs(k), name)
    if k < 0:
        return c.finding(product or "missing_term", f"the term {term} is missing: add it", f"- {term}", c.N + k * A)
    return c.finding(product or "extra_term", f"{term} is added to it: take that out", f"+ {term}", c.N + k * A)


def _times(evidence: Evidence, k: float, name: str) -> str:
    """k times a term; k is a multiple of dy where there is one output, and perhaps of an input that is a number."""
    dy = float(np.ravel(evidence.cotangent)[0]) if evidence.cotangent.size == 1 and not name.startswith("d") else 1.0
    for symbol, value in {"": 1.0, **constants_in(evidence)}.items():
        ratio = abs(k / dy / value)
        if any(near(ratio, plain) for plain in PLAIN):
            factors = ["dy" if dy != 1 else "", exactly(ratio) if abs(ratio - 1) > NAMED else "", symbol, name]
            return " * ".join(filter(None, factors))
    return f"{exactly(k)} * {name}"


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


def times(c: Comparison) -> Finding | None:
    """G is N / A or N A: a factor is missing, or is there twice."""
    for kind, says, A in c.factors(c.shape):
        value = A.ravel()[c.index]
        if c.same(c.N * value, float(np.max(np.abs(value)))):
            return c.finding(kind, says, "", c.N * value)
    return None


def of_dy(c: Comparison) -> Finding | None:
    """N is dy summed over some axes, transposed or reshaped, and G is dy summed or moved in another way."""
    dy, N, close = c.evidence.cotangent, c.measured, 2 * np.max(c.tolerance)
    if N is None or N.size < 2:
        return None
    every = range(dy.ndim)
    ways = {f"the sum of dy over {named_axes(axes)}": dy.sum(axis=axes) for axes in subsets(every)}
    ways |= {f"dy.transpose{order}": dy.transpose(order) for order in permutations(every)}
    ways = {says: a.reshape(c.shape) for says, a in ways.items() if a.size == N.size and ("sum" in says or a.shape == c.shape)}
    ways |= {f"dy.reshape{c.shape}": dy.reshape(c.shape)} if dy.size == N.size else {}
    right = next((says for says, a in ways.items() if np.all(np.abs(a - N) <= close)), None)
    found = next((says for says, a in ways.items() if right and np.all(np.abs(a - c.full) <= close)), None)
    kind = "wrong_axes" if found and "sum" in found else "transposed"
    return c.finding(kind, f"it is {found}, and has to be {right}", right or "") if found else None


def moved(c: Comparison) -> Finding | None:
    """N transposed, or moved by one place along an axis."""
    N = c.measured
    if N is None or N.size < 4 or np.ptp(N) == 0:
        return None
    for says, turned in transposed(f"d{c.name}", N):
        if c.same(turned.ravel()[c.index]):
            return c.finding("transposed", says, "transpose")
    for axes in subsets(range(N.ndim)):
        if c.same(np.flip(N, axes).ravel()[c.index]):
            return c.finding("reversed", f"it is the right gradient reversed along {named_axes(axes)}", f"{named_axes(axes)}")
    close = 2 * np.max(c.tolerance)
    for axes in (some for some in subsets(range(N.ndim)) if all(N.shape[k] > 2 for k in some)):
        for shift in (1, -1):
            shifted = np.roll(N, [shift] * len(axes), axis=axes)
            within = slice(1, None) if shift == 1 else slice(None, -1)  # without the row that enters at the border
            inner = tuple(within if k in axes else slice(None) for k in range(N.ndim))
            G_off, N_off = (np.abs(a - shifted)[inner] for a in (c.full, N))
            if np.all(G_off <= close) and np.any(N_off > 50 * close):
                line = {0: "row", N.ndim - 1: "column"}.get(axes[0]) if N.ndim > 1 and len(axes) == 1 else None
                line = line or ("place" if N.ndim == 1 else f"place along {named_axes(axes)}")
                source = "i - 1" if shift == 1 else "i + 1"
                says = f"it is the right gradient moved by one {line}: at i it has what belongs to {source}"
                return c.finding("off_by_one", says, f"{named_axes(axes)}, {shift:+d}")
    return None


def transposed(name: str, a: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(sentence, array) for each way to transpose `a` that keeps its shape, and for a reshape in place of that."""
    for one, other in combinations(range(a.ndim), 2):
        if a.shape[one] == a.shape[other] > 1:
            yield f"{name} is transposed (axes {one}, {other})", a.swapaxes(one, other)
    rows = a.reshape(len(a), -1) if a.ndim > 1 else a[None]
    if min(rows.shape) > 1:
        says = f"{name}.reshape{rows.shape[::-1]} stands for {name}.T; reshape leaves the numbers in their order"
        yield says, rows.reshape(rows.shape[::-1]).T.reshape(a.shape)


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
