# always
# expect Forgets.fit: right: not checked: the step of bias
# expect Reads.fit: right
# expect CallsInTurn.fit: right
import numpy as np


class Reads:
    def __init__(self, lr=0.1, epochs=10):
        self.lr, self.epochs = lr, epochs

    def net(self, X):
        return X @ self.weights + self.bias

    def fit(self, X, y):
        self.weights, self.bias = np.zeros(X.shape[1]), 0.0
        for _ in range(self.epochs):
            error = self.net(X) - y
            self.weights -= self.lr * X.T @ error / len(y)
            self.bias -= self.lr * error.mean()
        return self


class Forgets(Reads):
    def net(self, X):
        return X @ self.weights


class CallsInTurn(Reads):
    """Two of its methods call each other."""

    def even(self, n):
        return True if n == 0 else self.odd(n - 1)

    def odd(self, n):
        return False if n == 0 else self.even(n - 1)

    def fit(self, X, y):
        self.weights, self.bias = np.zeros(X.shape[1]), 0.0
        for epoch in range(self.epochs):
            error = self.net(X) - y
            self.weights -= self.lr * X.T @ error / len(y)
            self.bias -= self.lr * error.mean()
            if self.even(epoch):
                print(epoch)
        return self
