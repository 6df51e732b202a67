# expect Fitted: right: weights[0] (9, 7)
# expect FittedWrong: wrong: WRONG in dweights[0]
# expect Added: right: stack[1] (1,)
# expect AddedWrong: wrong: WRONG in dx, dstack[0], dstack[1]
# expect Built: right: kernel (9, 4)
# expect Trained: right: W2 (7, 4)
# expect TrainedWrong: wrong: WRONG in dW1
"""Networks whose weights or layers are made after the constructor, by fit, by add, by build; and training in one method."""

import numpy as np


class Fitted:
    def __init__(self, hidden=7, epochs=1000):
        self.hidden, self.epochs = hidden, epochs
        self.weights = []

    def _make(self, n_in, n_out):
        rng = np.random.default_rng(0)
        self.weights = [rng.standard_normal((n_in, self.hidden)), rng.standard_normal((self.hidden, n_out))]

    def forward(self, X):
        self.X, self.A = X, np.tanh(X @ self.weights[0])
        return self.A @ self.weights[1]

    def backward(self, y_pred, y):
        d = y_pred - y
        dA = d @ self.weights[1].T
        self.grads = [self.X.T @ (dA * (1 - self.A**2)), self.A.T @ d]

    def fit(self, X, y):
        self._make(X.shape[1], y.shape[1])
        for _ in range(self.epochs):
            self.backward(self.forward(X), y)
            self.weights = [w - 0.1 * g for w, g in zip(self.weights, self.grads, strict=True)]


class FittedWrong(Fitted):
    def backward(self, y_pred, y):
        d = y_pred - y
        dA = d @ self.weights[1].T
        self.grads = [self.X.T @ (dA * (1 - self.A)), self.A.T @ d]


class Added:
    def __init__(self):
        self.stack = []

    def add(self, part):
        self.stack.append(part)

    def forward(self, x):
        for part in self.stack:
            x = part.forward(x)
        return x

    def backward(self, grad):
        for part in reversed(self.stack):
            grad = part.backward(grad)
        return grad


class AddedWrong(Added):
    def backward(self, grad):
        for part in self.stack:
            grad = part.backward(grad)
        return grad


class Built:
    def __init__(self, units):
        self.units, self.params, self.grads = units, {}, {}

    def add_weight(self, name, shape):
        self.params[name] = np.ones(shape)

    def build(self, input_shape):
        self.add_weight("kernel", (input_shape[-1], self.units))

    def forward(self, x):
        self.x = x
        return x @ self.params["kernel"]

    def backward(self, grad):
        self.grads["kernel"] = self.x.T @ grad
        return grad @ self.params["kernel"].T


class Trained:
    def __init__(self, n_in, n_hidden, n_out):
        rng = np.random.default_rng(0)
        self.W1, self.W2 = rng.standard_normal((n_in, n_hidden)), rng.standard_normal((n_hidden, n_out))

    def forward(self, X):
        self.A = np.tanh(X @ self.W1)
        return self.A @ self.W2

    def train(self, X, y, epochs=100, lr=0.1):
        for _ in range(epochs):
            d = self.forward(X) - y
            dA = d @ self.W2.T
            self.W2 -= lr * self.A.T @ d
            self.W1 -= lr * X.T @ (dA * (1 - self.A**2))


class TrainedWrong(Trained):
    def train(self, X, y, epochs=100, lr=0.1):
        for _ in range(epochs):
            d = self.forward(X) - y
            self.W2 -= lr * self.A.T @ d
            self.W1 -= lr * X.T @ ((d @ self.W2.T) * (1 - self.A**2))
