# expect gcn: right: A (6, 6)
# expect gcn_slip: wrong: WRONG in dH
# expect inv: right: M (6, 6)
# expect inv_slip: wrong: WRONG in dM
# expect smooth: right: adj (6, 6)
# expect smooth_slip: wrong: WRONG in df
import numpy as np


def gcn_forward(A, H, W):
    Ah = A + np.eye(A.shape[0])
    d = Ah.sum(1)
    N = Ah / d[:, None]
    Z = N @ H @ W
    return np.maximum(Z, 0), (N, H, W, Z)


def gcn_backward(dout, cache):
    N, H, W, Z = cache
    dZ = dout * (Z > 0)
    dW = (N @ H).T @ dZ
    dH = N.T @ dZ @ W.T
    return dH, dW


def gcn_slip_forward(A, H, W):
    Ah = A + np.eye(A.shape[0])
    d = Ah.sum(1)
    N = Ah / d[:, None]
    Z = N @ H @ W
    return np.maximum(Z, 0), (N, H, W, Z)


def gcn_slip_backward(dout, cache):
    N, H, W, Z = cache
    dZ = dout * (Z > 0)
    dW = (N @ H).T @ dZ
    dH = N @ dZ @ W.T
    return dH, dW


def inv_forward(M):
    Y = np.linalg.inv(M)
    return Y, Y


def inv_backward(dY, Y):
    return -Y.T @ dY @ Y.T


def inv_slip_forward(M):
    Y = np.linalg.inv(M)
    return Y, Y


def inv_slip_backward(dY, Y):
    return -Y.T @ dY @ Y


def smooth_forward(f, adj):
    L = np.diag(adj.sum(1)) - adj
    return 0.5 * f @ L @ f, (f, L)


def smooth_backward(dloss, cache):
    f, L = cache
    return dloss * 0.5 * (L + L.T) @ f


def smooth_slip_forward(f, adj):
    L = np.diag(adj.sum(1)) - adj
    return 0.5 * f @ L @ f, (f, L)


def smooth_slip_backward(dloss, cache):
    f, L = cache
    return dloss * 0.5 * L @ f
