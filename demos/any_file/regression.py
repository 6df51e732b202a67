"""Logistic regression that trains in one method. The gradient of the bias is a sum over the samples, that of the weights a mean."""

import numpy as np


class LogisticRegression:
    def __init__(self, lr=0.1, epochs=1000):
        self.lr, self.epochs = lr, epochs

    def net(self, X):
        return 1 / (1 + np.exp(-(X @ self.weights + self.bias)))

    def fit(self, X, y):
        self.weights, self.bias = np.zeros(X.shape[1]), 0.0
        for _ in range(self.epochs):
            p = self.net(X)
            loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
            self.weights -= self.lr * X.T @ (p - y) / len(y)
            self.bias -= self.lr * np.sum(p - y)
        return loss
