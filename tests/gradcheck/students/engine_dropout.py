"""Dropout in an own autograd: the mask belongs to the result, of which the graph is made anew."""

# long
# expect dropout: right
# expect dropout_anew: wrong: another mask
# expect square: right
import numpy as np


class Array:
    def __init__(self, data, requires_grad=False, parents=()):
        self.data = np.array(data)
        self.requires_grad = requires_grad
        self.parents = parents
        self.grad = np.zeros_like(self.data)

    def backward(self, grad):
        self.grad = self.grad + grad
        for parent, pull in self.parents:
            parent.backward(pull(grad))


def dropout(x, rate=0.4, training=True):
    if not training:
        return x
    mask = np.random.rand(*x.data.shape) > rate
    return Array(x.data * mask / (1 - rate), x.requires_grad, [(x, lambda grad: grad * mask / (1 - rate))])


def dropout_anew(x, rate=0.4, training=True):
    if not training:
        return x
    mask = np.random.rand(*x.data.shape) > rate

    def pull(grad):
        return grad * (np.random.rand(*x.data.shape) > rate) / (1 - rate)  # the mistake: another mask

    return Array(x.data * mask / (1 - rate), x.requires_grad, [(x, pull)])


def square(x):
    return Array(x.data**2, x.requires_grad, [(x, lambda grad: 2 * x.data * grad)])
