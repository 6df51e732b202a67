"""Finite differences that know their own error.

Along one direction, f is measured at a ladder of steps h, h/2, h/4 ... on both sides. The central differences

    D(h) = (f(x + h v) - f(x - h v)) / 2h = f' + a h² + b h⁴ + ...

are extrapolated to h = 0 (Richardson 1911): T₀ = D, and each pass takes out one more power of h²,

    T_{j+1}(h) = (4^{j+1} T_j(h) - T_j(2h)) / (4^{j+1} - 1).

Two sources of error remain: the steps left (truncation), seen in how far neighbours on the ladder disagree, and the rounding
inside f, which grows as 1/h. Their sum is smallest somewhere on the ladder; that entry is the value, and that sum its error.

All of this is done for each output of f by itself and weighted with the cotangent u only then. The errors of the outputs are
independent of the signs of u, so they add as a root of squares: an agreement by chance in one output does not fool the
estimate, and an output that does not depend on the input adds no rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RUNGS = 5  # of the ladder
ORDERS = 3  # of the extrapolation: h², h⁴, h⁶
STRAIGHT = 0.25  # of the point's own size: so far f is as good as straight, where it does not move at all
SMALL, LARGE = 1e-140, 1e150  # between them a number can be squared
NOISE = 2.0  # an entry of the ladder carries at most about this many times the rounding of one difference


@dataclass
class Slope:
    """Numerical derivatives, and the errors they carry themselves; one number each, or an array of them."""

    value: np.ndarray
    error: np.ndarray


def size(a: np.ndarray) -> np.ndarray:
    """The root of the sum of squares along the last axis, without overflow; NaN as infinity."""
    found = np.sqrt(np.einsum("...i,...i->...", a, a))
    if np.all((found > SMALL) & (found < LARGE)):  # no square was lost
        return found
    largest = np.max(np.abs(a), axis=-1, initial=0.0)
    divisor = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    found = divisor * np.sqrt(np.sum(np.square(a / divisor[..., None]), axis=-1))
    return np.where(np.isfinite(found), found, np.inf)


def central(f: Callable[[float], np.ndarray], steps: np.ndarray) -> np.ndarray:
    """D(h) for each step: (rungs, outputs). f maps the distance along the direction to the outputs."""
    return np.stack([(f(h) - f(-h)) / (2 * h) for h in steps])


def rounding(
    D: np.ndarray,
    steps: np.ndarray,
    u: np.ndarray,
    sigma: np.ndarray,
    still: np.ndarray | None = None,
    reach: float | np.ndarray = np.inf,
) -> np.ndarray:
    """The rounding in the differences of <u, f>, for each step: (..., rungs).

    An output that moves by a step has its rounding in that difference. One that does not move, not even by the largest step,
    has a slope of less than its last digit over that step; but only so far as f is as good as straight, over part of `reach`,
    the point's own size: further off it may have bent. Or over the distance to which it is known to stand `still`.
    """
    zero, noise, leading = D == 0, u * sigma, tuple(range(D.ndim - 1))
    still = np.zeros(D.shape[-1]) if still is None else still
    straight = STRAIGHT * np.asarray(reach)[..., None]
    flat = np.minimum(np.max(steps, axis=-1, keepdims=True), straight)
    # most outputs move by every step, or by none
    pausing, unmoved = np.any(zero, axis=leading), np.all(zero, axis=leading)
    moving = size(noise[..., ~pausing]) / steps
    bound = unmoved & (still > 0)
    resting = np.hypot(size(noise[..., unmoved & ~bound]) / flat, size(noise[..., bound] / still[bound]))
    rest = pausing & ~unmoved
    if not np.any(rest):
        return np.hypot(moving, resting)
    zero = zero[..., rest]
    unmoved = np.all(zero, axis=-2, keepdims=True)
    distance = np.where(zero, np.minimum(steps, straight)[..., None], steps[..., None])  # (..., rungs, rest)
    distance = np.where(unmoved, flat[..., None], distance)
    distance = np.where(unmoved & (still[rest] > 0), still[rest], distance)
    return size(np.stack(np.broadcast_arrays(moving, resting, size(noise[..., rest] / distance)), axis=-1))


def extrapolate(
    D: np.ndarray,
    steps: np.ndarray,
    u: np.ndarray,
    sigma: np.ndarray,
    power: int = 2,
    still: np.ndarray | None = None,
    reach: float | np.ndarray = np.inf,
) -> Slope:
    """<u, f'> from differences on a ladder, and its error.

    Parameters
    ----------
    D : array (..., rungs, outputs)
        The differences, largest step first.
    steps : array (..., rungs)
    u : array (outputs)
        The cotangent.
    sigma : array (outputs)
        The rounding of each output.
    power : int
        2 where the error is a series in h² (central differences), 1 where in h (one-sided ones).
    still : array (outputs), optional
        How far an output is known not to move in this direction; 0 where nothing is known.
    reach : float or array (...)
        The size of the point along the direction.
    """
    noise = NOISE * rounding(D, steps, u, sigma, still, reach)
    value = np.zeros(D.shape[:-2])
    error = np.full(D.shape[:-2], np.inf)
    moving = np.any(D != 0, axis=tuple(range(D.ndim - 1)))
    T, u = (D, u) if np.all(moving) else (D[..., moving], u[moving])
    for j in range(ORDERS):
        weight = 2.0 ** (power * (j + 1))
        change = size(u * (T[..., 1:, :] - T[..., :-1, :]))  # (..., entries - 1): of each entry to the one before
        if change.shape[-1] < 2:
            break
        # a small change that follows a large one may be chance: the ladder should have shrunk it by `weight` only
        doubt = np.maximum(change[..., 1:], change[..., :-1] / weight) + noise[..., j + 2 :]
        found = T[..., 2:, :] @ u
        k = np.argmin(doubt, axis=-1, keepdims=True)
        least = np.take_along_axis(doubt, k, -1)[..., 0]
        better = least < error
        value = np.where(better, np.take_along_axis(found, k, -1)[..., 0], value)
        error = np.where(better, least, error)
        T = (weight * T[..., 1:, :] - T[..., :-1, :]) / (weight - 1)
    return Slope(value, error)


def ladder(top: float | np.ndarray, rungs: int = RUNGS, ratio: float = 2.0) -> np.ndarray:
    """Steps from `top` down: (..., rungs)."""
    return np.asarray(top, dtype=float)[..., None] / ratio ** np.arange(rungs)
