"""Large inputs: derivatives along a few random directions, and bisection to the wrong element.

The entries of a direction have random signs, so that the errors of many elements rarely cancel, and similar sizes, so that the
error of a single element shows. A direction goes only through elements whose gradients have a similar size: the rounding errors
of large gradients would hide an error in small ones. Where the rounding error is still too large to see an error in one
element, the elements are split into parts, as long as that helps.

A right gradient costs some hundreds of evaluations, whatever its size, and more only where elements are split. A wrong one
costs about log₂(elements) measurements more, and then those of up to some 250 single elements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..report.evidence import Sample
from ..report.report import InputReport
from .differences import Slope, central_differences, halved_steps, norm
from .elements import RESOLVED, SMALL, Elements
from .kinks import random_direction, suspicious_elements, without_kinked_outputs
from .measure import SAFETY, UNDERFLOW, Measure

# The directions through elements of typical size; through the others, one less. Along one direction an error may cancel by
# chance, along three hardly ever.
DIRECTIONS = 3
# The error of a directional derivative that is always allowed, relative to the norm of its terms: the sum of a million terms
# loses digits. It is 1e-6 of one term among a million equal ones.
RTOL_DENSE = 1e-9
# The groups of elements with smaller gradients, each of two decades. Four reach down to 1e-8 of the typical size; the last
# group also holds all gradients smaller than that, except zeros. Each group costs two directions.
BANDS = 4
# Parts are split further only if the first one is at most this many times as coarse as the whole: else splitting does not help.
HELPS = 0.8
# The largest work for one group in parts: evaluations times numbers in the input and the output. It takes a few seconds.
WORK_IN_PARTS = 600_000_000
# The same for the elements that are measured one by one, with ten evaluations each. It takes about a second.
WORK = 250_000_000


def check_directions(measure: Measure, i: int, name: str, atol: float, rtol: float) -> tuple[InputReport, Sample, bool]:
    """Check input `i` along random directions, and some elements one by one.

    Returns the report, the sample, and whether all directional derivatives are 0 to within ten times their errors.
    """
    smooth, kinked = without_kinked_outputs(measure, i)
    search = Search(smooth, i).run()
    index = np.union1d(_elements_to_measure(measure, i, search.found), suspicious_elements(measure, i, kinked))
    elements = Elements(measure, i, index, atol, rtol, patience=2)
    report = elements.report(name)
    report.directions, report.left_out = len(search.slopes), len(kinked)
    report.resolution = search.resolution
    report.unresolved += search.unresolved
    diffuse = search.found is not None and not report.wrong and index.size < measure.point[i].size
    if diffuse:
        report.notes.append("a random direction shows an error that no single element among those measured accounts for")
    report.ok = False if report.wrong or diffuse else None if report.unresolved else True
    return report, elements.sample(), search.all_zero()


class Directions:
    """Random directions through the elements `index` (flat) of one input, and the step size along them."""

    def __init__(self, measure: Measure, i: int, index: np.ndarray) -> None:
        self.measure, self.i, self.index = measure, i, index
        claimed, steps = measure.claimed[i], measure.step_of(i)
        self.claimed = np.zeros(steps.shape) if claimed is None else claimed
        self.constant_range: np.ndarray | None = None
        relative = steps / np.max(steps)
        largest = float(np.max(relative.flat[index]))
        self.sizes = np.zeros(steps.shape)
        self.sizes.flat[index] = relative.flat[index] / largest
        self.top = self.default_top = 8 * float(np.max(steps)) * largest

    def find_constant_outputs(self) -> Directions:
        """Find the outputs that do not depend on these elements: their rounding errors do not count."""
        self.constant_range = self.measure.constant_range(self.i, self.draw())
        return self

    def with_best_step(self) -> Directions:
        """The same, with the step that is best for these elements."""
        best = Directions(self.measure, self.i, self.index).find_constant_outputs()
        best.top = 8 * self.measure.best_step(self.i, best.draw(), best.constant_range).step
        return best

    def terms(self) -> np.ndarray:
        """The size of what each element adds to a directional derivative."""
        return np.abs(self.claimed * self.sizes).ravel()[self.index]

    def draw(self) -> np.ndarray:
        return random_direction(self.measure.rng, self.sizes)

    def slope(self, v: np.ndarray) -> Slope:
        return self.measure.slope(self.i, v, self.top, self.constant_range)

    def residual(self, v: np.ndarray, slope: Slope) -> tuple[float, float]:
        """The claimed directional derivative minus the measured one, and how large the difference may be."""
        terms = (self.claimed * v).ravel()
        allowed = SAFETY * (float(slope.error) + float(norm((self.measure.scatter[self.i] * v).ravel())))
        return float(np.sum(terms) - slope.value), allowed + RTOL_DENSE * float(norm(terms)) + UNDERFLOW

    def quick_residual(self, v: np.ndarray) -> float:
        """The residual from three steps, without an estimate of its error. The terms in h² and h⁴ are eliminated."""
        a, b, c = central_differences(self.measure.along(self.i, v), halved_steps(self.top / 2, 3)) @ self.measure.u
        return float(np.sum(self.claimed * v) - (a - 20 * b + 64 * c) / 45)


class WrongDirection(NamedTuple):
    """A direction `v` along which the claimed derivative is wrong, by `residual`."""

    directions: Directions
    v: np.ndarray
    residual: float

    def wrong_element(self) -> int:
        """The first element that is not finite; else bisection: always into the half with the larger part of the residual."""
        bad = np.flatnonzero(~np.isfinite(self.directions.claimed))
        if len(bad):
            return int(bad[0])
        start, stop, residual = 0, self.v.size, self.residual
        while stop - start > 1:
            half = (start + stop) // 2
            left = np.zeros(self.v.shape)
            left.flat[start:half] = self.v.flat[start:half]
            on_the_left = self.directions.quick_residual(left)
            if abs(on_the_left) >= abs(residual - on_the_left):
                residual, stop = on_the_left, half
            else:
                residual, start = residual - on_the_left, half
        return start


@dataclass
class Search:
    """Measurements along directions through all elements of one input, until one shows an error."""

    measure: Measure
    i: int
    found: WrongDirection | None = None
    slopes: list[Slope] = field(default_factory=list)
    unresolved: int = 0  # groups of elements in which an error of one element could hide
    resolution: float = 0.0

    def run(self) -> Search:
        every = Directions(self.measure, self.i, np.arange(self.measure.point[self.i].size))
        terms = every.terms()
        self.claimed, self.typical = every.claimed, float(np.median(terms)) or float(np.mean(terms))
        for index in _bands(terms, self.typical):
            important = np.median(terms[index]) >= 0.1 * self.typical
            self._check(Directions(self.measure, self.i, index), DIRECTIONS if important else DIRECTIONS - 1)
            if self.found:
                break
        if not self.typical > UNDERFLOW and not self.found and not self._is_constant():
            self.unresolved += 1
        return self

    def all_zero(self) -> bool:
        """Whether no measured derivative can be told from 0."""
        return all(abs(float(s.value)) <= 10 * float(s.error) for s in self.slopes)

    def _is_constant(self) -> bool:
        """Whether the claimed and the measured derivatives are 0, and f does not depend on the input as far as can be seen."""
        return self.all_zero() and self.measure.is_constant(self.i, self.claimed, np.array([s.value for s in self.slopes]))

    def _check(self, here: Directions, times: int) -> None:
        """Measure along some directions; where they are too coarse, with a better step, and then in parts."""
        coarseness = self._coarseness(here, times)
        if coarseness <= 1 or self.found or self._is_constant():
            return
        stop = self.measure.problem.evaluations + WORK_IN_PARTS // (self.claimed.size + self.measure.y.size)
        if not self.measure.rounded:  # outputs that change in steps are not resolved in parts either
            coarseness = self._in_parts(here, coarseness, times, stop)
        if coarseness > 1 and not self.found:
            self.unresolved += 1
            self.resolution = max(self.resolution, RESOLVED * coarseness)

    def _coarseness(self, here: Directions, times: int) -> float:
        """Measure along some directions. Return the smallest visible error of one small element, in units of RESOLVED.

        The error is relative to this element; at most 1 is fine enough. The result is infinite where two measurements
        contradict each other. The first wrong direction ends the search.
        """
        smallest = max(float(np.quantile(here.terms(), 0.1)), SMALL * self.typical)
        coarseness = 0.0
        for _ in range(times):
            v = here.draw()
            slope = here.slope(v)
            residual, allowed = here.residual(v, slope)
            self.slopes.append(slope)
            if not np.isfinite(allowed):
                return np.inf
            coarseness = max(coarseness, allowed / (RESOLVED * smallest) if smallest > UNDERFLOW else 0.0)
            if not abs(residual) <= allowed:
                if not self._is_confirmed(here, v, slope):
                    return np.inf
                self.found = WrongDirection(here, v, residual)
                return 0.0
        if coarseness <= 1:
            self.resolution = max(self.resolution, RESOLVED * coarseness)
        return coarseness

    def _is_confirmed(self, here: Directions, v: np.ndarray, slope: Slope) -> bool:
        """Whether a smaller step measures the same slope, and the best step shows an error too."""
        again = self.measure.slope(self.i, v, here.top / 5.6, here.constant_range)
        if not np.isfinite(here.residual(v, again)[0]):
            return True
        if abs(float(again.value - slope.value)) > SAFETY * (float(again.error) + float(slope.error)):
            return False
        best = here.with_best_step()
        residual, allowed = best.residual(v, best.slope(v))
        return abs(residual) > allowed

    def _in_parts(self, here: Directions, coarseness: float, times: int, stop: int) -> float:
        """The coarseness that is left with the best step, and then in parts of neighbouring elements, as long as that helps."""
        best = here.with_best_step()
        left = self._coarseness(best, times)
        here, coarseness = (best, left) if left < coarseness else (here, coarseness)
        # rounding errors grow as the root of the number of elements
        parts = int(min(max(2 * coarseness**2, 2), 64, len(here.index)))
        if coarseness <= 1 or parts < 2:
            return coarseness
        largest = 0.0
        for n, index in enumerate(np.array_split(here.index, parts)):
            if self.found:
                break
            part = Directions(self.measure, self.i, index).find_constant_outputs()
            part.top *= here.top / here.default_top
            left = self._coarseness(part, 1)
            if left > 1:
                helps = n > 0 or left < HELPS * coarseness
                if not helps or self.measure.problem.evaluations > stop:
                    return max(coarseness, largest)
                left = self._in_parts(part, left, 1, stop)
            largest = max(largest, left)
        return largest


def _bands(terms: np.ndarray, typical: float) -> Iterator[np.ndarray]:
    """The elements in groups of similar size, the typical ones first; those of size 0 are a group of their own."""
    if not typical > UNDERFLOW:
        yield np.arange(terms.size)
        return
    with np.errstate(all="ignore"):
        decades = np.floor(np.log10(terms / typical) / 2 + 0.5)
    band = np.where(terms > 0, np.maximum(decades, -BANDS), -BANDS - 1)
    band = np.where(np.isfinite(terms), band, 0)
    for b in sorted(set(band.tolist()), key=abs):
        yield np.flatnonzero(band == b)


def _elements_to_measure(measure: Measure, i: int, wrong: WrongDirection | None) -> np.ndarray:
    """Some random elements; for a wrong direction also the wrong element, and elements of its row and of its column."""
    shape, n = measure.point[i].shape, measure.point[i].size
    budget = int(np.clip(WORK // (10 * (n + measure.y.size)), 12, 256))
    some = measure.rng.choice(n, size=min(n, budget if wrong is not None else budget // 6), replace=False)
    if wrong is None:
        return np.sort(some)
    element = wrong.wrong_element()
    where, lines = np.unravel_index(element, shape), []
    for axis in {0, len(shape) - 1} if shape else ():
        along = measure.rng.choice(shape[axis], size=min(shape[axis], budget // 4), replace=False)
        place = [np.full(len(along), k) for k in where]
        place[axis] = along
        lines.append(np.ravel_multi_index(place, shape))
    return np.unique(np.concatenate([[element], some[: budget // 2], *lines]))
