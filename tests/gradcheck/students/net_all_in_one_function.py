"""Forward, backward and the step in one function, as an epoch of a course's homework, and as a logistic regression.

# long
# expect epoch_of_softmax: right
# expect epoch_of_two_layers: right: cross-entropy
# expect epoch_without_mask: wrong: WRONG in dU
# expect logistic_fit: right
# expect logistic_fit_up: wrong: wrong sign
# expect logistic_fit_mean_for_one: wrong: WRONG in dw
# expect ridge_fit: right: that of the loop
# expect ridge_fit_half: wrong: dtheta
# expect one_by_one: right
# expect one_by_one_swapped: wrong: WRONG in dw2
# expect rates_by_layer: right: the squared error
# expect rate_in_settings: wrong: WRONG in dA
# expect perceptron: not looked at: no gradient that is known
"""

import numpy as np


def epoch_of_softmax(X, y, theta, lr=0.1, batch=50):
    for start in range(0, X.shape[0], batch):
        rows, labels = X[start : start + batch], y[start : start + batch]
        scores = np.exp(rows @ theta)
        p = scores / scores.sum(axis=1, keepdims=True)
        hot = np.zeros(p.shape)
        hot[np.arange(len(labels)), labels] = 1
        theta -= lr / len(labels) * rows.T @ (p - hot)


def epoch_of_two_layers(X, y, U, V, lr=0.1, batch=50):
    for i in range(0, X.shape[0], batch):
        xb = X[i : i + batch]
        yb = y[i : i + batch]
        hidden = np.maximum(xb @ U, 0)
        e = np.exp(hidden @ V)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(p.shape[0]), yb] -= 1
        dV = hidden.T @ p / p.shape[0]
        dU = xb.T @ ((p @ V.T) * (hidden > 0)) / p.shape[0]
        U -= lr * dU
        V -= lr * dV


def epoch_without_mask(X, y, U, V, lr=0.1, batch=50):
    for i in range(0, X.shape[0], batch):
        xb = X[i : i + batch]
        yb = y[i : i + batch]
        hidden = np.maximum(xb @ U, 0)
        e = np.exp(hidden @ V)
        p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(p.shape[0]), yb] -= 1
        dV = hidden.T @ p / p.shape[0]
        dU = xb.T @ (p @ V.T) / p.shape[0]  # the mistake: without ReLU's slope
        U -= lr * dU
        V -= lr * dV


def logistic_fit(X, y, rate, rounds):
    w, b = np.zeros((X.shape[1], 1)), 0.0
    for _ in range(rounds):
        order = np.random.permutation(len(X))
        x_mixed, y_mixed = X[order], y[order]
        p = 1 / (1 + np.exp(-(x_mixed.dot(w) + b)))
        dw = x_mixed.T.dot(p - y_mixed) / len(y)
        db = np.mean(p - y_mixed)
        w = w - rate * dw
        b = b - rate * db
    return w, b


def logistic_fit_up(X, y, rate, rounds):
    w = np.zeros((X.shape[1], 1))
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-X.dot(w)))
        w = w + rate * X.T.dot(p - y) / len(y)  # the mistake: it goes up
    return w


def logistic_fit_mean_for_one(X, y, rate, rounds):
    w, b = np.zeros((X.shape[1], 1)), 0.0
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-(X.dot(w) + b)))
        w -= rate * X.T.dot(p - y)  # the mistake: a sum beside the mean for b
        b -= rate * np.mean(p - y)
    return w, b


def ridge_fit(X, y, rate, rounds, lam=0.1):
    theta = np.zeros((X.shape[1], 1))
    for _ in range(rounds):
        error = X @ theta - y
        loss = (error**2).mean() / 2 + lam / 2 * (theta**2).sum()
        theta -= rate * (X.T @ error / len(X) + lam * theta)
        print(loss)
    return theta


def ridge_fit_half(X, y, rate, rounds, lam=0.1):
    theta = np.zeros((X.shape[1], 1))
    for _ in range(rounds):
        error = X @ theta - y
        loss = (error**2).mean() / 2 + lam * (theta**2).sum()  # the mistake: the gradient of half of it
        theta -= rate * (X.T @ error / len(X) + lam * theta)
        print(loss)
    return theta


def one_by_one(points, labels, w1, w2, b, rate=0.1):
    for (x1, x2), label in zip(points, labels):
        out = np.tanh(w1 * x1 + w2 * x2 + b)
        error = (out - label) * (1 - out**2)
        w1 -= rate * error * x1
        w2 -= rate * error * x2
        b -= rate * error
    return w1, w2, b


def one_by_one_swapped(points, labels, w1, w2, b, rate=0.1):
    for (x1, x2), label in zip(points, labels):
        out = np.tanh(w1 * x1 + w2 * x2 + b)
        error = (out - label) * (1 - out**2)
        w1 -= rate * error * x1
        w2 -= rate * error * x1  # the mistake: the other input
        b -= rate * error
    return w1, w2, b


def perceptron(X, y, w, rate=0.1):
    for _ in range(10):
        said = np.sign(X @ w)
        w += rate * X.T @ (y - said)
    return w


RATES = [0.5, 0.1]


def rates_by_layer(X, Y, A, B):
    for _ in range(10):
        hidden = np.tanh(X @ A)
        out = hidden @ B
        delta = 2 * (out - Y)
        below = delta @ B.T * (1 - hidden**2)
        B -= RATES[1] * hidden.T @ delta
        A -= RATES[0] * X.T @ below


def rate_in_settings(X, Y, A, B, config):
    for _ in range(10):
        hidden = np.tanh(X @ A)
        out = hidden @ B
        delta = out - Y
        below = delta @ B.T * (1 - hidden)  # the mistake: 1 - hidden ** 2
        B -= config["learning_rate"] * hidden.T @ delta
        A -= config["learning_rate"] * X.T @ below
