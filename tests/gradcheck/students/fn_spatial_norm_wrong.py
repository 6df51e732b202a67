import numpy as np

# long
# expect spatial_batchnorm: wrong
# expect spatial_groupnorm: wrong: dx
# expect instance_norm: wrong: dgamma


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    """bn over N, H and W"""
    eps = 1e-5
    g, b = gamma.reshape(1, -1, 1, 1), beta.reshape(1, -1, 1, 1)
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    var = x.var(axis=(0, 2, 3), keepdims=True)
    xh = (x - mu) / np.sqrt(var + eps)
    return g * xh + b, (xh, var + eps, g)


def spatial_batchnorm_backward(dout, cache):
    xh, ve, g = cache
    N = dout.shape[0]  # should be N*H*W
    axes = (0, 2, 3)
    dxh = dout * g
    dx = (N * dxh - dxh.sum(axes, keepdims=True) - xh * (dxh * xh).sum(axes, keepdims=True)) / (N * np.sqrt(ve))
    return dx, (dout * xh).sum(axes), dout.sum(axes)


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    N, C, H, W = x.shape
    eps = gn_param.get("eps", 1e-5)
    x = x.reshape(N * G, -1).T
    mu, var = x.mean(0), x.var(0)
    xh = (x - mu) / np.sqrt(var + eps)
    xh = xh.T.reshape(N, C, H, W)
    return gamma * xh + beta, (G, xh, np.sqrt(var + eps), gamma)


def spatial_groupnorm_backward(dout, cache):
    G, xh, std, gamma = cache
    N, C, H, W = dout.shape
    dgamma = (dout * xh).sum((0, 2, 3), keepdims=True)
    dbeta = dout.sum((0, 2, 3), keepdims=True)
    dxh = (dout * gamma).reshape(N * G, -1).T
    xh = xh.reshape(N * G, -1).T
    dx = (dxh - xh * (dxh * xh).mean(0)) / std
    return dx.T.reshape(N, C, H, W), dgamma, dbeta


def instance_norm_forward(x, gamma, beta):
    mu = x.mean(axis=(2, 3), keepdims=True)
    sd = np.sqrt(x.var(axis=(2, 3), keepdims=True) + 1e-5)
    xh = (x - mu) / sd
    return gamma[None, :, None, None] * xh + beta[None, :, None, None], (xh, sd, gamma)


def instance_norm_backward(dout, cache):
    xh, sd, gamma = cache
    g = dout * gamma[None, :, None, None]
    m = (2, 3)
    dx = (g - g.mean(m, keepdims=True) - xh * (g * xh).mean(m, keepdims=True)) / sd
    dgamma = np.sum(dout, axis=(0, 2, 3))
    dbeta = np.sum(dout, axis=(0, 2, 3))
    return dx, dgamma, dbeta
