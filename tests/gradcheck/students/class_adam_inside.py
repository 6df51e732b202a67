# always
# expect Affine: right: weights (9, 4)
# expect AffineSlip: wrong: WRONG in dweights
# expect Settings: right: dkernel
# expect SettingsSlip: wrong: WRONG in dkernel
# expect Stack: not checked: is the same for a gradient of any length
"""Layers that take a step of Adam in their backward, so that the step says nothing of the gradient's length."""

import numpy as np


class Affine:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out) * 0.1
        self.m, self.v, self.t = np.zeros_like(self.weights), np.zeros_like(self.weights), 0

    def forward(self, x):
        self.x = x
        return x @ self.weights

    def gradient(self, dout):
        return self.x.T @ dout

    def backward(self, dout, learning_rate, beta1=0.9, beta2=0.999, eps=1e-8):
        dx, g = dout @ self.weights.T, self.gradient(dout)
        self.t += 1
        self.m = beta1 * self.m + (1 - beta1) * g
        self.v = beta2 * self.v + (1 - beta2) * g**2
        m, v = self.m / (1 - beta1**self.t), self.v / (1 - beta2**self.t)
        self.weights -= learning_rate * m / (np.sqrt(v) + eps)
        return dx


class AffineSlip(Affine):
    def gradient(self, dout):
        return self.x.T @ dout / 2


class Settings:
    """What Adam is told stands in a dict, and it has taken many steps before."""

    def __init__(self, n_in, n_out):
        self.kernel = np.random.randn(n_in, n_out)
        self.adam = {"learning_rate": 0.01, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "t": 30}
        self.adam |= {"m": np.zeros((n_in, n_out)), "v": np.zeros((n_in, n_out))}

    def forward(self, x):
        self.x = x
        return x @ self.kernel

    def backward(self, dout):
        dx, a, g = dout @ self.kernel.T, self.adam, self.gradient(dout)
        a["m"] = a["m"] * a["beta1"] + (1 - a["beta1"]) * g
        a["v"] = a["v"] * a["beta2"] + (1 - a["beta2"]) * np.square(g)
        m, v = a["m"] / (1 - a["beta1"] ** a["t"]), a["v"] / (1 - a["beta2"] ** a["t"])
        self.kernel = self.kernel - a["learning_rate"] * m / (np.sqrt(v) + a["epsilon"])
        return dx

    def gradient(self, dout):
        return self.x.T @ dout


class SettingsSlip(Settings):
    def gradient(self, dout):
        return self.x.T @ dout[::-1]


class Stack:
    """Its layers take epsilon by default, and one draws a mask."""

    def __init__(self, n_in, n_hidden, n_out):
        self.first, self.second = Affine(n_in, n_hidden), Affine(n_hidden, n_out)
        self.learning_rate = 0.01

    def forward(self, x):
        self.mask = np.random.rand(len(x), self.first.weights.shape[1]) > 0.2
        return self.second.forward(self.mask * np.tanh(self.first.forward(x)))

    def backward(self, dout):
        dh = self.second.backward(dout, self.learning_rate) * self.mask
        self.first.backward(dh * (1 - np.tanh(self.first.x @ self.first.weights) ** 2), self.learning_rate)
