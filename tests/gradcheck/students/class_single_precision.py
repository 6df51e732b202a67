# long
# expect Linear: right
# expect Sigmoid: right
# expect LayerNorm: right
# expect LinearWrong: wrong: WRONG
import numpy as np


class Linear:
    """Everything in float32, as for the GPU."""

    def __init__(self, in_features, out_features):
        self.W = (np.random.randn(in_features, out_features) / np.sqrt(in_features)).astype(np.float32)
        self.b = np.zeros(out_features, dtype=np.float32)

    def forward(self, x):
        self.x = x.astype(np.float32)
        return self.x @ self.W + self.b

    def backward(self, dout):
        dout = dout.astype(np.float32)
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class LinearWrong(Linear):
    def backward(self, dout):
        dout = dout.astype(np.float32)
        self.dW = self.x.T @ dout
        self.db = dout.max(axis=0)
        return dout @ self.W.T


class Sigmoid:
    def forward(self, x):
        self.y = np.asarray(1 / (1 + np.exp(-x)), dtype=np.float32)
        return self.y

    def backward(self, dout):
        return (dout * self.y * (1 - self.y)).astype(np.float32)


class LayerNorm:
    def __init__(self, dim):
        self.gamma, self.beta = np.ones(dim, dtype="float32"), np.zeros(dim, dtype="float32")

    def forward(self, x):
        x = np.array(x, dtype="float32")
        self.std = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
        self.norm = (x - x.mean(axis=-1, keepdims=True)) / self.std
        return self.gamma * self.norm + self.beta

    def backward(self, dout):
        axes = tuple(range(dout.ndim - 1))
        self.dgamma, self.dbeta = (dout * self.norm).sum(axis=axes), dout.sum(axis=axes)
        g = dout * self.gamma
        return (g - g.mean(axis=-1, keepdims=True) - self.norm * (g * self.norm).mean(axis=-1, keepdims=True)) / self.std
