import numpy as np

# long
# expect layernorm: wrong: runs over axis 0
# expect layernorm_b: wrong: gamma
# expect layernorm_c: wrong: dgamma
# expect layernorm_d: wrong: 1/sigma is missing
# expect rms_norm: wrong: dx


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    mu = x.mean(axis=1, keepdims=True)
    sigma = np.sqrt(x.var(axis=1, keepdims=True) + eps)
    x_hat = (x - mu) / sigma
    return gamma * x_hat + beta, (x_hat, sigma, gamma, mu)


def layernorm_backward(dout, cache):
    # copied from batchnorm: the means are over the batch still
    x_hat, sigma, gamma, mu = cache
    dx_hat = dout * gamma
    dx = (dx_hat - dx_hat.mean(axis=0) - x_hat * (dx_hat * x_hat).mean(axis=0)) / sigma
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


def layernorm_backward_b(dout, cache):
    x_hat, sigma, gamma, mu = cache
    dx = gamma / sigma * (dout - dout.mean(axis=1, keepdims=True) - x_hat * (dout * x_hat).mean(axis=1, keepdims=True))
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


def layernorm_backward_c(dout, cache):
    x_hat, sigma, gamma, mu = cache
    D = dout.shape[1]
    g = dout * gamma
    dx = (D * g - g.sum(1, keepdims=True) - x_hat * (g * x_hat).sum(1, keepdims=True)) / (D * sigma)
    dgamma = np.sum(dout * (x_hat * sigma + mu), axis=0)
    return dx, dgamma, dout.sum(0)


def layernorm_backward_d(dout, cache):
    x_hat, sigma, gamma, mu = cache
    g = dout * gamma
    dx = g - g.mean(1, keepdims=True) - x_hat * (g * x_hat).mean(1, keepdims=True)
    return dx, np.sum(dout * x_hat, axis=0), dout.sum(0)


def rms_norm_forward(x, g, eps=1e-5):
    rms = np.sqrt((x ** 2).mean(-1, keepdims=True) + eps)
    return x / rms * g, (x, rms, g)


def rms_norm_backward(dout, cache):
    x, rms, g = cache
    dn = dout * g
    dx = dn / rms - x / rms ** 3 * np.sum(dn * x, axis=-1, keepdims=True)  # mean, not sum
    return dx, (dout * x / rms).reshape(-1, x.shape[-1]).sum(0)
