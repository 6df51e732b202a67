# long
# expect Layer: right: dweights
# expect LayerSlip: wrong: WRONG in dinputs
# expect Likelihood: right: dscores
# expect LikelihoodSlip: wrong: WRONG in dscores
# expect Made: right: weights (10, 4)
# expect MadeSlip: wrong: WRONG in dweights
# expect Pile: right: layers[1] (1,)
# expect PileSlip: wrong: WRONG in
# expect Before: right: dx
# expect BeforeSlip: wrong: WRONG in dx
"""What backward need not be given; a loss for each sample; objects that a constructor leaves to None; a wrong delta."""

import numpy as np


class Layer:
    def __init__(self, n_in, n_out):
        self.weights = np.random.random((n_in, n_out)) - 0.5
        self.gradients_w = self.gradients_i = None

    def fprop(self, inputs):
        self.inputs = inputs
        self.outputs = inputs @ self.weights

    def bprop(self, gradients, inputs=None):
        if inputs == None:  # noqa: E711
            inputs = self.inputs
        self.gradients_w = inputs.T @ gradients
        self.gradients_i = self.back(gradients)

    def back(self, gradients):
        return gradients @ self.weights.T


class LayerSlip(Layer):
    def back(self, gradients):
        return -gradients @ self.weights.T


class Likelihood:
    """Its loss is one number for each sample, and its dout a column."""

    def set_targets(self, t):
        self.t = t

    def fprop(self, scores):
        self.p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return -np.log(self.p[np.arange(len(scores)), self.t])

    def bprop(self, grad_out):
        z = self.p.copy()
        z[np.arange(len(z)), self.t] -= self.one
        return np.multiply(grad_out, z, z)

    one = 1


class LikelihoodSlip(Likelihood):
    one = 2


class Made:
    """The parameters are made by an object, and changed by another."""

    def __init__(self, neurons, weights_initialiser, optimiser=None):
        self.neurons, self.weights_initialiser, self.optimiser = neurons, weights_initialiser, optimiser
        self.weights = None

    def forward(self, x):
        if self.weights is None:
            self.weights = self.weights_initialiser.initialise(x.shape[1] + 1, self.neurons)
            self.optimiser.reset()
        self.input = np.hstack((np.ones((len(x), 1)), x))
        self.output = self.input @ self.weights

    def backward(self, grad_output):
        grad_input = grad_output @ self.weights[1:].T
        self.weights = self.optimiser.optimise(self.weights, self.gradient(grad_output))
        return grad_input

    def gradient(self, grad_output):
        return self.input.T @ grad_output


class MadeSlip(Made):
    def gradient(self, grad_output):
        return self.input.T @ grad_output / len(grad_output)


class Pile:
    """A container that finds in its layers what they leave there."""

    def __init__(self):
        self.layers = []

    def add(self, layer):
        self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer.forward(x)
            x = layer.output
        return x

    def backward(self, dvalues):
        for layer in self.order():
            layer.backward(dvalues)
            dvalues = layer.dinputs

    def order(self):
        return reversed(self.layers)


class PileSlip(Pile):
    def order(self):
        return self.layers


class Before:
    """It hands on delta; what is wrong there shows with its own weights."""

    def __init__(self, n_in, n_out):
        self.w = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        self.a = np.tanh(x @ self.w)
        return self.a

    def backward(self, delta_right, w_right):
        delta = (delta_right @ w_right.T) * (1 - self.a**2)
        self.dw = self.x.T @ delta
        return delta


class BeforeSlip(Before):
    def backward(self, delta_right, w_right):
        return super().backward(delta_right, w_right) * self.a
