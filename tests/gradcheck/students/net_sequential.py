# long
# expect Linear: right
# expect ReLU: right
# expect MSE: right
# expect Sequential: right or not checked
# expect MLP: right
# expect BadMLP: wrong: WRONG
import numpy as np


class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * np.sqrt(2 / n_in)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad):
        return grad * (self.x > 0)


class MSE:
    def forward(self, pred, target):
        self.diff = pred - target
        return np.mean(self.diff**2)

    def backward(self):
        return 2 * self.diff / self.diff.size


class Sequential:
    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad


class MLP:
    """Its layers hold the parameters."""

    def __init__(self, in_dim, hidden_dim, out_dim):
        self.layers = [Linear(in_dim, hidden_dim), ReLU(), Linear(hidden_dim, out_dim)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)
        return grad


class BadMLP(MLP):
    def backward(self, grad):
        self.layers[2].backward(grad)
        grad = grad @ self.layers[2].W.T
        return self.layers[0].backward(grad)
