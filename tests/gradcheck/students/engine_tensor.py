# always
# expect Tensor.__add__: right: and other (9,); and other (6, 1); and other (1, 9); and x (9,)
# expect Tensor.__mul__: wrong: it is right with x (6, 9), other (6, 9); and each used by two operations, and wrong with other (9,)
# expect Tensor.__mul__: wrong: sum it over the axes along which the input was broadcast
# expect Tensor.__matmul__: wrong: WRONG in dx
# expect Tensor.__rsub__: right: other 3
# expect Tensor.sum: right: and axis 0
# expect Tensor.mean: wrong: it is right with x (6, 9); and each used by two operations, and wrong with axis 0
# expect Tensor.log: right
# expect Tensor.reshape: right: x (6, 9), * (9, 6)
# expect Tensor.__getitem__: wrong: WRONG in dx
# expect Tensor.T: right
# expect Tensor.backward: right: a result used at two depths
# expect softmax: right: and axis 0
# expect cross_entropy: right: logits (6, 9), targets
# expect bce: right: y (6, 9), p (6, 9); and each used by two operations
# expect Tensor.fold: not looked at: no arguments that were tried are any for it
"""Arrays with a graph behind them; backward() is for one number only, so that dout is multiplied in before it."""

import numpy as np


def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


class Tensor:
    def __init__(self, data, requires_grad=False, parents=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.requires_grad = requires_grad
        self.grad = np.zeros_like(self.data) if requires_grad else None
        self._parents = parents
        self._send = None

    @property
    def shape(self):
        return self.data.shape

    def _made(self, data, *parents):
        return Tensor(data, any(p.requires_grad for p in parents), parents)

    def __add__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = self._made(self.data + other.data, self, other)

        def send(g):
            if self.requires_grad:
                self.grad += unbroadcast(g, self.shape)
            if other.requires_grad:
                other.grad += unbroadcast(g, other.shape)

        out._send = send
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Tensor) else Tensor(other)
        out = self._made(self.data * other.data, self, other)

        def send(g):
            if self.requires_grad:
                self.grad = self.grad + g * other.data
            if other.requires_grad:
                other.grad = other.grad + g * self.data

        out._send = send
        return out

    def __matmul__(self, other):
        out = self._made(self.data @ other.data, self, other)

        def send(g):
            self.grad += -g @ other.data.T
            other.grad += self.data.T @ g

        out._send = send
        return out

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return Tensor(other).__sub__(self)

    def sum(self, axis=None, keepdims=False):
        out = self._made(self.data.sum(axis=axis, keepdims=keepdims), self)

        def send(g):
            g = g if keepdims or axis is None else np.expand_dims(g, axis)
            self.grad += np.broadcast_to(g, self.shape)

        out._send = send
        return out

    def mean(self, axis=None):
        out = self._made(self.data.mean(axis=axis), self)

        def send(g):
            g = g if axis is None else np.expand_dims(g, axis)
            self.grad += np.broadcast_to(g, self.shape) / self.data.size

        out._send = send
        return out

    def log(self):
        out = self._made(np.log(np.maximum(self.data, 1e-15)), self)

        def send(g):
            self.grad += g / np.maximum(self.data, 1e-15)

        out._send = send
        return out

    def reshape(self, *shape):
        out = self._made(self.data.reshape(shape), self)

        def send(g):
            self.grad += g.reshape(self.shape)

        out._send = send
        return out

    def __getitem__(self, index):
        out = self._made(self.data[index], self)

        def send(g):
            self.grad[index] += 2 * g

        out._send = send
        return out

    @property
    def T(self):
        out = self._made(self.data.T, self)

        def send(g):
            self.grad += g.T

        out._send = send
        return out

    def fold(self, plan):
        out = self._made(self.data[plan.rows][:, plan.columns], self)

        def send(g):
            self.grad += plan.undo(g)

        out._send = send
        return out

    def backward(self):
        if self.data.size != 1:
            raise RuntimeError("backward starts from one number")
        order, seen = [], set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for parent in v._parents:
                    visit(parent)
                order.append(v)

        visit(self)
        self.grad = np.ones_like(self.data)
        for v in reversed(order):
            if v._send is not None:
                v._send(v.grad)


def softmax(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis=axis, keepdims=True))
    p = e / e.sum(axis=axis, keepdims=True)
    out = Tensor(p, x.requires_grad, (x,))

    def send(g):
        x.grad += p * (g - (g * p).sum(axis=axis, keepdims=True))

    out._send = send
    return out


def cross_entropy(logits, targets):
    z = logits.data - logits.data.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    rows = np.arange(len(targets))
    out = Tensor(-log_p[rows, targets].mean(), logits.requires_grad, (logits,))

    def send(g):
        p = np.exp(log_p)
        p[rows, targets] -= 1
        logits.grad += g * p / len(targets)

    out._send = send
    return out


def bce(y, p):
    q = np.clip(p.data, 1e-12, 1 - 1e-12)
    out = Tensor(-np.mean(y.data * np.log(q) + (1 - y.data) * np.log(1 - q)), p.requires_grad, (y, p))

    def send(g):
        y.grad += g * (np.log(1 - q) - np.log(q)) / y.data.size
        p.grad += g * (q - y.data) / (q * (1 - q)) / y.data.size

    out._send = send
    return out


def mse(prediction, target):
    return ((prediction - target) * (prediction - target)).mean()
