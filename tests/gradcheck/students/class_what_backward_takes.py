# expect Neuron: right: checked with one sample only: with x (6, 9), which
# expect Neuron: right: backward adds: its error is target - output
# expect RowOfDout: right: w (4, 6)
# expect CacheInDict: right: W[2] (4, 7)
# expect CacheInDictWrong: wrong: WRONG in dW[1]
# expect PartsHandedBack: right: no gradient is looked for of xs
"""What a backward takes: target minus output, a row for a vector, a dict of all layers, values that forward returned."""

import numpy as np

rng = np.random.default_rng(0)


class Neuron:
    def __init__(self, n_inputs):
        self.w = rng.standard_normal(n_inputs)

    def forward(self, x):
        self.x, self.out = x, np.tanh(x @ self.w)
        return self.out

    def backward(self, error, lr):
        self.w += lr * error * (1 - self.out**2) * self.x


def train(neuron, x, target):
    error = target - neuron.forward(x)
    neuron.backward(error, 0.1)


class RowOfDout:
    def __init__(self, n_in, n_out):
        self.w = rng.standard_normal((n_out, n_in))

    def forward(self, x):
        assert x.ndim == 1
        self.x = x
        return self.w @ x

    def backward(self, grad):
        self.dw = (self.x[:, None] @ grad).T
        return grad @ self.w


class CacheInDict:
    def __init__(self, n_in, n_hidden, n_out):
        self.W = {1: rng.standard_normal((n_hidden, n_in)), 2: rng.standard_normal((n_out, n_hidden))}

    def forward(self, X):
        cache = {"A0": X}
        cache["A1"] = np.tanh(self.W[1] @ X)
        cache["A2"] = self.W[2] @ cache["A1"]
        return cache

    def backward(self, cache, Y):
        d = cache["A2"] - Y
        return {"dW1": (self.W[2].T @ d * (1 - cache["A1"] ** 2)) @ cache["A0"].T, "dW2": d @ cache["A1"].T}


class CacheInDictWrong(CacheInDict):
    def backward(self, cache, Y):
        d = cache["A2"] - Y
        return {"dW1": (self.W[2].T @ d * (1 - cache["A1"])) @ cache["A0"].T, "dW2": d @ cache["A1"].T}


class PartsHandedBack:
    def __init__(self, input_size, hidden_size):
        self.wx, self.wh = rng.standard_normal((input_size, hidden_size)), rng.standard_normal((hidden_size, hidden_size))

    def forward(self, xs, h0):
        hs, h = [], h0
        for x in xs:
            hs.append(h)
            h = np.tanh(x @ self.wx + h @ self.wh)
        return np.asarray(hs), h

    def backward(self, xs, hs, dh_last):
        delta_wx, delta_wh, dh = np.zeros(self.wx.shape), np.zeros(self.wh.shape), dh_last
        for x, h in zip(xs[::-1], hs[::-1], strict=True):
            da = dh * (1 - np.tanh(x @ self.wx + h @ self.wh) ** 2)
            delta_wx += np.outer(x, da)
            delta_wh += np.outer(h, da)
            dh = self.wh @ da
        return delta_wx, delta_wh
