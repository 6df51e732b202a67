import numpy as np

# long
# expect hinge_loss: right
# expect squared_hinge_loss: right
# expect perceptron_loss: right
# expect focal_loss: right
# expect exp_loss: wrong


def hinge_loss(w, b, X, y, C=1.0):
    """labels are 0/1 and are mapped to -1/+1"""
    s = 2 * y - 1
    margin = 1 - s * (X @ w + b)
    loss = C * np.maximum(0, margin).sum() + 0.5 * np.sum(w * w)
    hit = (margin > 0) * s
    dw = w - C * X.T @ hit
    db = -C * hit.sum()
    return loss, dw, db


def squared_hinge_loss(scores, y):
    t = np.where(y > 0, 1, -1)
    m = np.maximum(0, 1 - t * scores)
    return np.mean(m ** 2), -2 * t * m / scores.size


def perceptron_loss(x, y):
    t = np.where(y > 0, 1, -1)
    return np.sum(np.maximum(0, -t * x)), np.where(t * x < 0, -t, 0).astype(x.dtype)


def focal_loss(logits, y, gamma=2):
    p = 1 / (1 + np.exp(-logits))
    pt = np.where(y == 1, p, 1 - p)
    loss = -np.sum((1 - pt) ** gamma * np.log(pt))
    dpt = gamma * (1 - pt) ** (gamma - 1) * np.log(pt) - (1 - pt) ** gamma / pt
    return loss, dpt * p * (1 - p) * np.where(y == 1, 1, -1)


def exp_loss(f, y):
    t = np.where(y > 0, 1, -1)
    e = np.exp(-t * f)
    return e.mean(), -e / f.size
