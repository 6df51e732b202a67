# long
# expect Tensor.__add__: right
# expect Tensor.__mul__: right
# expect Tensor.__neg__: right
# expect Tensor.sum: right
# expect Tensor.reshape: right
# expect Tensor.broadcast_to: right
# expect add: right
# expect multiply: right
# expect power_scalar: right
# expect broadcast_to: right
# expect summation: right
# expect relu: right
# expect Tensor.backward: right
# expect Tensor.__truediv__: wrong: WRONG in dother
# expect divide: wrong: WRONG in db
"""Operations are classes with compute and gradient; gradients are tensors too, and sums of many are made outside of the class."""
from functools import reduce
from operator import add as plus

import numpy as np


class Op:
    def __call__(self, *args):
        return Tensor.of(self, args)

    def compute(self, *args):
        raise NotImplementedError

    def gradient(self, out_grad, node):
        raise NotImplementedError


class Tensor:
    grad: "Tensor"

    def __init__(self, array, op=None, inputs=()):
        self.cached, self.op, self.inputs = np.asarray(array), op, list(inputs)

    @staticmethod
    def of(op, inputs):
        return Tensor(op.compute(*[x.cached for x in inputs]), op, inputs)

    @property
    def shape(self):
        return self.cached.shape

    def backward(self, out_grad=None):
        send_back(self, out_grad if out_grad else Tensor(np.ones(self.shape)))

    def __add__(self, other):
        return add(self, other) if isinstance(other, Tensor) else AddScalar(other)(self)

    def __mul__(self, other):
        return multiply(self, other) if isinstance(other, Tensor) else MulScalar(other)(self)

    def __neg__(self):
        return MulScalar(-1)(self)

    def __truediv__(self, other):
        return divide(self, other)

    def sum(self, axes=None):
        return summation(self, axes)

    def reshape(self, shape):
        return Reshape(shape)(self)

    def broadcast_to(self, shape):
        return broadcast_to(self, shape)


def send_back(output, out_grad):
    grads, order, seen = {output: [out_grad]}, [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for other in node.inputs:
                visit(other)
            order.append(node)

    visit(output)
    for node in reversed(order):
        node.grad = reduce(plus, grads[node])
        if node.op is not None:
            found = node.op.gradient(node.grad, node)
            for x, g in zip(node.inputs, found if isinstance(found, tuple) else (found,)):
                grads.setdefault(x, []).append(g)


class EWiseAdd(Op):
    def compute(self, a, b):
        return a + b

    def gradient(self, out_grad, node):
        return out_grad, out_grad


def add(a, b):
    return EWiseAdd()(a, b)


class AddScalar(Op):
    def __init__(self, scalar):
        self.scalar = scalar

    def compute(self, a):
        return a + self.scalar

    def gradient(self, out_grad, node):
        return out_grad


class MulScalar(Op):
    def __init__(self, scalar):
        self.scalar = scalar

    def compute(self, a):
        return a * self.scalar

    def gradient(self, out_grad, node):
        return out_grad * self.scalar


class EWiseMul(Op):
    def compute(self, a, b):
        return a * b

    def gradient(self, out_grad, node):
        a, b = node.inputs
        return out_grad * b, out_grad * a


def multiply(a, b):
    return EWiseMul()(a, b)


class EWiseDiv(Op):
    def compute(self, a, b):
        return a / b

    def gradient(self, out_grad, node):
        a, b = node.inputs
        return out_grad / b, -out_grad * a / b


def divide(a, b):
    return EWiseDiv()(a, b)


class PowerScalar(Op):
    def __init__(self, scalar):
        self.scalar = scalar

    def compute(self, a):
        return a**self.scalar

    def gradient(self, out_grad, node):
        return out_grad * (power_scalar(node.inputs[0], self.scalar - 1) * self.scalar)


def power_scalar(a, scalar):
    return PowerScalar(scalar)(a)


class Reshape(Op):
    def __init__(self, shape):
        self.shape = shape

    def compute(self, a):
        return a.reshape(self.shape)

    def gradient(self, out_grad, node):
        return out_grad.reshape(node.inputs[0].shape)


class BroadcastTo(Op):
    def __init__(self, shape):
        self.shape = shape

    def compute(self, a):
        return np.broadcast_to(a, self.shape)

    def gradient(self, out_grad, node):
        before = node.inputs[0].shape
        padded = (1,) * (len(self.shape) - len(before)) + tuple(before)
        axes = tuple(i for i, n in enumerate(padded) if n != self.shape[i])
        return out_grad.sum(axes).reshape(before) if axes else out_grad


def broadcast_to(a, shape):
    return BroadcastTo(shape)(a)


class Summation(Op):
    def __init__(self, axes=None):
        self.axes = axes

    def compute(self, a):
        return a.sum(self.axes)

    def gradient(self, out_grad, node):
        shape = list(node.inputs[0].shape)
        for axis in range(len(shape)) if self.axes is None else self.axes:
            shape[axis] = 1
        return out_grad.reshape(shape).broadcast_to(node.inputs[0].shape)


def summation(a, axes=None):
    return Summation(axes)(a)


class ReLU(Op):
    def compute(self, a):
        return np.maximum(a, 0)

    def gradient(self, out_grad, node):
        return out_grad * Tensor(node.inputs[0].cached > 0)


def relu(a):
    return ReLU()(a)
