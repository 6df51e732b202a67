"""An a or k that is a slope, and two layers of one x whose weights no name tells."""

# expect leaky_relu: right
# expect leaky_relu_wrong: wrong
# expect elu: right
# expect prelu: right
# expect prelu_wrong: wrong: WRONG in da
# expect encoder: right
# expect encoder_wrong: wrong: WRONG in dx
import numpy as np


def leaky_relu_forward(x, a):
    return np.where(x > 0, x, a * x), (x, a)


def leaky_relu_backward(dout, cache):
    x, a = cache
    return dout * np.where(x > 0, 1, a)


def leaky_relu_wrong_forward(x, a):
    return np.where(x > 0, x, a * x), (x, a)


def leaky_relu_wrong_backward(dout, cache):
    x, a = cache
    return dout * (x > 0)


def elu_forward(x, k):
    return np.where(x > 0, x, k * (np.exp(x) - 1)), (x, k)


def elu_backward(dout, cache):
    x, k = cache
    return dout * np.where(x > 0, 1, k * np.exp(x))


def prelu_forward(x, a):
    return np.where(x > 0, x, a * x), (x, a)


def prelu_backward(dout, cache):
    x, a = cache
    return dout * np.where(x > 0, 1, a), (dout * x * (x < 0)).sum(axis=0)


def prelu_wrong_forward(x, a):
    return np.where(x > 0, x, a * x), (x, a)


def prelu_wrong_backward(dout, cache):
    x, a = cache
    return dout * np.where(x > 0, 1, a), (dout * x).sum(axis=0)


def encoder_forward(x, Wmu, bmu, Wlv, blv):
    return (x @ Wmu + bmu, x @ Wlv + blv), (x, Wmu, Wlv)


def encoder_backward(dmu, dlogvar, cache):
    x, Wmu, Wlv = cache
    return dmu @ Wmu.T + dlogvar @ Wlv.T, x.T @ dmu, dmu.sum(axis=0), x.T @ dlogvar, dlogvar.sum(axis=0)


def encoder_wrong_forward(x, Wmu, bmu, Wlv, blv):
    return (x @ Wmu + bmu, x @ Wlv + blv), (x, Wmu, Wlv)


def encoder_wrong_backward(dmu, dlogvar, cache):
    x, Wmu, Wlv = cache
    return dmu @ Wmu.T, x.T @ dmu, dmu.sum(axis=0), x.T @ dlogvar, dlogvar.sum(axis=0)
