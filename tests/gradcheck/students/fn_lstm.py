import numpy as np

# long
# expect lstm_step: right
# expect lstm: right
# expect gru_step: right


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H:2 * H]), sigmoid(a[:, 2 * H:3 * H])
    g = np.tanh(a[:, 3 * H:])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)
    return next_h, next_c, cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    tc = np.tanh(next_c)
    dc = dnext_c + dnext_h * o * (1 - tc ** 2)
    di, df, do, dg = dc * g, dc * prev_c, dnext_h * tc, dc * i
    da = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g ** 2)])
    return da.dot(Wx.T), da.dot(Wh.T), dc * f, x.T.dot(da), prev_h.T.dot(da), da.sum(0)


def lstm_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h, c = h0, np.zeros_like(h0)
    out, cache = np.zeros((N, T, h0.shape[1])), []
    for t in range(T):
        h, c, one = lstm_step_forward(x[:, t], h, c, Wx, Wh, b)
        out[:, t] = h
        cache.append(one)
    return out, cache


def lstm_backward(dh, cache):
    N, T, H = dh.shape
    dx, dWx, dWh, db = [], 0, 0, 0
    dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        dxt, dh_next, dc_next, dwx, dwh, dbt = lstm_step_backward(dh[:, t] + dh_next, dc_next, cache[t])
        dx.insert(0, dxt)
        dWx, dWh, db = dWx + dwx, dWh + dwh, db + dbt
    return np.stack(dx, 1), dh_next, dWx, dWh, db


def gru_step_forward(x, h_prev, Wx, Wh, b):
    """gates in the order r, z, n"""
    H = h_prev.shape[1]
    ax, ah = x @ Wx + b, h_prev @ Wh
    r, z = sigmoid(ax[:, :H] + ah[:, :H]), sigmoid(ax[:, H:2 * H] + ah[:, H:2 * H])
    n = np.tanh(ax[:, 2 * H:] + r * ah[:, 2 * H:])
    return (1 - z) * n + z * h_prev, (x, h_prev, Wx, Wh, r, z, n, ah[:, 2 * H:])


def gru_step_backward(dh, cache):
    x, h_prev, Wx, Wh, r, z, n, hn = cache
    dn = dh * (1 - z) * (1 - n * n)
    dz = dh * (h_prev - n) * z * (1 - z)
    dr = dn * hn * r * (1 - r)
    dax, dah = np.hstack([dr, dz, dn]), np.hstack([dr, dz, dn * r])
    return dax @ Wx.T, dh * z + dah @ Wh.T, x.T @ dax, h_prev.T @ dah, dax.sum(0)
