# expect Dense: right: data (6, 9), W (9, 4)
# expect DenseWrong: wrong: WRONG in dW
# expect Scale: right: gamma (1, 4)
# expect Square: right: x (6, 9)
# expect SquareWrong: wrong: WRONG in dx
"""Layers that other methods make ready: sizes, then parameters, a rate; and a base class that keeps x and calls the heir."""

import numpy as np


class Dense:
    def __init__(self, n_units):
        self.n_units, self.W, self.input_shape = n_units, None, None

    def set_input_shape(self, shape):
        self.input_shape = shape

    def init_param(self):
        self.W = np.random.randn(self.input_shape, self.n_units)

    def forward(self, data):
        self.data = data
        return data @ self.W

    def backward(self, grad):
        self.dW = self.data.T @ grad
        return grad @ self.W.T


class DenseWrong(Dense):
    def backward(self, grad):
        self.dW = self.data.T @ grad / len(grad) ** 2
        return grad @ self.W.T


class Scale:
    def init_params(self, size):
        self.gamma = np.ones((1, size))

    def set_lr(self, lr):
        self.lr = lr

    def transform(self, z):
        self.z = z
        return self.gamma * z

    def backprop(self, delta):
        dz = delta * self.gamma
        self.gamma -= self.lr * np.sum(delta * self.z, axis=0, keepdims=True)
        return dz


class Operation:
    def forward(self, x):
        self.x = x
        return self._output()

    def backward(self, grad):
        return grad * self._slope()

    def _output(self):
        raise NotImplementedError

    def _slope(self):
        raise NotImplementedError


class Square(Operation):
    def _output(self):
        return self.x**2

    def _slope(self):
        return 2 * self.x


class SquareWrong(Square):
    def _slope(self):
        return self.x
