import numpy as np

# expect relu: wrong: numbers right, writes into dout
# expect relu_passed: wrong: numbers
# expect scale: wrong: numbers right
# expect square: wrong: numbers right


def relu_forward(x):
    cache = x
    return np.maximum(x, 0), cache


def relu_backward(dout, cache):
    dout[cache <= 0] = 0
    return dout


def relu_passed_forward(x):
    mask = x <= 0
    return np.where(mask, 0, x), mask


def relu_passed_backward(dout, mask):
    dx = dout
    dx[mask] = 0
    return dx


def scale_forward(x, gamma):
    return x * gamma, (x, gamma)


def scale_backward(dout, cache):
    x, gamma = cache
    dgamma = (dout * x).reshape(-1, x.shape[-1]).sum(axis=0)
    dout *= gamma
    return dout.copy(), dgamma


def square_forward(x):
    return x ** 2, [x]


def square_backward(dout, cache):
    cache[0] *= 2
    return dout * cache[0]
