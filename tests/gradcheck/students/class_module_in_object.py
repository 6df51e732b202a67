"""Layers that keep NumPy itself as an attribute, so that they may run elsewhere, and whose step has a penalty."""

# expect Dropout: right
# expect Scale: right
# expect ScaleTwice: wrong: dgamma
# expect Norm: wrong: gamma is multiplied in
# expect Wide: right
# expect WideWrong: wrong: dW
# expect Columns: right
# expect ColumnsWrong: wrong: dx
import numpy as np


class OnDevice:
    def __init__(self):
        self.xp = np
        self.training = True

    def forward(self, x):
        raise NotImplementedError


class Dropout(OnDevice):
    def __init__(self, rate):
        super().__init__()
        self.keep = 1 - rate

    def forward(self, x):
        self.mask = self.xp.random.random_sample(x.shape) < self.keep
        return x * self.mask / self.keep

    def backward(self, error):
        return error * self.mask / self.keep


class Scale(OnDevice):
    factor = 1

    def __init__(self, shape):
        super().__init__()
        self.gamma = self.xp.ones(shape)

    def forward(self, x):
        self.x = x
        return self.gamma * x

    def backward(self, error):
        self.error = error
        return self.gamma * error

    def fit(self, lr, weight_decay):
        self.gamma -= lr * self.factor * ((self.error * self.x).sum(0) + weight_decay * self.gamma)


class ScaleTwice(Scale):
    factor = 2


class Norm(Scale):
    def forward(self, x):
        self.std = self.xp.sqrt(x.var(axis=0) + 1e-5)
        self.x = (x - x.mean(axis=0)) / self.std
        return self.gamma * self.x

    def backward(self, error):
        self.error = error = error * self.gamma
        return (error - error.mean(axis=0) - self.x * (error * self.x).mean(axis=0)) / self.std


class Wide(OnDevice):
    """Its weights have more elements than its input: most gradients are made by fit."""

    def __init__(self, in_dim, out_dim):
        super().__init__()
        self.W = self.xp.random.randn(3 * out_dim, in_dim)

    def forward(self, x):
        self.x = x
        return x @ self.W.T

    def backward(self, error):
        self.grads = error
        return error @ self.W

    def summed(self):
        return self.grads.T @ self.x

    def fit(self, lr, weight_decay=0.05):
        self.W -= lr * (self.summed() + weight_decay * self.W)


class WideWrong(Wide):
    def summed(self):
        return self.grads.T[::-1] @ self.x


def random_array(n, shape):
    return np.random.normal(0, 1 / np.sqrt(n), shape)


class Columns:
    """Its sizes are given to init, under names of its own; its input has samples in columns."""

    def init(self, row, col):
        self.W = random_array(col, (row, col))

    def forward(self, x):
        self.x = x
        return np.dot(self.W, x)

    def backward(self, dy):
        self.dW = np.dot(dy, self.x.T)
        return np.dot(self.W.T, dy)


class ColumnsWrong(Columns):
    def backward(self, dy):
        self.dW = np.dot(dy, self.x.T)
        return np.dot(self.W.T, dy) / 2
