# long
# expect Linear: right
# expect BatchNorm: right
# expect Maxout: right
# expect LinearMean: wrong: db
# expect BatchNormBeta: wrong: WRONG
import numpy as np


class Linear:
    """All gradients are returned, none is kept."""

    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        self.cache = x
        return x @ self.w + self.b

    def backward(self, dout):
        x = self.cache
        return dout @ self.w.T, x.T @ dout, dout.sum(axis=0)


class LinearMean(Linear):
    def backward(self, dout):
        dx, dw, db = super().backward(dout)
        return dx, dw, db / len(dout)


class BatchNorm:
    """forward hands out the cache, backward wants it back."""

    def __init__(self, gamma, beta, eps=1e-5):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        std = np.sqrt(x.var(axis=0) + self.eps)
        x_hat = (x - x.mean(axis=0)) / std
        return self.gamma * x_hat + self.beta, (x_hat, std)

    def backward(self, dout, cache):
        x_hat, std = cache
        g = dout * self.gamma
        dx = (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)) / std
        return dx, {"gamma": (dout * x_hat).sum(axis=0), "beta": dout.sum(axis=0)}


class BatchNormBeta(BatchNorm):
    """The scale is beta, and nobody saw it."""

    def backward(self, dout, cache):
        x_hat, std = cache
        g = dout * self.beta
        dx = (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)) / std
        return dx, {"gamma": (dout * x_hat).sum(axis=0), "beta": dout.sum(axis=0)}


class Maxout:
    def __init__(self, pieces=3):
        self.pieces = pieces

    def forward(self, x):
        z = x.reshape(len(x), -1, self.pieces)
        self.best, self.shape = z.argmax(axis=2), z.shape
        return z.max(axis=2)

    def backward(self, dout):
        dz = np.zeros(self.shape)
        n, m = np.indices(dout.shape)
        dz[n, m, self.best] = dout
        return dz.reshape(len(dout), -1)
