"""The complex step: f'(x) = Im f(x + i h) / h for analytic f.

It is exact to rounding, since nothing is subtracted (Squire and Trapp 1998).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..problem.problem import CannotCheck
from .difference import Slope, size
from .measure import SAFETY, Measure

TINY = 1e-30  # of the size of x; its square is lost beside x
APART = 1e-5  # of the derivative, that central differences may be off by
NOT_ANALYTIC = (
    "so it is not analytic here (abs, maximum, a comparison, .real, conj, np.var and np.linalg.norm, which take absolute "
    "values, a cast to float ...); use method='central'"
)


class ComplexMeasure(Measure):
    """Measures by complex steps. The function has to be analytic: no abs, no maximum, no comparison, no real part."""

    def __init__(self, *args: Any) -> None:
        self.verified: set[int] = set()
        super().__init__(*args)

    def step_of(self, i: int) -> np.ndarray:
        return np.full(self.point[i].shape, float(np.max(np.abs(self.point[i]), initial=0.0)) or 1.0)

    def slope(self, i: int, v: np.ndarray, top: float, still: np.ndarray | None = None) -> Slope:
        self._verify(i)
        return self._complex_slope(i, v, top)

    def _complex_slope(self, i: int, v: np.ndarray, top: float) -> Slope:
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

    def _verify(self, i: int) -> None:
        """Once for each input: central differences along one direction have to say the same."""
        if i in self.verified:
            return
        self.verified.add(i)
        x = self.point[i]
        v = self.rng.choice([-1.0, 1.0], x.shape) * np.where(x != 0, np.abs(x), float(np.max(np.abs(x), initial=0.0)) or 1.0)
        central = super().slope(i, v, 8 * self.best_step(i, v).step)
        found = self._complex_slope(i, v, 1.0)
        allowed = SAFETY * (float(central.error) + float(found.error)) + APART * float(size(np.abs(self.u * self.y)))
        if abs(float(found.value) - float(central.value)) > allowed + APART * abs(float(central.value)):
            raise CannotCheck(
                f"method='complex': along one direction the complex step gives {float(found.value):.6g}, and central "
                f"differences {float(central.value):.6g}; forward treats complex numbers in another way, {NOT_ANALYTIC}"
            )

    def _derivative(self, point: list, i: int, v: np.ndarray, h: float) -> np.ndarray:
        y = self.problem([x + 1j * h * v if k == i else x for k, x in enumerate(point)])
        if y.dtype.kind != "c":
            raise CannotCheck(f"method='complex': forward returned real numbers for complex ones, {NOT_ANALYTIC}")
        return y.imag / h
