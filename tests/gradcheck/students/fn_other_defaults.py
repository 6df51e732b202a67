"""A number with one default in forward and another in backward; a factor of 1 that backward leaves out."""

# always
# expect leaky_relu: right: alpha left at its default; that is 0.01 in leaky_relu, and 0.1 in leaky_relu_derivative
# expect elu: right: alpha 0.7
# expect Elliot: wrong: right with input (6, 9), and wrong with steepness 0.7
import numpy as np


def leaky_relu(x, alpha=0.01):
    return np.where(x > 0, x, alpha * x)


def leaky_relu_derivative(x, alpha=0.1):
    return np.where(x > 0, 1, alpha)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def elu_derivative(x, alpha=1.0):
    return np.where(x > 0, 1, alpha * np.exp(x))


class Elliot:
    def __init__(self, steepness=1):
        self.steepness = steepness

    def forward(self, input):
        self.last = 1 + np.abs(input * self.steepness)
        return 0.5 * self.steepness * input / self.last + 0.5

    def derivative(self):
        return 0.5 / self.last**2
