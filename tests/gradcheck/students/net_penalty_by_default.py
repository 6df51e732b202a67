"""Networks whose step has a penalty by default, whose loss is private, or whose gradients another method makes.

Others get their layers from outside, or have weights of a fixed size, for one vector.
"""

# long
# expect Stack: right
# expect StackWrong: wrong: W[0]
# expect OneByOne: right
# expect OneByOneWrong: wrong: look at the derivative of its activation
# expect Frame: right
# expect FrameWrong: wrong
# expect FilledOutside: right
# expect FilledOutsideWrong: wrong
# expect OfFixedSize: right
# expect OfFixedSizeWrong: wrong: dweights1
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Stack:
    def __init__(self, layer_size, input_size):
        sizes = [input_size, *layer_size]
        self.W = [np.random.randn(n, m) for n, m in zip(sizes[1:], sizes[:-1])]
        self.B = [np.zeros(n) for n in sizes[1:]]
        self.A = [None for _ in sizes]
        self.D = [None for _ in sizes]

    def feedforward(self, input):
        self.A[0] = input
        for i, (w, b) in enumerate(zip(self.W, self.B)):
            z = self.A[i] @ w.T + b
            self.A[i + 1] = sigmoid(z) if i + 1 < len(self.W) else z
        return self.A[-1]

    def slope(self, a):
        return a * (1 - a)

    def backward(self, y, lr=0.01, wd=0.01):
        self.D[-1] = self.A[-1] - y
        for k in range(len(self.W) - 1, 0, -1):
            self.D[k] = self.D[k + 1] @ self.W[k] * self.slope(self.A[k])
        for k in range(len(self.W)):
            self.W[k] = (1 - lr * wd) * self.W[k] - lr / len(y) * self.D[k + 1].T @ self.A[k]
            self.B[k] -= lr / len(y) * self.D[k + 1].sum(axis=0)


class StackWrong(Stack):
    def slope(self, a):
        return 1 - a


class OneByOne:
    skipped = -1

    def __init__(self, in_dim, out_dim, hidden_dim):
        self.dim = [in_dim]
        self.dim.extend(hidden_dim)
        self.dim.append(out_dim)
        self.W, self.b, self.delta_W, self.delta_b, self.z, self.a, self.e = {}, {}, {}, {}, {}, {}, {}
        for k in range(1, len(self.dim)):
            self.W[k] = np.random.randn(self.dim[k], self.dim[k - 1])
            self.b[k] = np.zeros(self.dim[k])
            self.delta_W[k], self.delta_b[k] = np.zeros_like(self.W[k]), np.zeros_like(self.b[k])

    def forward(self, sample):
        if len(sample) != self.dim[0]:
            exit(1)
        self.a[0] = sample
        for k in range(1, len(self.dim)):
            self.z[k] = self.W[k] @ self.a[k - 1] + self.b[k]
            self.a[k] = sigmoid(self.z[k])
        return self.a[len(self.dim) - 1]

    def __loss(self, sample, target):
        p = self.forward(sample)
        return np.sum(-target * np.log(p) - (1 - target) * np.log(1 - p))

    def backward(self, target):
        last = len(self.dim) - 1
        self.e[last] = self.a[last] - target
        for k in range(last - 1, 0, -1):
            slope = 1 if k == self.skipped else sigmoid(self.z[k]) * (1 - sigmoid(self.z[k]))
            self.e[k] = self.W[k + 1].T @ self.e[k + 1] * slope

    def gradient(self, sample):
        for k in range(1, len(self.dim)):
            self.delta_W[k] = np.outer(self.e[k], self.a[k - 1])
            self.delta_b[k] = self.e[k]


class OneByOneWrong(OneByOne):
    skipped = 1


class Frame:
    def __init__(self):
        self.layers = []

    def add_layer(self, layer):
        self.layers.append(layer)

    def forw_prop(self, x):
        for layer in self.layers:
            x = layer.forw_pass(x)
        return x

    def back_prop(self, delta):
        for layer in self.layers[::-1]:
            delta = layer.back_pass(delta)
        return delta


class FrameWrong(Frame):
    def back_prop(self, delta):
        for layer in self.layers:
            delta = layer.back_pass(delta)
        return delta


class FilledOutside:
    def __init__(self, lr=0.01):
        self.layers = []
        self.lr = lr

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, loss_grad):
        for layer in reversed(self.layers):
            loss_grad = layer.backward(loss_grad, self.lr)


class FilledOutsideWrong(FilledOutside):
    def backward(self, loss_grad):
        for layer in self.layers:
            loss_grad = layer.backward(loss_grad, self.lr)


class OfFixedSize:
    def __init__(self):
        self.weights1 = np.array([[0.4, 0.5], [-0.6, 0.7], [0.8, -0.9]])
        self.weights2 = np.array([[0.1], [0.2]])
        self.lr = 0.1

    def forward(self, x):
        self.a1 = sigmoid(np.dot(x, self.weights1))
        self.a2 = sigmoid(np.dot(self.a1, self.weights2))
        return self.a2

    def compute_loss(self, y, y_pred):
        return (y - y_pred) ** 2

    def slope(self, a):
        return a * (1 - a)

    def backward(self, x, y):
        dz2 = -2 * (y - self.a2) * self.slope(self.a2)
        dz1 = dz2 * self.weights2.T * self.slope(self.a1)
        self.weights2 -= self.lr * dz2 * self.a1.reshape(2, 1)
        self.weights1 -= self.lr * x.reshape(3, 1) @ dz1


class OfFixedSizeWrong(OfFixedSize):
    def slope(self, a):
        return a * (1 - a) if np.size(a) == 1 else sigmoid(a) * (1 - sigmoid(a))
