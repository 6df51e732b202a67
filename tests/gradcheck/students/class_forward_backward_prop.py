# expect Dense: right
# expect Activation_Tanh: right
# expect Dense_Wrong: wrong: WRONG
# expect SoftmaxLayer: right
import numpy as np


class Dense:
    """forward_propagation and backward_propagation, and a layer that updates itself."""

    def __init__(self, input_size, output_size):
        self.weights = np.random.rand(input_size, output_size) - 0.5
        self.bias = np.random.rand(1, output_size) - 0.5

    def forward_propagation(self, input_data):
        self.input = input_data
        self.output = np.dot(self.input, self.weights) + self.bias
        return self.output

    def backward_propagation(self, output_error, learning_rate):
        input_error = np.dot(output_error, self.weights.T)
        weights_error = np.dot(self.input.T, output_error)
        self.weights -= learning_rate * weights_error
        self.bias -= learning_rate * output_error.sum(axis=0, keepdims=True)
        return input_error


class Dense_Wrong(Dense):
    def backward_propagation(self, output_error, learning_rate):
        input_error = np.dot(output_error, self.weights.T)
        self.weights -= learning_rate * np.dot(self.input.T, output_error) / 2
        self.bias -= learning_rate * output_error.sum(axis=0, keepdims=True)
        return input_error


class Activation_Tanh:
    def forward_propagation(self, input_data):
        self.input = input_data
        return np.tanh(input_data)

    def backward_propagation(self, output_error, learning_rate):
        return (1 - np.tanh(self.input) ** 2) * output_error


class SoftmaxLayer:
    def forward_propagation(self, input):
        e = np.exp(input - input.max(axis=-1, keepdims=True))
        self.output = e / e.sum(axis=-1, keepdims=True)
        return self.output

    def backward_propagation(self, output_error, learning_rate):
        return self.output * (output_error - (output_error * self.output).sum(axis=-1, keepdims=True))
