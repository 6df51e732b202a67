# expect LineFit: right: theta (9,)
# expect LineFitWrong: wrong: WRONG in dtheta
# expect Sampler: right
# expect SamplerWrong: wrong: WRONG in dmu
import numpy as np


class LineFit:
    """Its gradient is that of the parameter, and not of the data."""

    def __init__(self, n):
        self.theta = np.zeros(n)

    def cost(self, X, y):
        return np.mean((X @ self.theta - y) ** 2) / 2

    def gradient(self, X, y):
        return X.T @ (X @ self.theta - y) / len(y)


class LineFitWrong(LineFit):
    def gradient(self, X, y):
        return X.T @ (X @ self.theta + y) / len(y)


class Sampler:
    """A mean that has a gradient."""

    def forward(self, mu, x):
        self.noise = np.random.default_rng(0).standard_normal(mu.shape)
        return mu + x * self.noise

    def backward(self, dout):
        return dout, dout * self.noise


class SamplerWrong(Sampler):
    def backward(self, dout):
        return 2 * dout, dout * self.noise
