# long
# expect Matrix.__add__: right: and each the result of another
# expect Matrix.__mul__: right
# expect Matrix.relu: right
# expect Matrix.backward: wrong: a result used at two depths
"""backward waits for all gradients; add then passes on the last of them in place of their sum."""

import numpy as np


class Matrix:
    def __init__(self, data, autograd=False, creators=None, op=""):
        self.data = np.array(data)
        self.autograd, self.creators, self.op = autograd, creators, op
        self.grad = None
        self.waiting = {}
        for creator in creators or ():
            creator.waiting[id(self)] = creator.waiting.get(id(self), 0) + 1

    def backward(self, grad=None, origin=None):
        if not self.autograd:
            return
        if origin is not None:
            self.waiting[id(origin)] -= 1
        self.grad = grad if self.grad is None else Matrix(self.grad.data + grad.data)
        if self.creators and (origin is None or not any(self.waiting.values())):
            if self.op == "add":
                self.creators[0].backward(self.summed(grad, 0), self)
                self.creators[1].backward(self.summed(grad, 1), self)
            if self.op == "mul":
                self.creators[0].backward(self.summed(Matrix(self.grad.data * self.creators[1].data), 0), self)
                self.creators[1].backward(self.summed(Matrix(self.grad.data * self.creators[0].data), 1), self)
            if self.op == "relu":
                self.creators[0].backward(Matrix(self.grad.data * (self.creators[0].data > 0)), self)

    def summed(self, grad, i):
        g, shape = grad.data, self.creators[i].data.shape
        while g.ndim > len(shape):
            g = g.sum(0)
        for axis, n in enumerate(shape):
            g = g.sum(axis, keepdims=True) if n == 1 else g
        return Matrix(g)

    def __add__(self, other):
        if self.autograd and other.autograd:
            return Matrix(self.data + other.data, True, [self, other], "add")
        return Matrix(self.data + other.data)

    def __mul__(self, other):
        if self.autograd and other.autograd:
            return Matrix(self.data * other.data, True, [self, other], "mul")
        return Matrix(self.data * other.data)

    def relu(self):
        return Matrix(self.data * (self.data > 0), True, [self], "relu")
