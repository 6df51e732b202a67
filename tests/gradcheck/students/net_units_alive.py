# long
# expect Binary: right: W3 (7, 1)
# expect BinarySlip: wrong: WRONG in dW3
# expect Unmasked: wrong: WRONG in dW1
"""Networks whose mistakes show only where some units of a ReLU are dead, and whose loss adds a tiny number."""

import numpy as np


class Binary:
    def __init__(self, n_in, n_hidden1, n_hidden2, n_out):
        self.p = {
            "W1": np.random.randn(n_in, n_hidden1),
            "b1": np.zeros((1, n_hidden1)),
            "W2": np.random.randn(n_hidden1, n_hidden2),
            "b2": np.zeros((1, n_hidden2)),
            "W3": np.random.randn(n_hidden2, n_out),
            "b3": np.zeros((1, n_out)),
        }

    def forward_propagation(self, X):
        z1 = X @ self.p["W1"] + self.p["b1"]
        h1 = np.maximum(0, z1)
        z2 = h1 @ self.p["W2"] + self.p["b2"]
        h2 = np.maximum(0, z2)
        y_hat = 1 / (1 + np.exp(-(h2 @ self.p["W3"] + self.p["b3"])))
        y_hat = y_hat.reshape(X.shape[0])
        return y_hat, {"z1": z1, "h1": h1, "z2": z2, "h2": h2, "y_hat": y_hat}

    def back_propagation(self, cache, X, y):
        dz3 = (cache["y_hat"] - y).reshape(-1, 1)
        dz2 = dz3 @ self.p["W3"].T * (cache["z2"] > 0)
        dz1 = dz2 @ self.p["W2"].T * self.mask(cache["z1"])
        return {
            "dW3": self.last(cache).T @ dz3,
            "db3": dz3.sum(axis=0),
            "dW2": cache["h1"].T @ dz2,
            "db2": dz2.sum(axis=0),
            "dW1": X.T @ dz1,
            "db1": dz1.sum(axis=0),
        }

    def mask(self, z):
        return z > 0

    def last(self, cache):
        return cache["h2"]

    def compute_loss(self, y_pred, y_true):
        return -np.sum(y_true * np.log(y_pred + 1e-15) + (1 - y_true) * np.log(1 - y_pred + 1e-15))


class BinarySlip(Binary):
    def last(self, cache):
        return cache["z2"]


class Unmasked(Binary):
    def mask(self, z):
        return 1
