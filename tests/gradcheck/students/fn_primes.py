import math

import numpy as np

# expect sigmoid: right
# expect tanh: right
# expect relu: right
# expect ReLU6: right
# expect LReLU: wrong
# expect leaky_relu: wrong
# expect softplus: wrong

# activation functions and their derivatives


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def sigmoid_prime(x):
    return sigmoid(x) * (1 - sigmoid(x))


def tanh(x):
    return np.tanh(x)


def tanh_prime(x):
    return 1 - np.tanh(x) ** 2


def relu(x):
    return np.maximum(0, x)


def relu_derivative(x):
    return np.where(x > 0, 1.0, 0.0)


def leaky_relu(x, alpha=0.01):
    return np.where(x > 0, x, alpha * x)


def leaky_relu_derivative(x, alpha=0.01):
    return np.where(x > 0, 1.0, 0.0)


def softplus(x):
    return np.log(1 + np.exp(x))


def softplus_prime(x):
    return 1 / (1 + np.exp(x))


def number_of_batches(n, size):
    return math.ceil(n / size)


def ReLU6(z):
    return np.minimum(np.maximum(0, z), 6)


def deriv_relu6(z):
    return (z > 0) & (z < 6)


def LReLU(z):
    return np.where(z > 0, z, 0.1 * z)


def d_lrelu(z):
    return np.where(z > 0, 1.0, -0.1)
