import numpy as np

# long
# expect gelu: wrong
# expect quick_gelu: wrong
# expect swish: wrong
# expect elu: wrong
# expect leaky_relu: wrong
# expect selu: wrong
# expect tanh: wrong: ²)

c = np.sqrt(2 / np.pi)


def gelu_forward(x):
    u = c * (x + 0.044715 * x ** 3)
    return 0.5 * x * (1 + np.tanh(u)), (x, np.tanh(u))


def gelu_backward(dout, cache):
    x, t = cache
    # the inner derivative has lost its 3
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * c * (1 + 0.044715 * x ** 2))


def quick_gelu_forward(x):
    s = 1 / (1 + np.exp(-1.702 * x))
    return x * s, (x, s)


def quick_gelu_backward(dout, cache):
    x, s = cache
    return dout * (s + x * s * (1 - s))


def swish_forward(x):
    s = 1 / (1 + np.exp(-x))
    return x * s, (x, s)


def swish_backward(dout, cache):
    x, s = cache
    return dout * s


def elu_forward(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(x)), (x, alpha)


def elu_backward(dout, cache):
    x, alpha = cache
    return np.where(x > 0, dout, alpha * dout)


def leaky_relu_forward(x, alpha=0.01):
    return np.maximum(alpha * x, x), (x, alpha)


def leaky_relu_backward(dout, cache):
    x, alpha = cache
    dx = dout.copy()
    dx[x < 0] = alpha
    return dx


def selu_forward(x):
    return 1.0507 * np.where(x > 0, x, 1.67326 * (np.exp(x) - 1)), x


def selu_backward(dout, x):
    return dout * np.where(x > 0, 1.0, 1.67326 * np.exp(x))


def tanh_forward(x):
    h = np.tanh(x)
    return h, h


def tanh_backward(dout, h):
    return dout * (1 - h)
