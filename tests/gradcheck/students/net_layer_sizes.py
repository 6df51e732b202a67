# long
# expect DeepNet: right
# expect DeepNetWrong: wrong: WRONG
# expect ThirdLayerWrong: wrong: WRONG in dW1
import numpy as np


class DeepNet:
    """Layers by their sizes, W1, b1 and so on as attributes; gradients under the same names."""

    def __init__(self, layer_sizes, l2=0.01):
        self.L = len(layer_sizes) - 1
        self.l2 = l2
        self.params = {}
        for i in range(self.L):
            self.params["W" + str(i + 1)] = np.random.randn(layer_sizes[i], layer_sizes[i + 1]) * 0.3
            self.params["b" + str(i + 1)] = np.zeros(layer_sizes[i + 1])

    def forward(self, X):
        self.cache = [X]
        for i in range(1, self.L + 1):
            z = self.cache[-1] @ self.params[f"W{i}"] + self.params[f"b{i}"]
            self.cache.append(np.tanh(z) if i < self.L else z)
        return self.cache[-1]

    def loss(self, X, y):
        diff = self.forward(X) - y
        loss = np.sum(diff**2) / (2 * len(X))
        loss += self.l2 / 2 * sum(np.sum(self.params[f"W{i}"] ** 2) for i in range(1, self.L + 1))
        return loss, self.backward(diff / len(X))

    def backward(self, d):
        grads = {}
        for i in range(self.L, 0, -1):
            if i < self.L:
                d = d * self.slope(self.cache[i])
            grads[f"W{i}"] = self.cache[i - 1].T @ d + self.l2 * self.params[f"W{i}"]
            grads[f"b{i}"] = d.sum(axis=0)
            d = d @ self.params[f"W{i}"].T
        return grads

    def slope(self, a):
        return 1 - a**2


class DeepNetWrong(DeepNet):
    def slope(self, a):
        return a * (1 - a)


class ThirdLayerWrong(DeepNet):
    """With one hidden layer it is right."""

    def backward(self, d):
        grads = {}
        for i in range(self.L, 0, -1):
            if i == self.L - 1:
                d = d * self.slope(self.cache[i])
            grads[f"W{i}"] = self.cache[i - 1].T @ d + self.l2 * self.params[f"W{i}"]
            grads[f"b{i}"] = d.sum(axis=0)
            d = d @ self.params[f"W{i}"].T
        return grads
