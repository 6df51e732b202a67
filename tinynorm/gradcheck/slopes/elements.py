"""Small inputs: every element is measured, and compared with what backward claims."""

from __future__ import annotations

import numpy as np

from ..problem.settings import RTOL
from ..report.evidence import Sample
from ..report.report import InputReport, Worst
from .differences import Slope
from .kinks import indicator, measure_element
from .measure import SAFETY, UNDERFLOW, Measure
from .other_steps import contradicted_by_other_steps

# An element is resolved if a relative error of this size would be visible: mistakes in formulas are larger.
RESOLVED = 1e-4
# For an element that is not resolved, a difference is wrong only if it is more than this many times the tolerance: few digits
# are left, and the error of the measurement is itself known only roughly.
COARSE = 4.0
# A small element counts as resolved if an element of this fraction of the typical size would be. Without this bound, an element
# of 0 could never be resolved.
SMALL = 0.1
# Where f is constant, there is no derivative to compare an error with. It is compared with this fraction of |f| / |x|, the size
# of a derivative without cancellation.
ZERO = 1e-4
# Elements that look wrong are looked at again. After this many in succession have stayed wrong, the others are taken to be
# wrong without it: a wrong formula makes all elements wrong, and measuring each of them again is expensive. One that is wrong
# by ten times what is allowed counts once, one by 1e6 times six times.
PATIENCE = 12


class Elements:
    """The elements `index` (flat) of one input: measured one by one, and compared with what backward claims.

    Attributes
    ----------
    wrong : array of bool
        The difference is larger than the errors allow.
    unresolved : array of bool
        The error of the measurement is too large to see a relative error of `RESOLVED`.
    small_unresolved : array of bool
        The error is too large to see a relative error of `RESOLVED` in the element itself, even if it is small enough beside
        the typical element. (Only if there are several outputs.)
    subgradient : array of bool
        The element lies at a kink, and a valid subgradient is claimed.
    resolution : array
        The smallest relative error that would be visible.
    exact : array of bool
        The errors of the measurement add no more than `rtol` to what is allowed. If all are, and right, a first look is enough.
    """

    def __init__(self, measure: Measure, i: int, index: np.ndarray, atol: float, rtol: float, patience: int) -> None:
        self.measure, self.i, self.index, self.atol, self.rtol = measure, i, index, atol, rtol
        self.shape, claimed = measure.point[i].shape, measure.claimed[i]
        self.claimed = (np.zeros(self.shape) if claimed is None else claimed).ravel()[index]
        self.step = measure.step_of(i).ravel()[index]
        self.subgradient = np.zeros(len(index), dtype=bool)
        for self.slope, self.kinked in measure.elements(i, index):
            self._judge()
            if np.all(self.exact) and not np.any(self.wrong | self.kinked):
                break
        in_vain = 1 if measure.rounded else patience  # outputs that change in steps are not resolved by other steps either
        self._look_closer(np.flatnonzero((self.unresolved | self.kinked) & ~self.wrong), 5 * in_vain)
        self._look_closer(np.flatnonzero(self.small_unresolved & ~self.wrong), in_vain)
        for there in (self.kinked, ~self.kinked):  # what is wrong by far does not keep it from looking at the kinks
            self._look_closer(measure.rng.permutation(np.flatnonzero(self.wrong & there)), patience)

    def _judge(self) -> None:
        measured = self.slope.value
        size = np.abs(measured)
        tolerance = self.measure.allowed(self.i, self.index, self.slope, self.atol, self.rtol)
        self.tolerance = tolerance = np.where(np.isfinite(tolerance), tolerance, np.inf)
        self.difference = np.abs(self.claimed - measured)
        compare = np.maximum(size, SMALL * float(np.sqrt(np.mean(measured**2))) if len(size) else 0.0)
        if np.all(size <= tolerance) and self.measure.is_constant(self.i, self.claimed, measured):
            compare = np.maximum(
                compare, ZERO * self.measure.uncancelled_size(self.i)
            )  # f itself is all there is to compare with
        wrong = self.difference > np.where(tolerance > RESOLVED * compare, COARSE * tolerance, tolerance)
        wrong |= ~np.isfinite(self.claimed) & np.isfinite(self.slope.error)
        self.wrong = wrong & ~self.subgradient
        decided = self.wrong | self.subgradient
        beyond = tolerance - self.atol - self.rtol * size  # what the caller allows does not count
        self.exact = beyond <= min(self.rtol, RTOL) * compare
        self.resolution = (beyond + min(self.rtol, RTOL) * size) / np.maximum(compare, UNDERFLOW / RESOLVED * 10)
        self.unresolved = (self.resolution > RESOLVED) & ~decided
        own = np.maximum(np.abs(self.claimed), size)
        # only where there are several outputs: those that depend on this element may measure it better than all together
        self.small_unresolved = (own > UNDERFLOW) & (tolerance > RESOLVED * own) & ~decided & (self.measure.y.size > 1)

    def _look_closer(self, which: np.ndarray, patience: int) -> None:
        """Measure these elements again, each with a step of its own; stop after `patience` for which this changed nothing.

        A wrong element is not measured again if a larger step measures the same and no other step contradicts it.
        """
        in_vain = 0.0
        for k in which:
            if in_vain >= patience:
                break
            wrong, counts = bool(self.wrong[k]), 1.0
            if not wrong or not self._is_reproduced(k) or self._is_contradicted(k):
                self._measure_again(k)
            else:
                counts = max(counts, float(np.log10(self.difference[k] / self.tolerance[k])))
            if wrong:
                in_vain = in_vain + counts if self.wrong[k] else 0.0
            elif self.unresolved[k] or self.small_unresolved[k]:
                in_vain += 1

    def _measure_again(self, k: int) -> None:
        wrong = bool(self.wrong[k])
        found = measure_element(self.measure, self.i, int(self.index[k]))
        if wrong or found.slope.error < self.slope.error[k] or (self.kinked[k] and found.interval is None):
            self.slope.value[k], self.slope.error[k], self.step[k] = found.slope.value, found.slope.error, found.step
        self.subgradient[k] = found.is_subgradient(float(self.claimed[k]), self.rtol)
        if found.interval is not None and not found.separate and not self.subgradient[k]:
            # the element moves several outputs, or others move its output too: a right backward may return another value
            self.slope.error[k] = np.inf
        self._judge()
        if wrong and self.wrong[k] and self._is_contradicted(k):
            self.slope.error[k] = np.inf
            self._judge()

    def _is_reproduced(self, k: int) -> bool:
        """Whether a larger step measures the same slope again, and no kink is near."""
        if self.kinked[k] or not np.isfinite(self.slope.error[k]):
            return False
        again = self.measure.slope(self.i, indicator(self.shape, self.index[k]), 5.6 * float(self.step[k]))
        change = abs(float(again.value) - self.slope.value[k])
        return bool(change <= SAFETY * (again.error + self.slope.error[k]) and change < 0.1 * self.difference[k])

    def _is_contradicted(self, k: int) -> bool:
        slope, v = Slope(self.slope.value[k], self.slope.error[k]), indicator(self.shape, self.index[k])
        return contradicted_by_other_steps(self.measure, self.i, v, float(self.claimed[k]), slope, float(self.step[k]))

    # -- what was found --------------------------------------------------------------------------------------------------

    def sample(self) -> Sample:
        """The measured derivatives, for the diagnosis; without valid subgradients."""
        keep = ~self.subgradient & np.isfinite(self.slope.error)
        error = self.slope.error + self.measure.scatter[self.i].ravel()[self.index]
        return Sample(self.index[keep], self.slope.value[keep], error[keep])

    def report(self, name: str) -> InputReport:
        wrong, unresolved = int(np.sum(self.wrong)), int(np.sum(self.unresolved))
        return InputReport(
            name=name,
            shape=self.shape,
            ok=False if wrong else None if unresolved else True,
            worst=self.worst(),
            checked=len(self.index),
            wrong=wrong,
            unresolved=unresolved,
            kinks=[self._place(int(k)) for k in np.flatnonzero(self.subgradient)],
            resolution=float(np.max(self.resolution[~self.subgradient & ~self.wrong], initial=0.0)),
        )

    def _place(self, k: int) -> tuple[int, ...]:
        return tuple(int(n) for n in np.unravel_index(int(self.index[k]), self.shape))

    def worst(self) -> Worst | None:
        """The wrong element with the largest error; else the least resolved one; else the one nearest to being wrong."""
        if not len(self.index):
            return None
        if np.any(self.wrong):
            score = np.where(self.wrong, np.nan_to_num(self.difference, nan=np.inf), -1.0)
        elif np.any(self.unresolved):
            score = np.where(self.unresolved, self.resolution, -1.0)
        else:
            with np.errstate(all="ignore"):
                score = np.where(self.subgradient, -1.0, np.nan_to_num(self.difference / self.tolerance))
        k = int(np.argmax(score))
        return Worst(self._place(k), float(self.claimed[k]), float(self.slope.value[k]), float(self.slope.error[k]))


def check_every_element(measure: Measure, i: int, name: str, atol: float, rtol: float) -> tuple[InputReport, Sample, bool]:
    """Check all elements of input `i`.

    Returns the report, the sample, and whether all derivatives are 0 to within ten times their errors (False for one element).
    """
    elements = Elements(measure, i, np.arange(measure.point[i].size), atol, rtol, PATIENCE)
    sample = elements.sample()
    constant = sample.value.size > 1 and bool(np.all(np.abs(sample.value) <= 10 * sample.error))
    return elements.report(name), sample, constant
