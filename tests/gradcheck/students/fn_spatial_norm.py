import numpy as np

# long
# expect batchnorm: right
# expect spatial_batchnorm: right
# expect spatial_groupnorm: right


def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    if bn_param["mode"] == "test":
        return gamma * (x - bn_param["running_mean"]) / np.sqrt(bn_param["running_var"] + eps) + beta, None
    xn = (x - x.mean(0)) / np.sqrt(x.var(0) + eps)
    return gamma * xn + beta, (xn, np.sqrt(x.var(0) + eps), gamma)


def batchnorm_backward(dout, cache):
    xn, s, gamma = cache
    dgamma = (dout * xn).sum(0)
    dbeta = dout.sum(0)
    return gamma / s * (dout - dbeta / len(xn) - xn * dgamma / len(xn)), dgamma, dbeta


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    out, cache = batchnorm_forward(flat, gamma, beta, bn_param)
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2), cache


def spatial_batchnorm_backward(dout, cache):
    N, C, H, W = dout.shape
    dflat = dout.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    dx, dgamma, dbeta = batchnorm_backward(dflat, cache)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    """gamma and beta have the shape (1, C, 1, 1)."""
    eps = gn_param.get("eps", 1e-5)
    N, C, H, W = x.shape
    group = x.reshape(N, G, C // G * H * W)
    mean = group.mean(axis=2, keepdims=True)
    std = np.sqrt(group.var(axis=2, keepdims=True) + eps)
    x_norm = ((group - mean) / std).reshape(x.shape)
    out = x_norm * gamma + beta
    return out, (G, x_norm, std, gamma)


def spatial_groupnorm_backward(dout, cache):
    G, x_norm, std, gamma = cache
    N, C, H, W = dout.shape
    dgamma = np.sum(dout * x_norm, axis=(0, 2, 3), keepdims=True)
    dbeta = np.sum(dout, axis=(0, 2, 3), keepdims=True)
    dxn = (dout * gamma).reshape(N, G, -1)
    xg = x_norm.reshape(N, G, -1)
    dx = (dxn - dxn.mean(2, keepdims=True) - xg * (dxn * xg).mean(2, keepdims=True)) / std
    return dx.reshape(N, C, H, W), dgamma, dbeta
