"""The complex step: f'(x) = Im f(x + i h) / h for analytic f.

It is exact to rounding, since nothing is subtracted (Squire and Trapp 1998).
"""

from __future__ import annotations

import numpy as np

from .difference import Slope, size
from .measure import Measure
from .problem import CannotCheck

TINY = 1e-30  # of the size of x; its square is lost beside x


class ComplexMeasure(Measure):
    """Measures by complex steps. The function has to be analytic: no abs, no maximum, no comparison, no real part."""

    def step_of(self, i: int) -> np.ndarray:
        return np.full(self.point[i].shape, float(np.max(np.abs(self.point[i]), initial=0.0)) or 1.0)

    def slope(self, i: int, v: np.ndarray, top: float, still: np.ndarray | None = None) -> Slope:
        d = self._derivative(self.point, i, v, top * TINY)
        near = [x * (1 + 2 * self.eps * self.rng.choice([-1.0, 1.0], x.shape)) for x in self.point]
        error = size(self.u * (self._derivative(near, i, v, top * TINY) - d)) + 4 * self.eps * size(self.u * d)
        return Slope(np.asarray(d @ self.u), np.asarray(error))

    def elements(self, i: int, index: np.ndarray) -> tuple[Slope, np.ndarray]:
        top, found = float(np.max(self.step_of(i), initial=1.0)), []
        for j in index:
            v = np.zeros(self.point[i].shape)
            v.flat[j] = 1.0
            found.append(self.slope(i, v, top))
        slope = Slope(np.array([s.value for s in found]), np.array([s.error for s in found]))
        return slope, np.zeros(len(found), dtype=bool)  # analytic functions have no kinks

    def _derivative(self, point: list, i: int, v: np.ndarray, h: float) -> np.ndarray:
        y = self.problem([x + 1j * h * v if k == i else x for k, x in enumerate(point)])
        if y.dtype.kind != "c":
            raise CannotCheck(
                "method='complex': forward returned real numbers for complex ones, so it is not analytic here (abs, maximum, a "
                "comparison, .real, a cast to float ...); use method='central'"
            )
        return y.imag / h
