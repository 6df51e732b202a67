# expect Dense: wrong: it is right with x (6, 9), W (9, 4), and wrong with activation 'tanh'
# expect RowBias: right: and activation 'tanh'
# expect Pad: wrong: and wrong with padding 0
# expect Network: wrong: and wrong with reg 0.3
# expect AddRow: wrong: WRONG in dB
# expect Softmax: right: right in 2-D only
# expect BatchNorm: right: x (6, 9), gamma (1, 9)
# expect Adam: right: no gradient is looked for of W
# expect Handed: right: x (6, 9), W (9, 4)
# long
"""Mistakes that only another option shows; a step that says nothing of its gradient; an optimizer that returns the steps."""

import numpy as np

SLOPES = {"relu": lambda y: y > 0, "tanh": lambda y: 1 - y}
FUNCTIONS = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}


class Dense:
    def __init__(self, n_in, n_out, activation="relu"):
        self.W, self.activation = np.random.randn(n_in, n_out), activation

    def forward(self, x):
        self.x, self.y = x, FUNCTIONS[self.activation](x @ self.W)
        return self.y

    def backward(self, dout):
        dz = dout * SLOPES.get(self.activation)(self.y)
        self.dW = self.x.T @ dz
        return dz @ self.W.T


class RowBias:
    """The bias is a row, and its gradient a vector: right in each mode."""

    def __init__(self, n_in, n_out, activation="none"):
        self.W, self.b, self.activation = np.random.randn(n_in, n_out), np.zeros((1, n_out)), activation

    def forward(self, x):
        self.x, z = x, x @ self.W + self.b
        self.y = np.tanh(z) if self.activation == "tanh" else z
        return self.y

    def backward(self, dout):
        dz = dout * (1 - self.y**2) if self.activation == "tanh" else dout
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0)
        return dz @ self.W.T


class Pad:
    def __init__(self, padding=0):
        self.padding = padding

    def forward(self, x):
        return np.pad(x, ((0, 0), (self.padding, self.padding)))

    def backward(self, dout):
        return dout[:, self.padding : -self.padding]


class Network:
    def __init__(self, n_in, n_out):
        self.W1 = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W1

    def loss(self, pred, y, reg=0.0):
        return np.sum((pred - y) ** 2) / len(y) + reg * np.sum(self.W1**2)

    def backward(self, pred, y, reg=0.0):
        self.dW1 = self.x.T @ (2 * (pred - y) / len(y)) + reg * self.W1


class AddRow:
    def __init__(self, B):
        assert B.shape[0] == 1
        self.B = B

    def forward(self, x):
        return x + self.B

    def backward(self, dout):
        self.dB = dout.mean(axis=0, keepdims=True)
        return dout


class Softmax:
    def forward(self, x):
        e = np.exp(x)
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y

    def backward(self, dout):
        return self.y * (dout - (dout * self.y).sum(axis=1, keepdims=True))


class BatchNorm:
    """It runs with x of three axes too, and is not meant for these."""

    def __init__(self, dim):
        self.gamma = np.ones((1, dim))

    def forward(self, x):
        self.s = np.sqrt(x.var(axis=0, keepdims=True) + 1e-5)
        self.n = (x - x.mean(axis=0, keepdims=True)) / self.s
        return self.gamma * self.n

    def backward(self, dout):
        self.dgamma, g = np.sum(dout * self.n, axis=0, keepdims=True), dout * self.gamma
        return (g - g.mean(axis=0, keepdims=True) - self.n * (g * self.n).mean(axis=0, keepdims=True)) / self.s


class Adam:
    def __init__(self, n_in, n_out):
        self.W, self.m, self.v = np.random.randn(n_in, n_out), np.zeros((n_in, n_out)), np.zeros((n_in, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout, learning_rate):
        dx, g = dout @ self.W.T, self.x.T @ dout
        self.m, self.v = 0.9 * self.m + 0.1 * g, 0.99 * self.v + 0.01 * g**2
        self.W -= learning_rate * self.m / 0.1 / np.sqrt(self.v / 0.01)
        return dx


class Handed:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout, optimiser):
        dx = dout @ self.W.T
        (step,) = optimiser(self, [self.x.T @ dout])
        self.W += step
        return dx
