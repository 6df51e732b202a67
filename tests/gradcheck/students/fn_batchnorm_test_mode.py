import numpy as np

# expect batchnorm_test: right
# expect batchnorm_inference: wrong: constants
# expect scale_shift: right


def batchnorm_test_forward(x, gamma, beta, running_mean, running_var, eps=1e-5):
    """At test time the running statistics are constants."""
    std = np.sqrt(running_var + eps)
    xhat = (x - running_mean) / std
    return gamma * xhat + beta, (xhat, std, gamma)


def batchnorm_test_backward(dout, cache):
    xhat, std, gamma = cache
    return dout * gamma / std, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def batchnorm_inference_forward(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return batchnorm_test_forward(x, gamma, beta, running_mean, running_var, eps)


def batchnorm_inference_backward(dout, cache):
    # the formula of training
    xhat, std, gamma = cache
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def scale_shift_forward(x, gamma, beta):
    return x * gamma + beta, (x, gamma)


def scale_shift_backward(dout, cache):
    x, gamma = cache
    return dout * gamma, np.sum(dout * x, axis=0), np.sum(dout, axis=0)
