# long
# expect Dense: right
# expect DenseByObject: right
# expect DenseWrong: wrong: WRONG
# expect Tanh: right
import numpy as np


class Tanh:
    def forward(self, z):
        self.a = np.tanh(z)
        return self.a

    def backward(self, da):
        return da * (1 - self.a**2)


def activate(z, name):
    if name == "relu":
        return np.maximum(z, 0)
    if name == "sigmoid":
        return 1 / (1 + np.exp(-z))
    if name == "tanh":
        return np.tanh(z)
    if name in (None, "linear"):
        return z
    raise ValueError(f"unknown activation {name}")


def slope(z, name):
    if name == "relu":
        return (z > 0).astype(float)
    if name == "sigmoid":
        return activate(z, name) * (1 - activate(z, name))
    if name == "tanh":
        return 1 - np.tanh(z) ** 2
    return np.ones_like(z)


class Dense:
    """A layer and its activation, which is called by its name."""

    def __init__(self, input_dim, units, activation="relu"):
        self.weights = np.random.randn(input_dim, units) * 0.1
        self.bias = np.zeros(units)
        self.activation = activation

    def forward(self, inputs):
        self.inputs = inputs
        self.z = inputs @ self.weights + self.bias
        return activate(self.z, self.activation)

    def backward(self, grad_output):
        dz = grad_output * self.back_slope()
        self.grad_weights = self.inputs.T @ dz
        self.grad_bias = dz.sum(axis=0)
        return dz @ self.weights.T

    def back_slope(self):
        return slope(self.z, self.activation)


class DenseWrong(Dense):
    """The slope belongs to the value before the activation."""

    def back_slope(self):
        return slope(-self.z, self.activation)


class DenseByObject:
    def __init__(self, n_in, n_out, activation=None):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros((1, n_out))
        self.activation = activation or Tanh()

    def forward(self, x):
        self.x = x
        return self.activation.forward(x @ self.W + self.b)

    def backward(self, d):
        d = self.activation.backward(d)
        self.dW, self.db = self.x.T @ d, d.sum(axis=0, keepdims=True)
        return d @ self.W.T
