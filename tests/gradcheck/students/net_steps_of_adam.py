import numpy as np

# long
# expect train: right: half the squared error divided by the samples in rows
# expect train_up: wrong: WRONG in dW
# expect train_with_another: wrong: WRONG in dW
# expect train_with_decay: right: backward adds 0.01 W to dW, the gradient of a penalty; that was not checked

# a step of Adam goes where its momentum goes, and not where the gradient goes whose square it has


def train(X, y, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    W, b = np.random.randn(X.shape[1], y.shape[1]), np.zeros(y.shape[1])
    m, v, mb, vb = np.zeros_like(W), np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
    for t in range(1, 100):
        d = X @ W + b - y
        dW, db = X.T @ d / len(X), d.sum(0) / len(X)
        m, v = b1 * m + (1 - b1) * dW, b2 * v + (1 - b2) * dW**2
        mb, vb = b1 * mb + (1 - b1) * db, b2 * vb + (1 - b2) * db**2
        W -= lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        b -= lr * (mb / (1 - b1**t)) / (np.sqrt(vb / (1 - b2**t)) + eps)
    return W, b


def train_up(X, y, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    W, b = np.random.randn(X.shape[1], y.shape[1]), np.zeros(y.shape[1])
    m, v, mb, vb = np.zeros_like(W), np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
    for t in range(1, 100):
        d = X @ W + b - y
        dW, db = X.T @ d / len(X), d.sum(0) / len(X)
        m, v = b1 * m - (1 - b1) * dW, b2 * v + (1 - b2) * dW**2  # +
        mb, vb = b1 * mb + (1 - b1) * db, b2 * vb + (1 - b2) * db**2
        W -= lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        b -= lr * (mb / (1 - b1**t)) / (np.sqrt(vb / (1 - b2**t)) + eps)
    return W, b


def train_with_another(X, y, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    W, b = np.random.randn(X.shape[1], y.shape[1]), np.zeros(y.shape[1])
    m, v, mb, vb = np.zeros_like(W), np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
    for t in range(1, 100):
        d = X @ W + b - y
        dW, db = X.T @ d / len(X), d.sum(0) / len(X)
        m, v = b1 * m + (1 - b1) * db, b2 * v + (1 - b2) * dW**2  # dW
        mb, vb = b1 * mb + (1 - b1) * db, b2 * vb + (1 - b2) * db**2
        W -= lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        b -= lr * (mb / (1 - b1**t)) / (np.sqrt(vb / (1 - b2**t)) + eps)
    return W, b


def train_with_decay(X, y, lr=0.001, b1=0.9, b2=0.999, eps=1e-8):
    W, b = np.random.randn(X.shape[1], y.shape[1]), np.zeros(y.shape[1])
    m, v, mb, vb = np.zeros_like(W), np.zeros_like(W), np.zeros_like(b), np.zeros_like(b)
    for t in range(1, 100):
        d = X @ W + b - y
        dW, db = X.T @ d / len(X) + 0.01 * W, d.sum(0) / len(X)
        m, v = b1 * m + (1 - b1) * dW, b2 * v + (1 - b2) * dW**2
        mb, vb = b1 * mb + (1 - b1) * db, b2 * vb + (1 - b2) * db**2
        W -= lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
        b -= lr * (mb / (1 - b1**t)) / (np.sqrt(vb / (1 - b2**t)) + eps)
    return W, b
