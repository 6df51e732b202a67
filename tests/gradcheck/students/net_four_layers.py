import numpy as np

# expect forward_pass: right: binary cross-entropy divided by the samples in rows
# expect net_of_five: wrong: WRONG in dW1

# four layers, with all activations in a list, and all parameters in two; and five


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def leaky_slope(x):
    return np.where(x > 0, 1, 0.1)


def forward_pass(X, weights, biases):
    W1, W2, W3, W4 = weights
    b1, b2, b3, b4 = biases
    Z1 = X @ W1 + b1
    A1 = leaky(Z1)
    Z2 = A1 @ W2 + b2
    A2 = leaky(Z2)
    Z3 = A2 @ W3 + b3
    A3 = leaky(Z3)
    A4 = 1 / (1 + np.exp(-(A3 @ W4 + b4)))
    return [A1, A2, A3, A4], [Z1, Z2, Z3]


def backward_pass(X, y, activations, zs, weights):
    A1, A2, A3, A4 = activations
    W1, W2, W3, W4 = weights
    dZ4 = (A4 - y) / X.shape[0]
    dZ3 = dZ4 @ W4.T * leaky_slope(zs[2])
    dZ2 = dZ3 @ W3.T * leaky_slope(zs[1])
    dZ1 = dZ2 @ W2.T * leaky_slope(zs[0])
    dWs = [X.T @ dZ1, A1.T @ dZ2, A2.T @ dZ3, A3.T @ dZ4]
    return dWs, [np.sum(dZ, axis=0, keepdims=True) for dZ in (dZ1, dZ2, dZ3, dZ4)]


def step(X, y, weights, biases, rate):
    activations, zs = forward_pass(X, weights, biases)
    dWs, dbs = backward_pass(X, y, activations, zs, weights)
    for i in range(4):
        weights[i] -= rate * dWs[i]
        biases[i] -= rate * dbs[i]


def net_of_five_forward(X, W1, W2, W3, W4, W5):
    A1 = np.tanh(W1 @ X)
    A2 = np.tanh(W2 @ A1)
    A3 = np.tanh(W3 @ A2)
    A4 = np.tanh(W4 @ A3)
    A5 = W5 @ A4
    return A1, A2, A3, A4, A5


def net_of_five_backward(X, Y, A1, A2, A3, A4, A5, W2, W3, W4, W5):
    d5 = (A5 - Y) / Y.shape[1]
    d4 = W5.T @ d5 * (1 - A4**2)
    d3 = W4.T @ d4 * (1 - A3**2)
    d2 = W3.T @ d3 * (1 - A2**2)
    d1 = W2.T @ d2 * (1 - A1)
    return d1 @ X.T, d2 @ A1.T, d3 @ A2.T, d4 @ A3.T, d5 @ A4.T
