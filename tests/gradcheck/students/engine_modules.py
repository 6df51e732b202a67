# always
# expect Tensor.__add__: right
# expect Tensor.__mul__: wrong: and wrong with other (9,)
# expect Tensor.__matmul__: right
# expect Tensor.backward: right
# expect Linear: right: weight (9, 4)
# expect LinearWrong: wrong: WRONG in dweight
# expect Swish: wrong: it is right with x (6, 9), and wrong with beta 0.7
# expect Dropout: right: forward draws random numbers
# expect CrossEntropy: right: targets
# expect CrossEntropyWrong: wrong: WRONG
"""Classes on an engine of one's own: those that make the function which sends the gradients back. An MLP made of them has none."""

import numpy as np


class Tensor:
    def __init__(self, data, parents=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = np.zeros_like(self.data)
        self.parents, self._backward = parents, lambda: None

    def __add__(self, other):
        out = Tensor(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad.sum(axis=0) if other.data.ndim < out.data.ndim else out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Tensor(self.data * other.data, (self, other))

        def _backward():
            self.grad = self.grad + out.grad * other.data
            other.grad = other.grad + out.grad * self.data

        out._backward = _backward
        return out

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))

        def _backward():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad

        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for parent in v.parents:
                    visit(parent)
                order.append(v)

        visit(self)
        self.grad = np.ones_like(self.data)
        for v in reversed(order):
            v._backward()


class Module:
    def __call__(self, *inputs):
        return self.forward(*inputs)

    def forward(self, *inputs):
        raise NotImplementedError


class Linear(Module):
    def __init__(self, in_features, out_features):
        self.weight = Tensor(np.random.randn(in_features, out_features))
        self.bias = Tensor(np.zeros(out_features))

    def forward(self, x):
        out = Tensor(x.data @ self.weight.data + self.bias.data, (x, self.weight, self.bias))

        def _backward():
            x.grad += out.grad @ self.weight.data.T
            self.weight.grad += x.data.T @ out.grad
            self.bias.grad += out.grad.sum(axis=0)

        out._backward = _backward
        return out


class LinearWrong(Module):
    def __init__(self, in_features, out_features):
        self.weight = Tensor(np.random.randn(in_features, out_features))
        self.bias = Tensor(np.zeros(out_features))

    def forward(self, x):
        out = Tensor(x.data @ self.weight.data + self.bias.data, (x, self.weight, self.bias))

        def _backward():
            x.grad += out.grad @ self.weight.data.T
            self.weight.grad += 2 * x.data.T @ out.grad
            self.bias.grad += out.grad.sum(axis=0)

        out._backward = _backward
        return out


class Swish(Module):
    def __init__(self, beta=1.0):
        self.beta = beta

    def forward(self, x):
        s = 1 / (1 + np.exp(-self.beta * x.data))
        out = Tensor(x.data * s, (x,))

        def _backward():
            x.grad += out.grad * (s + x.data * s * (1 - s))

        out._backward = _backward
        return out


class Dropout(Module):
    def __init__(self, p=0.5):
        self.p = p

    def forward(self, x):
        mask = (np.random.rand(*x.data.shape) > self.p) / (1 - self.p)
        out = Tensor(x.data * mask, (x,))

        def _backward():
            x.grad += out.grad * mask

        out._backward = _backward
        return out


class CrossEntropy(Module):
    def forward(self, logits, targets):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        rows = np.arange(len(targets))
        out = Tensor(-np.log(p[rows, targets]).mean(), (logits,))

        def _backward():
            d = p.copy()
            d[rows, targets] -= 1
            logits.grad += out.grad * d / len(targets)

        out._backward = _backward
        return out


class CrossEntropyWrong(Module):
    def forward(self, logits, targets):
        z = logits.data - logits.data.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        rows = np.arange(len(targets))
        out = Tensor(-np.log(p[rows, targets]).mean(), (logits,))

        def _backward():
            d = p.copy()
            d[rows, targets] -= 1
            logits.grad += out.grad * d

        out._backward = _backward
        return out


class MLP(Module):
    def __init__(self, sizes):
        self.layers = [Linear(m, n) for m, n in zip(sizes, sizes[1:])]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
