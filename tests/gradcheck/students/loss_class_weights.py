# expect weighted_loss: right
# expect weighted_loss_wrong: wrong: WRONG in dscores
"""Weights of the classes, which may be left out, and which have no gradient."""

import numpy as np


def weighted_loss(scores, y, weight=None):
    rows = np.arange(len(y))
    w = np.ones(len(y)) if weight is None else weight[y]
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(w * np.log(p[rows, y])) / len(y)
    p[rows, y] -= 1
    return loss, p * w[:, None] / len(y)


def weighted_loss_wrong(scores, y, weight=None):
    """The weights are forgotten on the way back."""
    loss, dscores = weighted_loss(scores, y, weight)
    _, dscores = weighted_loss(scores, y)
    return loss, dscores
