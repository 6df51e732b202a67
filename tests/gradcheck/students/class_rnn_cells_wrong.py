# long
# expect RNN: wrong: Wh
# expect RNNTanh: wrong: dx
# expect LSTM: wrong: WRONG
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class RNN:
    """dWh takes h_next where h_prev belongs."""

    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        h_next = np.tanh(h_prev @ Wh + x @ Wx + b)
        self.cache = x, h_prev, h_next
        return h_next

    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, h_next = self.cache
        dt = dh_next * (1 - h_next**2)
        self.grads[0][...] = x.T @ dt
        self.grads[1][...] = h_next.T @ dt
        self.grads[2][...] = dt.sum(axis=0)
        return dt @ Wx.T, dt @ Wh.T


class RNNTanh:
    def __init__(self, Wx, Wh, b):
        self.Wx, self.Wh, self.b = Wx, Wh, b

    def forward(self, x, h_prev):
        self.x, self.h_prev = x, h_prev
        self.h = np.tanh(h_prev @ self.Wh + x @ self.Wx + self.b)
        return self.h

    def backward(self, dh):
        dt = dh * (1 - self.h)
        self.dWx, self.dWh, self.db = self.x.T @ dt, self.h_prev.T @ dt, dt.sum(axis=0)
        return dt @ self.Wx.T, dt @ self.Wh.T


class LSTM:
    """What comes from the next cell state is not added."""

    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x, h_prev, c_prev):
        Wx, Wh, b = self.params
        f, g, i, o = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)
        f, i, o, g = sigmoid(f), sigmoid(i), sigmoid(o), np.tanh(g)
        c_next = f * c_prev + g * i
        self.cache = x, h_prev, c_prev, i, f, g, o, c_next
        return o * np.tanh(c_next), c_next

    def backward(self, dh_next, dc_next):
        Wx, Wh, b = self.params
        x, h_prev, c_prev, i, f, g, o, c_next = self.cache
        t = np.tanh(c_next)
        ds = dh_next * o * (1 - t**2)
        dA = np.hstack([ds * c_prev * f * (1 - f), ds * i * (1 - g**2), ds * g * i * (1 - i), dh_next * t * o * (1 - o)])
        self.grads[0][...] = x.T @ dA
        self.grads[1][...] = h_prev.T @ dA
        self.grads[2][...] = dA.sum(axis=0)
        return dA @ Wx.T, dA @ Wh.T, ds * f
