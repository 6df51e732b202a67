"""How to check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .problem import Problem, host

RTOL = 1e-7  # of the derivative, on top of the errors
EXHAUSTIVE = 1024  # elements; larger inputs are checked along dense directions


@dataclass
class Settings:
    """How to check."""

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


def draw_cotangent(problem: Problem, settings: Settings, size: int, rng: np.random.Generator) -> np.ndarray:
    """Dense, of both signs, away from 0; or the caller's."""
    if settings.cotangent is None:
        return rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 1.5, size)
    several = isinstance(settings.cotangent, tuple | list) and len(problem.shapes) > 1
    arrays = [host(c) for c in (settings.cotangent if several else [settings.cotangent])]
    if [a.shape for a in arrays] != list(problem.shapes):
        raise ValueError(
            f"gradcheck: expected a cotangent of the output's shape {problem.shapes}, got {[a.shape for a in arrays]}"
        )
    return np.concatenate([a.ravel() for a in arrays])
