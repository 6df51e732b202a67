import numpy as np

# long
# expect conv: wrong: stride
# expect conv_v2: wrong: dx
# expect conv_v3: wrong: db
# expect max_pool: wrong: average pooling
# expect avg_pool: wrong


def conv_forward(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, C, h, k = w.shape
    xp = np.pad(x, ((0,), (0,), (p,), (p,)))
    out = np.zeros((N, F, (H + 2 * p - h) // s + 1, (W + 2 * p - k) // s + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = np.tensordot(xp[:, :, i * s:i * s + h, j * s:j * s + k], w, ((1, 2, 3), (1, 2, 3))) + b
    return out, (xp, w, s, p)


def _conv_back(dout, cache, step):
    xp, w, s, p = cache
    h, k = w.shape[2:]
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            d = dout[:, :, i, j]
            win = np.s_[:, :, i * step:i * step + h, j * step:j * step + k]
            dw += np.tensordot(d.T, xp[win], 1)
            dxp[win] += np.tensordot(d, w, 1)
    return dxp, dw, dout.sum((0, 2, 3)), p


def conv_backward(dout, cache):
    dxp, dw, db, p = _conv_back(dout, cache, 1)  # the windows do not move by the stride
    return dxp[:, :, p:-p, p:-p], dw, db


def conv_backward_v2(dout, cache):
    dxp, dw, db, p = _conv_back(dout, cache, cache[2])
    return dxp[:, :, :-2 * p, :-2 * p], dw, db  # cut off at one side only


def conv_backward_v3(dout, cache):
    dxp, dw, db, p = _conv_back(dout, cache, cache[2])
    return dxp[:, :, p:-p, p:-p], dw, dout.mean((0, 2, 3))


def max_pool_forward(x, pool_param):
    k = pool_param["pool_height"]
    N, C, H, W = x.shape
    tiles = x.reshape(N, C, H // k, k, W // k, k)
    return tiles.max(axis=(3, 5)), (x, k)


def max_pool_backward(dout, cache):
    x, k = cache
    return dout.repeat(k, axis=2).repeat(k, axis=3) / (k * k)


def avg_pool_forward(x, pool_param):
    k = pool_param["pool_height"]
    N, C, H, W = x.shape
    return x.reshape(N, C, H // k, k, W // k, k).mean(axis=(3, 5)), (x.shape, k)


def avg_pool_backward(dout, cache):
    shape, k = cache
    return dout.repeat(k, axis=2).repeat(k, axis=3)
