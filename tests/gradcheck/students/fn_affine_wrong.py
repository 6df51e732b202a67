import numpy as np

# long
# expect affine: wrong or not checked: ValueError
# expect affine_v2: wrong: dw
# expect affine_v3: wrong: db
# expect affine_v4: wrong: dx
# expect relu: wrong: the mask is taken from dout
# expect relu_v2: wrong: mask

# several tries, the last one is handed in


def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = (dout @ w).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def affine_forward_v2(x, w, b):
    return affine_forward(x, w, b)


def affine_backward_v2(dout, cache):
    x, w, b = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout / len(x)
    db = dout.sum(axis=0)
    return dx, dw, db


def affine_backward_v3(dout, cache):
    x, w, b = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = np.mean(dout, axis=0)
    return dx, dw, db


def affine_backward_v4(dout, cache):
    x, w, b = cache
    dx = (dout @ w.reshape(w.shape[1], w.shape[0])).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return x * (x > 0), x


def relu_backward(dout, cache):
    x = cache
    dx = dout * (dout > 0)
    return dx


def relu_forward_v2(x):
    return np.maximum(x, 0), x


def relu_backward_v2(dout, cache):
    dx = np.array(dout, copy=True)
    dx[cache > 0] = 0
    return dx
