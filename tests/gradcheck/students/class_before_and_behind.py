# long
# expect Dense: right: dA  6x9
# expect DenseSlip: wrong: its mask, x > 0, is not applied
# expect Connected: right: dweights[0]
# expect ConnectedSlip: wrong: WRONG in dx
# expect Windows: right: dx
# expect WindowsSlip: wrong: WRONG in dx
"""Layers that find their input, and their sizes, in the layer before them; a private method of the name of backward."""

import numpy as np


class Dense:
    """forward and backward take nothing: all is left in the neighbours."""

    def __init__(self, layer_dim, prev_layer, activation):
        self.layer_dim, self.prev_layer, self.next_layer = layer_dim, prev_layer, None
        self.W = np.random.randn(layer_dim, prev_layer.layer_dim) / np.sqrt(prev_layer.layer_dim)
        self.b = np.zeros((layer_dim, 1))
        self.A = self.dA = self.dW = self.db = None
        self.activation = activation

    def forward(self):
        z = self.W.dot(self.prev_layer.A) + self.b
        self.A = np.tanh(z) if self.activation == "tanh" else np.maximum(z, 0)

    def backward(self):
        dZ = self.dA * self.slope()
        m = self.prev_layer.A.shape[1]
        self.dW = dZ @ self.prev_layer.A.T / m
        self.db = np.sum(dZ, axis=1, keepdims=True) / m
        self.prev_layer.dA = self.before(dZ)

    def slope(self):
        return 1 - self.A**2 if self.activation == "tanh" else self.A > 0

    def before(self, dZ):
        return self.W.T @ dZ


class DenseSlip(Dense):
    def before(self, dZ):
        return self.W.T @ self.dA


class Layer:
    def __init__(self):
        self.network = self.prev_layer = self.next_layer = self.output_shape = None
        self.weights = []

    @property
    def input_shape(self):
        return self.prev_layer.output_shape if self.prev_layer else None

    def connect(self, network, prev_layer, next_layer):
        self.network, self.prev_layer, self.next_layer = network, prev_layer, next_layer
        self.initialize()

    def initialize(self):
        pass


class Connected(Layer):
    """Its parameters are made where the network connects it, for one sample."""

    def __init__(self, neurons):
        super().__init__()
        self.neurons, self.weights, self.__x = neurons, [None], None

    @property
    def kernel(self):
        return self.weights[0]

    def initialize(self):
        self.weights[0] = np.random.randn(self.neurons, self.input_shape[0])

    def propagate(self, x):
        self.__x = x
        return x @ self.kernel.T

    def backpropagate(self, delta):
        dx = (delta @ self.kernel).flatten() * self.factor
        self.weights[0] = self.kernel - self.network.learning_rate * delta.reshape(-1, 1) @ self.__x.reshape(1, -1)
        return dx

    factor = 1


class ConnectedSlip(Connected):
    factor = -1


class Windows:
    def __init__(self, pool_size=2):
        self.pool_size = pool_size

    def forward(self, x):
        self.shape = x.shape
        n = self.pool_size
        return x[:, :, : x.shape[2] // n * n].reshape(*x.shape[:2], -1, n).mean(axis=3)

    def backward(self, dout):
        return self.__backward(dout, self.shape, self.pool_size)

    @staticmethod
    def __backward(dout, shape, n):
        dx = np.zeros(shape)
        for k in range(n):
            dx[:, :, k : dout.shape[2] * n : n] = dout / n
        return dx


class WindowsSlip(Windows):
    def backward(self, dout):
        return super().backward(dout) * 2
