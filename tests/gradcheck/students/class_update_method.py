# long
# expect FullyConnected: right
# expect FullyConnectedWrong: wrong: WRONG
# expect ReLULayer: right
# expect Momentum: right
import numpy as np


class FullyConnected:
    """Remembers its gradients; update() takes a step."""

    def __init__(self, num_inputs, num_outputs, learning_rate=0.01):
        self.weights = np.random.normal(0, 0.1, (num_inputs, num_outputs))
        self.bias = np.zeros(num_outputs)
        self.lr = learning_rate
        self.input = None
        self.gradient_weights = None
        self.gradient_bias = None

    def forward(self, input_tensor):
        self.input = input_tensor.copy()
        return np.matmul(input_tensor, self.weights) + self.bias

    def backward(self, error_tensor):
        self.gradient_weights = np.matmul(self.input.T, error_tensor)
        self.gradient_bias = np.sum(error_tensor, axis=0)
        return np.matmul(error_tensor, self.weights.T)

    def update(self):
        self.weights = self.weights - self.lr * self.gradient_weights
        self.bias = self.bias - self.lr * self.gradient_bias


class FullyConnectedWrong(FullyConnected):
    """The step is taken at once, and so with the new weights."""

    def backward(self, error_tensor):
        self.gradient_weights = np.matmul(self.input.T, error_tensor)
        self.gradient_bias = np.sum(error_tensor, axis=0)
        self.update()
        return np.matmul(error_tensor, self.weights.T)


class Momentum(FullyConnected):
    """Has a velocity too, which is no parameter."""

    def __init__(self, num_inputs, num_outputs, learning_rate=0.01, momentum=0.9):
        super().__init__(num_inputs, num_outputs, learning_rate)
        self.v_weights = np.zeros_like(self.weights)
        self.v_bias = np.zeros_like(self.bias)
        self.mu = momentum

    def update(self):
        self.v_weights = self.mu * self.v_weights - self.lr * self.gradient_weights
        self.v_bias = self.mu * self.v_bias - self.lr * self.gradient_bias
        self.weights = self.weights + self.v_weights
        self.bias = self.bias + self.v_bias


class ReLULayer:
    def __init__(self):
        self.input_tensor = None

    def forward(self, input_tensor):
        self.input_tensor = input_tensor
        return np.where(input_tensor > 0, input_tensor, 0)

    def backward(self, error_tensor):
        return np.where(self.input_tensor > 0, error_tensor, 0)
