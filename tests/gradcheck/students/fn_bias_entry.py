"""Between two layers a one is put before the units, for the bias; the activation's backward deletes its entry.

# always
# expect sigmoid: right
# expect tanh: wrong: WRONG in da
# expect relu: right
# expect softmax: right
"""

import numpy as np


def sigmoid_forward(a):
    return 1 / (1 + np.exp(-a))


def sigmoid_backward(units, gradient):
    return np.delete(gradient, 0) * np.delete(units, 0) * (1 - np.delete(units, 0))


def tanh_forward(a):
    return np.tanh(a)


def tanh_backward(units, gradient):
    units, gradient = units[:, 1:], gradient[:, 1:]
    return gradient * (1 - units)  # the mistake: 1 - units ** 2


def relu_forward(a):
    return np.maximum(a, 0)


def relu_backward(units, gradient):
    return gradient[:, 1:] * (units[:, 1:] > 0)


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def softmax_backward(dist, dL_ddist):
    return dist * (dL_ddist - np.dot(dL_ddist, dist))
