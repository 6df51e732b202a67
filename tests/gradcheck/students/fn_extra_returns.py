import numpy as np

# expect batchnorm: right
# expect batchnorm_v2: wrong: dx
# expect dense: right
# expect maxout: right


def batchnorm_forward(x, gamma, beta, running_mean, running_var, eps=1e-5, momentum=0.9, training=True):
    if training:
        mean, var = x.mean(axis=0), x.var(axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    else:
        mean, var = running_mean, running_var
    ivar = 1.0 / np.sqrt(var + eps)
    xhat = (x - mean) * ivar
    out = gamma * xhat + beta
    return out, (xhat, ivar, gamma), running_mean, running_var


def batchnorm_backward(dout, cache):
    xhat, ivar, gamma = cache
    m = xhat.shape[0]
    dgamma, dbeta = np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)
    dx = ivar * gamma / m * (m * dout - dbeta - dgamma * xhat)
    return dx, dgamma, dbeta


def batchnorm_forward_v2(x, gamma, beta, running_mean, running_var):
    return batchnorm_forward(x, gamma, beta, running_mean, running_var)


def batchnorm_backward_v2(dout, cache):
    xhat, ivar, gamma = cache
    dx = dout * gamma * ivar
    return dx, np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)


def dense_forward(x, w, b):
    z = x @ w + b
    a = np.tanh(z)
    return a, z, (x, w, a)


def dense_backward(da, cache):
    x, w, a = cache
    dz = da * (1 - a ** 2)
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


def maxout_forward(x, w1, w2):
    a, b = x @ w1, x @ w2
    return np.maximum(a, b), a >= b, (x, w1, w2, a >= b)


def maxout_backward(dout, cache):
    x, w1, w2, first = cache
    da, db = dout * first, dout * ~first
    return {"dx": da @ w1.T + db @ w2.T, "dw1": x.T @ da, "dw2": x.T @ db}
