# expect Perceptron: right
# expect PerceptronWrong: wrong: WRONG
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Perceptron:
    """A loss and its gradients in two methods: cost(X, y) and gradients(X, y). Rows are examples."""

    def __init__(self, n_inputs, n_hidden):
        self.w1 = np.random.normal(0, 0.5, (n_inputs, n_hidden))
        self.w2 = np.random.normal(0, 0.5, n_hidden)

    def forward(self, X):
        self.h = np.tanh(X @ self.w1)
        return sigmoid(self.h @ self.w2)

    def cost(self, X, y):
        p = self.forward(X)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def gradients(self, X, y):
        d = (self.forward(X) - y) / len(X)
        dh = np.outer(d, self.w2) * self.slope()
        return {"w1": X.T @ dh, "w2": self.h.T @ d}

    def slope(self):
        return 1 - self.h**2


class PerceptronWrong(Perceptron):
    def slope(self):
        return 1 - self.h
