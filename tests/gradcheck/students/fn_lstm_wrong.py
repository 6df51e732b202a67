import numpy as np

# long
# expect lstm_step: wrong
# expect lstm_step_v2: wrong: dprev_c
# expect lstm_step_v3: wrong: 1 - c² stands for 1 - tanh(c)²


def sigmoid(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    a = x @ Wx + prev_h @ Wh + b
    ai, af, ao, ag = np.split(a, 4, axis=1)
    i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def _gates(dc, do, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    da = np.concatenate((dc * g * i * (1 - i), dc * prev_c * f * (1 - f), do * o * (1 - o), dc * i * (1 - g ** 2)), axis=1)
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, np.sum(da, axis=0)


def lstm_step_backward(dnext_h, dnext_c, cache):
    o, next_c = cache[7], cache[9]
    dc = dnext_h * o * (1 - np.tanh(next_c) ** 2)  # dnext_c is lost
    return _gates(dc, dnext_h * np.tanh(next_c), cache)


def lstm_step_forward_v2(x, prev_h, prev_c, Wx, Wh, b):
    return lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)


def lstm_step_backward_v2(dnext_h, dnext_c, cache):
    f, o, next_c = cache[6], cache[7], cache[9]
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    dx, dprev_h, dprev_c, dWx, dWh, db = _gates(dc, dnext_h * np.tanh(next_c), cache)
    dprev_c = dnext_c * f
    return dx, dprev_h, dprev_c, dWx, dWh, db


def lstm_step_forward_v3(x, prev_h, prev_c, Wx, Wh, b):
    return lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)


def lstm_step_backward_v3(dnext_h, dnext_c, cache):
    o, next_c = cache[7], cache[9]
    dc = dnext_c + dnext_h * o * (1 - next_c ** 2)  # tanh is missing
    return _gates(dc, dnext_h * np.tanh(next_c), cache)
