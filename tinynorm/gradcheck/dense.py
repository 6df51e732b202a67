"""Large inputs: a few random directions over all elements at once, and where one shows an error, bisection to the element.

A direction has both signs and no small entries, so that an error in a single element shows in it, and errors in many do not
cancel. A right gradient costs the same few evaluations whatever its size; a wrong one about log₂(elements) measurements more.
"""

from __future__ import annotations

import numpy as np

from .difference import Slope, central, ladder, size
from .elementwise import Elements
from .evidence import Sample
from .measure import SAFETY, UNDERFLOW, Measure
from .report import InputReport

DIRECTIONS = 3
RTOL_DENSE = 1e-9  # of the size of a directional derivative's terms: 1e-6 of one element among a million
VISIBLE = 0.3  # an error of this much of one typical element has to show in a direction
WORK = 250_000_000  # numbers moved while single elements of a large input are measured


class Directions:
    """Dense directions through one input."""

    def __init__(self, measure: Measure, i: int) -> None:
        self.measure, self.i = measure, i
        x = measure.point[i]
        claimed = measure.claimed[i]
        self.G = np.zeros(x.shape) if claimed is None else claimed
        steps = measure.step_of(i)
        self.top = 8 * float(np.max(steps))
        self.weights = steps / np.max(steps)

    def typical(self) -> float:
        """The size of one element's part in a direction; of many zeros, of the others' average."""
        parts = np.abs(self.G * self.weights)
        return float(np.median(parts)) or float(np.mean(parts))

    def draw(self) -> np.ndarray:
        """Signed, between 0.5 and 1.5 of the element's own step."""
        rng, shape = self.measure.rng, self.G.shape
        return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape) * self.weights

    def residual(self, v: np.ndarray) -> tuple[float, float]:
        """(<G, v> minus what is measured along v, how large it may be)."""
        slope: Slope = self.measure.slope(self.i, v, self.top)
        Gv = (self.G * v).ravel()
        allowed = SAFETY * (float(slope.error) + float(size((self.measure.scatter[self.i] * v).ravel())))
        return float(np.sum(Gv) - slope.value), allowed + RTOL_DENSE * float(size(Gv)) + UNDERFLOW

    def quick_residual(self, v: np.ndarray) -> float:
        """The same from three steps, and without an estimate of the error."""
        steps = ladder(self.top / 2, 3)
        a, b, c = central(self.measure.along(self.i, v), steps) @ self.measure.u
        return float(np.sum(self.G * v) - (a - 20 * b + 64 * c) / 45)  # h² and h⁴ taken out


def check_directions(measure: Measure, i: int, name: str, atol: float, rtol: float) -> tuple[InputReport, Sample]:
    """Input `i` as a whole; element by element only where something is wrong."""
    smooth, kinked = without_kinked_outputs(measure, i)
    directions = Directions(smooth, i)
    report = InputReport(name=name, shape=measure.point[i].shape, ok=True, left_out=len(kinked))
    typical = directions.typical()
    wrong = None
    for _ in range(DIRECTIONS):
        v = directions.draw()
        residual, allowed = directions.residual(v)
        report.directions += 1
        report.resolution = max(report.resolution, allowed / typical if typical > UNDERFLOW else 0.0)
        if not np.isfinite(allowed) or (typical > UNDERFLOW and allowed > VISIBLE * typical):
            report.unresolved += 1
        if abs(residual) > allowed or not np.isfinite(residual):
            wrong = v, residual
            break
    index = chosen_elements(measure, i, directions, wrong)
    if kinked.size and measure.y.size == directions.G.size:  # as elementwise functions have it: these inputs are on the kinks
        index = np.union1d(index, measure.rng.choice(kinked, size=min(4, kinked.size), replace=False))
    elements = Elements(measure, i, index, atol, rtol, patience=2)
    return _joined(report, elements, wrong is not None), elements.sample()


def _joined(report: InputReport, elements: Elements, wrong: bool) -> InputReport:
    """What the directions and the elements say together."""
    close = elements.report(report.name)
    close.directions, close.left_out = report.directions, report.left_out
    close.resolution = report.resolution
    close.unresolved += report.unresolved
    if close.wrong == 0 and wrong:
        close.notes.append("a dense direction shows an error that no single element among those measured accounts for")
    close.ok = False if close.wrong or wrong else None if close.unresolved else True
    return close


def chosen_elements(measure: Measure, i: int, directions: Directions, wrong: tuple[np.ndarray, float] | None) -> np.ndarray:
    """Which elements to measure one by one: a few, and where a direction is wrong, the culprit, its row and its column."""
    shape, n = measure.point[i].shape, measure.point[i].size
    budget = int(np.clip(WORK // (10 * (n + measure.y.size)), 12, 256))
    few = measure.rng.choice(n, size=min(n, budget if wrong is not None else budget // 6), replace=False)
    if wrong is None:
        return np.sort(few)
    bad = np.argwhere(~np.isfinite(directions.G.ravel()))[:, 0]
    culprit = int(bad[0]) if len(bad) else bisect(directions, *wrong)
    where = np.unravel_index(culprit, shape)
    lines = []
    for axis in {0, len(shape) - 1}:
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


def without_kinked_outputs(measure: Measure, i: int) -> tuple[Measure, np.ndarray]:
    """The same measurement with a cotangent of 0 for outputs that have a kink at the point, and which these are.

    An output has a kink there if its slopes on the two sides differ, and by as much when the step is halved.
    """
    directions = Directions(measure, i)
    f = measure.along(i, directions.draw())
    h = directions.top / 512
    f0 = measure.y
    gaps = [(f(t) - 2 * f0 + f(-t)) / t for t in (h, h / 2)]
    with np.errstate(all="ignore"):
        kinked = (np.abs(gaps[1]) > 40 * measure.sigma / h) & (np.abs(gaps[0] - gaps[1]) < 0.1 * np.abs(gaps[1]))
        kinked &= np.abs(gaps[1]) > 1e-4 * np.abs((f(h) - f(-h)) / (2 * h))
    which = np.flatnonzero(kinked)
    if which.size in (0, kinked.size):
        return measure, which[:0]
    return Measure(measure.problem, measure.point, np.where(kinked, 0.0, measure.u), measure.rng), which
