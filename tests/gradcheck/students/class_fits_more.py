# long
# expect InBatches.fit: right
# expect Velocity.train: right
# expect VelocityWrong.train: wrong: WRONG in dW1
# expect Methods.fit: right
# expect MethodsWrong.fit: wrong: WRONG in dtheta
# expect EachInTurn.fit: right
# expect Xor: right
# expect XorWrong: wrong: WRONG in dw1
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class InBatches:
    def __init__(self, lr=0.01, n_epochs=50, batch_size=16):
        self.lr, self.n_epochs, self.batch_size = lr, n_epochs, batch_size

    def _batches(self, X, y):
        order = np.random.permutation(len(X))
        for start in range(0, len(X), self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield X[chosen], y[chosen]

    def fit(self, X, y):
        self.coef_ = np.zeros(X.shape[1])
        self.intercept_ = 0.0
        for _ in range(self.n_epochs):
            for Xb, yb in self._batches(X, y):
                err = Xb @ self.coef_ + self.intercept_ - yb
                self.coef_ -= self.lr * 2 * Xb.T @ err / len(yb)
                self.intercept_ -= self.lr * 2 * err.mean()
        return self


class Velocity:
    def __init__(self, n_in, n_hid, n_out):
        self.W1 = np.random.randn(n_in, n_hid) * 0.1
        self.W2 = np.random.randn(n_hid, n_out) * 0.1

    def train(self, X, T, epochs=10, lr=0.1, momentum=0.9):
        v1, v2 = np.zeros_like(self.W1), np.zeros_like(self.W2)
        for _ in range(epochs):
            H = np.tanh(X @ self.W1)
            E = H @ self.W2 - T
            g2 = H.T @ E
            g1 = X.T @ ((E @ self.W2.T) * self.slope(H))
            v1 = momentum * v1 - lr * g1
            v2 = momentum * v2 - lr * g2
            self.W1 += v1
            self.W2 += v2

    def slope(self, H):
        return 1 - H**2


class VelocityWrong(Velocity):
    def slope(self, H):
        return 1 - H


class Methods:
    """The cost and its gradient are methods, and the parameters are set by fit."""

    def __init__(self, alpha=0.01, iters=100):
        self.alpha = alpha
        self.iters = iters
        self.history = []

    def hypothesis(self, X):
        return sigmoid(X @ self.theta)

    def cost(self, X, y):
        h = self.hypothesis(X)
        return -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))

    def gradient(self, X, y):
        h = self.hypothesis(X)
        return X.T @ (h - y) / len(y)

    def fit(self, X, y):
        X = np.hstack([np.ones((len(X), 1)), X])
        self.theta = np.zeros(X.shape[1])
        for _ in range(self.iters):
            cost = self.cost(X, y)
            self.theta = self.theta - self.alpha * self.gradient(X, y)
            self.history.append(cost)


class MethodsWrong(Methods):
    def gradient(self, X, y):
        h = self.hypothesis(X)
        return X.T @ ((h - y) * h) / len(y)


class EachInTurn:
    def __init__(self, n_in, n_hidden, n_out, lr=0.05, epochs=10, batch_size=32):
        self.w1, self.b1 = np.random.randn(n_in, n_hidden) * 0.1, np.zeros(n_hidden)
        self.w2, self.b2 = np.random.randn(n_hidden, n_out) * 0.1, np.zeros(n_out)
        self.lr, self.epochs, self.batch_size = lr, epochs, batch_size

    def fit(self, X_train, y_train):
        for _ in range(self.epochs):
            order = np.random.permutation(len(X_train))
            for i in range(0, len(X_train), self.batch_size):
                X = X_train[order[i : i + self.batch_size]]
                y = y_train[order[i : i + self.batch_size]]
                h = np.maximum(0, X @ self.w1 + self.b1)
                s = h @ self.w2 + self.b2
                p = np.exp(s - s.max(axis=1, keepdims=True))
                p /= p.sum(axis=1, keepdims=True)
                ds = (p - y) / len(X)
                dh = ds @ self.w2.T
                dh[h <= 0] = 0
                grads = h.T @ ds, ds.sum(axis=0)
                dw2, db2 = grads
                dw1, db1 = X.T @ dh, dh.sum(axis=0)
                for w, g in zip((self.w1, self.b1, self.w2, self.b2), (dw1, db1, dw2, db2)):
                    w -= self.lr * g


class Xor:
    """Its sizes are written, and train() calls both halves."""

    def __init__(self):
        self.w1 = np.random.rand(2, 4)
        self.w2 = np.random.rand(4, 1)

    def forward(self, X):
        self.z2 = sigmoid(np.dot(X, self.w1))
        return sigmoid(np.dot(self.z2, self.w2))

    def backward(self, X, y, o):
        self.o_error = y - o
        self.o_delta = self.o_error * o * (1 - o)
        self.z2_error = self.o_delta.dot(self.w2.T)
        self.z2_delta = self.z2_error * self.slope(self.z2)
        self.w1 += X.T.dot(self.z2_delta)
        self.w2 += self.z2.T.dot(self.o_delta)

    def slope(self, a):
        return a * (1 - a)

    def train(self, X, y):
        o = self.forward(X)
        self.backward(X, y, o)


class XorWrong(Xor):
    def slope(self, a):
        return 1 - a
