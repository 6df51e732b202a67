# long
# expect forward: right
import numpy as np


def forward(X, W1, b1, W2, b2):
    a = np.maximum(0, X @ W1 + b1)
    return a @ W2 + b2, (X, a)


def compute_loss(scores, labels):
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    p = np.exp(shifted)
    p /= p.sum(axis=1, keepdims=True)
    n = scores.shape[0]
    return -np.sum(np.log(p[range(n), labels])) / n, p


def backward(cache, p, labels, W2):
    X, a = cache
    n = X.shape[0]
    d = p.copy()
    d[range(n), labels] -= 1
    d /= n
    dW2 = a.T @ d
    db2 = d.sum(0)
    da = d @ W2.T
    da[a <= 0] = 0
    dW1 = X.T @ da
    db1 = da.sum(0)
    return dW1, db1, dW2, db2


def predict(X, params):
    return forward(X, *params)[0].argmax(1)
