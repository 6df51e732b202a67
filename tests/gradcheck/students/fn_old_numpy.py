import numpy as np

# expect relu: not checked: np.float
# expect conv: not checked: NumPy
# expect affine: right
# expect one_hot: not checked: np.int


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)


def relu_forward(x):
    mask = (x > 0).astype(np.float)
    return x * mask, mask


def relu_backward(dout, mask):
    return dout * mask


def conv_forward(x, w, b):
    flat = np.reshape(x, newshape=(x.shape[0], -1))
    k = np.reshape(w, newshape=(w.shape[0], -1))
    return flat @ k.T + b, (x, w)


def conv_backward(dout, cache):
    x, w = cache
    flat, k = x.reshape(len(x), -1), w.reshape(len(w), -1)
    return (dout @ k).reshape(x.shape), (dout.T @ flat).reshape(w.shape), dout.sum(0)


def one_hot_forward(x):
    return x * x.astype(np.int), x


def one_hot_backward(dout, x):
    return dout * x.astype(np.int)
