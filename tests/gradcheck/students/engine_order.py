# expect Number.__add__: right: and x < 0; and each the result of another
# expect Number.__mul__: right: and each used by two operations
# expect Number.log: right: x ()
# expect Number.tanh: right
# expect Number.backward: wrong: a result used at two depths
# expect Number.backward: wrong: a result that several operations use passes on the sum of their gradients, once: in reverse
"""Every operation is right; backward visits the graph breadth first, so that a result passes on what it has not got yet."""

from __future__ import annotations

import math


class Number:
    __slots__ = ("gradient", "parents", "slopes", "value")

    def __init__(self, value, parents=(), slopes=()):
        self.value, self.gradient = value, 0.0
        self.parents, self.slopes = parents, slopes

    def __add__(self, other: Number) -> Number:
        return Number(self.value + other.value, (self, other), (1.0, 1.0))

    def __mul__(self, other: Number) -> Number:
        return Number(self.value * other.value, (self, other), (other.value, self.value))

    def log(self) -> Number:
        return Number(math.log(self.value), (self,), (1 / self.value,))

    def tanh(self) -> Number:
        t = math.tanh(self.value)
        return Number(t, (self,), (1 - t * t,))

    def backward(self):
        self.gradient = 1.0
        order = [self]
        for node in order:
            order += [parent for parent in node.parents if parent not in order]
        for node in order:
            for parent, slope in zip(node.parents, node.slopes):
                parent.gradient += slope * node.gradient
