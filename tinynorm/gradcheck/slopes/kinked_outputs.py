"""Outputs of a large function that lie on a kink: dense directions go without them, and their own elements are looked at."""

from __future__ import annotations

import numpy as np

from .measure import SAFETY, Measure

CLEAR = 40.0  # times the rounding, that the gap between the slopes on the two sides has to be
CANDIDATES = 4  # kinked elements, of those that look wrong, and of the others, that are measured one by one
SPLITS = 3


def _step(measure: Measure, i: int) -> float:
    return float(np.max(measure.step_of(i))) / 64


def without_kinked_outputs(measure: Measure, i: int) -> tuple[Measure, np.ndarray]:
    """The same measurement with a cotangent of 0 for outputs that have a kink at the point, and which these are.

    An output has a kink there if its slopes on the two sides differ, and by as much when the step is halved.
    """
    steps = measure.step_of(i)
    v = measure.rng.choice([-1.0, 1.0], steps.shape) * measure.rng.uniform(0.5, 1.5, steps.shape) * steps / np.max(steps)
    f, f0, h = measure.along(i, v), measure.y, _step(measure, i)
    gaps = [(f(t) - 2 * f0 + f(-t)) / t for t in (h, h / 2)]
    with np.errstate(all="ignore"):
        kinked = (np.abs(gaps[1]) > CLEAR * measure.sigma / h) & (np.abs(gaps[0] - gaps[1]) < 0.1 * np.abs(gaps[1]))
        kinked &= np.abs(gaps[1]) > 1e-4 * np.abs((f(h) - f(-h)) / (2 * h))
    which = np.flatnonzero(kinked)
    if which.size in (0, kinked.size):
        return measure, which[:0]
    return Measure(measure.problem, measure.point, np.where(kinked, 0.0, measure.u), measure.rng), which


def suspects(measure: Measure, i: int, kinked: np.ndarray) -> np.ndarray:
    """Some elements on kinks, to be measured one by one; of elementwise functions, those that seem to claim no subgradient."""
    G = measure.claimed[i]
    if not kinked.size or G is None or measure.y.size != G.size:
        return kinked[:0]
    some = measure.rng.choice(kinked, size=min(CANDIDATES, kinked.size), replace=False)
    if not _elementwise(measure, i, kinked):
        return some
    low, high, noise = _slopes(measure, i, kinked)
    g = G.ravel()[kinked] / measure.u[kinked]
    beyond = np.maximum(low - g, g - high) - noise
    worst = kinked[np.argsort(-np.where(np.isfinite(beyond), beyond, np.inf))]
    return np.union1d(some, worst[: min(CANDIDATES, int(np.sum(~(beyond <= 0))))])


def _elementwise(measure: Measure, i: int, kinked: np.ndarray) -> bool:
    """Whether each of these elements moves its own output alone: where some are moved, the outputs of all others stay."""
    for _ in range(SPLITS):
        moved = measure.rng.random(kinked.size) < 0.5
        change = measure.along(i, _only(measure, i, kinked[moved]))(_step(measure, i)) != measure.y
        change[kinked[moved]] = False
        if np.any(change):
            return False
    return True


def _only(measure: Measure, i: int, index: np.ndarray) -> np.ndarray:
    v = np.zeros(measure.point[i].shape)
    v.flat[index] = 1.0
    return v


def _slopes(measure: Measure, i: int, kinked: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(the lower of the slopes on the two sides, the higher, what they are off by), of each element by itself."""
    f, h = measure.along(i, _only(measure, i, kinked)), _step(measure, i)
    sides = []
    for way in (h, -h):
        far, near = ((f(t)[kinked] - measure.y[kinked]) / t for t in (way, way / 2))
        sides.append(2 * near - far)
    low, high = np.minimum(*sides), np.maximum(*sides)
    return low, high, SAFETY * CLEAR * measure.sigma[kinked] / h + 1e-4 * (high - low)
