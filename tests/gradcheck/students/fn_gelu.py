import math

import numpy as np

# expect gelu: right
# expect gelu_exact: right
# expect silu: right
# expect elu: right
# expect leaky_relu: right
# expect mish: right
# expect hard_sigmoid: right

erf = np.vectorize(math.erf)


def gelu_forward(x):
    t = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3))
    return 0.5 * x * (1 + t), (x, t)


def gelu_backward(dout, cache):
    x, t = cache
    inner = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x ** 2)
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t ** 2) * inner)


def gelu_exact_forward(x):
    cdf = 0.5 * (1 + erf(x / math.sqrt(2)))
    return x * cdf, (x, cdf)


def gelu_exact_backward(dout, cache):
    x, cdf = cache
    pdf = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return dout * (cdf + x * pdf)


def silu_forward(x):
    s = 1 / (1 + np.exp(-x))
    return x * s, (x, s)


def silu_backward(dout, cache):
    x, s = cache
    return dout * (s + x * s * (1 - s))


def elu_forward(x, alpha=1.0):
    out = np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))
    return out, (x, out, alpha)


def elu_backward(dout, cache):
    x, out, alpha = cache
    return np.where(x > 0, dout, dout * (out + alpha))


def leaky_relu_forward(x, negative_slope):
    return np.where(x >= 0, x, negative_slope * x), (x, negative_slope)


def leaky_relu_backward(dout, cache):
    x, slope = cache
    return dout * np.where(x >= 0, 1, slope)


def mish_forward(x):
    sp = np.log1p(np.exp(x))
    return x * np.tanh(sp), (x, np.tanh(sp))


def mish_backward(dout, cache):
    x, t = cache
    return dout * (t + x * (1 - t * t) / (1 + np.exp(-x)))


def hard_sigmoid_forward(x):
    return np.clip(0.2 * x + 0.5, 0, 1), x


def hard_sigmoid_backward(dout, x):
    return dout * 0.2 * ((x > -2.5) & (x < 2.5))
