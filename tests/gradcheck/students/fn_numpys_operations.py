# always
# expect add_backward: right: the file has no forward for it; taken as that of NumPy's add
# expect sub_backward: wrong: db: it has the wrong sign
# expect matmul_backward: right: a (6, 9), b (9, 4)
# expect mul_backward: wrong: WRONG in da, db
# expect log_backward: right
# expect sum_backward: right
# expect mean_backward: not looked at: no counterpart is found
# expect tanh_backward: right: tanh; a is its output
# expect sigmoid_backward: right: NumPy's sigmoid
# expect tanh_derivative: right: x is its output
# expect relu_derivative: wrong: WRONG
# expect exp_backward: right: NumPy's exp
# expect cos_backward: not looked at: no counterpart is found
# expect max_backward: not looked at: no counterpart is found
"""The operations of an autograd, whose forward is NumPy's own and stands in another file."""

import numpy as np


def add_backward(grad_output, a, b):
    return grad_output * np.ones(a.shape), grad_output * np.ones(b.shape)


def sub_backward(grad_output, a, b):
    return grad_output.copy(), grad_output.copy()


def matmul_backward(grad_output, a, b):
    return grad_output @ b.T, a.T @ grad_output


def mul_backward(grad_output, a, b):
    return grad_output * a, grad_output * b


def log_backward(grad_output, a):
    return grad_output / a


def sum_backward(grad_output, a):
    return grad_output * np.ones(a.shape)


def mean_backward(grad_output, a):
    return grad_output * np.ones(a.shape)


def tanh_backward(grad_output, a):
    return grad_output * (1 - a**2)


def sigmoid_backward(dA, cache):
    s = 1 / (1 + np.exp(-cache))
    return dA * s * (1 - s)


def exp_backward(dA, cache):
    return dA * cache[1]


def cos_backward(dA, cache):
    return -dA * np.sin(cache[2])


def tanh_derivative(x):
    return 1 - np.power(x, 2)


def relu_derivative(x):
    return np.where(x > 0.5, 1.0, 0.0)


def max_backward(grad_output, a):
    raise NotImplementedError


def log_diff(x):
    return np.diff(np.log(x))
