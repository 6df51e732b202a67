# long
# expect squares_loss: wrong: the loss is a mean over the 54 elements, and its gradient is that of their sum: divide by 54
# expect absolute_loss: wrong: the loss is a sum over the 6 rows, and its gradient is that of their mean: multiply by 6
# expect twice_loss: wrong: it is 2 times the right gradient
"""Losses that are a mean, with the gradient of the sum, or the other way round."""

import numpy as np


def squares_loss(p, y):
    return np.mean((p - y) ** 2), 2 * (p - y)


def absolute_loss(p, y):
    return np.abs(p - y).sum(), np.sign(p - y) / len(p)


def twice_loss(p, y):
    return np.mean((p - y) ** 2), 4 * (p - y) / p.size
