# long
# expect LogisticRegression.fit: right
# expect Centred.fit: wrong: WRONG in db
# expect MLP.fit: right
# expect Slip.fit: wrong: WRONG in dW1, db1
# expect Perceptron2.train_batch: right
# expect Perceptron2.train_sgd: not looked at: forward, backward and the step are one method
import numpy as np


class LogisticRegression:
    def __init__(self, lr=0.1, n_iters=100):
        self.lr = lr
        self.n_iters = n_iters
        self.losses = []

    def _sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def fit(self, X, y):
        n, d = X.shape
        X = X - X.mean(axis=0)
        X /= X.std(axis=0)
        self.w = np.zeros(d)
        self.b = 0
        best = np.inf
        wait = 0
        for _ in range(self.n_iters):
            p = self._sigmoid(X @ self.w + self.b)
            loss = -np.mean(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))
            self.losses.append(loss)
            if loss < best:
                best = loss
                wait = 0
            else:
                wait += 1
            if wait > 5:
                break
            dw = X.T @ (p - y) / n
            db = np.mean(p - y)
            self.w -= self.lr * dw
            self.b -= self.lr * db
        return self

    def predict(self, X):
        return (self._sigmoid(X @ self.w + self.b) > 0.5).astype(int)

    def score(self, X, y):
        return np.mean(self.predict(X) == y)


class Centred:
    def __init__(self, lr=0.1, n_iters=100):
        self.lr = lr
        self.n_iters = n_iters
        self.losses = []

    def _sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def fit(self, X, y):
        n, d = X.shape
        X -= X.mean(axis=0)
        X /= X.std(axis=0)
        self.w = np.zeros(d)
        self.b = 0
        best = np.inf
        wait = 0
        for _ in range(self.n_iters):
            p = self._sigmoid(X @ self.w + self.b)
            loss = -np.mean(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))
            self.losses.append(loss)
            if loss < best:
                best = loss
                wait = 0
            else:
                wait += 1
            if wait > 5:
                break
            dw = X.T @ (p - y) / n
            db = np.sum(p - y)
            self.w -= self.lr * dw
            self.b -= self.lr * db
        return self

    def predict(self, X):
        return (self._sigmoid(X @ self.w + self.b) > 0.5).astype(int)

    def score(self, X, y):
        return np.mean(self.predict(X) == y)


class MLP:
    def __init__(self, n_in, n_hidden, n_out, lr=0.05, momentum=0.9):
        rng = np.random.default_rng(3)
        self.W1 = rng.standard_normal((n_in, n_hidden)) * 0.1
        self.b1 = np.zeros(n_hidden)
        self.W2 = rng.standard_normal((n_hidden, n_out)) * 0.1
        self.b2 = np.zeros(n_out)
        self.vW1 = np.zeros_like(self.W1)
        self.vW2 = np.zeros_like(self.W2)
        self.vb1 = np.zeros_like(self.b1)
        self.vb2 = np.zeros_like(self.b2)
        self.lr, self.momentum = lr, momentum

    def batches(self, X, Y, size):
        idx = np.random.permutation(len(X))
        for k in range(0, len(X), size):
            yield X[idx[k : k + size]], Y[idx[k : k + size]]

    def fit(self, X, Y, epochs=5, batch_size=8):
        history = []
        for epoch in range(epochs):
            for xb, yb in self.batches(X, Y, batch_size):
                h = np.tanh(xb @ self.W1 + self.b1)
                s = h @ self.W2 + self.b2
                s = s - s.max(axis=1, keepdims=True)
                p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
                loss = -np.mean(np.sum(yb * np.log(p), axis=1))
                history.append(loss)
                ds = (p - yb) / len(xb)
                dW2 = h.T @ ds
                db2 = ds.sum(axis=0)
                dh = ds @ self.W2.T * (1 - h * h)
                dW1 = xb.T @ dh
                db1 = dh.sum(axis=0)
                self.vW1 = self.momentum * self.vW1 - self.lr * dW1
                self.vb1 = self.momentum * self.vb1 - self.lr * db1
                self.vW2 = self.momentum * self.vW2 - self.lr * dW2
                self.vb2 = self.momentum * self.vb2 - self.lr * db2
                self.W1 += self.vW1
                self.b1 += self.vb1
                self.W2 += self.vW2
                self.b2 += self.vb2
        return history


class Slip:
    def __init__(self, n_in, n_hidden, n_out, lr=0.05, momentum=0.9):
        rng = np.random.default_rng(3)
        self.W1 = rng.standard_normal((n_in, n_hidden)) * 0.1
        self.b1 = np.zeros(n_hidden)
        self.W2 = rng.standard_normal((n_hidden, n_out)) * 0.1
        self.b2 = np.zeros(n_out)
        self.vW1 = np.zeros_like(self.W1)
        self.vW2 = np.zeros_like(self.W2)
        self.vb1 = np.zeros_like(self.b1)
        self.vb2 = np.zeros_like(self.b2)
        self.lr, self.momentum = lr, momentum

    def batches(self, X, Y, size):
        idx = np.random.permutation(len(X))
        for k in range(0, len(X), size):
            yield X[idx[k : k + size]], Y[idx[k : k + size]]

    def fit(self, X, Y, epochs=5, batch_size=8):
        history = []
        for epoch in range(epochs):
            for xb, yb in self.batches(X, Y, batch_size):
                h = np.tanh(xb @ self.W1 + self.b1)
                s = h @ self.W2 + self.b2
                s = s - s.max(axis=1, keepdims=True)
                p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
                loss = -np.mean(np.sum(yb * np.log(p), axis=1))
                history.append(loss)
                ds = (p - yb) / len(xb)
                dW2 = h.T @ ds
                db2 = ds.sum(axis=0)
                dh = ds @ self.W2.T * h * (1 - h)
                dW1 = xb.T @ dh
                db1 = dh.sum(axis=0)
                self.vW1 = self.momentum * self.vW1 - self.lr * dW1
                self.vb1 = self.momentum * self.vb1 - self.lr * db1
                self.vW2 = self.momentum * self.vW2 - self.lr * dW2
                self.vb2 = self.momentum * self.vb2 - self.lr * db2
                self.W1 += self.vW1
                self.b1 += self.vb1
                self.W2 += self.vW2
                self.b2 += self.vb2
        return history


class Perceptron2:
    def __init__(self, n):
        self.W = np.random.randn(n, 1) * 0.1
        self.b = np.zeros((1, 1))
        self.total_loss = 0.0

    def train_batch(self, X, t, lr=0.1, steps=10):
        for s in range(steps):
            z = X @ self.W + self.b
            e = z - t
            self.total_loss += float(np.mean(e**2))
            gW = 2 * X.T @ e / len(X)
            gb = 2 * e.mean(axis=0, keepdims=True)
            self.W -= lr * gW
            self.b -= lr * gb

    def train_sgd(self, X, t, lr=0.1, epochs=3):
        for ep in range(epochs):
            for i in range(len(X)):
                xi = X[i : i + 1]
                e = xi @ self.W + self.b - t[i : i + 1]
                loss = np.sum(e**2)
                self.total_loss += loss
                self.W -= lr * 2 * xi.T @ e
                self.b -= lr * 2 * e
