"""The gradient of a loss is called delta and the loss.

# long
# expect squares: right
# expect cross_entropy: wrong: multiply by 6
"""

import numpy as np


def squares(p, y):
    return ((p - y) ** 2).sum()


def delta_squares(p, y):
    return 2 * (p - y)


def cross_entropy(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(labels)), labels]).sum()


def delta_cross_entropy(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels)  # the mistake: the loss is a sum
