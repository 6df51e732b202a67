"""The complex step: f'(x) = Im f(x + i h) / h for analytic f.

Nothing is subtracted, so h may be tiny, and the derivative is exact to rounding (Squire and Trapp 1998).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..problem.problem import CannotCheck, Point
from .differences import Slope, norm, perturbed
from .measure import SAFETY, Measure

# Complex steps and central differences may differ by this much, relative to the derivative and to the output, on top of their
# errors; more is a contradiction.
DIFFERENT = 1e-5
NOT_ANALYTIC = (
    "so it is not analytic here (abs, maximum, a comparison, .real, conj, np.var and np.linalg.norm, which take absolute "
    "values, a cast to float ...); use method='central'"
)


class ComplexMeasure(Measure):
    """Measures by complex steps. f must be analytic: no abs, no maximum, no comparison, no real part."""

    def __init__(self, *args: Any) -> None:
        self.verified: set[int] = set()
        super().__init__(*args)

    def step_of(self, i: int) -> np.ndarray:
        return np.full(self.point[i].shape, float(np.max(np.abs(self.point[i]), initial=0.0)) or 1.0)

    def slope(self, i: int, v: np.ndarray, h: float, constant_range: np.ndarray | None = None) -> Slope:
        self._verify(i)
        return self._complex_slope(i, v, h)

    def _complex_slope(self, i: int, v: np.ndarray, h: float) -> Slope:
        h *= 1e-30  # the truncation error is the square of it, and vanishes
        d = self._derivatives(self.point, i, v, h)
        near = self._derivatives(perturbed(self.point, self.eps, self.rng), i, v, h)
        error = norm(self.u * (near - d)) + 4 * self.eps * norm(self.u * d)
        return Slope(np.asarray(d @ self.u), np.asarray(error))

    def elements(self, i: int, index: np.ndarray) -> Iterator[tuple[Slope, np.ndarray]]:
        h = float(np.max(self.step_of(i), initial=1.0))
        found = []
        for j in index:
            v = np.zeros(self.point[i].shape)
            v.flat[j] = 1.0
            found.append(self.slope(i, v, h))
        slope = Slope(np.array([s.value for s in found]), np.array([s.error for s in found]))
        yield slope, np.zeros(len(found), dtype=bool)  # an analytic function has no kinks

    def _verify(self, i: int) -> None:
        """Compare with central differences along one direction, once for each input."""
        if i in self.verified:
            return
        self.verified.add(i)
        v = self.rng.choice([-1.0, 1.0], self.point[i].shape) * self._own_size(i)
        central = super().slope(i, v, 8 * self.best_step(i, v).step)
        found = self._complex_slope(i, v, 1.0)
        allowed = SAFETY * (float(central.error) + float(found.error)) + DIFFERENT * float(norm(np.abs(self.u * self.y)))
        if abs(float(found.value) - float(central.value)) > allowed + DIFFERENT * abs(float(central.value)):
            raise CannotCheck(
                f"method='complex': along one direction the complex step gives {float(found.value):.6g}, and central "
                f"differences {float(central.value):.6g}; forward treats complex numbers in another way, {NOT_ANALYTIC}"
            )

    def _derivatives(self, point: Point, i: int, v: np.ndarray, h: float) -> np.ndarray:
        """The derivative of each output along `v`."""
        y = self.problem([x + 1j * h * v if k == i else x for k, x in enumerate(point)])
        if y.dtype.kind != "c":
            raise CannotCheck(f"method='complex': forward returned real numbers for complex ones, {NOT_ANALYTIC}")
        return y.imag / h
