import numpy as np

# expect layernorm: right
# expect layer_norm: right
# expect rmsnorm: right


def layernorm_forward(x, gamma, beta, ln_param):
    """The batchnorm code on the transposed input."""
    eps = ln_param.get("eps", 1e-5)
    xt = x.T
    mu = xt.mean(axis=0)
    var = xt.var(axis=0)
    std = np.sqrt(var + eps)
    z = ((xt - mu) / std).T
    out = gamma * z + beta
    cache = (z, std, gamma)
    return out, cache


def layernorm_backward(dout, cache):
    z, std, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = np.sum(dout * z, axis=0)
    dz = (dout * gamma).T
    zt = z.T
    D = zt.shape[0]
    dxt = (D * dz - dz.sum(axis=0) - zt * np.sum(dz * zt, axis=0)) / (D * std)
    return dxt.T, dgamma, dbeta


def layer_norm_forward(x, weight, bias, eps=1e-5):
    mean = x.mean(-1, keepdims=True)
    rstd = 1.0 / np.sqrt(x.var(-1, keepdims=True) + eps)
    norm = (x - mean) * rstd
    return norm * weight + bias, (norm, rstd, weight)


def layer_norm_backward(dout, cache):
    norm, rstd, weight = cache
    axes = tuple(range(dout.ndim - 1))
    dnorm = dout * weight
    dx = dnorm - dnorm.mean(-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    return dx * rstd, (dout * norm).sum(axes), dout.sum(axes)


def rmsnorm_forward(x, weight, eps=1e-6):
    ms = np.mean(x * x, axis=-1, keepdims=True)
    r = 1 / np.sqrt(ms + eps)
    return weight * (x * r), (x, r, weight)


def rmsnorm_backward(dout, cache):
    x, r, weight = cache
    g = dout * weight
    dx = r * g - x * r ** 3 * np.mean(g * x, axis=-1, keepdims=True)
    dweight = (dout * x * r).reshape(-1, x.shape[-1]).sum(0)
    return dx, dweight
