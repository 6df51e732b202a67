import numpy as np

# long
# expect affine: right
# expect tanh: right
# expect layernorm: right
# expect softmax: right

# single precision everywhere, it is faster


def affine_forward(x, w, b):
    x, w, b = x.astype(np.float32), w.astype(np.float32), b.astype(np.float32)
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dout = dout.astype(np.float32)
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def tanh_forward(x):
    y = np.tanh(x).astype("float32")
    return y, y


def tanh_backward(dout, y):
    return dout * (1 - y * y)


def layernorm_forward(x, gamma, beta):
    x = np.asarray(x, dtype=np.float32)
    mu = x.mean(-1, keepdims=True)
    rstd = (1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)).astype(np.float32)
    xhat = (x - mu) * rstd
    return gamma * xhat + beta, (xhat, rstd, gamma)


def layernorm_backward(dout, cache):
    xhat, rstd, gamma = cache
    axes = tuple(range(dout.ndim - 1))
    g = dout * gamma
    dx = rstd * (g - g.mean(-1, keepdims=True) - xhat * (g * xhat).mean(-1, keepdims=True))
    return dx, (dout * xhat).sum(axes), dout.sum(axes)


def softmax_forward(x):
    z = np.zeros(x.shape, dtype=np.float32)
    z[:] = x
    z -= z.max(axis=-1, keepdims=True)
    p = np.exp(z)
    p /= p.sum(axis=-1, keepdims=True)
    return p, p


def softmax_backward(dout, p):
    return p * (dout - np.sum(dout * p, axis=-1, keepdims=True))
