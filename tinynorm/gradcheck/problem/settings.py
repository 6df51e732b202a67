"""The options of a check, and the cotangent that they choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .problem import Problem, host

# The relative error that a claimed derivative may have on top of the rounding and truncation error of the measurement.
# Central differences with Richardson extrapolation are right to about 1e-10 of most derivatives. Mistakes in a formula are
# rarely smaller than 1e-5. The value lies between the two.
RTOL = 1e-7
# Inputs of up to this many elements are measured element by element: six or more evaluations for each (two for complex steps).
# Larger inputs are measured along random directions; the number of evaluations then does not grow with the size.
EXHAUSTIVE = 1024


@dataclass
class Settings:
    """The options of a check, as `check_backward` documents them."""

    seed: int = 0
    eps: float | None = None
    atol: float = 0.0
    rtol: float = RTOL
    method: str = "central"
    exhaustive: int = EXHAUSTIVE
    cotangent: Any = None

    def __post_init__(self) -> None:
        if self.method not in ("central", "complex"):
            raise ValueError(f"gradcheck: expected method to be 'central' or 'complex', got {self.method!r}")
        for name in ("atol", "rtol"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise ValueError(f"gradcheck: expected {name} to be a number >= 0, got {value!r}")
        if self.eps is not None and not 0 < self.eps < np.inf:
            raise ValueError(f"gradcheck: expected eps, the step, to be a number > 0 or None, got {self.eps!r}")


def random_cotangent(size: Any, rng: np.random.Generator) -> np.ndarray:
    """Random numbers of both signs, none of them near 0."""
    return rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 1.5, size)


def draw_cotangent(problem: Problem, settings: Settings, size: int, rng: np.random.Generator) -> np.ndarray:
    """The caller's cotangent as one vector, or a random one."""
    if settings.cotangent is None:
        return random_cotangent(size, rng)
    several = isinstance(settings.cotangent, tuple | list) and len(problem.shapes) > 1
    arrays = [host(c) for c in (settings.cotangent if several else [settings.cotangent])]
    if [a.shape for a in arrays] != list(problem.shapes):
        raise ValueError(
            f"gradcheck: expected a cotangent of the output's shape {problem.shapes}, got {[a.shape for a in arrays]}"
        )
    return np.concatenate([a.ravel() for a in arrays])
