"""Functions beside a network that are called like a backward of NumPy's operations, and are none: nothing is wrong with them.

# always
# expect tanh_derivative: right: NumPy's tanh
# expect log_backward: right: NumPy's log
# expect relu_derivative: not looked at: no counterpart
"""

import numpy as np


def tanh_derivative(x):
    return 1 - np.tanh(x) ** 2


def log_backward(grad, x, eps=1e-12):
    return grad / (x + eps)


def relu_derivative(x, leak=0.01):
    return np.where(x > 0, 1, leak)


def exp_grad(w, grad, lr=0.1):
    """A step of exponentiated gradient descent."""
    w = w * np.exp(-lr * grad)
    return w / w.sum()
