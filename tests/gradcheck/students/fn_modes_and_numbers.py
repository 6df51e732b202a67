"""Arguments that are tried with another value too, and numbers with a gradient.

# expect prelu: right
# expect leaky: right
# expect attention: wrong: causal True
# expect activation: wrong: kind 'tanh'
# expect dropout: wrong: mode 'test'
# expect layernorm: wrong: WRONG in dgain
# expect skip: right
# expect cost: right
# expect cross_entropy: wrong: is right with
# expect hinge: right
# expect step: right: not checked: line
"""

import numpy as np


def prelu_forward(x, alpha=0.25):
    return np.where(x > 0, x, alpha * x), (x, alpha)


def prelu_backward(dout, cache):
    x, alpha = cache
    return np.where(x > 0, 1, alpha) * dout, np.sum(dout * x * (x <= 0))


def leaky_forward(x, alpha=0.1):
    return np.where(x > 0, x, alpha * x), (x, alpha)


def leaky_backward(dout, cache):
    x, alpha = cache
    return np.where(x > 0, dout, alpha * dout), None


def attention_forward(q, k, v, causal=False):
    s = q @ k.T
    if causal:
        s = np.where(np.tri(len(s)) > 0, s, -1e9)
    e = np.exp(s - s.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p @ v, (q, k, v, p, causal)


def attention_backward(dout, cache):
    q, k, v, p, causal = cache
    dp = dout @ v.T
    ds = p * (dp - (dp * p).sum(-1, keepdims=True))
    if causal:
        ds = ds * (1 - np.tri(len(ds)))
    return ds @ k, ds.T @ q, p.T @ dout


def activation_forward(z, kind="relu"):
    a = {"relu": lambda t: np.maximum(t, 0), "tanh": np.tanh}[kind](z)
    return a, (z, a, kind)


def activation_backward(da, cache):
    z, a, kind = cache
    if kind == "tanh":
        return da * (1 - a)
    return da * (z > 0)


def dropout_forward(x, dropout_param):
    mode, mask = dropout_param["mode"], None
    if mode == "train":
        mask = (np.random.rand(*x.shape) < 0.6) / 0.6
        return x * mask, (mode, mask)
    return x, (mode, mask)


def dropout_backward(dout, cache):
    mode, mask = cache
    return dout * mask if mode != "test" else 2 * dout


def layernorm_forward(x, gain, bias):
    s = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    xh = (x - x.mean(-1, keepdims=True)) * s
    return gain * xh + bias, (xh, s, gain)


def layernorm_backward(dout, cache):
    xh, s, gain = cache
    g = dout * gain
    dx = s * (g - g.mean(-1, keepdims=True) - xh * (g * xh).mean(-1, keepdims=True))
    return dx, dout * xh, dout.sum(0)


def skip_forward(x, w):
    return x + np.tanh(x @ w), (x, w)


def skip_backward(dout, cache):
    x, w = cache
    d = dout * (1 - np.tanh(x @ w) ** 2)
    return dout + d @ w.T, x.T @ d


def cost(theta, X, y):
    return np.mean((X @ theta - y) ** 2) / 2


def gradient(theta, X, y):
    return X.T @ (X @ theta - y) / len(y)


def cross_entropy(scores, y):
    n = len(scores)
    e = np.exp(scores - scores.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    if y.ndim == 2:
        return -np.sum(y * np.log(p)) / n, (p + y) / n
    value = -np.log(p[np.arange(n), y]).mean()
    p[np.arange(n), y] -= 1
    return value, p / n


def hinge(x):
    return x if x > 0 else 0


def hinge_derivative(x):
    return 1 if x > 0 else 0


def step_forward(x):
    return np.tanh(x), x


def step_backward(dout, x):
    if x.size > 10**6:
        dout = 3 * dout
    return dout * (1 - np.tanh(x) ** 2)
