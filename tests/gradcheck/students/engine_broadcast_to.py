# expect Tensor.broadcast_to: wrong: WRONG in dx
# expect Tensor.__add__: right
# expect Tensor.reshape: right
# expect Tensor.backward: right
import numpy as np


class Tensor:
    def __init__(self, data, children=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.grad = np.zeros_like(self.data)
        self._children = children
        self._back = lambda: None

    def broadcast_to(self, shape):
        out = Tensor(np.broadcast_to(self.data, shape), (self,))

        def _back():
            g = out.grad
            extra = g.ndim - self.data.ndim
            g = g.sum(axis=tuple(range(extra)))
            axes = tuple(i for i, n in enumerate(self.data.shape) if n == 1)
            self.grad += g.mean(axis=axes, keepdims=True)

        out._back = _back
        return out

    def __add__(self, o):
        out = Tensor(self.data + o.data, (self, o))

        def _back():
            self.grad += out.grad
            o.grad += out.grad

        out._back = _back
        return out

    def reshape(self, *shape):
        out = Tensor(self.data.reshape(*shape), (self,))

        def _back():
            self.grad += out.grad.reshape(self.data.shape)

        out._back = _back
        return out

    def backward(self):
        order = []

        def walk(t):
            if t not in order:
                for c in t._children:
                    walk(c)
                order.append(t)

        walk(self)
        self.grad = np.ones_like(self.data)
        for t in reversed(order):
            t._back()
