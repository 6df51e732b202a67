"""What trains in one function or loop: steps of Adam and AdaGrad, decay in a velocity, a cost that is computed after the step.

# long
# expect adam_fit: right
# expect adam_fit_sum: wrong: WRONG in dW
# expect adagrad_fit: right
# expect fit_with_velocity: right
# expect fit_with_velocity_slip: wrong: WRONG in dW1, db1
# expect factors: right: that of the loop
# expect factors_half: wrong: WRONG in dQ
"""

import numpy as np


def adam_fit(X, Y, lr=0.01, iters=100):
    m = X.shape[1]
    W = np.random.randn(Y.shape[0], X.shape[0]) * 0.01
    b = np.zeros((Y.shape[0], 1))
    mW, vW, mb, vb = 0, 0, 0, 0
    for t in range(1, iters + 1):
        A = 1 / (1 + np.exp(-(W @ X + b)))
        dW = (A - Y) @ X.T / m
        db = np.sum(A - Y, axis=1, keepdims=True) / m
        mW = 0.9 * mW + 0.1 * dW
        vW = 0.999 * vW + 0.001 * dW**2
        mb = 0.9 * mb + 0.1 * db
        vb = 0.999 * vb + 0.001 * db**2
        W -= lr * (mW / (1 - 0.9**t)) / (np.sqrt(vW / (1 - 0.999**t)) + 1e-8)
        b -= lr * (mb / (1 - 0.9**t)) / (np.sqrt(vb / (1 - 0.999**t)) + 1e-8)
    return W, b


def adam_fit_sum(X, Y, lr=0.01, iters=100):
    m = X.shape[1]
    W = np.random.randn(Y.shape[0], X.shape[0]) * 0.01
    b = np.zeros((Y.shape[0], 1))
    mW, vW, mb, vb = 0, 0, 0, 0
    for t in range(1, iters + 1):
        A = 1 / (1 + np.exp(-(W @ X + b)))
        dW = (A - Y) @ X.T  # the mistake: not divided by m, as db is
        db = np.sum(A - Y, axis=1, keepdims=True) / m
        mW = 0.9 * mW + 0.1 * dW
        vW = 0.999 * vW + 0.001 * dW**2
        mb = 0.9 * mb + 0.1 * db
        vb = 0.999 * vb + 0.001 * db**2
        step = (mW / (1 - 0.9**t)) / (np.sqrt(vW / (1 - 0.999**t)) + 1e-8)
        W -= lr * step
        b -= lr * (mb / (1 - 0.9**t)) / (np.sqrt(vb / (1 - 0.999**t)) + 1e-8)
    return W, b


def adagrad_fit(X, y, rate=0.1, rounds=100):
    w = np.zeros((X.shape[1], 1))
    seen = np.zeros_like(w)
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-X @ w))
        g = X.T @ (p - y) / len(X)
        seen += g * g
        w -= rate * g / np.sqrt(seen + 1e-8)
    return w


def fit_with_velocity(X, y, hidden=16, lr=0.1, epochs=50, beta=0.9, wd=1e-4, size=32):
    rng = np.random.default_rng(0)
    W1, b1 = rng.normal(0, 0.1, (X.shape[1], hidden)), np.zeros(hidden)
    W2, b2 = rng.normal(0, 0.1, (hidden, 1)), np.zeros(1)
    vW1, vb1, vW2, vb2 = np.zeros_like(W1), np.zeros_like(b1), np.zeros_like(W2), np.zeros_like(b2)
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for s in range(0, len(X), size):
            xb, yb = X[order[s : s + size]], y[order[s : s + size]]
            h = np.tanh(xb @ W1 + b1)
            out = h @ W2 + b2
            dout = 2 * (out - yb) / len(xb)
            dh = (dout @ W2.T) * (1 - h**2)
            vW1 = beta * vW1 + xb.T @ dh + wd * W1
            vb1 = beta * vb1 + dh.sum(axis=0)
            vW2 = beta * vW2 + h.T @ dout + wd * W2
            vb2 = beta * vb2 + dout.sum(axis=0)
            W1 -= lr * vW1
            b1 -= lr * vb1
            W2 -= lr * vW2
            b2 -= lr * vb2
    return W1, b1, W2, b2


def fit_with_velocity_slip(X, y, hidden=16, lr=0.1, epochs=50, beta=0.9, wd=1e-4, size=32):
    rng = np.random.default_rng(0)
    W1, b1 = rng.normal(0, 0.1, (X.shape[1], hidden)), np.zeros(hidden)
    W2, b2 = rng.normal(0, 0.1, (hidden, 1)), np.zeros(1)
    vW1, vb1, vW2, vb2 = np.zeros_like(W1), np.zeros_like(b1), np.zeros_like(W2), np.zeros_like(b2)
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for s in range(0, len(X), size):
            xb, yb = X[order[s : s + size]], y[order[s : s + size]]
            h = np.tanh(xb @ W1 + b1)
            out = h @ W2 + b2
            dout = 2 * (out - yb) / len(xb)
            dh = (dout @ W2.T) * (1 - h)  # the mistake: 1 - h ** 2
            vW1 = beta * vW1 + xb.T @ dh + wd * W1
            vb1 = beta * vb1 + dh.sum(axis=0)
            vW2 = beta * vW2 + h.T @ dout + wd * W2
            vb2 = beta * vb2 + dout.sum(axis=0)
            W1 -= lr * vW1
            b1 -= lr * vb1
            W2 -= lr * vW2
            b2 -= lr * vb2
    return W1, b1, W2, b2


def factors(R, k=5, rounds=20, alpha=0.002, beta=0.02):
    n, m = R.shape
    P, Q = np.random.rand(n, k), np.random.rand(m, k)
    for _ in range(rounds):
        E = (R > 0) * (R - P @ Q.T)
        gP = -2 * E @ Q + 2 * beta * P
        gQ = -2 * E.T @ P + 2 * beta * Q
        P -= alpha * gP
        Q -= alpha * gQ
        loss = np.sum(E**2) + beta * (np.sum(P**2) + np.sum(Q**2))
    return P, Q, loss


def factors_half(R, k=5, rounds=20, alpha=0.002, beta=0.02):
    n, m = R.shape
    P, Q = np.random.rand(n, k), np.random.rand(m, k)
    for _ in range(rounds):
        E = (R > 0) * (R - P @ Q.T)
        gP = -2 * E @ Q + 2 * beta * P
        gQ = -2 * E.T @ P + beta * Q  # the mistake: half the penalty's slope
        P -= alpha * gP
        Q -= alpha * gQ
        loss = np.sum(E**2) + beta * (np.sum(P**2) + np.sum(Q**2))
    return P, Q, loss
