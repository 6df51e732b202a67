# expect leaky_relu: not checked: expected an array as its output, got a function
# long
"""An activation whose slope in the negative is given first: what it returns is a function."""
import numpy as np


def leaky_relu(alpha):
    def activation(x):
        return np.where(x > 0, x, alpha * x)

    return activation


def leaky_relu_derivative(alpha):
    def derivative(x):
        return np.where(x > 0, 1.0, alpha)

    return derivative
