"""What may depend on what: a gradient depends linearly on dout; a row of the output may depend only on its row of the input."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from ..problem.settings import random_cotangent
from ..report.report import Fault
from ..slopes.measure import SAFETY, UNDERFLOW, Measure

# dout is multiplied by these. Powers of 2 add no rounding error. Small and large ones find gradients that backward clips, and
# numbers that it drops as too small; the moderate ones come first, since the extreme ones may leave the range of float16.
SCALES = (2.0**-10, 2.0**10, 2.0**-27, 2.0**27)
Terms = list[tuple[float, np.ndarray]]  # a linear combination of cotangents: (factor, cotangent)

# ---- on dout -------------------------------------------------------------------------------------------------------------


def nonlinear(measure: Measure) -> Iterator[Fault]:
    """The gradients for which backward(a * dout + b * dout') differs from a * backward(dout) + b * backward(dout')."""
    other = random_cotangent(measure.u.shape, measure.rng)
    known = {id(v): _gradients(measure, v) for v in (measure.u, other)}
    with_gradient = [g is not None and g.shape == x.shape for g, x in zip(measure.claimed, measure.point, strict=True)]
    left = {i for i, has in enumerate(with_gradient) if has}
    for says, whole, terms in _identities(measure, other):
        total, *parts = [known.get(id(v)) or _gradients(measure, v) for v in (whole, *(v for _, v in terms))]
        for i in sorted(left):
            products = [factor * part[i] for (factor, _), part in zip(terms, parts, strict=True)]
            if not _equal(measure, i, total[i], products, terms[0][0] if len(terms) == 1 else 1.0):
                if len(terms) == 1 and np.max(np.abs(total[i] - products[0]), initial=0.0) <= _dust(measure, i):
                    continue
                left.remove(i)
                name = measure.problem.names[i]
                yield Fault(
                    "not_linear",
                    f"d{name} is not linear in dout: {says}. "
                    "A gradient multiplies dout by the derivative, which does not depend on dout",
                    name,
                )


def _identities(measure: Measure, other: np.ndarray) -> Iterator[tuple[str, np.ndarray, Terms]]:
    """(the mistake in words, a cotangent, the linear combination that it equals), for cotangents of many kinds."""
    a, b, u = 0.75, -1.5, measure.u
    says = "backward(a * dout + b * dout') differs from a * backward(dout) + b * backward(dout')"
    yield says, a * u + b * other, [(a, u), (b, other)]
    for part, what in (
        (np.where(measure.rng.random(u.shape) < 0.5, other, 0.0), "half the elements of a are 0, and the other half of b"),
        (np.abs(other), "all elements of a are positive"),
        (np.ones_like(other), "all elements of a are 1"),
    ):
        says = f"backward(a + b) differs from backward(a) + backward(b), where {what}"
        yield says, other, [(1.0, part), (1.0, other - part)]
    for scale in SCALES:
        yield f"backward({scale:.2g} * dout) differs from {scale:.2g} * backward(dout)", scale * other, [(scale, other)]


def _dust(measure: Measure, i: int) -> float:
    """What gradient i adds for any dout, where that is a sum which is 0 but for rounding, as that of x - mean(x); else 0."""
    claimed, g = measure.claimed[i], _gradients(measure, np.zeros_like(measure.u))[i]
    size = float(np.max(np.abs(g), initial=0.0))
    return 2 * size if claimed is not None and size <= 4 * measure.eps * np.max(np.abs(claimed), initial=0.0) else 0.0


def _gradients(measure: Measure, v: np.ndarray) -> list[np.ndarray]:
    """The gradients for cotangent `v`. One that is missing or has another shape is NaN, so that it counts as a difference."""
    found: list[np.ndarray | None] = [None] * len(measure.point)
    with suppress(ArithmeticError):  # Python's own 0 / 0 raises
        found = measure.problem.gradients(measure.point, v)
    pairs = zip(found, measure.point, strict=True)
    return [np.full(x.shape, np.nan) if g is None or g.shape != x.shape else g for g, x in pairs]


def _equal(measure: Measure, i: int, total: np.ndarray, products: list[np.ndarray], factor: float) -> bool:
    """Whether gradient `total` equals the sum of `products`, but for rounding and for what overflows or underflows."""
    claimed = measure.claimed[i]
    assert claimed is not None
    with np.errstate(all="ignore"):
        sizes = np.sum(np.abs(products), axis=0)
        limits, largest = np.finfo(measure.problem.dtype), np.max(sizes, initial=0.0, where=np.isfinite(sizes))
        if factor != 1 and largest and not np.sqrt(limits.tiny) < largest < np.sqrt(limits.max):
            return True
        # The rounding error is estimated from the gradient for `u`, which is of the same size.
        scatter = measure.scatter[i]
        allowed = factor * SAFETY * 4 * (scatter + _mean(scatter)) + _relative_rounding(measure) * (sizes + _mean(sizes))
        difference = np.abs(total - np.sum(products, axis=0))
        if np.any(difference > allowed):  # the terms of the gradient may cancel: their own rounding error is larger
            allowed = allowed + factor * SAFETY * 4 * measure.eps * measure.gradient_sizes_elsewhere[i]
        near = difference <= allowed + UNDERFLOW * max(factor, 1.0)
        infinite = ~np.isfinite(claimed) | np.isinf(sizes)  # the derivative itself is, as that of sqrt at 0
        return bool(np.all(near | infinite))


def _relative_rounding(measure: Measure) -> float:
    """The relative rounding error of a sum of gradients.

    Code written for float32 or float16 may round to that precision even if its inputs are float64.
    """
    problem = measure.problem
    own = float(np.finfo(problem.coarsest).eps) if problem.recast else 0.0
    with np.errstate(all="ignore"):  # `seen` shows, for example, a cast to float32 inside the function
        seen = np.nanmedian(measure.sigma / measure.output_size) if np.any(measure.output_size) else 0.0
    return 1e4 * measure.eps + 64 * max(own, float(seen))


def _mean(a: np.ndarray) -> float:
    finite = a[np.isfinite(a)]
    return float(np.mean(finite)) if finite.size else 0.0


# ---- on other rows -------------------------------------------------------------------------------------------------------

INDEPENDENT = ("layernorm", "rmsnorm", "groupnorm", "instancenorm", "batchnormeval", "relu", "linear")


def dependent_rows(measure: Measure, wanted: bool | None, layer: str | None) -> Iterator[Fault]:
    """The first row of the output that changes when only other rows of the first input do, if the layer promises otherwise."""
    if not (wanted if wanted is not None else layer in INDEPENDENT and measure.point[0].ndim > 1):  # a vector has no rows
        return
    problem, x = measure.problem, measure.point[0]
    rows = x.shape[0] if x.ndim else 0
    if rows < 2 or len(problem.shapes) != 1 or problem.shapes[0][:1] != (rows,):
        if wanted:
            raise ValueError(
                f"batch_independent: expected an output with the {rows} rows of {problem.names[0]}, got {problem.shapes}"
            )
        return
    for r in sorted({0, rows // 2, rows - 1}):
        change = _change_with_others(measure, r)
        if change:
            yield Fault(
                "batch_dependent",
                f"row {r} of the output changes by {change:.1e} when only the other rows of {problem.names[0]} do; "
                "each row has to depend on its own row alone",
                problem.names[0],
            )
            return


def _change_with_others(measure: Measure, r: int) -> float:
    """How far row `r` of the output moves when all other rows increase, or decrease; 0.0 if by no more than its rounding."""
    x, rows = measure.point[0], len(measure.point[0])
    extent = float(np.ptp(x)) if x.size else 0.0
    v = (extent or float(np.max(np.abs(x), initial=0.0)) or 1.0) * measure.rng.uniform(1.0, 2.0, x.shape)
    v[r] = 0
    f, y = measure.along(0, v), measure.y.reshape(rows, -1)[r]
    allowed = SAFETY * 4 * (measure.sigma + measure.eps * np.abs(measure.y)).reshape(rows, -1)[r]
    for sign in (1.0, -1.0):
        moved = f(sign)
        change = np.abs(moved.reshape(rows, -1)[r] - y)
        if not np.all(change <= allowed) and not np.all(np.isnan(moved)):  # all outputs are NaN outside the domain of f
            return float(np.max(np.nan_to_num(change, nan=np.inf)))
    return 0.0
