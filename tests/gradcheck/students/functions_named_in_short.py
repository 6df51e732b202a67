# long
# expect groupnorm: right
# expect _relu: right
# expect _tanh: wrong: WRONG
# expect layer: right
# expect net: right
# expect net_wrong: wrong: WRONG in
import numpy as np


def groupnorm_forward(x, gamma, beta, G, eps=1e-5):
    N, C, H, W = x.shape
    xg = x.reshape(N, G, -1)
    mu, var = xg.mean(-1, keepdims=True), xg.var(-1, keepdims=True)
    xh = ((xg - mu) / np.sqrt(var + eps)).reshape(N, C, H, W)
    return gamma.reshape(1, C, 1, 1) * xh + beta.reshape(1, C, 1, 1), (xh, gamma, var, G, eps)


def groupnorm_backward(dout, cache):
    xh, gamma, var, G, eps = cache
    N, C, H, W = dout.shape
    dg, db = (dout * xh).sum((0, 2, 3)), dout.sum((0, 2, 3))
    d, h = (dout * gamma.reshape(1, C, 1, 1)).reshape(N, G, -1), xh.reshape(N, G, -1)
    dx = (d - d.mean(-1, keepdims=True) - h * (d * h).mean(-1, keepdims=True)) / np.sqrt(var + eps)
    return dx.reshape(N, C, H, W), dg, db


def _relu(x):
    return np.maximum(x, 0)


def _drelu(x):
    return (x > 0) * 1.0


def _tanh(x):
    return np.tanh(x)


def _dtanh(x):
    return 1 - np.tanh(x)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def layer_forward(A_prev, W, b, activation):
    Z = np.dot(W, A_prev) + b
    A = sigmoid(Z) if activation == "sigmoid" else np.maximum(0, Z)
    return A, (A_prev, W, Z)


def layer_backward(dA, cache, activation):
    A_prev, W, Z = cache
    dZ = dA * (Z > 0) if activation == "relu" else dA * sigmoid(Z) * (1 - sigmoid(Z))
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T), np.sum(dZ, axis=1, keepdims=True)


def net_forward(X, W1, b1, W2, b2):
    a1 = np.tanh(X @ W1 + b1)
    return a1 @ W2 + b2, (X, a1, W2)


def net_backward(dz2, cache):
    X, a1, W2 = cache
    dz1 = dz2 @ W2.T * (1 - a1**2)
    return X.T @ dz1, dz1.sum(0), a1.T @ dz2, dz2.sum(0)


def net_wrong_forward(X, W1, b1, W2, b2):
    a1 = np.tanh(X @ W1 + b1)
    return a1 @ W2 + b2, (X, a1, W2)


def net_wrong_backward(dz2, cache):
    X, a1, W2 = cache
    dz1 = dz2 @ W2.T * (1 - a1)
    return X.T @ dz1, dz1.sum(0), a1.T @ dz2, dz2.sum(0)
