"""Random directions over many elements at once, and what they can tell.

A direction has both signs and no small entries, so that an error in a single element shows in it, and errors in many do not
cancel. Elements whose gradients are of like size go together, so that large ones do not hide small ones. Where rounding hides
an element among too many others, they are measured in parts, and those in parts again, as long as that helps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .differences import Slope, central_differences, halved_steps, norm
from .elements import RESOLVED, SMALL
from .measure import SAFETY, UNDERFLOW, Measure

DIRECTIONS = 3  # through the elements of typical size; through the others, one less
RTOL_DENSE = 1e-9  # of the size of a directional derivative's terms: 1e-6 of one element among a million
BANDS = 4  # of smaller gradients, each of two decades; what is smaller yet goes with the last
WORK_IN_PARTS = 600_000_000  # numbers moved, at most, while an input is measured in parts
PARTS = 64  # at most, at once
HELPS = 0.8  # of the lack is left, or less, in a part


class Directions:
    """Dense directions through some elements of one input, and a step that suits them."""

    def __init__(self, measure: Measure, i: int, index: np.ndarray | None = None) -> None:
        self.measure, self.i, self.index = measure, i, index
        x = measure.point[i]
        claimed = measure.claimed[i]
        self.G = np.zeros(x.shape) if claimed is None else claimed
        self.still: np.ndarray | None = None  # how far the outputs are known not to move
        steps = measure.step_of(i)
        self.top = 8 * float(np.max(steps))
        self.weights = steps / np.max(steps)
        if index is not None:
            chosen = np.zeros(x.size)
            chosen[index] = self.weights.flat[index] / np.max(self.weights.flat[index])
            self.weights = chosen.reshape(x.shape)
            self.top *= float(np.max(steps.flat[index]) / np.max(steps))

    def without_the_still(self) -> Directions:
        """Knowing which outputs do not depend on these elements, so that their rounding is none of the direction's."""
        self.still = self.measure.constant_range(self.i, self.draw())
        return self

    def with_own_step(self) -> Directions:
        """The same with a step that is found for these elements alone."""
        own = Directions(self.measure, self.i, self.index).without_the_still()
        own.top = 8 * self.measure.best_step(self.i, own.draw(), own.still).step
        return own

    def parts(self) -> np.ndarray:
        """What each element contributes to a direction."""
        parts = np.abs(self.G * self.weights).ravel()
        return parts if self.index is None else parts[self.index]

    def draw(self) -> np.ndarray:
        """Signed, between 0.5 and 1.5 of the element's own step."""
        rng, shape = self.measure.rng, self.G.shape
        return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape) * self.weights

    def slope(self, v: np.ndarray) -> Slope:
        return self.measure.slope(self.i, v, self.top, self.still)

    def residual(self, v: np.ndarray, slope: Slope) -> tuple[float, float]:
        """(<G, v> minus what was measured along v, how large it may be)."""
        Gv = (self.G * v).ravel()
        allowed = SAFETY * (float(slope.error) + float(norm((self.measure.scatter[self.i] * v).ravel())))
        return float(np.sum(Gv) - slope.value), allowed + RTOL_DENSE * float(norm(Gv)) + UNDERFLOW

    def quick_residual(self, v: np.ndarray) -> float:
        """The same from three steps, and without an estimate of the error."""
        steps = halved_steps(self.top / 2, 3)
        a, b, c = central_differences(self.measure.along(self.i, v), steps) @ self.measure.u
        return float(np.sum(self.G * v) - (a - 20 * b + 64 * c) / 45)  # h² and h⁴ taken out


@dataclass
class Search:
    """All elements of one input along directions, until one shows an error."""

    measure: Measure
    i: int
    found: tuple[Directions, np.ndarray, float] | None = None  # a wrong direction, and its residual
    count: int = 0
    unresolved: int = 0
    resolution: float = 0.0
    slopes: list[Slope] = field(default_factory=list)

    def run(self) -> Search:
        every = Directions(self.measure, self.i)
        self.G, parts = every.G, every.parts()
        self.typical = float(np.median(parts)) or float(np.mean(parts))
        for index in bands(parts, self.typical):
            here = Directions(self.measure, self.i, index)
            self._look(here, DIRECTIONS if np.median(parts[index]) >= 0.1 * self.typical else DIRECTIONS - 1)
            if self.found:
                break
        if not self.typical > UNDERFLOW and not self.found and not self._nothing_moves():
            self.unresolved += 1
        return self

    def _nothing_moves(self) -> bool:
        """Whether zero was claimed and measured, and f does not depend on the input as far as it can tell."""
        return self.flat() and self.measure.is_constant(self.i, self.G, np.array([s.value for s in self.slopes]))

    def _look(self, here: Directions, times: int) -> None:
        """Measure along some directions; where they cannot tell, with a better step, and then in parts."""
        lack = self._lack(here, times)
        if lack <= 1 or self.found or self._nothing_moves():
            return
        stop = self.measure.problem.evaluations + WORK_IN_PARTS // (self.G.size + self.measure.y.size)
        lack = self._in_parts(here, lack, times, stop)
        if lack > 1 and not self.found:
            self.unresolved += 1
            self.resolution = max(self.resolution, RESOLVED * lack)

    def _lack(self, here: Directions, times: int) -> float:
        """How many times too coarse the directions are to show an error of RESOLVED in one element; below 1 they do."""
        smallest = max(float(np.quantile(here.parts(), 0.1)), SMALL * self.typical)
        lack = 0.0
        for _ in range(times):
            v = here.draw()
            slope = here.slope(v)
            residual, allowed = here.residual(v, slope)
            self.count += 1
            self.slopes.append(slope)
            lack = max(lack, allowed / (RESOLVED * smallest) if smallest > UNDERFLOW else 0.0)
            if not np.isfinite(allowed):
                return np.inf
            if not abs(residual) <= allowed:
                if self._confirmed(here, v, slope):
                    self.found = here, v, residual
                    return 0.0
                return np.inf
        if lack <= 1:
            self.resolution = max(self.resolution, RESOLVED * lack)
        return lack

    def _confirmed(self, here: Directions, v: np.ndarray, slope: Slope) -> bool:
        """Whether other steps measure the same, and the one that suits best shows the error too."""
        again = self.measure.slope(self.i, v, here.top / 5.6, here.still)
        allowed = SAFETY * (float(again.error) + float(slope.error))
        if not np.isfinite(here.residual(v, again)[0]):
            return True
        if abs(float(again.value - slope.value)) > allowed:
            return False
        own = here.with_own_step()
        residual, allowed = own.residual(v, own.slope(v))
        return abs(residual) > allowed

    def _in_parts(self, here: Directions, lack: float, times: int, stop: int) -> float:
        """The lack that remains with a step of its own, and then in parts: neighbours together, as long as that helps."""
        own = here.with_own_step()
        left = self._lack(own, times)
        here, lack = (own, left) if left < lack else (here, lack)
        index = np.arange(self.G.size) if here.index is None else here.index
        parts = int(min(max(2 * lack**2, 2), PARTS, len(index)))  # rounding grows as the root of the numbers that move
        remains = 0.0
        for n, part in enumerate(np.array_split(index, parts)):
            if lack <= 1 or parts < 2 or self.found:
                return lack
            there = Directions(self.measure, self.i, part).without_the_still()
            there.top *= here.top / Directions(self.measure, self.i, here.index).top
            left = self._lack(there, 1)
            if left > 1:
                helps = n > 0 or left < HELPS * lack
                if not helps or self.measure.problem.evaluations > stop:
                    return max(lack, remains)
                left = self._in_parts(there, left, 1, stop)
            remains = max(remains, left)
        return remains

    def flat(self) -> bool:
        """Whether all that was measured is 0 as far as can be told."""
        return all(abs(float(s.value)) <= 10 * float(s.error) for s in self.slopes)


def bands(parts: np.ndarray, typical: float) -> Iterator[np.ndarray]:
    """The elements in groups of like size, the typical ones first; those of zero by themselves."""
    if not typical > UNDERFLOW:
        yield np.arange(parts.size)
        return
    with np.errstate(all="ignore"):
        decades = np.floor(np.log10(parts / typical) / 2 + 0.5)
    band = np.where(parts > 0, np.maximum(decades, -BANDS), -BANDS - 1)
    band = np.where(np.isfinite(parts), band, 0)
    for b in sorted(set(band.tolist()), key=abs):
        yield np.flatnonzero(band == b)
