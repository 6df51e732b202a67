# expect TimeAffine: right
import numpy as np


class TimeAffine:
    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        self.x = x
        N, T, D = x.shape
        W, b = self.params
        return (np.dot(x.reshape(N * T, -1), W) + b).reshape(N, T, -1)

    def backward(self, dout):
        N, T, D = self.x.shape
        W, b = self.params
        dout, rx = dout.reshape(N * T, -1), self.x.reshape(N * T, -1)
        self.grads[1][...] = np.sum(dout, axis=0)
        self.grads[0][...] = np.dot(rx.T, dout)
        return np.dot(dout, W.T).reshape(*self.x.shape)
