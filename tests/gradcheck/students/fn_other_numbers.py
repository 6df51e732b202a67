"""Right for the default of an argument only: its factor is forgotten. And a learned number beside arrays."""
# expect elu: right
# expect elu_wrong: wrong: WRONG in
# expect temperature_softmax_wrong: wrong: WRONG in
# expect leaky: right
# expect prelu: right
# expect prelu_wrong: wrong: WRONG in
# expect batchnorm: right
# expect batchnorm_wrong: wrong: WRONG in
# expect max_pool_wrong: wrong: where windows overlap
# long

import numpy as np


def elu_forward(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1)), (x, alpha)


def elu_backward(dout, cache):
    x, alpha = cache
    return dout * np.where(x > 0, 1, alpha * np.exp(x))


elu_wrong_forward = elu_forward


def elu_wrong_backward(dout, cache):
    x, _ = cache
    return dout * np.where(x > 0, 1, np.exp(x))


def temperature_softmax_wrong_forward(x, temperature=1):
    e = np.exp((x - x.max(1, keepdims=True)) / temperature)
    p = e / e.sum(1, keepdims=True)
    return p, p


def temperature_softmax_wrong_backward(dout, p):
    return p * (dout - (dout * p).sum(1, keepdims=True))


def leaky(x, alpha=0.01):
    return np.where(x > 0, x, alpha * x)


def leaky_derivative(x, slope=0.01):
    return np.where(x > 0, 1, slope)


def prelu_forward(x, a):
    return np.where(x > 0, x, a * x), (x, a)


def prelu_backward(dout, cache):
    x, a = cache
    return np.where(x > 0, dout, a * dout), np.sum(dout * np.minimum(x, 0))


prelu_wrong_forward = prelu_forward


def prelu_wrong_backward(dout, cache):
    x, a = cache
    return np.where(x > 0, dout, a * dout), np.sum(dout * np.maximum(x, 0))


def batchnorm_forward(x, gamma, beta, running_mean, running_var, training=False, eps=1e-5):
    mu, var = (x.mean(0), x.var(0)) if training else (running_mean, running_var)
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    return gamma * x_hat + beta, (x_hat, gamma, std, training)


def batchnorm_backward(dout, cache, twice=1):
    x_hat, gamma, std, training = cache
    dx = dout * gamma / std
    if training:
        dx = dx - dx.mean(0) - twice * x_hat * (dx * x_hat).mean(0)
    return dx, (dout * x_hat).sum(0), dout.sum(0)


def batchnorm_wrong_forward(x, gamma, beta, running_mean, running_var, training=False, eps=1e-5):
    return batchnorm_forward(x, gamma, beta, running_mean, running_var, training, eps)


def batchnorm_wrong_backward(dout, cache):
    return batchnorm_backward(dout, cache, twice=2)


def max_pool_wrong_forward(x, pool_param):
    h, w, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    rows, columns = (x.shape[2] - h) // s + 1, (x.shape[3] - w) // s + 1
    out = np.zeros((*x.shape[:2], rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[:, :, i, j] = x[:, :, i * s : i * s + h, j * s : j * s + w].max((2, 3))
    return out, (x, pool_param)


def max_pool_wrong_backward(dout, cache):
    x, pool_param = cache
    h, w, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            window = x[:, :, i * s : i * s + h, j * s : j * s + w]
            top = window == window.max((2, 3), keepdims=True)
            dx[:, :, i * s : i * s + h, j * s : j * s + w] = top * dout[:, :, i : i + 1, j : j + 1]
    return dx
