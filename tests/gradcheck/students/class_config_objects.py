# What a layer is made with stands in one argument: an object with attributes, or a dict.
# expect Dense: right
# expect Norm: right
# expect NormSlip: wrong: dgamma
import numpy as np


class Dense:
    def __init__(self, config):
        self.config = config
        self.W = np.random.randn(config.n_in, config.n_out)

    def forward(self, x):
        self.x = x
        return self.config.scale * x @ self.W

    def backward(self, dout):
        self.dW = self.config.scale * self.x.T @ dout
        return self.config.scale * dout @ self.W.T


class Norm:
    def __init__(self, options):
        self.gamma, self.eps = np.ones(options["dim"]), options.get("eps", 1e-5)

    def forward(self, x):
        self.rstd = 1 / np.sqrt(x.var(axis=0) + self.eps)
        self.x_hat = (x - x.mean(axis=0)) * self.rstd
        return self.gamma * self.x_hat

    def backward(self, dout):
        self.dgamma = (dout * self.x_hat).sum(axis=0)
        d = dout * self.gamma
        return (d - d.mean(axis=0) - self.x_hat * (d * self.x_hat).mean(axis=0)) * self.rstd


class NormSlip(Norm):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dgamma = (dout * self.x_hat).mean(axis=0)
        return dx
