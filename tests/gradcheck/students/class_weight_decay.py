# Layers that add the gradient of a penalty to dW, which forward does not know of.
# expect Decayed: right: backward adds 0.01 W to dW, the gradient of a penalty; that was not checked
# expect Lasso: right: backward adds 0.1 sign(W) to dW
# expect Twice: wrong: dW: it is 2 times the right gradient
# expect Elastic: right: backward adds 0.002 w_in + 0.001 sign(w_in) to dw_in
# expect ElasticSlip: wrong: dw_in
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


class Elastic:
    """One sample at a time; the rate has a name of its own, and the step both penalties. A bias is a threshold."""

    def __init__(self, n_in, n_hidden, n_out):
        self.alp, self.one, self.two = 0.01, 0.001, 0.002
        self.w_in, self.w_out = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out)
        self.b_in, self.b_out = np.random.randn(n_hidden), np.random.randn(n_out)

    def forward_prop(self, x, drop_mask):
        self.x = x
        self.h = np.tanh(x @ self.w_in - self.b_in) * drop_mask
        return self.h @ self.w_out - self.b_out

    def backward_prop(self, error, drop_mask):
        hidden = (error @ self.w_out.T) * self.slope() * drop_mask
        self.w_out -= self.alp * (np.outer(self.h, error) + self.one * np.sign(self.w_out) + self.two * self.w_out)
        self.b_out += self.alp * error
        self.w_in -= self.alp * (np.outer(self.x, hidden) + self.one * np.sign(self.w_in) + self.two * self.w_in)
        self.b_in += self.alp * hidden

    def slope(self):
        return 1 - self.h**2


class ElasticSlip(Elastic):
    def slope(self):
        return 1 - self.h
