# long
# expect LineFit.fit: right
# expect LineFitForgetsRows.fit: wrong: WRONG in dbias
# expect Neuron.fit: right
# expect NeuronWrong.fit: wrong: WRONG in d
# expect Classes.fit: right
# expect Shrinking.fit: right: alpha: 0, for the
# expect InParts.fit: right
# expect InPartsWrong.fit: wrong: WRONG in dweights
import numpy as np


class LineFit:
    def __init__(self, learning_rate=0.001, n_iters=1000):
        self.lr = learning_rate
        self.n_iters = n_iters
        self.weights = None
        self.bias = None

    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = 0
        for _ in range(self.n_iters):
            guess = np.dot(X, self.weights) + self.bias
            dw = (1 / n_samples) * np.dot(X.T, (guess - y))
            db = (1 / n_samples) * np.sum(guess - y)
            self.weights -= self.lr * dw
            self.bias -= self.lr * db

    def predict(self, X):
        return np.dot(X, self.weights) + self.bias


class LineFitForgetsRows(LineFit):
    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = 0
        for _ in range(self.n_iters):
            guess = np.dot(X, self.weights) + self.bias
            self.weights -= self.lr * (1 / n_samples) * np.dot(X.T, (guess - y))
            self.bias -= self.lr * np.sum(guess - y)


class Neuron:
    """The first weight is the bias."""

    def __init__(self, eta=0.01, n_iter=50, random_state=1):
        self.eta = eta
        self.n_iter = n_iter
        self.random_state = random_state

    def fit(self, X, y):
        rgen = np.random.RandomState(self.random_state)
        self.w_ = rgen.normal(loc=0.0, scale=0.01, size=1 + X.shape[1])
        self.cost_ = []
        for _ in range(self.n_iter):
            output = self.activation(self.net_input(X))
            errors = y - output
            self.w_[1:] += self.eta * X.T.dot(errors)
            self.w_[0] += self.eta * errors.sum()
            self.cost_.append((errors**2).sum() / 2.0)
        return self

    def net_input(self, X):
        """Return w x + b."""
        return np.dot(X, self.w_[1:]) + self.w_[0]

    def activation(self, X):
        return X

    def predict(self, X):
        return np.where(self.activation(self.net_input(X)) >= 0.0, 1, -1)


class NeuronWrong(Neuron):
    def fit(self, X, y):
        self.w_ = np.zeros(1 + X.shape[1])
        for _ in range(self.n_iter):
            errors = y - self.net_input(X)
            self.w_[1:] += self.eta * X.T.dot(errors)
            self.w_[0] += self.eta * errors.mean()
            cost = (errors**2).sum() / 2.0
            self.cost_ = [cost]
        return self


class Classes:
    def __init__(self, lr=0.1, epochs=100):
        self.lr, self.epochs = lr, epochs

    def softmax(self, z):
        e = np.exp(z - np.max(z, axis=1, keepdims=True))
        return e / np.sum(e, axis=1, keepdims=True)

    def one_hot(self, y, c):
        return np.eye(c)[y]

    def fit(self, X, y):
        m, n = X.shape
        c = len(np.unique(y))
        self.W = np.zeros((n, c))
        self.b = np.zeros(c)
        Y = self.one_hot(y, c)
        for _ in range(self.epochs):
            p = self.softmax(X @ self.W + self.b)
            self.W = self.W - self.lr * (X.T @ (p - Y) / m)
            self.b = self.b - self.lr * (np.sum(p - Y, axis=0) / m)


class Shrinking:
    def __init__(self, alpha=1.0, lr=0.01, epochs=500):
        self.alpha = alpha
        self.lr = lr
        self.epochs = epochs

    def fit(self, X, y):
        X = np.c_[np.ones((X.shape[0], 1)), X]
        self.theta = np.zeros(X.shape[1])
        for _ in range(self.epochs):
            error = X @ self.theta - y
            gradient = 2 / len(y) * X.T @ error + 2 * self.alpha * self.theta
            self.theta -= self.lr * gradient
        return self


class InParts:
    def __init__(self):
        self.losses = []

    def fit(self, x, y, epochs):
        self.weights = np.zeros(x.shape[1])
        self.bias = 0
        for _ in range(epochs):
            pred = self._sigmoid(np.matmul(x, self.weights) + self.bias)
            loss = self.compute_loss(y, pred)
            error_w, error_b = self.compute_gradients(x, y, pred)
            self.update(error_w, error_b)
            self.losses.append(loss)

    def compute_loss(self, y_true, y_pred):
        zeros = y_true * np.log(y_pred + 1e-9)
        ones = (1 - y_true) * np.log(1 - y_pred + 1e-9)
        return -np.mean(zeros + ones)

    def compute_gradients(self, x, y_true, y_pred):
        difference = y_pred - y_true
        return np.matmul(x.T, difference) / len(x), np.mean(difference)

    def update(self, error_w, error_b):
        self.weights = self.weights - 0.1 * error_w
        self.bias = self.bias - 0.1 * error_b

    def _sigmoid(self, z):
        return 1 / (1 + np.exp(-z))


class InPartsWrong(InParts):
    def compute_gradients(self, x, y_true, y_pred):
        difference = y_pred - y_true
        return np.matmul(x.T, difference), np.mean(difference)
