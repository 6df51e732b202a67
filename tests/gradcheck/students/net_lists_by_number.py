"""Networks whose weights and biases are lists, read by the number of the layer; the samples are columns."""

# long
# expect compute_cost: right: one-hot
# expect compute_cost: right: W2 (7, 4)
# expect slip_cost: wrong: WRONG in dW1
import numpy as np


def softmax(s):
    e = np.exp(s - s.max(axis=0))
    return e / e.sum(axis=0)


def evaluate(X, W, b):
    h = np.maximum(0, W[0] @ X + b[0])
    return h, softmax(W[1] @ h + b[1])


def compute_cost(X, Y, W, b, lam):
    p = evaluate(X, W, b)[1]
    penalty = sum(np.sum(w**2) for w in W)
    return -np.log((Y * p).sum(axis=0)).mean() + lam * penalty


def compute_gradients(X, Y, W, b, lam):
    n = X.shape[1]
    h, p = evaluate(X, W, b)
    g = p - Y
    dW2 = g @ h.T / n + 2 * lam * W[1]
    db2 = g @ np.ones((n, 1)) / n
    g = (W[1].T @ g) * (h > 0)
    dW1 = g @ X.T / n + 2 * lam * W[0]
    db1 = g @ np.ones((n, 1)) / n
    return [dW1, dW2], [db1, db2]


def slip_cost(X, Y, W, b, lam):
    return compute_cost(X, Y, W, b, lam)


def slip_cost_gradients(X, Y, W, b, lam):
    n = X.shape[1]
    h, p = evaluate(X, W, b)
    g = p - Y
    dW2 = g @ h.T / n + 2 * lam * W[1]
    db2 = g @ np.ones((n, 1)) / n
    g = (W[1].T @ g) * (h > 0)
    dW1 = g @ X.T / n + lam * W[0]  # the mistake: half the penalty's slope
    db1 = g @ np.ones((n, 1)) / n
    return [dW1, dW2], [db1, db2]
