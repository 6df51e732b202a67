# always
# expect Affine: right: weights (9, 4)
# expect AffineWrong: wrong: WRONG in dbias
# expect Logistic: right: Sigmoid
# expect LogisticWrong: wrong: WRONG
# expect Product: right: x2 (6, 9)
# expect Unwritten: not checked: unfinished
# expect MeanSquares: right: da
# expect MeanSquaresWrong: wrong: WRONG in da
"""Nodes of a graph, which find their inputs in the nodes before them and the gradient in those behind."""

import numpy as np


class Node:
    def __init__(self, inbound=[]):
        self.inbound, self.outbound, self.value, self.gradients = inbound, [], None, {}
        for node in inbound:
            node.outbound.append(self)

    def forward(self):
        raise NotImplementedError

    def backward(self):
        raise NotImplementedError


class Input(Node):
    def __init__(self):
        Node.__init__(self)

    def forward(self, value=None):
        self.value = self.value if value is None else value

    def backward(self):
        self.gradients = {self: sum(n.gradients[self] for n in self.outbound)}


class Affine(Node):
    def __init__(self, inputs, weights, bias):
        Node.__init__(self, [inputs, weights, bias])

    def forward(self):
        x, w, b = [node.value for node in self.inbound]
        self.value = x @ w + b

    def backward(self):
        self.gradients = {node: np.zeros_like(node.value) for node in self.inbound}
        for n in self.outbound:
            g = n.gradients[self]
            self.gradients[self.inbound[0]] += g @ self.inbound[1].value.T
            self.gradients[self.inbound[1]] += self.inbound[0].value.T @ g
            self.gradients[self.inbound[2]] += g.sum(axis=0)


class AffineWrong(Affine):
    def backward(self):
        Affine.backward(self)
        self.gradients[self.inbound[2]] = self.gradients[self.inbound[2]] / len(self.inbound[0].value)


class Logistic(Node):
    def __init__(self, node):
        Node.__init__(self, [node])

    def forward(self):
        self.value = 1 / (1 + np.exp(-self.inbound[0].value))

    def backward(self):
        grad = sum(n.gradients[self] for n in self.outbound)
        self.gradients = {self.inbound[0]: grad * self.value * (1 - self.value)}


class LogisticWrong(Logistic):
    def backward(self):
        grad = sum(n.gradients[self] for n in self.outbound)
        self.gradients = {self.inbound[0]: grad * self.value * (1 + self.value)}


class Product(Node):
    def __init__(self, *nodes):
        Node.__init__(self, list(nodes))

    def forward(self):
        self.value = np.prod([node.value for node in self.inbound], axis=0)

    def backward(self):
        grad = sum(n.gradients[self] for n in self.outbound)
        self.gradients = {node: grad * self.value / node.value for node in self.inbound}


class Unwritten(Node):
    def __init__(self, *nodes):
        Node.__init__(self, list(nodes))

    def forward(self):
        self.value = sum(node.value for node in self.inbound)


class MeanSquares(Node):
    def __init__(self, y, a):
        Node.__init__(self, [y, a])

    def forward(self):
        self.diff = self.inbound[0].value - self.inbound[1].value
        self.value = np.mean(self.diff**2)

    def backward(self):
        self.gradients[self.inbound[0]] = 2 / self.diff.size * self.diff
        self.gradients[self.inbound[1]] = -2 / self.diff.size * self.diff


class MeanSquaresWrong(MeanSquares):
    def backward(self):
        self.gradients[self.inbound[0]] = 2 / self.diff.size * self.diff
        self.gradients[self.inbound[1]] = 2 / self.diff.size * self.diff
