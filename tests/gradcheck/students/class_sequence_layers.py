# long
# expect RNN: right
# expect LSTM: right
# expect LSTMWrong: wrong: WRONG
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class RNN:
    """All steps in one layer; x is (N, T, D), and the output is every h."""

    def __init__(self, input_dim, hidden_dim):
        self.Wx = np.random.randn(input_dim, hidden_dim) * 0.3
        self.Wh = np.random.randn(hidden_dim, hidden_dim) * 0.3
        self.b = np.zeros(hidden_dim)

    def forward(self, x, h0=None):
        N, T, D = x.shape
        self.x = x
        self.h = np.zeros((N, T + 1, len(self.b)))
        if h0 is not None:
            self.h[:, 0] = h0
        for t in range(T):
            self.h[:, t + 1] = np.tanh(x[:, t] @ self.Wx + self.h[:, t] @ self.Wh + self.b)
        return self.h[:, 1:].copy()

    def backward(self, dh):
        N, T, H = dh.shape
        dx, carried = np.zeros_like(self.x), np.zeros((N, H))
        self.dWx, self.dWh, self.db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        for t in reversed(range(T)):
            dz = (dh[:, t] + carried) * (1 - self.h[:, t + 1] ** 2)
            dx[:, t], carried = dz @ self.Wx.T, dz @ self.Wh.T
            self.dWx += self.x[:, t].T @ dz
            self.dWh += self.h[:, t].T @ dz
            self.db += dz.sum(axis=0)
        return dx


class LSTM:
    """The output is the last h only, for a classifier."""

    def __init__(self, input_size, hidden_size):
        self.H = hidden_size
        self.params = {
            "W": np.random.randn(input_size + hidden_size, 4 * hidden_size) * 0.3,
            "b": np.zeros(4 * hidden_size),
        }
        self.grads = {}

    def forward(self, x):
        N, T, D = x.shape
        h, c = np.zeros((N, self.H)), np.zeros((N, self.H))
        self.cache = []
        for t in range(T):
            xh = np.hstack([x[:, t], h])
            a = xh @ self.params["W"] + self.params["b"]
            i, f, o, g = np.split(a, 4, axis=1)
            i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
            c_prev, c = c, f * c + i * g
            h = o * np.tanh(c)
            self.cache.append((xh, i, f, o, g, c_prev, np.tanh(c)))
        self.x_shape = x.shape
        return h

    def backward(self, dh):
        dx, dc = np.zeros(self.x_shape), 0
        self.grads = {name: np.zeros_like(value) for name, value in self.params.items()}
        for t in reversed(range(self.x_shape[1])):
            xh, i, f, o, g, c_prev, tc = self.cache[t]
            dc = dc + dh * o * (1 - tc**2)
            da = np.hstack([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g**2)])
            self.grads["W"] += xh.T @ da
            self.grads["b"] += da.sum(axis=0)
            dxh = da @ self.params["W"].T
            dx[:, t], dh = dxh[:, : -self.H], dxh[:, -self.H :]
            dc = self.carry(dc, f)
        return dx

    def carry(self, dc, f):
        return dc * f


class LSTMWrong(LSTM):
    def carry(self, dc, f):
        return dc
