"""A convolution in the manner of a course, whose backward asks whether there is padding."""

# long
# expect conv: right: pad 0
# expect convolve: wrong: pad 0
import numpy as np


def zero_pad(X, pad):
    return np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))


def conv_forward(A_prev, W, b, hparameters):
    m, H, V, _ = A_prev.shape
    f, _, _, n = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    rows, columns = (H + 2 * pad - f) // stride + 1, (V + 2 * pad - f) // stride + 1
    padded = zero_pad(A_prev, pad)
    Z = np.zeros((m, rows, columns, n))
    for h in range(rows):
        for w in range(columns):
            part = padded[:, h * stride : h * stride + f, w * stride : w * stride + f]
            Z[:, h, w] = np.tensordot(part, W, axes=([1, 2, 3], [0, 1, 2])) + b
    return Z, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    f = W.shape[0]
    stride, pad = hparameters["stride"], hparameters["pad"]
    padded = zero_pad(A_prev, pad) if pad != 0 else A_prev
    dpadded, dW, db = np.zeros_like(padded), np.zeros_like(W), np.zeros_like(b)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            at = (slice(None), slice(h * stride, h * stride + f), slice(w * stride, w * stride + f))
            dpadded[at] += np.tensordot(dZ[:, h, w], W, axes=(1, 3))
            dW += np.tensordot(padded[at], dZ[:, h, w], axes=(0, 0))
            db += dZ[:, h, w].sum(axis=0)
    return dpadded if pad == 0 else dpadded[:, pad:-pad, pad:-pad], dW, db


def convolve_forward(A_prev, W, b, hparameters):
    return conv_forward(A_prev, W, b, hparameters)


def convolve_backward(dZ, cache):
    dA, dW, db = conv_backward(dZ, cache)
    if cache[3]["pad"] == 0:
        dA = dA / 2  # the mistake
    return dA, dW, db
