import numpy as np

# long
# expect instance_norm: right
# expect ln_columns: right
# expect l2_normalize: right
# expect weight_norm: right
# expect batchnorm_nhwc: right
# expect standardize: right
# expect l2_normalize_v2: wrong


def instance_norm_forward(x, gamma, beta, eps=1e-5):
    """x is (N, H, W, C)"""
    mean = x.mean(axis=(1, 2), keepdims=True)
    istd = 1 / np.sqrt(x.var(axis=(1, 2), keepdims=True) + eps)
    xh = (x - mean) * istd
    return xh * gamma + beta, (xh, istd, gamma)


def instance_norm_backward(dout, cache):
    xh, istd, gamma = cache
    g = dout * gamma
    dx = istd * (g - g.mean(axis=(1, 2), keepdims=True) - xh * np.mean(g * xh, axis=(1, 2), keepdims=True))
    return dx, np.sum(dout * xh, axis=(0, 1, 2)), np.sum(dout, axis=(0, 1, 2))


def ln_columns_forward(x, gamma, beta):
    # features in rows, examples in columns; gamma and beta are columns too
    mu, v = x.mean(axis=0), x.var(axis=0)
    xh = (x - mu) / np.sqrt(v + 1e-8)
    return gamma.reshape(-1, 1) * xh + beta.reshape(-1, 1), (xh, v, gamma)


def ln_columns_backward(dout, cache):
    xh, v, gamma = cache
    g = gamma.reshape(-1, 1) * dout
    dx = (g - g.mean(axis=0) - xh * (g * xh).mean(axis=0)) / np.sqrt(v + 1e-8)
    return dx, (dout * xh).sum(axis=1).reshape(gamma.shape), dout.sum(axis=1).reshape(gamma.shape)


def l2_normalize_forward(x):
    n = np.linalg.norm(x, axis=1, keepdims=True)
    return x / n, (x / n, n)


def l2_normalize_backward(dout, cache):
    y, n = cache
    return (dout - y * np.sum(dout * y, axis=1, keepdims=True)) / n


def l2_normalize_backward_v2(dout, cache):
    y, n = cache
    return dout / n


def weight_norm_forward(x, v, g):
    """w = g v / |v|, one g for each column"""
    norm = np.sqrt((v ** 2).sum(axis=0))
    w = v / norm * g
    return x @ w, (x, v, g, norm, w)


def weight_norm_backward(dout, cache):
    x, v, g, norm, w = cache
    dw = x.T @ dout
    dg = np.sum(dw * v / norm, axis=0)
    return dout @ w.T, dw * g / norm - v * g * dg / norm ** 2, dg


def batchnorm_nhwc_forward(x, gamma, beta):
    ax = (0, 1, 2)
    xh = (x - x.mean(ax)) / np.sqrt(x.var(ax) + 1e-3)
    return xh * gamma + beta, (xh, np.sqrt(x.var(ax) + 1e-3), gamma)


def batchnorm_nhwc_backward(dout, cache):
    xh, s, gamma = cache
    ax, n = (0, 1, 2), xh[..., 0].size
    dgamma, dbeta = (dout * xh).sum(ax), dout.sum(ax)
    return gamma / s * (dout - dbeta / n - xh * dgamma / n), dgamma, dbeta


def standardize_forward(x):
    xh = (x - x.mean()) / x.std()
    return xh, (xh, x.std())


def standardize_backward(dout, cache):
    xh, s = cache
    return (dout - dout.mean() - xh * (dout * xh).mean()) / s
