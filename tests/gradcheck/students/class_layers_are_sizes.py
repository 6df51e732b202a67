"""Networks whose argument `layers` is a list of sizes, and no list of objects."""

# expect Network: right
# expect NetworkWrong: wrong
# expect Counted: right
import numpy as np


class Network:
    def __init__(self, layers, lr=0.1):
        self.W = [np.random.randn(a, b) * 0.3 for a, b in zip(layers[:-1], layers[1:])]
        self.b = [np.zeros((1, b)) for b in layers[1:]]
        self.lr = lr

    def forward(self, X):
        self.a = [X]
        for W, b in zip(self.W[:-1], self.b[:-1]):
            self.a.append(np.maximum(0, self.a[-1] @ W + b))
        self.a.append(self.a[-1] @ self.W[-1] + self.b[-1])
        return self.a[-1]

    def compute_loss(self, y_pred, y):
        return ((y_pred - y) ** 2).mean()

    def backward(self, y):
        d = 2 * (self.a[-1] - y) / y.size
        self.dW, self.db = [None] * len(self.W), [None] * len(self.b)
        for i in range(len(self.W) - 1, -1, -1):
            self.dW[i] = self.a[i].T @ d
            self.db[i] = d.sum(axis=0, keepdims=True)
            d = d @ self.W[i].T * (self.a[i] > 0)


class NetworkWrong(Network):
    def backward(self, y):
        d = 2 * (self.a[-1] - y) / len(y)
        self.dW, self.db = [None] * len(self.W), [None] * len(self.b)
        for i in range(len(self.W) - 1, -1, -1):
            self.dW[i] = self.a[i].T @ d
            self.db[i] = d.sum(axis=0, keepdims=True)
            d = d @ self.W[i].T * (self.a[i] > 0)


class Counted(Network):
    def __init__(self, layers):
        self.W, self.b = [], []
        for i in range(len(layers) - 1):
            self.W.append(np.random.randn(layers[i], layers[i + 1]) * 0.3)
            self.b.append(np.zeros((1, layers[i + 1])))
