"""How exact a function is: the rounding in each of its outputs, found from outside.

What cancels inside f no look at its output can tell; how the output scatters when the inputs change in their last digits can.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..problem.problem import Point

JITTERS = 4
ELSEWHERE = 4  # random points
STAIR, STAIRS = 8.0, 13  # the ratio and the number of the steps in which stairs are looked for
CHAOTIC = 1e-3  # of an output's size, that its rounding may be
Function = Callable[[Point], np.ndarray]


def jittered(point: Point, eps: float, rng: np.random.Generator) -> Point:
    """The same numbers but for their last digits."""
    return [x * (1 + 2 * eps * rng.choice([-1.0, 1.0], x.shape)) for x in point]


def typical_size(f: Function, point: Point, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """|y|; of outputs that are 0, perhaps because they cancel, the size they have elsewhere."""
    sizes = np.abs(y)
    for _ in range(ELSEWHERE if np.any(y == 0) else 0):
        there = np.abs(f([x * rng.standard_normal(x.shape) for x in point]))
        sizes = np.where((y == 0) & np.isfinite(there), np.fmax(sizes, there), sizes)
    return sizes


def rounding_of(
    f: Function, point: Point, y: np.ndarray, sizes: np.ndarray, eps: float, rng: np.random.Generator
) -> np.ndarray:
    """The rounding in each output: its last digit, and what it scatters, and the stairs it goes up in."""
    spread = [np.nan_to_num((f(jittered(point, eps, rng)) - y) ** 2, nan=0.0, posinf=0.0) for _ in range(JITTERS)]
    return np.maximum(np.sqrt(np.mean(spread, axis=0)) + eps * sizes, stairs(f, point, y, eps, rng))


def stairs(f: Function, point: Point, y: np.ndarray, eps: float, rng: np.random.Generator) -> np.ndarray:
    """The rounding that the last digits of the inputs do not reach: in sin(1e3 + x²), that of 1e3 + x².

    In ever larger steps δ, the second difference of f grows as δ² where f is smooth, as δ at a kink; before that it is the
    height of the stairs, where it does not grow. What is large beside the output is no rounding.
    """
    v = [x * rng.choice([-1.0, 1.0], x.shape) for x in point]
    found, before, grown = np.zeros_like(y), np.zeros_like(y), np.zeros(y.shape, dtype=int)
    for delta in 4 * eps * STAIR ** np.arange(STAIRS):
        ahead, behind = (f([x + t * d for x, d in zip(point, v, strict=True)]) for t in (delta, -delta))
        height = np.abs(ahead - 2 * y + behind)
        grows = ~(height <= STAIR / 2 * before)
        stair = ~grows & (grown < 2) & (before < CHAOTIC * np.abs(y))
        found = np.where(stair, np.maximum(found, before), found)
        grown = np.where(
            grown == 2, 2, np.where(grows, grown + 1, 0)
        )  # twice in succession: from there on f is seen, no stairs
        before = height
    return found
