"""What the optimisers share that divide a step by the root of an average of squared gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import backend
from ..backend import Array
from ..tensor import wrap
from .blocks import scalars, with_out
from .in_place import InPlaceOptimizer, counter, zeros_like


class OfSquares(InPlaceOptimizer):
    """The base class of the optimisers whose state has an average (or a sum) of squared gradients.

    The square of a large gradient overflows: from about 1.8e19 on in float32, from about 1.3e154 on in float64. The optimiser
    then continues with the root of the average, which the state keeps under the same name with ``_root``.
    """

    _squares: tuple[str, ...] = ()  # the names of the averages in the state; the first one is always there

    def _arrays(self, state: dict[str, Any], theta: Array, *names: str) -> tuple:
        """What `_begin` returns: the number of the next step, the arrays of these names, and the roots if there are any."""
        if "step" not in state:
            state["step"] = counter(0)
        for name in names:
            if name not in state:
                state[name] = zeros_like(theta)
        return float(state["step"]._array) + 1, *(state[name]._array for name in names), *self._roots(state)

    def _roots(self, state: dict[str, Any]) -> list[Array]:
        """The roots of the averages, if a square has overflowed."""
        if f"{self._squares[0]}_root" not in state:
            return []
        self._make_room(state)
        return [state[f"{name}_root"]._array for name in self._squares if name in state]

    def _make_room(self, state: dict[str, Any]) -> None:
        for name in self._squares:
            if name in state and f"{name}_root" not in state:
                v = state[name]._array
                state[f"{name}_root"] = wrap(backend.namespace(v).sqrt(v))

    def _averages(self, theta: Array, beta: float) -> tuple[Callable[..., bool], Callable[..., None]]:
        """The functions that do ``v = beta * v + (1 - beta) * g * g``: by squares, and by the root of v."""
        xp, overflow = with_out(backend.namespace(theta)), self._overflow
        beta_, rest, root_beta, root_rest = scalars(theta, beta, 1 - beta, math.sqrt(beta), math.sqrt(1 - beta))

        def average(g: Array, v: Array, s: Array) -> bool:
            """Update v. If a square overflows, return True and leave v unchanged."""
            overflow.seen = False
            xp.multiply(g, g, out=s)
            if overflow.seen:
                return True
            s *= rest
            v *= beta_
            v += s  # AD.2; cannot overflow: it is an average of squares that did not
            return False

        def average_root(g: Array, v: Array, r: Array, s: Array) -> None:
            """Update r = sqrt(v) with hypot, which scales before it squares, and v, which is inf where it overflows."""
            r *= root_beta
            xp.hypot(r, xp.multiply(g, root_rest, out=s), out=r)
            xp.multiply(r, r, out=v)

        return average, average_root


def followed(group: dict[str, Any], theta: Array) -> Callable[[Array, Array, Array, Array], Array]:
    """A function of (theta, g, s, d): the gradient with its weight decay, the other way round where the loss is maximised."""
    xp, maximize, decay = with_out(backend.namespace(theta)), group["maximize"], float(group["weight_decay"])
    (decay_,) = scalars(theta, decay)

    def follow(theta: Array, g: Array, s: Array, d: Array) -> Array:
        if maximize:
            g = xp.negative(g, out=d)
        if decay:
            g = xp.add(g, xp.multiply(theta, decay_, out=s), out=d)
        return g

    return follow
