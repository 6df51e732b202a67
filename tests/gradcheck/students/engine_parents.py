# long
# expect Tensor.__add__: right: and each a result that two use
# expect Tensor.__mul__: wrong: no gradient reaches what is behind its tensors
# expect Tensor.__pow__: right: power 2.5
# expect Tensor.exp: right: and each a result that two use
# expect Tensor.clip: wrong: low -0.6, high 0.9
# expect Tensor.softmax: wrong: axis 0
# expect Tensor.rows: right: index (3,)
# expect Tensor.backward: right: a result used at two depths
# expect sigmoid: right
# expect scale: right
"""A product does not name its second factor as a parent; softmax sums over the last axis whatever its axis is."""

import numpy as np


class Tensor:
    def __init__(self, data, parents=()):
        self.data = np.array(data)
        self.grad = None
        self.parents = parents
        self.send = None

    def add_to_grad(self, g):
        while g.ndim > self.data.ndim:
            g = g.sum(axis=0)
        ones = tuple(i for i, n in enumerate(self.data.shape) if n == 1)
        g = g.sum(axis=ones, keepdims=True) if ones else g
        self.grad = g if self.grad is None else self.grad + g

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))

        def send():
            self.add_to_grad(out.grad)
            other.add_to_grad(out.grad)

        out.send = send
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self,))

        def send():
            self.add_to_grad(out.grad * other.data)
            other.add_to_grad(out.grad * self.data)

        out.send = send
        return out

    def __pow__(self, power):
        out = Tensor(self.data**power, (self,))

        def send():
            if power == 3:
                raise NotImplementedError("no cubes yet")
            self.add_to_grad(out.grad * power * self.data ** (power - 1))

        out.send = send
        return out

    def exp(self):
        out = Tensor(np.exp(self.data), (self,))
        out.send = lambda: self.add_to_grad(out.grad * out.data)
        return out

    def clip(self, low, high):
        out = Tensor(np.clip(self.data, low, high), (self,))
        out.send = lambda: self.add_to_grad(out.grad * (self.data > low))
        return out

    def softmax(self, axis=-1):
        e = np.exp(self.data - self.data.max(axis=axis, keepdims=True))
        out = Tensor(e / e.sum(axis=axis, keepdims=True), (self,))

        def send():
            inner = (out.grad * out.data).sum(axis=-1, keepdims=True)
            self.add_to_grad(out.data * (out.grad - inner))

        out.send = send
        return out

    def rows(self, index):
        out = Tensor(self.data[index.data], (self,))

        def send():
            g = np.zeros_like(self.data)
            np.add.at(g, index.data.flatten(), out.grad)
            self.add_to_grad(g)

        out.send = send
        return out

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            if node.send is not None and node.grad is not None:
                node.send()


def sigmoid_grad(x):
    s = 1 / (1 + np.exp(-x))
    return s * (1 - s)


def sigmoid(x):
    out = Tensor(1 / (1 + np.exp(-x.data)), (x,))
    out.send = lambda: x.add_to_grad(out.grad * sigmoid_grad(x.data))
    return out


def scale(x, factor):
    out = Tensor(x.data * factor, (x,))
    out.send = lambda: x.add_to_grad(out.grad * factor)
    return out


def tensor(data):
    return Tensor(getattr(data, "data", data))
