# always
# expect Dense: right: W (9, 4)
# expect DenseWrong: wrong: WRONG in dW
# expect Recurrent: right: U (4, 4)
# expect Scale: right: s (9,)
# expect Gated: right: Gated: z (6, 9), w (9, 4)
# expect ScaleWrong: wrong: WRONG in dx
"""Layers that are connected to the one before them, whose shape they read."""

import numpy as np


class Layer:
    first_layer = False

    def connect_to(self, prev_layer=None):
        self.n_in = self.n_in if prev_layer is None else prev_layer.out_shape[-1]


class Dense(Layer):
    def __init__(self, n_out, n_in=None):
        self.n_out, self.n_in = n_out, n_in
        self.W = self.b = self.dW = self.db = None

    def connect_to(self, prev_layer=None):
        if prev_layer is None:
            n_in = self.n_in
        else:
            assert len(prev_layer.out_shape) == 2
            n_in = prev_layer.out_shape[-1]
        self.W, self.b = 0.1 * np.random.randn(n_in, self.n_out), np.zeros(self.n_out)

    def forward(self, x, *args, **kwargs):
        self.x = x
        return x @ self.W + self.b

    def backward(self, pre_grad, *args, **kwargs):
        self.dW, self.db = self.x.T @ pre_grad, pre_grad.sum(axis=0)
        return pre_grad @ self.W.T


class DenseWrong(Dense):
    def backward(self, pre_grad, *args, **kwargs):
        self.dW, self.db = self.x.T @ pre_grad / len(self.x), pre_grad.sum(axis=0)
        return pre_grad @ self.W.T


class Recurrent(Layer):
    """The class that it inherits from reads the shape."""

    def __init__(self, n_out, n_in=None):
        self.n_out, self.n_in = n_out, n_in
        self.W = self.U = self.b = None

    def connect_to(self, prev_layer=None):
        super().connect_to(prev_layer)
        self.W, self.U = np.random.randn(self.n_in, self.n_out), np.random.randn(self.n_out, self.n_out)
        self.b = np.zeros(self.n_out)

    def forward(self, x):
        assert x.ndim == 3
        self.x, self.h = x, [np.zeros((len(x), self.n_out))]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ self.W + self.h[-1] @ self.U + self.b))
        return np.stack(self.h[1:], axis=1)

    def backward(self, dout):
        self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)
        dx, dh = np.zeros_like(self.x), 0
        for t in reversed(range(self.x.shape[1])):
            dz = (dout[:, t] + dh) * (1 - self.h[t + 1] ** 2)
            self.dW += self.x[:, t].T @ dz
            self.dU += self.h[t].T @ dz
            self.db += dz.sum(axis=0)
            dx[:, t], dh = dz @ self.W.T, dz @ self.U.T
        return dx


class Scale(Layer):
    def __init__(self):
        self.s = None

    def build(self, previous_layer):
        self.s = np.ones(previous_layer.n_units)

    def forward(self, x):
        self.x = x
        return self.s * x

    def backward(self, dout):
        self.ds = (dout * self.x).sum(axis=0)
        return dout * self.s


class ScaleWrong(Scale):
    def backward(self, dout):
        self.ds = (dout * self.x).sum(axis=0)
        return dout


class Gated:
    """An activation from a dict."""

    def __init__(self, n_in, n_out, activation):
        self.w, self.activation = np.random.randn(n_in, n_out), activation

    def forward(self, z):
        self.z, self.pre = z, z @ self.w
        return self.activation["function"](self.pre)

    def backward(self, grad):
        delta = grad * self.activation["gradient"](self.pre)
        self.dw = self.z.T @ delta
        return delta @ self.w.T
