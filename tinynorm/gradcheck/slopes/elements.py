"""Small inputs: every element is measured."""

from __future__ import annotations

import numpy as np

from ..problem.settings import RTOL
from ..report.evidence import Sample
from ..report.report import InputReport, Worst
from .differences import Slope
from .kink import examine
from .measure import SAFETY, UNDERFLOW, Measure
from .other_steps import mistaken

RESOLVED = 1e-4  # a relative error of this size in one element has to be visible
COARSE = 4.0  # times the tolerance, where a measurement is not resolved
SMALL = 0.1  # of the typical element: one that is smaller counts as resolved where it would be at this size
ZERO = 1e-4  # derivatives so much smaller than f / x count as zero
PATIENCE = 12  # of the elements that look wrong, so many are examined in vain before the rest is believed


class Elements:
    """The chosen elements of one input: measured, and compared with what backward claims."""

    def __init__(self, measure: Measure, i: int, index: np.ndarray, atol: float, rtol: float, patience: int = PATIENCE) -> None:
        self.measure, self.i, self.index, self.atol, self.rtol = measure, i, index, atol, rtol
        claimed = measure.claimed[i]
        self.G = (np.zeros(measure.point[i].shape) if claimed is None else claimed).ravel()[index]
        self.slope, self.kinked = measure.elements(i, index)
        self.step = measure.step_of(i).ravel()[index]
        self.excused = np.zeros(len(index), dtype=bool)  # valid subgradients on a kink
        self._judge()
        self._look_closer(np.flatnonzero((self.unresolved | self.kinked) & ~self.wrong), 5 * patience)
        self._look_closer(np.flatnonzero(self.faint & ~self.wrong), patience)
        self._look_closer(measure.rng.permutation(np.flatnonzero(self.wrong)), patience)

    def _judge(self) -> None:
        N = self.slope.value
        self.tolerance = self.measure.allowed(self.i, self.index, self.slope, self.atol, self.rtol)
        self.tolerance = np.where(np.isfinite(self.tolerance), self.tolerance, np.inf)
        self.difference = np.abs(self.G - N)
        typical = float(np.sqrt(np.mean(N**2))) if len(N) else 0.0
        size = np.maximum(np.abs(N), SMALL * typical)
        if np.all(np.abs(N) <= self.tolerance) and self.measure.is_constant(
            self.i, self.G, N
        ):  # no size to compare with but f's own
            size = np.maximum(size, ZERO * self.measure.uncancelled_size(self.i))
        coarse = self.tolerance > RESOLVED * size  # few digits, whose own error is known by fewer
        finite = np.isfinite(self.G)
        wrong = self.difference > np.where(coarse, COARSE * self.tolerance, self.tolerance)
        self.wrong = (~finite & np.isfinite(self.slope.error) | wrong) & ~self.excused
        beyond = self.tolerance - self.atol - self.rtol * np.abs(N)  # what the caller allows is no lack of resolution
        self.resolution = (beyond + min(self.rtol, RTOL) * np.abs(N)) / np.maximum(size, UNDERFLOW / RESOLVED * 10)
        self.unresolved = (self.resolution > RESOLVED) & ~self.wrong & ~self.excused
        own = np.maximum(np.abs(self.G), np.abs(N))  # small beside the others: outputs of its own may tell more than all do
        self.faint = (own > UNDERFLOW) & (self.tolerance > RESOLVED * own) & ~self.wrong & ~self.excused
        self.faint &= self.measure.y.size > 1

    def _look_closer(self, which: np.ndarray, patience: int) -> None:
        """Measure these again, each with steps of its own; stop after `patience` in vain."""
        in_vain = 0
        for k in which:
            if in_vain >= patience:
                break
            before = bool(self.wrong[k])
            if before and self._confirmed(k) and not self._aliased(k):
                in_vain += 1
                continue
            found = examine(self.measure, self.i, int(self.index[k]))
            if found.slope.error < self.slope.error[k] or before or (self.kinked[k] and found.interval is None):
                self.slope.value[k], self.slope.error[k] = found.slope.value, found.slope.error
                self.step[k] = found.step
            self.excused[k] = found.accepts(float(self.G[k]), self.rtol)
            if found.interval is not None and not found.alone and not self.excused[k]:
                self.slope.error[k] = np.inf  # several kinks at once: what is right may lie outside
            self._judge()
            if before and self.wrong[k] and self._aliased(k):
                self.slope.error[k] = np.inf
                self._judge()
            vain = self.wrong[k] if before else self.unresolved[k] or self.faint[k]
            in_vain = in_vain + 1 if vain else 0 if before else in_vain

    def _confirmed(self, k: int) -> bool:
        """Whether an element that looks wrong, and not like a kink, is measured the same with other steps."""
        if self.kinked[k] or not np.isfinite(self.slope.error[k]):
            return False
        v = np.zeros(self.measure.point[self.i].shape)
        v.flat[self.index[k]] = 1.0
        again = self.measure.slope(self.i, v, 5.6 * float(self.step[k]))
        apart = abs(float(again.value) - self.slope.value[k])
        return bool(apart <= SAFETY * (again.error + self.slope.error[k]) and apart < 0.1 * self.difference[k])

    def _aliased(self, k: int) -> bool:
        """Whether other steps contradict what was measured, as of a function that swings or goes up in stairs within them."""
        v = np.zeros(self.measure.point[self.i].shape)
        v.flat[self.index[k]] = 1.0
        slope = Slope(self.slope.value[k], self.slope.error[k])
        return mistaken(self.measure, self.i, v, float(self.G[k]), slope, float(self.step[k]))

    # -- what was found --------------------------------------------------------------------------------------------------

    def sample(self) -> Sample:
        """For the diagnosis: without the elements on kinks."""
        keep = ~self.excused & np.isfinite(self.slope.error)
        error = self.slope.error + self.measure.scatter[self.i].ravel()[self.index]
        return Sample(self.index[keep], self.slope.value[keep], error[keep])

    def report(self, name: str) -> InputReport:
        shape = self.measure.point[self.i].shape
        wrong, unresolved = int(np.sum(self.wrong)), int(np.sum(self.unresolved))
        seen = self.resolution[~self.excused & ~self.wrong]
        return InputReport(
            name=name,
            shape=shape,
            ok=False if wrong else None if unresolved else True,
            worst=self.worst(),
            checked=len(self.index),
            wrong=wrong,
            unresolved=unresolved,
            kinks=[self._place(int(k)) for k in np.flatnonzero(self.excused)],
            resolution=float(np.max(seen, initial=0.0)),
        )

    def _place(self, k: int) -> tuple[int, ...]:
        return tuple(int(n) for n in np.unravel_index(int(self.index[k]), self.measure.point[self.i].shape))

    def worst(self) -> Worst | None:
        """The wrong element of the largest error; else the least resolved one; else that which comes nearest to being wrong."""
        if not len(self.index):
            return None
        if np.any(self.unresolved) and not np.any(self.wrong):
            out = np.where(self.unresolved, self.resolution, -1.0)
        elif np.any(self.wrong):
            out = np.where(self.wrong, np.nan_to_num(self.difference, nan=np.inf), -1.0)
        else:
            with np.errstate(all="ignore"):
                out = np.where(self.excused, -1.0, np.nan_to_num(self.difference / self.tolerance))
        k = int(np.argmax(out))
        return Worst(self._place(k), float(self.G[k]), float(self.slope.value[k]), float(self.slope.error[k]))


def check_every_element(measure: Measure, i: int, name: str, atol: float, rtol: float) -> tuple[InputReport, Sample, bool]:
    """All elements of input `i`; and whether the output did not move at all."""
    elements = Elements(measure, i, np.arange(measure.point[i].size), atol, rtol)
    sample = elements.sample()
    flat = sample.value.size > 1 and bool(np.all(np.abs(sample.value) <= 10 * sample.error))
    return elements.report(name), sample, flat
