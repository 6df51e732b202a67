# expect Linear: right
# expect LayerNorm: right
# expect Conv1D: right
import numpy as np


class Layer:
    def __init__(self):
        self.params = {}
        self.grads = {}
        self.cache = None


class Linear(Layer):
    def __init__(self, input_dim, output_dim, seed=None):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.params = {"W": rng.normal(0, 0.1, (input_dim, output_dim)), "b": np.zeros((1, output_dim))}
        self.grads = {"W": None, "b": None}

    def forward(self, X):
        self.cache = X
        return X @ self.params["W"] + self.params["b"]

    def backward(self, grad):
        self.grads["W"] = self.cache.T @ grad
        self.grads["b"] = grad.sum(axis=0, keepdims=True)
        return grad @ self.params["W"].T


class LayerNorm(Layer):
    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.params = {"gamma": np.ones(dim), "beta": np.zeros(dim)}
        self.eps = eps

    def forward(self, X):
        mu, var = X.mean(axis=-1, keepdims=True), X.var(axis=-1, keepdims=True)
        rstd = 1 / np.sqrt(var + self.eps)
        x_hat = (X - mu) * rstd
        self.cache = x_hat, rstd
        return self.params["gamma"] * x_hat + self.params["beta"]

    def backward(self, grad):
        x_hat, rstd = self.cache
        rows = tuple(range(grad.ndim - 1))
        self.grads["gamma"] = (grad * x_hat).sum(axis=rows)
        self.grads["beta"] = grad.sum(axis=rows)
        g = grad * self.params["gamma"]
        return rstd * (g - g.mean(axis=-1, keepdims=True) - x_hat * (g * x_hat).mean(axis=-1, keepdims=True))


class Conv1D(Layer):
    """x is (batch, in_channels, length)."""

    def __init__(self, in_channels, out_channels, kernel_size=3):
        super().__init__()
        self.kernel_size = kernel_size
        self.params["W"] = np.random.randn(out_channels, in_channels, kernel_size) * 0.1
        self.params["b"] = np.zeros(out_channels)

    def forward(self, x):
        self.cache = x
        W, b, K = self.params["W"], self.params["b"], self.kernel_size
        L = x.shape[2] - K + 1
        out = np.zeros((x.shape[0], W.shape[0], L))
        for i in range(L):
            out[:, :, i] = np.tensordot(x[:, :, i : i + K], W, axes=([1, 2], [1, 2])) + b
        return out

    def backward(self, dout):
        x, W, K = self.cache, self.params["W"], self.kernel_size
        dx, dW = np.zeros_like(x), np.zeros_like(W)
        for i in range(dout.shape[2]):
            dW += np.tensordot(dout[:, :, i], x[:, :, i : i + K], axes=([0], [0]))
            dx[:, :, i : i + K] += np.tensordot(dout[:, :, i], W, axes=([1], [0]))
        self.grads["W"], self.grads["b"] = dW, dout.sum(axis=(0, 2))
        return dx
