# Layers that add the gradient of a penalty to dW, which forward does not know of.
# expect Decayed: right: backward adds 0.01 W to dW, the gradient of a penalty; that was not checked
# expect Lasso: right: backward adds 0.1 sign(W) to dW
# expect Twice: wrong: dW: it is 2 times the right gradient
import numpy as np


class Decayed:
    PENALTY = 0.01

    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout + self.PENALTY * self.W
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class Lasso(Decayed):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.x.T @ dout + 0.1 * np.sign(self.W)
        return dx


class Twice(Decayed):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = 2 * self.x.T @ dout + self.PENALTY * self.W
        return dx
