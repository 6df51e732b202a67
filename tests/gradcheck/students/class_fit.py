"""Models whose fit makes the parameters and trains them: forward, backward and the step are one method, or call others."""

# expect Logistic.fit: right: binary cross-entropy
# expect LogisticSum.fit: wrong: WRONG in dbias
# expect Ridge.fit: right: alpha: 0, for the loss has no such term
# expect RidgeSlip.fit: wrong: WRONG in db
# expect Adaline.fit: right: half the squared error
# expect AdalineSlip.fit: wrong: WRONG in dw_
# expect Softmax.fit: right: class numbers
# expect SoftmaxSlip.fit: wrong: WRONG in db
# expect TwoLayers.fit: right: dW1
# expect TwoLayersSlip.fit: wrong: WRONG in db1, dW1
import numpy as np


class Logistic:
    def __init__(self, learning_rate=0.01, n_iters=1000):
        self.lr = learning_rate
        self.n_iters = n_iters
        self.weights = None
        self.bias = None

    def _sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights, self.bias = np.zeros(n_features), 0
        for _ in range(self.n_iters):
            p = self._sigmoid(X @ self.weights + self.bias)
            dw = X.T @ (p - y) / n_samples
            db = np.sum(p - y) / n_samples
            self.weights -= self.lr * dw
            self.bias -= self.lr * db

    def predict(self, X):
        return [1 if p > 0.5 else 0 for p in self._sigmoid(X @ self.weights + self.bias)]


class LogisticSum(Logistic):
    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights, self.bias = np.zeros(n_features), 0
        for _ in range(self.n_iters):
            p = self._sigmoid(X @ self.weights + self.bias)
            dw = X.T @ (p - y) / n_samples
            db = np.sum(p - y)  # the mistake: not divided by the samples
            self.weights -= self.lr * dw
            self.bias -= self.lr * db


class Ridge:
    """The prediction is another method, and alpha is the factor of a penalty."""

    def __init__(self, lr=0.01, n_iter=100, alpha=0.1):
        self.lr = lr
        self.n_iter = n_iter
        self.alpha = alpha

    def predict(self, X):
        return X.dot(self.w) + self.b

    def fit(self, X, y):
        n = len(y)
        self.w = np.zeros(X.shape[1])
        self.b = 0.0
        for _ in range(self.n_iter):
            error = self.predict(X) - y
            dw = (2 / n) * X.T.dot(error) + 2 * self.alpha * self.w
            db = (2 / n) * error.sum()
            self.w -= self.lr * dw
            self.b -= self.lr * db


class RidgeSlip(Ridge):
    def fit(self, X, y):
        n = len(y)
        self.w = np.zeros(X.shape[1])
        self.b = 0.0
        for _ in range(self.n_iter):
            error = self.predict(X) - y
            dw = (1 / n) * X.T.dot(error) + 2 * self.alpha * self.w  # the mistake: db is twice as large
            db = (2 / n) * error.sum()
            self.w -= self.lr * dw
            self.b -= self.lr * db


class TwoLayers:
    def __init__(self, hidden=16, lr=0.1, epochs=100):
        self.hidden, self.lr, self.epochs = hidden, lr, epochs

    def _forward(self, X):
        self.h = np.tanh(X @ self.W1 + self.b1)
        return 1 / (1 + np.exp(-(self.h @ self.W2 + self.b2)))

    def _slope(self, h):
        return 1 - h**2

    def fit(self, X, y):
        n, d = X.shape
        self.W1, self.b1 = np.random.randn(d, self.hidden) * 0.1, np.zeros((1, self.hidden))
        self.W2, self.b2 = np.random.randn(self.hidden, 1) * 0.1, np.zeros((1, 1))
        for _ in range(self.epochs):
            p = self._forward(X)
            dz2 = (p - y.reshape(-1, 1)) / n
            dz1 = dz2 @ self.W2.T * self._slope(self.h)
            self.W2 -= self.lr * self.h.T @ dz2
            self.b2 -= self.lr * dz2.sum(axis=0, keepdims=True)
            self.W1 -= self.lr * X.T @ dz1
            self.b1 -= self.lr * dz1.sum(axis=0, keepdims=True)


class TwoLayersSlip(TwoLayers):
    def _slope(self, h):
        return 1 - h  # the mistake: h squared


class Adaline:
    """The first weight is the bias; fit returns the object, and the net input is another method."""

    def __init__(self, eta=0.01, n_iter=50):
        self.eta = eta
        self.n_iter = n_iter

    def net_input(self, X):
        return np.dot(X, self.w_[1:]) + self.w_[0]

    def fit(self, X, y):
        self.w_ = np.zeros(1 + X.shape[1])
        self.cost_ = []
        for _ in range(self.n_iter):
            errors = y - self.net_input(X)
            self.w_[1:] += self.eta * X.T.dot(errors)
            self.w_[0] += self.eta * errors.sum()
            self.cost_.append((errors**2).sum() / 2)
        return self


class AdalineSlip(Adaline):
    def fit(self, X, y):
        self.w_ = np.zeros(1 + X.shape[1])
        for _ in range(self.n_iter):
            errors = y - self.net_input(X)
            self.w_[1:] += self.eta * X.T.dot(errors)
            self.w_[0] += self.eta * errors.mean()  # the mistake: the sum, as above
        return self


class Softmax:
    """The targets are numbers of classes, which are counted, and made one-hot by another method."""

    def __init__(self, lr=0.1, epochs=100):
        self.lr = lr
        self.epochs = epochs

    def softmax(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def one_hot(self, y, k):
        return np.eye(k)[y]

    def fit(self, X, y):
        m, n = X.shape
        k = len(np.unique(y))
        self.W, self.b = np.zeros((n, k)), np.zeros(k)
        for _ in range(self.epochs):
            p = self.softmax(X @ self.W + self.b)
            error = p - self.one_hot(y, k)
            self.W -= self.lr * (X.T @ error) / m
            self.b -= self.lr * error.sum(axis=0) / m
        return self


class SoftmaxSlip(Softmax):
    def fit(self, X, y):
        m, n = X.shape
        k = len(np.unique(y))
        self.W, self.b = np.zeros((n, k)), np.zeros(k)
        for _ in range(self.epochs):
            p = self.softmax(X @ self.W + self.b)
            error = p - self.one_hot(y, k)
            self.W -= self.lr * (X.T @ error) / m
            self.b -= self.lr * error.sum(axis=0)  # the mistake: not divided by m
        return self
