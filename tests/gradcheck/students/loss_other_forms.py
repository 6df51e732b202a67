"""Losses in other forms: a backward that is the whole loss, gradients before the number, costFunction and gradient."""

# expect vae_backward: right
# expect spread: right
# expect spread_twice: wrong: dw: it is 2 times the right gradient
# expect columns: right
# expect loss_distance: right
# expect loss_distance_of_target: wrong: dy_tilde: it has the wrong sign
# expect forward_backward_prop: right
# expect costFunction: wrong: times the right gradient; divide by 6
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def vae_forward(params, inputs):
    W1, b1, W2, b2 = params
    h = np.tanh(inputs @ W1 + b1)
    return h, sigmoid(h @ W2 + b2)


def vae_backward(params, inputs, lam=0.0):
    W1, b1, W2, b2 = params
    h, out = vae_forward((W1, b1, W2, b2), inputs)
    loss = -np.sum(inputs * np.log(out) + (1 - inputs) * np.log(1 - out)) / len(inputs)
    d = (out - inputs) / len(inputs)
    dh = d @ W2.T * (1 - h**2)
    grads = (inputs.T @ dh, dh.sum(0), h.T @ d, d.sum(0))
    return loss, grads


def spread(w, b, X, Y):
    A = sigmoid(w.T @ X + b)
    J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / X.shape[1]
    dw = X @ (A - Y).T / X.shape[1]
    db = np.sum(A - Y) / X.shape[1]
    return dw, db, J


def spread_twice(w, b, X, Y):
    A = sigmoid(w.T @ X + b)
    J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / X.shape[1]
    dw = 2 * X @ (A - Y).T / X.shape[1]
    db = np.sum(A - Y) / X.shape[1]
    return dw, db, J


def columns(w, b, X, Y):
    A = sigmoid(w.T @ X + b)
    cost = -(Y @ np.log(A).T + (1 - Y) @ np.log(1 - A).T) / X.shape[1]
    grads = {"dw": X @ (A - Y).T / X.shape[1], "db": np.sum(A - Y, axis=1) / X.shape[1]}
    return grads, cost


def loss_distance(y_tilde, y):
    dl_dy = 2 * (y_tilde - y)
    return np.sum((y_tilde - y) ** 2), dl_dy


def loss_distance_of_target(y_tilde, y):
    dl_dy = 2 * (y - y_tilde)
    return np.sum((y_tilde - y) ** 2), dl_dy


def costFunction(theta, X, y):
    h = sigmoid(X @ theta)
    return -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))


def gradient(theta, X, y):
    return X.T @ (sigmoid(X @ theta) - y)


def forward_backward_prop(data, labels, params, dimensions):
    Dx, H, Dy = dimensions[0], dimensions[1], dimensions[2]
    W1 = np.reshape(params[: Dx * H], (Dx, H))
    W2 = np.reshape(params[Dx * H : Dx * H + H * Dy], (H, Dy))
    h = sigmoid(data @ W1)
    e = np.exp(h @ W2)
    p = e / e.sum(1, keepdims=True)
    cost = -np.sum(labels * np.log(p))
    gradW1 = data.T @ ((p - labels) @ W2.T * h * (1 - h))
    grad = np.concatenate((gradW1.flatten(), (h.T @ (p - labels)).flatten()))
    return cost, grad
