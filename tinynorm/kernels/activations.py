"""A linear layer's bias with the ReLU behind it, and ReLU's backward, a sweep each. They give the formulas' bits."""

from __future__ import annotations

import numpy as np

from .compiled import in_order


@in_order
def relu_backward(y, dy, dx):
    """dx = dy where y > 0 or y is NaN, else 0. All arrays are flat."""
    zero = dy.dtype.type(0)
    for i in range(y.size):
        dx[i] = zero if y[i] <= 0 else dy[i]


@in_order
def add(y, b, relu):
    """y becomes y + b, or max(y + b, 0), where y is (N, D) and b is (D); NaN stays NaN."""
    T = y.dtype.type
    floor = T(0) if relu else T(-np.inf)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            v = y[i, j] + b[j]
            y[i, j] = floor if v <= floor else v
