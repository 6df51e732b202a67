"""The gradient of a softmax regression takes the data and the weights, as its loss does; one takes a sample, where the loss takes all.

# long
# expect softmax_loss: right
# expect square_loss: wrong: WRONG in dw
# expect sample_loss: not checked
"""

import numpy as np


def softmax(Z):
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_loss(X, y, W):
    return -np.mean(np.log(softmax(X @ W)[np.arange(len(y)), y]))


def softmax_grad(X, y, W):
    P = softmax(X @ W)
    P[np.arange(len(y)), y] -= 1
    return X.T @ P / len(y)


def square(z):
    return z**2


def square_loss(w, X, y):
    return square(X @ w - y).mean()


def square_grad(w, X, y):
    return 2 * X.T @ (X @ w - y)  # the mistake: the loss is a mean


def sample_loss(w, X, Y):
    return sum(np.log(1 + np.exp(-Y[i] * np.dot(w, np.append(X[i], 1)))) for i in range(len(Y))) / len(Y)


def sample_gradient(w, x_one, y):
    return -y / (1 + np.exp(y * np.dot(w, x_one))) * x_one
