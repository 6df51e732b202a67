# expect Dense: right
# expect BatchNorm: right
# expect DenseWrong: wrong: WRONG
import numpy as np


class Dense:
    """The weights are made when the first batch comes."""

    def __init__(self, units):
        self.units = units
        self.W = None
        self.b = None

    def forward(self, X, training=True):
        if self.W is None:
            limit = np.sqrt(6 / (X.shape[1] + self.units))
            self.W = np.random.uniform(-limit, limit, (X.shape[1], self.units))
            self.b = np.zeros((1, self.units))
        self.X = X
        return X.dot(self.W) + self.b

    def backward(self, accum_grad):
        self.dW = self.X.T.dot(accum_grad)
        self.db = np.sum(accum_grad, axis=0, keepdims=True)
        return accum_grad.dot(self.W.T)


class BatchNorm:
    def __init__(self, momentum=0.99):
        self.momentum = momentum
        self.eps = 0.01
        self.running_mean = None
        self.gamma = self.beta = None

    def forward(self, X, training=True):
        if self.running_mean is None:
            self.running_mean, self.running_var = np.mean(X, axis=0), np.var(X, axis=0)
            self.gamma, self.beta = np.ones(X.shape[1:]), np.zeros(X.shape[1:])
        if training:
            mean, var = np.mean(X, axis=0), np.var(X, axis=0)
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        else:
            mean, var = self.running_mean, self.running_var
        self.X_centered = X - mean
        self.stddev_inv = 1 / np.sqrt(var + self.eps)
        return self.gamma * self.X_centered * self.stddev_inv + self.beta

    def backward(self, accum_grad):
        X_norm = self.X_centered * self.stddev_inv
        self.dgamma = np.sum(accum_grad * X_norm, axis=0)
        self.dbeta = np.sum(accum_grad, axis=0)
        m = accum_grad.shape[0]
        inner = m * accum_grad - self.dbeta - self.X_centered * self.stddev_inv**2 * np.sum(accum_grad * self.X_centered, axis=0)
        return (1 / m) * self.gamma * self.stddev_inv * inner


class DenseWrong:
    def __init__(self, units):
        self.units = units
        self.W = None

    def forward(self, X):
        if self.W is None:
            self.W = np.random.randn(X.shape[1], self.units)
            self.b = np.zeros(self.units)
        self.X = X
        return X.dot(self.W) + self.b

    def backward(self, grad):
        self.dW = self.X.T.dot(grad)
        self.db = np.sum(grad, axis=0) * 2
        return grad.dot(self.W.T)
