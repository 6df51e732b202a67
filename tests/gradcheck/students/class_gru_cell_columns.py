# long
# expect GRUCell: right
# expect RNNCell: right
# expect RNNCellWrong: wrong: WRONG
# expect MeanCell: right: right up to 1/m
# expect MeanCellMixed: wrong: WRONG in dWo, dWc, dbc
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class GRUCell:
    """One example, x (d,) and h (h,); the gradients add up over the steps."""

    def __init__(self, input_size, hidden_size):
        self.d, self.h = input_size, hidden_size
        self.Wrx, self.Wzx, self.Wnx = (np.random.randn(hidden_size, input_size) for _ in range(3))
        self.Wrh, self.Wzh, self.Wnh = (np.random.randn(hidden_size, hidden_size) for _ in range(3))
        self.bn = np.random.randn(hidden_size)
        self.dWrx, self.dWzx, self.dWnx = (np.zeros_like(self.Wrx) for _ in range(3))
        self.dWrh, self.dWzh, self.dWnh = (np.zeros_like(self.Wrh) for _ in range(3))
        self.dbn = np.zeros_like(self.bn)

    def forward(self, x, h_prev_t):
        self.x, self.hidden = x, h_prev_t
        self.r = sigmoid(self.Wrx @ x + self.Wrh @ h_prev_t)
        self.z = sigmoid(self.Wzx @ x + self.Wzh @ h_prev_t)
        self.u = self.Wnh @ h_prev_t + self.bn
        self.n = np.tanh(self.Wnx @ x + self.r * self.u)
        h_t = (1 - self.z) * self.n + self.z * h_prev_t
        assert h_t.shape == (self.h,)
        return h_t

    def backward(self, delta):
        dn = delta * (1 - self.z) * (1 - self.n**2)
        dz = delta * (self.hidden - self.n) * self.z * (1 - self.z)
        du, dr = dn * self.r, dn * self.u * self.r * (1 - self.r)
        self.dWnx += np.outer(dn, self.x)
        self.dWzx += np.outer(dz, self.x)
        self.dWrx += np.outer(dr, self.x)
        self.dWnh += np.outer(du, self.hidden)
        self.dWzh += np.outer(dz, self.hidden)
        self.dWrh += np.outer(dr, self.hidden)
        self.dbn += du
        dx = dn @ self.Wnx + dz @ self.Wzx + dr @ self.Wrx
        dh_prev_t = delta * self.z + du @ self.Wnh + dz @ self.Wzh + dr @ self.Wrh
        return dx, dh_prev_t


class RNNCell:
    def __init__(self, input_size, hidden_size):
        self.W_ih = np.random.randn(hidden_size, input_size)
        self.W_hh = np.random.randn(hidden_size, hidden_size)
        self.b_ih = np.random.randn(hidden_size)
        self.b_hh = np.random.randn(hidden_size)
        self.dW_ih, self.dW_hh = np.zeros_like(self.W_ih), np.zeros_like(self.W_hh)
        self.db_ih, self.db_hh = np.zeros_like(self.b_ih), np.zeros_like(self.b_hh)

    def forward(self, x, h_prev_t):
        self.x, self.h_prev_t = x, h_prev_t
        self.h_t = np.tanh(x @ self.W_ih.T + self.b_ih + h_prev_t @ self.W_hh.T + self.b_hh)
        return self.h_t

    def backward(self, delta):
        dz = self.slope() * delta
        self.dW_ih += dz.T @ self.x
        self.dW_hh += dz.T @ self.h_prev_t
        self.db_ih += dz.sum(axis=0)
        self.db_hh += dz.sum(axis=0)
        return dz @ self.W_ih, dz @ self.W_hh

    def slope(self):
        return 1 - self.h_t**2


class RNNCellWrong(RNNCell):
    def slope(self):
        return 1 - self.h_prev_t**2


class MeanCell:
    """Samples are columns; the parameters' gradients have the mean's 1/m."""

    def __init__(self, input_size, hidden_size):
        self.Wo, self.Wc = (np.random.randn(hidden_size, input_size) for _ in range(2))
        self.bo, self.bc = np.zeros((hidden_size, 1)), np.zeros((hidden_size, 1))

    def forward(self, x, c_prev):
        o, c = sigmoid(self.Wo @ x + self.bo), c_prev + np.tanh(self.Wc @ x + self.bc)
        return o * np.tanh(c), c, (x, c_prev, o, c)

    def backward(self, dh, dc, cache):
        x, c_prev, o, c = cache
        do = dh * np.tanh(c) * o * (1 - o)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        dg = dc * (1 - (c - c_prev) ** 2)
        m = x.shape[1]
        grads = {'Wo': do @ x.T / m, 'Wc': dg @ x.T / m, 'bo': self.of_bias(do), 'bc': dg.mean(axis=1, keepdims=True)}
        return grads, self.Wo.T @ do + self.Wc.T @ dg, dc

    def of_bias(self, do):
        return do.mean(axis=1, keepdims=True)


class MeanCellMixed(MeanCell):
    def of_bias(self, do):
        return do.sum(axis=1, keepdims=True)
