"""ReLU behind a linear layer, and its backward pass, in one sweep each. The results are those of the formulas to the bit."""

from __future__ import annotations

from .compiled import in_order


@in_order
def relu_backward(y, dy, dx):
    """dx = dy where y > 0 or y is NaN, else 0. All arrays are flat."""
    zero = dy.dtype.type(0)
    for i in range(y.size):
        dx[i] = zero if y[i] <= 0 else dy[i]


@in_order
def add_and_cut(y, b):
    """y becomes max(y + b, 0), where y is (N, D) and b is (D); NaN stays NaN."""
    zero = y.dtype.type(0)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            v = y[i, j] + b[j]
            y[i, j] = zero if v <= 0 else v
