import numpy as np

# long
# expect bn: wrong: mean
# expect bn_alt: wrong: running_var
# expect bn_v2: wrong: swapped
# expect bn_v3: wrong: beta
# expect bn_v4: wrong

EPS = 1e-5


def bn_forward(x, gamma, beta, bn_param):
    m = x.mean(axis=0)
    v = x.var(axis=0)
    rv = bn_param.get("running_var", np.ones_like(v))
    rv = 0.9 * rv + 0.1 * v
    bn_param["running_var"] = rv
    x_hat = (x - m) / np.sqrt(v + EPS)
    return gamma * x_hat + beta, (x, x_hat, m, v, rv, gamma, beta)


def bn_backward(dout, cache):
    x, x_hat, m, v, rv, gamma, beta = cache
    dxhat = dout * gamma
    dx = (dxhat - x_hat * np.mean(dxhat * x_hat, axis=0)) / np.sqrt(v + EPS)  # the first mean is lost
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


def bn_backward_alt(dout, cache):
    x, x_hat, m, v, running_var, gamma, beta = cache
    dxhat = dout * gamma
    dx = dxhat - dxhat.mean(0) - x_hat * np.mean(dxhat * x_hat, axis=0)
    dx /= np.sqrt(running_var + EPS)
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


def bn_backward_v2(dout, cache):
    x, x_hat, var, mean, rv, gamma, beta = cache  # the order is wrong here
    N = x.shape[0]
    std = np.sqrt(np.abs(var) + EPS)
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(0) - x_hat * np.mean(dxhat * x_hat, axis=0)) / std
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


def bn_backward_v3(dout, cache):
    x, x_hat, m, v, rv, gamma, beta = cache
    dxhat = dout * beta
    dx = (dxhat - dxhat.mean(0) - x_hat * np.mean(dxhat * x_hat, axis=0)) / np.sqrt(v + EPS)
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)


def bn_backward_v4(dout, cache):
    x, x_hat, m, v, rv, gamma, beta = cache
    N = len(x)
    dxhat = dout * gamma
    dvar = np.sum(dxhat * (x - m) * -0.5 * (v + EPS) ** -1.5, axis=0)
    dmu = np.sum(-dxhat / np.sqrt(v + EPS), axis=0)
    dx = dxhat / np.sqrt(v + EPS) + dvar * (x - m) / N + dmu / N  # the 2 is forgotten
    return dx, np.sum(dout * x_hat, axis=0), np.sum(dout, axis=0)
