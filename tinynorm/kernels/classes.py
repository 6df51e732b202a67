"""Softmax-cross-entropy of class indices, in three sweeps. The formula is in `ops/loss.py`.

NumPy's exp runs between the first two: it is faster than any that the compiler has.
"""

from __future__ import annotations

import numpy as np

from .compiled import any_order, in_order


@any_order
def total(x):
    s = np.float64(0)
    for j in range(x.size):
        s += x[j]
    return s


@in_order
def largest(x):
    """The largest number; four at a time, as a comparison waits for the one before. (A NaN may be passed over.)"""
    n = x.size
    a = b = c = d = x[0]
    for j in range(0, n - 3, 4):
        a = x[j] if x[j] > a else a
        b = x[j + 1] if x[j + 1] > b else b
        c = x[j + 2] if x[j + 2] > c else c
        d = x[j + 3] if x[j + 3] > d else d
    for j in range(n - n % 4, n):
        a = x[j] if x[j] > a else a
    return max(max(a, b), max(c, d))


@in_order
def shift(z, y, c, classes, c_y):
    """c = z - max z in each row, a copy of the row's class y, and c_y of that class; nothing if a class is out of range.

    The last number of c_y, which has one more than there are rows, says whether all are in range.
    """
    N, C = z.shape
    c_y[N] = 0
    for i in range(N):
        if y[i] < 0 or y[i] >= C:
            return
        classes[i, 0] = y[i]
    for i in range(N):
        m = largest(z[i])
        for j in range(C):
            c[i, j] = z[i, j] - m
        c_y[i] = c[i, y[i]]
    c_y[N] = 1


@in_order
def losses(u, c_y, divisor, loss):
    """loss = -Σ log p of the rows' classes / the divisor, where u = e^c; u becomes p = u / Σ u."""
    sum_of_rows = 0.0
    for i in range(u.shape[0]):
        S = total(u[i])
        sum_of_rows += np.log(S) - c_y[i]
        r = u.dtype.type(1 / S)
        for j in range(u.shape[1]):
            u[i, j] *= r
    loss[()] = sum_of_rows / divisor


@in_order
def gradient(p, classes, dloss, divisor, dx):
    """dx = (p - [c = y]) dℓ / the divisor; dℓ is an array of one number."""
    d = dloss[0] / p.dtype.type(divisor)
    for i in range(p.shape[0]):
        for j in range(p.shape[1]):
            dx[i, j] = p[i, j] * d
        dx[i, classes[i, 0]] -= d
