"""The file has its own loss, whose name does not say loss, or whose p is no probability of dropout."""

# expect forward: right: loss: cross_entropy
# expect hidden: wrong: it is 1/6
# expect hidden_twice: wrong: it is 2 times the right gradient
import numpy as np

W1 = np.random.randn(8, 5) * 0.5
b1 = np.zeros(5)
W2 = np.random.randn(5, 3) * 0.5
b2 = np.zeros(3)


def forward(X):
    z1 = X @ W1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2 + b2
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return z1, a1, p


def cross_entropy(p, Y):
    return -np.mean(np.sum(Y * np.log(p), axis=1))


def backward(X, Y, z1, a1, p):
    dz2 = (p - Y) / len(X)
    dz1 = dz2 @ W2.T * (z1 > 0)
    return X.T @ dz1, dz1.sum(axis=0), a1.T @ dz2, dz2.sum(axis=0)


def hidden_forward(x, w1, w2):
    h = np.tanh(x @ w1)
    return h @ w2, h


def total_squared_error(target, out):
    return 0.5 * np.sum((target - out) ** 2)


def hidden_backward(x, target, out, h, w1, w2):
    d = (out - target) / len(x)
    return x.T @ (d @ w2.T * (1 - h**2)), h.T @ d


def hidden_twice_forward(x, w1, w2):
    h = np.tanh(x @ w1)
    return h @ w2, h


def hidden_twice_backward(x, target, out, h, w1, w2):
    d = 2 * (out - target)
    return x.T @ (d @ w2.T * (1 - h**2)), h.T @ d
