# long
# expect Linear: right
# expect Bias: right
# expect LinearOverwrite: right
# expect LinearTwice: wrong: WRONG
import numpy as np


class Linear:
    """The gradients add up until zero_grad."""

    def __init__(self, in_dim, out_dim):
        self.weight = np.random.randn(in_dim, out_dim) / np.sqrt(in_dim)
        self.bias = np.zeros(out_dim)
        self.zero_grad()

    def zero_grad(self):
        self.grad_weight = np.zeros_like(self.weight)
        self.grad_bias = np.zeros_like(self.bias)

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, grad):
        self.grad_weight += self.x.T @ grad
        self.grad_bias += grad.sum(axis=0)
        return grad @ self.weight.T


class LinearOverwrite(Linear):
    def backward(self, grad):
        self.grad_weight[:] = self.x.T @ grad
        self.grad_bias[:] = grad.sum(axis=0)
        return grad @ self.weight.T


class LinearTwice(Linear):
    def backward(self, grad):
        self.grad_weight += self.x.T @ grad
        self.grad_bias += grad.sum(axis=0)
        self.grad_bias += grad.sum(axis=0)
        return grad @ self.weight.T


class Bias:
    def __init__(self, dim):
        self.b = np.zeros(dim)
        self.db = np.zeros(dim)

    def forward(self, x):
        return x + self.b

    def backward(self, dout):
        self.db += dout.reshape(-1, len(self.b)).sum(axis=0)
        return dout.copy()
