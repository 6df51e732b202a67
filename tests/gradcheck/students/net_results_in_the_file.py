"""The loop at module level leaves what forward returns in the file, and backward finds it there.

# long
# expect forward: right: half the squared error
# expect feed: wrong: WRONG in dbias
"""

import numpy as np


def logistic(z):
    return 1 / (1 + np.exp(-z))


def forward(x, w, b):
    z = np.dot(x, w) + b
    y = logistic(z)
    return z, y


def backward(x, t, y, w, b, learning_rate):
    slope = logistic(z) * (1 - logistic(z))
    w = w - learning_rate * x.T @ ((y - t) * slope)
    b = b - learning_rate * ((y - t) * slope).sum(axis=0)
    return w, b


def feed_forward(x, weights, bias):
    s = np.dot(x, weights) + bias
    p = logistic(s)
    return s, p


def feed_backward(x, t, p, weights, bias, learning_rate):
    slope = logistic(s) * (1 - logistic(s))
    weights = weights - learning_rate * x.T @ ((p - t) * slope)
    bias = bias - learning_rate * (p - t).sum(axis=0)  # the mistake: without the slope
    return weights, bias


points, targets = np.array([[0.5, 1.0], [0.2, -1.0]]), np.array([[1.0], [0.0]])
w, b, weights, bias = np.zeros((2, 1)), np.zeros(1), np.zeros((2, 1)), np.zeros(1)
for _ in range(3):
    z, y = forward(points, w, b)
    w, b = backward(points, targets, y, w, b, 0.1)
    s, p = feed_forward(points, weights, bias)
    weights, bias = feed_backward(points, targets, p, weights, bias, 0.1)
