"""Modules whose backward is two methods: one hands delta on, the other adds to the gradients; the base class has them both."""

# long
# expect Linear: right: d_parameters
# expect LinearSlip: wrong: WRONG in d_parameters
# expect Tanh: right
# expect TanhSlip: wrong: WRONG in dX
import numpy as np


class Module:
    def __init__(self):
        self._parameters = None
        self._gradient = None

    def forward(self, X):
        pass

    def backward_update_gradient(self, input, delta):
        pass

    def backward_delta(self, input, delta):
        pass


class Linear(Module):
    def __init__(self, n_in, n_out, bias=True):
        super().__init__()
        self.bias = bias
        self._parameters = np.random.randn(n_in, n_out) * np.sqrt(2 / n_in)
        self._gradient = np.zeros_like(self._parameters)
        self._bias = np.random.randn(1, n_out)
        self._gradient_bias = np.zeros_like(self._bias)

    def forward(self, X):
        out = X @ self._parameters
        return out + self._bias if self.bias else out

    def backward_update_gradient(self, input, delta):
        self._gradient += input.T @ delta
        if self.bias:
            self._gradient_bias += np.sum(delta, axis=0)

    def backward_delta(self, input, delta):
        return delta @ self._parameters.T


class LinearSlip(Linear):
    def backward_update_gradient(self, input, delta):
        self._gradient += np.abs(input).T @ delta  # the mistake: the sign is lost
        if self.bias:
            self._gradient_bias += np.sum(delta, axis=0)


class Tanh(Module):
    def forward(self, X):
        return np.tanh(X)

    def backward_delta(self, input, delta):
        return delta * (1 - np.tanh(input) ** 2)


class TanhSlip(Tanh):
    def backward_delta(self, input, delta):
        return delta * (1 - np.tanh(input))  # the mistake: tanh squared
