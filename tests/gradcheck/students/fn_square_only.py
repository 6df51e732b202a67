import numpy as np

# expect dense: wrong or not checked: ValueError
# expect conv: wrong: right where H = W
# expect col_mean: wrong: right where N = D
# expect upsample: right

# all tested with 5 x 5 only


def dense_forward(x, W, b):
    return x @ W.T + b, (x, W)


def dense_backward(dout, cache):
    x, W = cache
    return dout @ W.T, dout.T @ x, dout.sum(axis=0)


def conv_forward(x, w, b):
    """stride 1, no padding"""
    N, C, H, W = x.shape
    F, C, k, l = w.shape
    out = np.zeros((N, F, H - k + 1, W - l + 1))
    for i in range(H - k + 1):
        for j in range(W - l + 1):
            out[:, :, i, j] = np.einsum("nchw,fchw->nf", x[:, :, i:i + k, j:j + l], w) + b
    return out, (x, w)


def conv_backward(dout, cache):
    x, w = cache
    N, C, W, H = x.shape  # H and W
    k = w.shape[2]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(H - k + 1):
        for j in range(W - k + 1):
            dw += np.einsum("nf,nchw->fchw", dout[:, :, i, j], x[:, :, i:i + k, j:j + k])
            dx[:, :, i:i + k, j:j + k] += np.einsum("nf,fchw->nchw", dout[:, :, i, j], w)
    return dx, dw, dout.sum(axis=(0, 2, 3))


def col_mean_forward(x):
    return x - x.mean(axis=0), x.shape


def col_mean_backward(dout, shape):
    return dout - dout.sum(axis=0) / shape[1]  # divides by the other side


def upsample_forward(x):
    return x.repeat(2, axis=-1).repeat(2, axis=-2), x.shape


def upsample_backward(dout, shape):
    H, W = shape[-2:]
    return dout.reshape(shape[:-2] + (H, 2, W, 2)).sum(axis=(-3, -1))
