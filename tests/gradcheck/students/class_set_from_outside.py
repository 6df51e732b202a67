"""Layers whose input_shape the network sets, an activation with a flag for its slope, and a backward from before the softmax."""

# long
# expect Dense: right
# expect DenseWrong: wrong: dweights
# expect Flatten: right
# expect Convolution: right
# expect ConvolutionWrong: wrong: dx
# expect Activation: right
# expect ActivationWrong: wrong: dx
# expect Head: right: dZ taken as the gradient of self.Z
# expect HeadWrong: wrong: dWout
import numpy as np


class Layer:
    def __init__(self):
        self.input_shape = None
        self.weights = None

    @property
    def input_size(self):
        return np.prod(self.input_shape)

    def initialize(self):
        pass


class Dense(Layer):
    def __init__(self, units: int):
        super().__init__()
        self.units = units

    def initialize(self):
        self.weights = np.random.randn(self.input_size, self.units)

    def forward(self, x):
        self.x = x
        return x @ self.weights

    def backward(self, dout):
        self.weights_gradient = self.x.T @ dout
        return dout @ self.weights.T


class DenseWrong(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.weights_gradient = self.weights_gradient / len(dout) ** 2
        return dx


class Flatten(Layer):
    def forward(self, x):
        return x.reshape((-1, self.input_size))

    def backward(self, dout):
        return dout.reshape((-1, *self.input_shape))


class Convolution(Layer):
    def __init__(self, num_of_kernels: int, num_of_channels: int):
        super().__init__()
        self.num_of_kernels, self.num_of_channels = num_of_kernels, num_of_channels

    def initialize(self):
        self.weights = np.random.randn(self.num_of_kernels, self.num_of_channels, 2, 2)

    def windows(self):
        _, height, width = self.input_shape
        return [(i, j) for i in range(height - 1) for j in range(width - 1)]

    def forward(self, x):
        self.x, out = x, np.zeros((len(x), self.num_of_kernels, self.input_shape[1] - 1, self.input_shape[2] - 1))
        for i, j in self.windows():
            out[:, :, i, j] = np.tensordot(x[:, :, i : i + 2, j : j + 2], self.weights, ([1, 2, 3], [1, 2, 3]))
        return out

    def backward(self, dout):
        dx, self.weights_gradient = np.zeros_like(self.x), np.zeros_like(self.weights)
        for i, j in self.windows():
            self.weights_gradient += np.tensordot(dout[:, :, i, j], self.x[:, :, i : i + 2, j : j + 2], ([0], [0]))
            self.add(dx[:, :, i : i + 2, j : j + 2], np.tensordot(dout[:, :, i, j], self.weights, ([1], [0])))
        return dx

    def add(self, window, g):
        window += g


class ConvolutionWrong(Convolution):
    def add(self, window, g):
        window[:] = g


class Activation(Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        self.x, self.y = x, self.function(x)
        return self.y

    def backward(self, dout):
        return dout * self.function(self.x, derivative=True)


class ActivationWrong(Activation):
    def backward(self, dout):
        return dout * self.function(self.y, derivative=True)


class Head:
    def __init__(self, vocab_size, embed_dim):
        self.Wout = np.random.randn(vocab_size, embed_dim)

    def forward(self, X):
        self.X = X
        self.Z = self.Wout @ self.X
        e = np.exp(self.Z - np.max(self.Z, axis=0))
        return e / np.sum(e, axis=0)

    def backward(self, dZ):
        self.dWout = dZ @ self.X.T
        return self.Wout.T @ dZ


class HeadWrong(Head):
    def backward(self, dZ):
        self.dWout = dZ @ self.X.T / self.X.shape[1] ** 2
        return self.Wout.T @ dZ
