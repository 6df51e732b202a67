"""Elements of a tensor, of which some are taken twice: their gradients have to be added up.

# expect Array.__getitem__: wrong: wrong with idx [0 2 0]
# expect Array.take: right: idx [0 2 0]
# expect Array.__add__: right
# expect Array.backward: right
"""

import numpy as np


class Array:
    def __init__(self, data, parents=(), op=None):
        self.data = np.array(data, dtype=float)
        self.parents = parents
        self.op = op
        self.grad = None

    def __add__(self, other):
        assert self.data.shape == other.data.shape
        return Array(self.data + other.data, (self, other), lambda g: (g, g))

    def __getitem__(self, idx):
        def op(g):
            full = np.zeros_like(self.data)
            full[idx] = g  # the mistake: the last one of a row that is taken twice counts
            return (full,)

        return Array(self.data[idx], (self,), op)

    def take(self, idx):
        def op(g):
            full = np.zeros_like(self.data)
            np.add.at(full, idx, g)
            return (full,)

        return Array(self.data[idx], (self,), op)

    def backward(self, g=None):
        order, seen = [], set()

        def visit(a):
            if id(a) not in seen:
                seen.add(id(a))
                for p in a.parents:
                    visit(p)
                order.append(a)

        visit(self)
        self.grad = np.ones_like(self.data) if g is None else g
        for a in reversed(order):
            for p, part in zip(a.parents, a.op(a.grad) if a.op else ()):
                p.grad = part if p.grad is None else p.grad + part
