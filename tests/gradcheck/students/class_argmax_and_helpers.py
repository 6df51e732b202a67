"""What a class has beside its forward and backward: the class's number, a helper called gradient, nodes that hold data."""

# expect Classifier: right
# expect ClassifierWrong: wrong: WRONG in dW, db
# expect Cube: right
# expect Square: wrong
# expect Add: right
import numpy as np


class Classifier:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)

    def forward(self, X):
        self.X = X
        z = X @ self.W + self.b
        e = np.exp(z - z.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        self.predicted = np.argmax(self.p, axis=1)
        return self.p

    def loss(self, p, y):
        return -np.log(p[np.arange(len(y)), y]).mean()

    def backward(self, y):
        d = self.p.copy()
        d[np.arange(len(y)), y] -= 1
        d /= len(y)
        self.dW, self.db = self.X.T @ d, d.sum(axis=0)


class ClassifierWrong(Classifier):
    def backward(self, y):
        d = self.p.copy()
        d[np.arange(len(y)), y] -= 1
        self.dW, self.db = self.X.T @ d, d.sum(axis=0)


class Cube:
    def forward(self, x):
        return x**3

    def _gradient(self, x):
        return np.ones_like(x)

    def derivative(self, x):
        return 3 * x**2


class Square:
    def forward(self, x):
        return x**2

    def _gradient(self, x):
        return 2 * x

    def derivative(self, x):
        return x


class Node:
    def __init__(self, inputs=()):
        self.inputs, self.outputs, self.value, self.gradients = list(inputs), [], None, {}
        for node in self.inputs:
            node.outputs.append(self)


class Input(Node):
    def __init__(self):
        super().__init__()

    def forward(self):
        pass

    def backward(self):
        self.gradients = {self: sum(node.gradients[self] for node in self.outputs)}


class Add(Node):
    def __init__(self, a, b):
        super().__init__([a, b])

    def forward(self):
        self.value = self.inputs[0].value + self.inputs[1].value

    def backward(self):
        self.gradients = {node: np.zeros_like(node.value) for node in self.inputs}
        for node in self.outputs:
            for one in self.inputs:
                self.gradients[one] += node.gradients[self]
