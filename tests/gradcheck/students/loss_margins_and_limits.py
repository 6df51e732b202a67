"""Losses that cut something off: activations, and not gradients; distances at a margin."""

# expect clipped_loss: right
# expect clipped_loss_wrong: wrong: WRONG in dX, dW
# expect triplet_loss: right: margin 0.7
# expect triplet_loss_wrong: wrong
import numpy as np


def clipped_loss(X, W, V, y):
    z = X @ W
    h = np.clip(z, -1, 1)
    e = h @ V - y
    dh = e @ V.T
    dz = dh * (np.abs(z) < 1)
    return 0.5 * np.sum(e**2), dz @ W.T, X.T @ dz, h.T @ e


def clipped_loss_wrong(X, W, V, y):
    h = np.clip(X @ W, -1, 1)
    e = h @ V - y
    dh = e @ V.T
    return 0.5 * np.sum(e**2), dh @ W.T, X.T @ dh, h.T @ e


def triplet_loss(anchor, positive, negative, margin=1.0):
    near, far = ((anchor - positive) ** 2).sum(axis=1), ((anchor - negative) ** 2).sum(axis=1)
    on = (near - far + margin > 0)[:, None] / len(anchor)
    loss = np.maximum(0, near - far + margin).mean()
    return loss, 2 * (negative - positive) * on, -2 * (anchor - positive) * on, 2 * (anchor - negative) * on


def triplet_loss_wrong(anchor, positive, negative, margin=1.0):
    near, far = ((anchor - positive) ** 2).sum(axis=1), ((anchor - negative) ** 2).sum(axis=1)
    loss = np.maximum(0, near - far + margin).mean()
    m = len(anchor)
    return loss, 2 * (negative - positive) / m, -2 * (anchor - positive) / m, 2 * (anchor - negative) / m
