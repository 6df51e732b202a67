import numpy as np

# long
# expect conv: wrong: 27
# expect affine: wrong: db

# the forwards are the odd ones here


def conv_forward(x, w, b, stride=1, pad=1):
    N, C, H, W = x.shape
    F, C, k, l = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((N, F, (H + 2 * pad - k) // stride + 1, (W + 2 * pad - l) // stride + 1))
    for n in range(N):
        for f in range(F):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    window = xp[n, :, i * stride:i * stride + k, j * stride:j * stride + l]
                    out[n, f, i, j] = np.sum(window * w[f] + b[f])  # b inside the sum
    return out, (xp, w, stride, pad)


def conv_backward(dout, cache):
    xp, w, s, p = cache
    k, l = w.shape[2:]
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dw += np.einsum("nf,nchw->fchw", dout[:, :, i, j], xp[:, :, i * s:i * s + k, j * s:j * s + l])
            dxp[:, :, i * s:i * s + k, j * s:j * s + l] += np.einsum("nf,fchw->nchw", dout[:, :, i, j], w)
    return dxp[:, :, p:-p, p:-p], dw, dout.sum(axis=(0, 2, 3))


def affine_forward(x, w, b):
    out = np.zeros((x.shape[0], w.shape[1]))
    for d in range(x.shape[1]):
        out += np.outer(x[:, d], w[d]) + b
    return out, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
