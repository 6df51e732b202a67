"""A model, its cost and its gradients are three functions; a network puts the 1 of its biases beside x itself."""

# expect forward: right
# expect network: right
# expect network_2: wrong

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(X, w, b):
    y_hat = sigmoid(X @ w + b)
    return X, y_hat


def compute_cost(y, y_hat):
    return -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))


def compute_gradients(X, y, y_hat):
    return X.T @ (y_hat - y) / len(y), np.mean(y_hat - y)


def with_ones(x):
    return np.hstack([np.ones((len(x), 1)), x])


def network_forward(x, W1, W2):
    h = np.tanh(with_ones(x) @ W1)
    return with_ones(h) @ W2, (x, h, W1, W2)


def network_backward(dout, cache):
    x, h, W1, W2 = cache
    dz = dout @ W2[1:].T * (1 - h**2)
    return dz @ W1[1:].T, with_ones(x).T @ dz, with_ones(h).T @ dout


def network_backward_2(dout, cache):
    x, h, W1, W2 = cache
    dz = dout @ W2[1:].T * (1 - h)
    return dz @ W1[1:].T, with_ones(x).T @ dz, with_ones(h).T @ dout
