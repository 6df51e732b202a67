# long
# expect MLP: right
# expect MLPWrong: wrong: WRONG
# expect Autoencoder: right
import numpy as np


class MLP:
    """forward gives class probabilities, backward the gradients of the mean cross-entropy."""

    def __init__(self, input_dim, hidden_dim, output_dim):
        self.W1 = np.random.randn(input_dim, hidden_dim) * 0.1
        self.b1 = np.zeros((1, hidden_dim))
        self.W2 = np.random.randn(hidden_dim, output_dim) * 0.1
        self.b2 = np.zeros((1, output_dim))

    def forward(self, X):
        self.z1 = X @ self.W1 + self.b1
        self.a1 = np.maximum(0, self.z1)
        z2 = self.a1 @ self.W2 + self.b2
        e = np.exp(z2 - z2.max(axis=1, keepdims=True))
        self.probs = e / e.sum(axis=1, keepdims=True)
        return self.probs

    def compute_loss(self, X, y):
        probs = self.forward(X)
        return -np.mean(np.log(probs[np.arange(len(y)), y]))

    def backward(self, X, y):
        n = len(y)
        dz2 = self.probs.copy()
        dz2[np.arange(n), y] -= 1
        dz2 /= n
        dz1 = dz2 @ self.W2.T * self.gate()
        return {
            "dW1": X.T @ dz1,
            "db1": dz1.sum(axis=0, keepdims=True),
            "dW2": self.a1.T @ dz2,
            "db2": dz2.sum(axis=0, keepdims=True),
        }

    def gate(self):
        return self.z1 > 0


class MLPWrong(MLP):
    def gate(self):
        return self.z1


class Autoencoder:
    """Its target is its input."""

    def __init__(self, n_visible, n_hidden):
        self.params = {"W": np.random.randn(n_visible, n_hidden) * 0.1, "b": np.zeros(n_hidden), "c": np.zeros(n_visible)}

    def loss(self, X):
        W, b, c = self.params["W"], self.params["b"], self.params["c"]
        h = np.tanh(X @ W + b)
        d = (h @ W.T + c - X) / len(X)
        loss = 0.5 * np.sum(d**2) * len(X)
        dh = d @ W * (1 - h**2)
        return loss, {"W": X.T @ dh + d.T @ h, "b": dh.sum(axis=0), "c": d.sum(axis=0)}
