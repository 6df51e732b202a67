"""A network in a training loop at module level, with biases, batches and a plot.

# expect sigmoid: right
# expect training loop: right: squared error
"""

import matplotlib.pyplot as plt
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_slope(out):
    return out * (1 - out)


sigmoid_derivative = sigmoid_slope

inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
expected_output = np.array([[0], [1], [1], [0]])
hidden_units, epochs, lr = 3, 50, 0.5
hidden_weights = np.random.uniform(size=(2, hidden_units))
hidden_bias = np.zeros((1, hidden_units))
output_weights = np.random.uniform(size=(hidden_units, 1))
output_bias = np.zeros((1, 1))
losses = []

for epoch in range(epochs):
    hidden = sigmoid(inputs @ hidden_weights + hidden_bias)
    predicted = sigmoid(hidden @ output_weights + output_bias)
    error = expected_output - predicted
    losses.append(np.mean(error**2))
    d_predicted = error * sigmoid_derivative(predicted)
    d_hidden = d_predicted.dot(output_weights.T) * sigmoid_derivative(hidden)
    output_weights += hidden.T.dot(d_predicted) * lr
    output_bias += d_predicted.sum(axis=0, keepdims=True) * lr
    hidden_weights += inputs.T.dot(d_hidden) * lr
    hidden_bias += d_hidden.sum(axis=0, keepdims=True) * lr

plt.plot(losses)
