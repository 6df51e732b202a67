# long
# expect Linear: wrong: WRONG
# expect LinearSwapped: wrong: WRONG
# expect LayerNorm: wrong: WRONG
# expect Scale: wrong: WRONG
import numpy as np


class Linear:
    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.randn(n_in, n_out) * 0.1, "b": np.zeros(n_out)}
        self.grads = {}

    def forward(self, X):
        self.X = X
        return X @ self.params["W"] + self.params["b"]

    def backward(self, grad):
        self.grads["W"] = self.X.T @ grad
        self.grads["b"] = grad[0]
        return grad @ self.params["W"].T


class LinearSwapped:
    """The gradients go to each other's names."""

    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.randn(n_in, n_out) * 0.1, "b": np.zeros(n_out)}
        self.grads = {}

    def forward(self, X):
        self.X = X
        return X @ self.params["W"] + self.params["b"]

    def backward(self, grad):
        self.grads["b"] = self.X.T @ grad
        self.grads["W"] = grad.sum(axis=0)
        return grad @ self.params["W"].T


class LayerNorm:
    """The statistics are treated as constants."""

    def __init__(self, dim, eps=1e-5):
        self.params = {"gamma": np.ones(dim), "beta": np.zeros(dim)}
        self.grads = {}
        self.eps = eps

    def forward(self, X):
        self.rstd = 1 / np.sqrt(X.var(axis=-1, keepdims=True) + self.eps)
        self.x_hat = (X - X.mean(axis=-1, keepdims=True)) * self.rstd
        return self.params["gamma"] * self.x_hat + self.params["beta"]

    def backward(self, grad):
        self.grads["gamma"] = (grad * self.x_hat).sum(axis=0)
        self.grads["beta"] = grad.sum(axis=0)
        return self.rstd * grad * self.params["gamma"]


class Scale:
    """A parameter that gets no gradient at all."""

    def __init__(self, dim):
        self.params = {"gamma": np.ones(dim), "beta": np.zeros(dim)}
        self.grads = {"gamma": None, "beta": None}

    def forward(self, x):
        self.x = x
        return x * self.params["gamma"] + self.params["beta"]

    def backward(self, dout):
        self.grads["gamma"] = (dout * self.x).sum(axis=0)
        return dout * self.params["gamma"]
