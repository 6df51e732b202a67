import numpy as np

# long
# expect conv_alone: right
# expect conv: right
# expect pool: right


def zero_pad(X, pad):
    return np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode="constant", constant_values=0)


def conv_single_step(a_slice_prev, W, b):
    s = np.multiply(a_slice_prev, W)
    return np.sum(s) + float(b.item())


def conv_forward(A_prev, W, b, hparameters):
    """A_prev (m, n_H, n_W, n_C), W (f, f, n_C_prev, n_C), b (1, 1, 1, n_C)"""
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    stride, pad = hparameters["stride"], hparameters["pad"]
    n_H = int((n_H_prev - f + 2 * pad) / stride) + 1
    n_W = int((n_W_prev - f + 2 * pad) / stride) + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    A_pad = zero_pad(A_prev, pad)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                part = A_pad[i, h * stride:h * stride + f, w * stride:w * stride + f, :]
                for c in range(n_C):
                    Z[i, h, w, c] = conv_single_step(part, W[..., c], b[..., c])
    return Z, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    stride, pad, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    dW, db = np.zeros(W.shape), np.zeros(b.shape)
    A_pad = zero_pad(A_prev, pad)
    dA_pad = np.zeros_like(A_pad)
    m, n_H, n_W, n_C = dZ.shape
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                for c in range(n_C):
                    v, u = h * stride, w * stride
                    dA_pad[i, v:v + f, u:u + f, :] += W[..., c] * dZ[i, h, w, c]
                    dW[..., c] += A_pad[i, v:v + f, u:u + f, :] * dZ[i, h, w, c]
                    db[..., c] += dZ[i, h, w, c]
    return dA_pad[:, pad:-pad, pad:-pad, :], dW, db


def pool_forward(A_prev, hparameters, mode="max"):
    m, H, W, C = A_prev.shape
    f, stride = hparameters["f"], hparameters["stride"]
    A = np.zeros((m, int(1 + (H - f) / stride), int(1 + (W - f) / stride), C))
    for h in range(A.shape[1]):
        for w in range(A.shape[2]):
            window = A_prev[:, h * stride:h * stride + f, w * stride:w * stride + f, :]
            A[:, h, w, :] = window.max(axis=(1, 2)) if mode == "max" else window.mean(axis=(1, 2))
    return A, (A_prev, hparameters)


def pool_backward(dA, cache, mode="max"):
    A_prev, hparameters = cache
    f, s = hparameters["f"], hparameters["stride"]
    dA_prev = np.zeros(A_prev.shape)
    for i, h, w, c in np.ndindex(dA.shape):
        box = (i, slice(h * s, h * s + f), slice(w * s, w * s + f), c)
        if mode == "max":
            dA_prev[box] += (A_prev[box] == np.max(A_prev[box])) * dA[i, h, w, c]
        else:
            dA_prev[box] += np.ones((f, f)) * dA[i, h, w, c] / (f * f)
    return dA_prev


def conv_alone_forward(x, W, b):
    """One image (H, W, C)."""
    H, Wd, _ = x.shape
    kh, kw, _, F = W.shape
    out = np.zeros((H - kh + 1, Wd - kw + 1, F))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.tensordot(x[i : i + kh, j : j + kw], W, 3) + b
    return out, (x, W)


def conv_alone_backward(dout, cache):
    x, W = cache
    kh, kw = W.shape[:2]
    dx, dW = np.zeros_like(x), np.zeros_like(W)
    for i in range(dout.shape[0]):
        for j in range(dout.shape[1]):
            dx[i : i + kh, j : j + kw] += W @ dout[i, j]
            dW += x[i : i + kh, j : j + kw][..., None] * dout[i, j]
    return dx, dW, dout.sum((0, 1))
