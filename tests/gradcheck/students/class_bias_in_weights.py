# long
# expect Linear: right
# expect LinearWithOnes: right
# expect LinearForgetsBias: wrong: WRONG
import numpy as np


class Linear:
    """The last row of W is the bias; a column of ones is put beside x."""

    def __init__(self, input_dim, output_dim):
        self.W = np.random.randn(input_dim + 1, output_dim) * 0.1
        self.grad_W = None

    def forward(self, x):
        self.x1 = np.hstack([x, np.ones((len(x), 1))])
        return self.x1 @ self.W

    def backward(self, grad):
        self.grad_W = self.x1.T @ grad
        return grad @ self.W[:-1].T


class LinearForgetsBias(Linear):
    def backward(self, grad):
        self.grad_W = self.x1.T @ grad
        return (grad @ self.W.T)[:, 1:]


class LinearWithOnes:
    def __init__(self, input_size, output_size):
        self._weights = np.random.uniform(-0.1, 0.1, (1 + input_size, output_size))
        self._grad_W_current = np.zeros_like(self._weights)

    def forward(self, x):
        ones = np.ones((x.shape[0], 1))
        self._cache = np.concatenate((ones, x), axis=1)
        return np.dot(self._cache, self._weights)

    def backward(self, grad_z):
        self._grad_W_current = np.dot(self._cache.T, grad_z)
        return np.dot(grad_z, self._weights.T)[:, 1:]
