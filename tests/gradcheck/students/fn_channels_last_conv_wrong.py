import numpy as np

# long
# expect conv: wrong: db
# expect pool: wrong
# expect pool_avg: wrong or not checked


def conv_forward(A_prev, W, b, hparameters):
    stride = hparameters["stride"]
    pad = hparameters["pad"]
    f = W.shape[0]
    A = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n_H, n_W = (A.shape[1] - f) // stride + 1, (A.shape[2] - f) // stride + 1
    Z = np.empty((len(A), n_H, n_W, W.shape[3]))
    for h in range(n_H):
        for w in range(n_W):
            box = A[:, h * stride:h * stride + f, w * stride:w * stride + f]
            Z[:, h, w] = np.einsum("mijc,ijcd->md", box, W)
    return Z + b, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    stride, pad, f = hparameters["stride"], hparameters["pad"], W.shape[0]
    A = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dA, dW, db = np.zeros_like(A), np.zeros_like(W), np.zeros_like(b)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            box = np.s_[:, h * stride:h * stride + f, w * stride:w * stride + f]
            dA[box] += np.einsum("md,ijcd->mijc", dZ[:, h, w], W)
            dW += np.einsum("mijc,md->ijcd", A[box], dZ[:, h, w])
            db[0, 0, 0] = dZ[:, h, w].sum(axis=0)  # = where += belongs
    return dA[:, pad:-pad, pad:-pad], dW, db


def pool_forward(A_prev, hparameters, mode="max"):
    f, s = hparameters["f"], hparameters["stride"]
    m, H, W, C = A_prev.shape
    A = np.zeros((m, (H - f) // s + 1, (W - f) // s + 1, C))
    for h in range(A.shape[1]):
        for w in range(A.shape[2]):
            A[:, h, w] = A_prev[:, h * s:h * s + f, w * s:w * s + f].max(axis=(1, 2))
    return A, (A_prev, hparameters)


def pool_backward(dA, cache, mode="max"):
    A_prev, hparameters = cache
    f = hparameters["f"]
    out = np.zeros_like(A_prev)
    for i, h, w, c in np.ndindex(dA.shape):
        box = (i, slice(h, h + f), slice(w, w + f), c)  # no stride
        out[box] += (A_prev[box] == A_prev[box].max()) * dA[i, h, w, c]
    return out


def pool_avg_forward(A_prev, hparameters):
    f = hparameters["f"]
    m, H, W, C = A_prev.shape
    return A_prev.reshape(m, H // f, f, W // f, f, C).mean(axis=(2, 4)), (A_prev.shape, f)


def pool_avg_backward(dA, cache):
    (m, H, W, C), f = cache
    return np.kron(dA.reshape(m, W // f, H // f, C), np.ones((1, f, f, 1))).reshape(m, H, W, C) / f ** 2  # H and W
