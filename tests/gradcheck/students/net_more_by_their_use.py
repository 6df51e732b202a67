"""Targets that backward makes a column of; a penalty beside a guarded logarithm; data with noise beside those without.

# long
# expect forward: right
# expect gradient_of_scores: right
# expect fit_elastic: right: that of the loop
# expect fit_elastic_slip: wrong: WRONG in dweights
# expect encode: not checked: X_noisy
# expect cross_entropy: right
"""

import numpy as np


def forward(X, W1, b1, W2, b2):
    a1 = np.tanh(X @ W1 + b1)
    a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
    return a1, a2


def backward(X, y, a1, a2, W1, b1, W2, b2, lr):
    y = y.reshape(-1, 1)
    d2 = (a2 - y) / len(X)
    d1 = d2 @ W2.T * (1 - a1**2)
    W2 -= lr * a1.T @ d2
    b2 -= lr * d2.sum(axis=0, keepdims=True)
    W1 -= lr * X.T @ d1
    b1 -= lr * d1.sum(axis=0, keepdims=True)
    return W1, b1, W2, b2


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_of_scores(y_true, y_pred, weights, l2_reg):
    return -np.mean(np.sum(y_true * np.log(y_pred + 1e-8), axis=1)) + l2_reg * np.sum(weights**2)


def gradient_of_scores(X, y_true, y_pred, weights, l2_reg):
    return X.T @ (y_pred - y_true) / len(X) + 2 * l2_reg * weights


def train_on_scores(X, y, weights, l2_reg):
    for _ in range(10):
        y_pred = softmax(X @ weights)
        weights = weights - 0.1 * gradient_of_scores(X, y, y_pred, weights, l2_reg)
    return weights


def fit_elastic(X, y, a1=0.1, a2=0.2, learning_rate=0.01):
    weights, bias = np.zeros(X.shape[1]), 0.0
    for _ in range(100):
        error = X @ weights + bias - y
        cost = np.mean(error**2) / 2 + a1 * np.abs(weights).sum() + a2 * (weights**2).sum()
        weights -= learning_rate * (X.T @ error / len(X) + a1 * np.sign(weights) + 2 * a2 * weights)
        bias -= learning_rate * error.mean()
    return weights, bias, cost


def fit_elastic_slip(X, y, a1=0.1, a2=0.2, learning_rate=0.01):
    weights, bias = np.zeros(X.shape[1]), 0.0
    for _ in range(100):
        error = X @ weights + bias - y
        cost = np.mean(error**2) / 2 + a1 * np.abs(weights).sum() + a2 * (weights**2).sum()
        weights -= learning_rate * (X.T @ error / len(X) + a1 * weights + 2 * a2 * weights)  # the mistake: no sign
        bias -= learning_rate * error.mean()
    return weights, bias, cost


def encode_forward(W, b, X):
    return 1 / (1 + np.exp(-(X @ W + b)))


def encode_backward(X_noisy, X_clean, W):
    d = 1 / (1 + np.exp(-(X_noisy @ W))) - X_clean
    return X_noisy.T @ d, d.sum(axis=0)


def cross_entropy(y_true, y_pred, from_logits=False):
    if from_logits:
        y_pred = 1 / (1 + np.exp(-y_pred))
    p = np.clip(y_pred, 1e-7, 1 - 1e-7)
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


def cross_entropy_grad(y_true, y_pred, from_logits=False):
    if from_logits:
        return (1 / (1 + np.exp(-y_pred)) - y_true) / y_true.size
    p = np.clip(y_pred, 1e-7, 1 - 1e-7)
    return (p - y_true) / (p * (1 - p)) / y_true.size
