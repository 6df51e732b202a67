"""Layers made for one column or one vector, with methods under other names, and a backward that takes what forward was given."""

# expect VectorNorm: right
# expect VectorNormWrong: wrong: dx
# expect Cell: right
# expect CellWrong: wrong: db
# expect Dense: right
# expect DenseWrong: wrong: dX
# expect Affine: right
# expect AffineWrong: wrong: dgamma
from abc import ABC, abstractmethod

import numpy as np


class VectorNorm:
    third = True

    def feedforward(self, x, gamma, beta, eps):
        mean, self.inverse = np.sum(x) / len(x), 1 / np.sqrt(np.sum((x - np.sum(x) / len(x)) ** 2) / len(x) + eps)
        self.x_hat, self.gamma = (x - mean) * self.inverse, gamma
        return gamma * self.x_hat + beta

    def backforward(self, dout):
        d, n = dout * self.gamma, len(dout)
        dmean = np.ones(n) / n * np.sum(d, axis=0)
        dvar = np.ones(n) / n * np.sum(d * self.x_hat, axis=0) if self.third else 0
        dx = self.inverse * (d - dmean - self.x_hat * dvar)
        return dx, np.sum(dout * self.x_hat, axis=0), np.sum(dout, axis=0)


class VectorNormWrong(VectorNorm):
    third = False


class Cell:
    def __init__(self, input_dim, hidden_dim):
        self.W, self.b = np.random.randn(hidden_dim, hidden_dim + input_dim), np.zeros((hidden_dim, 1))
        self.hidden_dim = hidden_dim

    def forward(self, x, prev_hidden_state):
        """One step. x has the shape (input_dim x 1), the state (hidden_dim x 1)."""
        self.stacked = np.vstack((prev_hidden_state, x))
        self.h = np.tanh(self.W @ self.stacked + self.b)
        return self.h

    def backward(self, d_hidden):
        dz = d_hidden * (1 - self.h**2)
        self.grad_W, self.grad_b = dz @ self.stacked.T, dz
        d_stacked = self.W.T @ dz
        return d_stacked[self.hidden_dim :], d_stacked[: self.hidden_dim]


class CellWrong(Cell):
    def backward(self, d_hidden):
        grads = super().backward(d_hidden)
        self.grad_b = d_hidden
        return grads


class Function(ABC):
    @abstractmethod
    def forward(self, X):
        self._check(X)

    @abstractmethod
    def backward(self, prev_layer_state, next_layer_errors):
        self._check(prev_layer_state)

    def _check(self, X):
        assert X.ndim == 2


class Dense(Function):
    def __init__(self, n_inputs, n_outputs):
        self.W = np.random.randn(n_outputs, n_inputs)

    def forward(self, X):
        super().forward(X)
        stimuli = X @ self.W.T
        return np.tanh(stimuli), stimuli

    def backward(self, prev_layer_state, next_layer_errors):
        self.dW = self.errors(prev_layer_state, next_layer_errors).T @ prev_layer_state
        return self.errors(prev_layer_state, next_layer_errors) @ self.W

    def errors(self, before, after):
        return after * (1 - np.tanh(before @ self.W.T) ** 2)


class DenseWrong(Dense):
    def errors(self, before, after):
        return after * (1 - (before @ self.W.T) ** 2)


class Parameter:
    def __init__(self, shape):
        self.params, self.grads = np.ones(shape), np.zeros(shape)


class Affine:
    def __init__(self, dim):
        self.gamma, self.beta = Parameter(dim), Parameter(dim)

    def forward(self, x):
        self.x = x
        return x * self.gamma.params + self.beta.params

    def compute_gradients(self, grads):
        self.gamma.grads, self.beta.grads = (grads * self.x).sum(axis=0), grads.sum(axis=0)
        return grads * self.gamma.params


class AffineWrong(Affine):
    def compute_gradients(self, grads):
        dx = super().compute_gradients(grads)
        self.gamma.grads = grads.sum(axis=0)
        return dx
