"""Large inputs: a few random directions over many elements at once, and where one shows an error, bisection to the element.

A right gradient costs the same few evaluations whatever its size; a wrong one about log₂(elements) measurements more.
"""

from __future__ import annotations

import numpy as np

from ..report.evidence import Sample
from ..report.report import InputReport
from .directions import Directions, Search
from .elements import Elements
from .kinked_outputs import suspects, without_kinked_outputs
from .measure import Measure

WORK = 250_000_000  # numbers moved while single elements of a large input are measured


def check_directions(measure: Measure, i: int, name: str, atol: float, rtol: float) -> tuple[InputReport, Sample, bool]:
    """Input `i` as a whole, element by element only where something is wrong; and whether the output did not move at all."""
    smooth, kinked = without_kinked_outputs(measure, i)
    search = Search(smooth, i).run()
    index = np.union1d(chosen_elements(measure, i, search.found), suspects(measure, i, kinked))
    elements = Elements(measure, i, index, atol, rtol, patience=2)
    report = elements.report(name)
    report.directions, report.left_out = search.count, len(kinked)
    report.resolution = search.resolution
    report.unresolved += search.unresolved
    diffuse = search.found is not None and not report.wrong and index.size < measure.point[i].size
    if diffuse:
        report.notes.append("a dense direction shows an error that no single element among those measured accounts for")
    report.ok = False if report.wrong or diffuse else None if report.unresolved else True
    return report, elements.sample(), search.flat()


def chosen_elements(measure: Measure, i: int, wrong: tuple[Directions, np.ndarray, float] | None) -> np.ndarray:
    """Which elements to measure one by one: a few, and where a direction is wrong, the culprit, its row and its column."""
    shape, n = measure.point[i].shape, measure.point[i].size
    budget = int(np.clip(WORK // (10 * (n + measure.y.size)), 12, 256))
    few = measure.rng.choice(n, size=min(n, budget if wrong is not None else budget // 6), replace=False)
    if wrong is None:
        return np.sort(few)
    directions, v, residual = wrong
    bad = np.flatnonzero(~np.isfinite(directions.G))
    culprit = int(bad[0]) if len(bad) else bisect(directions, v, residual)
    where = np.unravel_index(culprit, shape)
    lines = []
    for axis in {0, len(shape) - 1} if shape else ():
        along = measure.rng.choice(shape[axis], size=min(shape[axis], budget // 4), replace=False)
        place = [np.full(len(along), k) for k in where]
        place[axis] = along
        lines.append(np.ravel_multi_index(place, shape))
    return np.unique(np.concatenate([[culprit], few[: budget // 2], *lines]))


def bisect(directions: Directions, v: np.ndarray, residual: float) -> int:
    """The element that a wrong direction leads to: always into the half with the larger part of the residual."""
    flat, start, stop = v.ravel(), 0, v.size
    while stop - start > 1:
        half = (start + stop) // 2
        left = np.zeros(v.size)
        left[start:half] = flat[start:half]
        on_the_left = directions.quick_residual(left.reshape(v.shape))
        if abs(on_the_left) >= abs(residual - on_the_left):
            residual, stop = on_the_left, half
        else:
            residual, start = residual - on_the_left, half
    return start
