"""Code for float32 and float16 against the same formula in float64: does it lose more than the rounding of its inputs costs?

And code that rounds to float32 although its inputs are float64: its outputs change in steps, and their slopes have few digits.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..problem.problem import Problem, flat, host
from ..report.report import Fault
from ..slopes.differences import SAMPLES, perturbed
from ..slopes.kinks import random_direction
from ..slopes.measure import SAFETY, Measure

# A gradient may be off by this many times the error that one rounding of its inputs causes. A formula of some dozen operations,
# each of which rounds, stays below; a formula in which large terms cancel does not.
MARGIN = 64
# The difference between the outputs in two dtypes is steady if its standard deviation, while the last digits of the inputs
# change, is below this share of its mean. Pure rounding errors have a share near 1 or above.
STEADY = 0.1
# Where the terms of a gradient cancel, its error may be this many rounding errors of one term, because a term itself results
# from a few operations.
CANCELLED = 4
# The distances between neighbouring points of a row, in rounding errors of float32. At all but the first, float32 rounds each
# point anew, and a smooth function still changes evenly, so that third differences show the rounding alone.
SPACING = (1e-5, 11.3, 29.7)
POINTS = 8  # in a row: five third differences, of which two may meet a kink
# Where f has few outputs, so many rows are looked at that there are this many numbers to judge by. Of four, as a loss has them,
# chance may say anything.
ENOUGH = 16


def imprecise(problem: Problem, measure: Measure, composed: bool = False) -> Iterator[Fault]:
    """The gradients in the inputs' own dtypes that lose digits, compared with the gradients in float64.

    In a `composed` function the gradients of several layers may cancel, and no layer is to blame for the digits that are lost
    then. So half of the digits of the dtype are enough.
    """
    eps = float(np.finfo(problem.coarsest).eps)
    if not problem.recast or eps <= measure.eps or _another_function(problem, measure, eps):
        return
    scatter = _scatter(measure, eps)
    with np.errstate(all="ignore"):
        found = problem.claimed(measure.point, problem.split(measure.u), own=True)
    for i, (g, exact, s) in enumerate(zip(found, measure.claimed, scatter, strict=True)):
        if g is None or exact is None or np.shape(g) != exact.shape or not exact.size:
            continue
        limits = np.finfo(problem.own[i])
        error = np.abs(host(g) - exact)
        allowed = _rounding_error(measure, i, exact, s, eps)
        allowed += (float(np.sqrt(eps)) if composed else CANCELLED * eps) * _size_of_terms(measure, i, exact) + float(
            limits.smallest_subnormal
        )
        if np.any(error > allowed):  # terms may cancel here, or the function may be saturated: look at other points
            allowed = allowed + CANCELLED * eps * measure.gradient_sizes_elsewhere[i]
        overflows = float(limits.max) < np.abs(exact)
        if np.any(~(error <= allowed) & np.isfinite(exact) & ~overflows):
            k = int(np.argmax(np.nan_to_num(error - allowed, nan=np.inf)))
            yield _fault(problem, i, k, error, exact, s)


def _fault(problem: Problem, i: int, k: int, error: np.ndarray, exact: np.ndarray, scatter: np.ndarray) -> Fault:
    """Of input `i`, whose element `k` (flat) is the worst."""
    name, dtype = problem.names[i], problem.own[i]
    place = tuple(int(n) for n in np.unravel_index(k, exact.shape))
    return Fault(
        "imprecise",
        f"d{name} in {dtype} is off by {error.flat[k]:.1e} at {place} from the same formula in float64 "
        f"({exact.flat[k]:.6g}), where the rounding of its inputs explains {scatter.flat[k]:.1e}: the formula is right, and "
        f"loses digits in {dtype} (a variance as E[x²] - E[x]², a sum in {dtype}, an overflow)",
        name,
    )


def _another_function(problem: Problem, measure: Measure, eps: float) -> bool:
    """Whether forward computes another function in the inputs' own dtypes, for example with an eps that depends on the dtype.

    The difference between two functions stays when the last digits of the inputs change. A rounding error does not stay.
    """
    differences = []
    for _ in range(SAMPLES):
        near = perturbed(measure.point, eps / 2, measure.rng)
        near = [x.astype(dtype).astype(float) for x, dtype in zip(near, problem.own, strict=True)]
        with np.errstate(all="ignore"):
            differences.append(flat(problem.outputs(near, own=True)) - problem(near))
    mean, spread = np.mean(differences, axis=0), np.std(differences, axis=0)
    clear = (np.abs(mean) > 16 * eps * np.abs(measure.y)) & np.isfinite(mean)
    return bool(np.mean(clear) > 0.5 and np.median(spread[clear] / np.abs(mean[clear])) < STEADY)


def _rounding_error(measure: Measure, i: int, exact: np.ndarray, scatter: np.ndarray, eps: float) -> np.ndarray:
    """How far the rounding of inputs and results may move the gradient of input `i`."""
    # The rounding errors of a sum of n terms, added one by one, have √n times the size of one of them.
    margin = max(MARGIN, float(np.sqrt(measure.y.size / exact.size)))
    return margin * (np.maximum(scatter, 0.1 * np.mean(scatter)) + eps * np.abs(exact))


def _size_of_terms(measure: Measure, i: int, exact: np.ndarray) -> float:
    """An estimate of the size of the terms whose sum is one element of the gradient.

    It is the largest element or, if larger, the size of a derivative without cancellation over √(number of elements). Where
    all elements are 0 but for rounding, as for a bias before BatchNorm, the rounding error shows the size of the terms.
    """
    largest = float(np.max(np.abs(exact), initial=0.0, where=np.isfinite(exact)))
    rounding = float(np.max(measure.scatter[i], initial=0.0, where=np.isfinite(measure.scatter[i])))
    if largest <= SAFETY * rounding:
        largest = max(largest, rounding) / measure.eps
    return max(largest, measure.uncancelled_size(i) / float(np.sqrt(exact.size)))


def _scatter(measure: Measure, eps: float) -> list[np.ndarray]:
    """How far the float64 gradients move when the inputs and dout change by the rounding of the other dtype."""
    scatter = [np.zeros_like(x) for x in measure.point]
    for _ in range(SAMPLES):
        near, u = perturbed(measure.point, eps / 2, measure.rng), perturbed([measure.u], eps / 2, measure.rng)[0]
        for s, g, g0 in zip(scatter, measure.problem.gradients(near, u), measure.claimed, strict=True):
            if g is not None and g0 is not None and g.shape == s.shape == g0.shape:
                s += np.nan_to_num((g - g0) ** 2, nan=0.0)
    return [np.sqrt(s / SAMPLES) for s in scatter]


def coarser_output(problem: Problem) -> np.dtype | None:
    """The dtype of an output that is coarser than the one that forward is run in; None if there is none."""
    dtypes = [np.dtype(str(getattr(y, "dtype", "float64")).split(".")[-1]) for y in problem.outputs(problem.point)]
    coarsest = max(dtypes, key=lambda dtype: np.finfo(dtype).eps)
    return coarsest if np.finfo(coarsest).eps > np.finfo(problem.dtype).eps else None


def rounds_inside(measure: Measure) -> np.dtype | None:
    """float32, if forward rounds to it inside and is run in float64; else None.

    The outputs are evaluated at points in a row: float32 leaves third differences of the same size at both of two distances far
    above its rounding error, and hardly any far below.
    """
    eps = float(np.finfo(np.float32).eps)
    if measure.eps >= eps:
        return None
    rows: list[np.ndarray] = []
    for wanted in (SAMPLES, max(SAMPLES, ENOUGH // measure.y.size)):
        rows += [_rounding_in_a_row(measure, eps) for _ in range(wanted - len(rows))]
        below, near, far = np.concatenate(rows, axis=-1)
        size = np.tile(measure.output_size, wanted)
        there = (far > 1e-4 * eps * size) & (far < 1e4 * eps * size) & (below < 0.03 * far)
        there &= (near < 4 * far) & (far < 4 * near)
        if np.sum(there) < 0.1 * np.sum(far > 0) or not np.any(there):
            return None
    grows = np.exp(np.mean(np.log(far[there] / near[there])))  # 1 for rounding; 2.5 and more at kinks and where f is smooth
    return np.dtype(np.float32) if 0.5 < grows < 1.8 else None


def _rounding_in_a_row(measure: Measure, eps: float) -> np.ndarray:
    """The typical third difference of each output, for each of the distances in SPACING: (3, outputs)."""
    v = [eps * random_direction(measure.rng, x) for x in measure.point]  # each element in spacings of its own
    found = []
    for distance in SPACING:
        ys = [measure.problem([x + k * distance * d for x, d in zip(measure.point, v, strict=True)]) for k in range(POINTS)]
        found.append(np.median(np.abs(np.diff(ys, 3, axis=0)), axis=0))
    return np.nan_to_num(np.stack(found), nan=0.0, posinf=0.0)
