"""float32 and float16 code against the same formula in float64: does it lose more than its inputs' own rounding costs?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..problem.problem import Problem, flat, host
from ..report.report import Fault
from ..slopes.measure import JITTERS, SAFETY, Measure

MARGIN = 64  # so many times the scatter that one rounding of the inputs causes
STEADY = 0.1  # of a difference, that last digits change in it
CANCELLED = 4  # and so many roundings of what a gradient is where nothing in it cancels


def imprecise(problem: Problem, measure: Measure, composed: bool = False) -> Iterator[Fault]:
    """Compare the gradients in the inputs' own dtypes with those in float64, where these differ.

    What is `composed` of several layers may cancel between them, with nobody to blame: half of its digits are to be right.
    """
    eps = float(np.finfo(problem.coarsest).eps)
    if not problem.recast or eps <= measure.eps:
        return
    if _another_function(problem, measure, eps):
        return
    scatter = _scatter(measure, eps)
    with np.errstate(all="ignore"):
        found = problem.claimed(measure.point, problem.split(measure.u), own=True)
    for i, (name, g, exact, s) in enumerate(zip(problem.names, found, measure.claimed, scatter, strict=True)):
        if g is None or exact is None or np.shape(g) != exact.shape or not exact.size:
            continue
        given = problem.own[i]
        error = np.abs(host(g) - exact)
        # n terms that are added one by one lose √n times what each of their roundings causes
        margin = max(MARGIN, float(np.sqrt(measure.y.size / exact.size)))
        allowed = margin * (np.maximum(s, 0.1 * np.mean(s)) + eps * np.abs(exact))
        allowed += (float(np.sqrt(eps)) if composed else CANCELLED * eps) * _whole(measure, i, exact) + float(
            np.finfo(given).smallest_subnormal
        )
        if np.any(error > allowed):  # what is left may be rounding of what has cancelled, or saturated
            allowed = allowed + CANCELLED * eps * measure.elsewhere(i)
        out_of_reach = float(np.finfo(given).max) < np.abs(exact)
        if np.any((~(error <= allowed)) & np.isfinite(exact) & ~out_of_reach):
            k = int(np.argmax(np.nan_to_num(error - allowed, nan=np.inf)))
            place = tuple(int(n) for n in np.unravel_index(k, exact.shape))
            yield Fault(
                "imprecise",
                f"d{name} in {given} is off by {error.flat[k]:.1e} at {place} from the same formula in float64 "
                f"({exact.flat[k]:.6g}), where the rounding of its inputs explains {s.flat[k]:.1e}: the formula is right, and "
                f"loses digits in {given} (a variance as E[x²] - E[x]², a sum in {given}, an overflow)",
                name,
            )


def _another_function(problem: Problem, measure: Measure, eps: float) -> bool:
    """Whether forward is another function in the inputs' own dtypes, as with an eps that follows the dtype.

    Then its difference to float64 stays when the last digits change, where that of rounding would not.
    """
    apart = []
    for _ in range(JITTERS):
        near = [x * (1 + eps * measure.rng.choice([-1.0, 1.0], x.shape)) for x in measure.point]
        near = [x.astype(kind).astype(float) for x, kind in zip(near, problem.own, strict=True)]
        with np.errstate(all="ignore"):
            apart.append(flat(problem.outputs(near, own=True)) - problem(near))
    mean, spread = np.mean(apart, axis=0), np.std(apart, axis=0)
    clear = (np.abs(mean) > 16 * eps * np.abs(measure.y)) & np.isfinite(mean)
    return bool(np.mean(clear) > 0.5 and np.median(spread[clear] / np.abs(mean[clear])) < STEADY)


def _whole(measure: Measure, i: int, exact: np.ndarray) -> float:
    """The size of the terms that make up an element of a gradient: of the largest, or its share of what all have together.

    Where all elements are 0 but for rounding, as for a bias before BatchNorm, it is their rounding that tells.
    """
    largest = float(np.max(np.abs(exact), initial=0.0, where=np.isfinite(exact)))
    rounding = float(np.max(measure.scatter[i], initial=0.0, where=np.isfinite(measure.scatter[i])))
    if largest <= SAFETY * rounding:
        largest = max(largest, rounding) / measure.eps
    return max(largest, measure.natural(i) / float(np.sqrt(exact.size)))


def _scatter(measure: Measure, eps: float) -> list[np.ndarray]:
    """How far the float64 gradients move when inputs and dout change by the other dtype's rounding."""
    scatter = [np.zeros_like(x) for x in measure.point]
    for _ in range(JITTERS):
        near = [x * (1 + eps * measure.rng.choice([-1.0, 1.0], x.shape)) for x in measure.point]
        u = measure.u * (1 + eps * measure.rng.choice([-1.0, 1.0], measure.u.shape))
        for s, g, g0 in zip(scatter, measure.problem.gradients(near, u), measure.claimed, strict=True):
            if g is not None and g0 is not None and g.shape == s.shape == g0.shape:
                s += np.nan_to_num((g - g0) ** 2, nan=0.0)
    return [np.sqrt(s / JITTERS) for s in scatter]
