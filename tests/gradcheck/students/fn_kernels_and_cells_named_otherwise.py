import numpy as np

# long
# expect conv2d: right
# expect convolve: wrong: WRONG in dX, dK
# expect max_pool: right: pool_size (2, 2)
# expect cell: right
# expect cell_slip: wrong: WRONG in dW_hh
# expect ffn: right: x (6, 3, 9)
# expect project: wrong: WRONG in db

# conv2d_naive and its backward; a kernel of one channel; sizes taken apart; dWhh of W_hh; steps that are summed over


def conv2d_naive(x, w, b, stride=1):
    n, _, h, wd = x.shape
    cout, _, kh, kw = w.shape
    out = np.zeros((n, cout, (h - kh) // stride + 1, (wd - kw) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            patch = x[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            out[:, :, i, j] = np.tensordot(patch, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out


def conv2d_backward(x, w, dy, stride=1):
    _, _, kh, kw = w.shape
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(dy.shape[2]):
        for j in range(dy.shape[3]):
            rows, columns = slice(i * stride, i * stride + kh), slice(j * stride, j * stride + kw)
            dw += np.einsum("no,ncuv->ocuv", dy[:, :, i, j], x[:, :, rows, columns])
            dx[:, :, rows, columns] += np.einsum("no,ocuv->ncuv", dy[:, :, i, j], w)
    return dx, dw, dy.sum(axis=(0, 2, 3))


def convolve_forward(X, K):
    if X.ndim != 3 or K.ndim != 2:
        raise ValueError("X is (n, h, w), K is (kh, kw)")
    kh, kw = K.shape
    out = np.zeros((len(X), X.shape[1] - kh + 1, X.shape[2] - kw + 1))
    for u in range(kh):
        for v in range(kw):
            out += K[u, v] * X[:, u : u + out.shape[1], v : v + out.shape[2]]
    return out


def convolve_backward(X, K, grad):
    kh, kw = K.shape
    dX, dK = np.zeros_like(X), np.zeros_like(K)
    for r in range(grad.shape[1]):
        for c in range(grad.shape[2]):
            g = grad[:, r, c][:, None, None]
            dK = (g * X[:, r : r + kh, c : c + kw]).sum(axis=0)  # not added
            dX[:, r : r + kh, c : c + kw] = g * K
    return dX, dK


def max_pool(x, pool_size):
    ph, pw = pool_size
    n, h, w, c = x.shape
    return x[:, : h // ph * ph, : w // pw * pw].reshape(n, h // ph, ph, w // pw, pw, c).max(axis=(2, 4))


def max_pool_backward(dout, original, pool_size):
    ph, pw = pool_size
    dinput = np.zeros_like(original)
    for i in range(dout.shape[1]):
        for j in range(dout.shape[2]):
            region = original[:, i * ph : (i + 1) * ph, j * pw : (j + 1) * pw]
            mask = region == region.max(axis=(1, 2), keepdims=True)
            dinput[:, i * ph : (i + 1) * ph, j * pw : (j + 1) * pw] += mask * dout[:, i : i + 1, j : j + 1]
    return dinput


def cell_forward(xt, a_prev, param):
    W_hh, W_xh, W_hy, b_h = param["W_hh"], param["W_xh"], param["W_hy"], param["b_h"]
    a_next = np.tanh(xt @ W_xh + a_prev @ W_hh + b_h)
    return a_next, (a_next, a_prev, xt, param)


def cell_backward(da_next, cache):
    a_next, a_prev, xt, param = cache
    dtanh = (1 - a_next**2) * da_next
    dxt = dtanh @ param["W_xh"].T
    da_prev = dtanh @ param["W_hh"].T
    dWhh, dWxh = a_prev.T @ dtanh, xt.T @ dtanh
    dbh = dtanh.sum(axis=0)
    return dxt, da_prev, dWhh, dWxh, dbh


def cell_slip_forward(xt, a_prev, param):
    return cell_forward(xt, a_prev, param)


def cell_slip_backward(da_next, cache):
    a_next, a_prev, xt, param = cache
    dtanh = (1 - a_next**2) * da_next
    dxt = dtanh @ param["W_xh"].T
    da_prev = dtanh @ param["W_hh"].T
    dWhh, dWxh = a_next.T @ dtanh, xt.T @ dtanh
    dbh = dtanh.sum(axis=0)
    return dxt, da_prev, dWhh, dWxh, dbh


def ffn_cached(x, ffn):
    h = x @ ffn["w1"] + ffn["b1"]
    a = np.maximum(0, h)
    return a @ ffn["w2"] + ffn["b2"], {"x": x, "h": h, "a": a}


def ffn_backward(dy, cache, ffn):
    x, h, a = cache["x"], cache["h"], cache["a"]
    dh = (dy @ ffn["w2"].T) * (h > 0)
    dw2 = a.reshape(-1, a.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])
    dw1 = x.reshape(-1, x.shape[-1]).T @ dh.reshape(-1, dh.shape[-1])
    grads = {"w1": dw1, "b1": np.sum(dh, axis=(0, 1)), "w2": dw2, "b2": np.sum(dy, axis=(0, 1))}
    return dh @ ffn["w1"].T, grads


def project_cached(x, W, b):
    return x @ W + b, (x, W)


def project_backward(dy, cache):
    x, W = cache
    return dy @ W.T, x.T @ dy, dy.mean(axis=0)
