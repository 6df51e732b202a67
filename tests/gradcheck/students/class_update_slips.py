# A backward that updates its parameters too.
# expect Forgets: wrong: w is updated, and the learning rate is not multiplied in
# expect LateNetwork: wrong: right with W[2] as before the update: compute it first, then update
# expect Late: wrong: dx is right with b and w as before the update
# expect Norm: wrong: dgamma: it is zero everywhere
import numpy as np


class Forgets:
    def __init__(self, n_in, n_out):
        self.w, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dout, lr):
        dx = dout @ self.w.T
        self.w -= self.x.T @ dout
        self.b -= lr * dout.sum(axis=0)
        return dx


class Late(Forgets):
    def backward(self, dout, lr):
        self.w -= lr * self.x.T @ dout
        self.b -= lr * dout.sum(axis=0)
        return dout @ self.w.T


class Norm:
    def __init__(self, size):
        self.gamma, self.beta = np.ones(size), np.zeros(size)

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=0) + 1e-5)
        self.x_hat = (x - x.mean(axis=0)) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = self.x_hat.sum(axis=0), dout.sum(axis=0)
        d = dout * self.gamma
        return (d - d.mean(axis=0) - self.x_hat * (d * self.x_hat).mean(axis=0)) / self.std


class LateNetwork:
    def __init__(self, sizes, learning_rate=0.1):
        self.W = [np.random.randn(n, m) for n, m in zip(sizes[:-1], sizes[1:])]
        self.learning_rate = learning_rate

    def forward(self, X):
        self.a = [X]
        for W in self.W:
            self.a.append(np.tanh(self.a[-1] @ W))
        return self.a[-1]

    def backward(self, X, y):
        delta = (self.a[-1] - y) * (1 - self.a[-1] ** 2)
        for k in range(len(self.W) - 1, -1, -1):
            self.W[k] -= self.learning_rate * self.a[k].T @ delta
            delta = delta @ self.W[k].T * (1 - self.a[k] ** 2)
