import numpy as np

# long
# expect affine: wrong: db
# expect relu: wrong


def affine_forward(x, w, b):
    x, w, b = (a.astype(np.float32) for a in (x, w, b))
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dout = dout.astype(np.float32)
    return dout @ w.T, x.T @ dout, dout.mean(axis=0)


def relu_forward(x):
    return np.maximum(np.float32(x), 0), np.float32(x)


def relu_backward(dout, x):
    return dout * (x < 0)
