import numpy as np

# expect cumsum: wrong
# expect take_rows: wrong: np.add.at
# expect diff: wrong
# expect affine: wrong
# expect abs: right
# expect row_scale: wrong


def cumsum_forward(x):
    return np.cumsum(x, axis=0), None


def cumsum_backward(dout, cache):
    dx = np.cumsum(dout[::-1], axis=0)[::-1].copy()
    dx[-1] = 0
    return dx


def take_rows_forward(x, idx):
    return x[idx], (x.shape, idx)


def take_rows_backward(dout, cache):
    shape, idx = cache
    dx = np.zeros(shape)
    dx[idx] += dout
    return dx


def diff_forward(x):
    return x[1:] - x[:-1], x.shape


def diff_backward(dout, shape):
    dx = np.zeros(shape)
    dx[1:] = dout
    dx[:-1] -= np.vstack([dout[1:], dout[:1]])  # shifted by one row
    return dx


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dw = np.zeros_like(w)
    for n in range(4):  # the batch of the unit test has 4 rows
        dw += np.outer(x[n], dout[n])
    return dout @ w.T, dw, dout.sum(axis=0)


def abs_forward(x):
    return np.abs(x), np.sign(x)


def abs_backward(dout, sign):
    return dout * sign


def row_scale_forward(x, scale):
    return x * scale, (x, scale)


def row_scale_backward(dout, cache):
    x, scale = cache
    dscale = (dout * x).reshape(-1, x.shape[-1]).sum(axis=0)
    dscale[0] = 0
    return dout * scale, dscale
