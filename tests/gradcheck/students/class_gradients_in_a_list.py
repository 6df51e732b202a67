import numpy as np

# long
# expect Dense: right
# expect DenseWrong: wrong: dW
# expect Dropout: right
# expect Regression: right


class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros((1, n_out))
        self.params = [self.W, self.b]

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dout):
        return dout @ self.W.T, [self.X.T @ dout, dout.sum(axis=0, keepdims=True)]


class DenseWrong(Dense):
    def backward(self, dout):
        return dout @ self.W.T, [self.X.T @ dout / 2, dout.sum(axis=0, keepdims=True)]


class Dropout:
    def __init__(self, keep=0.5):
        self.keep = keep
        self.params = []

    def forward(self, X):
        self.mask = (np.random.rand(*X.shape) < self.keep) / self.keep
        return X * self.mask

    def backward(self, dout):
        return dout * self.mask, []


class Regression:
    """Sizes of its own; the cost has its derivative, and that rolled into one vector."""

    def __init__(self):
        self.sizes = (2, 3, 1)
        self.W1 = np.random.randn(2, 3)
        self.W2 = np.random.randn(3, 1)

    def forward(self, X):
        self.a = np.tanh(X @ self.W1)
        return self.a @ self.W2

    def costFunction(self, X, y):
        return 0.5 * sum((y - self.forward(X)) ** 2)

    def computeGradients(self, X, y):
        return np.concatenate([g.ravel() for g in self.costFunctionPrime(X, y)])

    def costFunctionPrime(self, X, y):
        d2 = self.forward(X) - y
        dW2 = self.a.T @ d2
        dW1 = X.T @ (d2 @ self.W2.T * (1 - self.a**2))
        return dW1, dW2
