# always
# expect Array.__add__: right: and other (9,)
# expect Array.__mul__: right
# expect Array.relu: wrong: WRONG in dx
# expect Array.exp: right
# expect Array.backward: right: a result used at two depths
"""backward(gradient) calls the one of each parent at once; the gradients are arrays of the same class."""

import numpy as np


class Array:
    def __init__(self, values, track=False, makers=None, kind=None):
        self.values, self.track, self.makers, self.kind = np.array(values), track, makers, kind
        self.gradient = None

    def __add__(self, other):
        return Array(self.values + other.values, True, [self, other], "add")

    def __mul__(self, other):
        return Array(self.values * other.values, True, [self, other], "mul")

    def relu(self):
        return Array(np.maximum(self.values, 0), True, [self], "relu")

    def exp(self):
        return Array(np.exp(self.values), True, [self], "exp")

    def backward(self, gradient=None):
        if not self.track:
            return
        gradient = Array(np.ones_like(self.values)) if gradient is None else gradient
        g = gradient.values
        while g.ndim > self.values.ndim:
            g = g.sum(axis=0)
        for axis, n in enumerate(self.values.shape):
            g = g.sum(axis=axis, keepdims=True) if n == 1 else g
        self.gradient = Array(g if self.gradient is None else self.gradient.values + g)
        if self.kind == "add":
            self.makers[0].backward(Array(g))
            self.makers[1].backward(Array(g))
        if self.kind == "mul":
            self.makers[0].backward(Array(g * self.makers[1].values))
            self.makers[1].backward(Array(g * self.makers[0].values))
        if self.kind == "relu":
            self.makers[0].backward(Array(g * (self.values >= 0)))
        if self.kind == "exp":
            self.makers[0].backward(Array(g * self.values))
