# A backward that updates its parameters too.
# expect Forgets: wrong: w is updated, and the learning rate is not multiplied in
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
