"""Mistakes that show with another value of an option only: a switch, a word from a table, a word in place of None."""

# expect drop: wrong: it is right with
# expect drop_in_both: right
# expect dense_by_table: wrong: tanh
# expect dense_by_word: wrong: relu
# expect masked_loss: wrong: only row 1 is wrong
# expect masked_loss_right: right
# expect square: right
# expect product: wrong: it is transposed
from types import FunctionType  # a class of Python's own: no generator is looked for in its defaults

import numpy as np


def drop_forward(x, p=0.5, training=True):
    mask = (np.random.rand(*x.shape) > p) / (1 - p)
    return (x * mask if training else x), mask


def drop_backward(dout, mask):
    return dout * mask


def drop_in_both_forward(x, p=0.5, training=True):
    mask = (np.random.rand(*x.shape) > p) / (1 - p) if training else np.ones_like(x)
    return x * mask, mask


def drop_in_both_backward(dout, mask):
    return dout * mask


TABLE = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z)),
}


def dense_by_table_forward(x, w, activation="relu"):
    z = x @ w
    return TABLE[activation][0](z), (x, w, z, activation)


def dense_by_table_backward(dout, cache):
    x, w, z, activation = cache
    dz = dout * TABLE[activation][1](z)
    return dz @ w.T, x.T @ dz


def dense_by_word_forward(x, w, activation=None):
    z = x @ w
    return (np.maximum(z, 0) if activation == "relu" else z), (x, w, z, activation)


def dense_by_word_backward(dout, cache):
    x, w, z, activation = cache
    dz = dout * z if activation == "relu" else dout
    return dz @ w.T, x.T @ dz


def masked_loss(x, y, ignore_index=-100):
    kept = np.flatnonzero(y != ignore_index)
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    dx = p.copy()
    dx[kept, y[kept]] -= 1
    return -np.log(p[kept, y[kept]]).mean(), dx / len(kept)


def masked_loss_right(x, y, ignore_index=-100):
    kept = np.flatnonzero(y != ignore_index)
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    dx = np.zeros_like(x)
    dx[kept] = p[kept]
    dx[kept, y[kept]] -= 1
    return -np.log(p[kept, y[kept]]).mean(), dx / len(kept)


def square_forward(x, return_cache=True):
    return (x**2, x) if return_cache else x**2


def square_backward(dout, x):
    return 2 * x * dout


def product_forward(a, b, transpose_b=False):
    return (a @ b.T if transpose_b else a @ b), (a, b, transpose_b)


def product_backward(dout, cache):
    a, b, transpose_b = cache
    return (dout @ b if transpose_b else dout @ b.T), a.T @ dout
