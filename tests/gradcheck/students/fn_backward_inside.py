"""The backward is a function made in forward; it is called a vjp or a pullback; both are methods of a class of functions."""
# expect mul: right
# expect mul_wrong: wrong: WRONG in db
# expect softmax: right
# expect logsumexp: right
# expect logsumexp_wrong: wrong: WRONG in
# expect scores: right
# expect Functions.relu: right
# expect Functions.tanh: wrong: WRONG in
# expect Losses.squared: right

import numpy as np


def mul(a, b):
    def back(g):
        return g * b, g * a

    return a * b, back


def mul_wrong(a, b):
    def back(g):
        return g * b, g * b

    return a * b, back


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    s = e / e.sum(-1, keepdims=True)
    return s, lambda g: s * (g - (g * s).sum(-1, keepdims=True))


def logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def logsumexp_vjp(g, ans, x):
    return g * np.exp(x - ans)


def logsumexp_wrong(x):
    return logsumexp(x)


def logsumexp_wrong_vjp(g, ans, x):
    return g * np.exp(ans - x)


def scores(q, k):
    return q @ k.T


def scores_pullback(g, q, k):
    return g @ k, g.T @ q


class Functions:
    @staticmethod
    def relu(Z):
        return np.maximum(0, Z)

    @staticmethod
    def relu_backward(dA, Z):
        return np.where(Z > 0, dA, 0)

    def tanh(self, x):
        return np.tanh(x)

    def tanh_derivative(self, x):
        return 1 - self.tanh(x)


class Losses:
    def __init__(self, name):
        self.name = name

    def squared(self, y_pred, y):
        return np.mean((y_pred - y) ** 2)

    def squared_derivative(self, y_pred, y):
        return 2 * (y_pred - y) / y.size
