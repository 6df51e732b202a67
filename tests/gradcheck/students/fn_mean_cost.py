import numpy as np

# expect linear: right: 1/m
# expect forward_propagation: right

# binary classification with one output unit


def linear_forward(A, W, b):
    Z = W.dot(A) + b
    return Z, (A, W, b)


def linear_backward(dZ, cache):
    A, W, b = cache
    m = A.shape[1]
    dW = (1 / m) * dZ.dot(A.T)
    db = (1 / m) * dZ.sum(axis=1, keepdims=True)
    dA = W.T.dot(dZ)
    return dA, dW, db


def forward_propagation(X, parameters):
    Z1, cache1 = linear_forward(X, parameters["W1"], parameters["b1"])
    A1 = np.maximum(Z1, 0)
    Z2, cache2 = linear_forward(A1, parameters["W2"], parameters["b2"])
    A2 = 1 / (1 + np.exp(-Z2))
    return A2, (cache1, Z1, cache2)


def compute_cost(A2, Y):
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def backward_propagation(A2, Y, cache):
    cache1, Z1, cache2 = cache
    grads = {}
    dA1, grads["dW2"], grads["db2"] = linear_backward(A2 - Y, cache2)
    dZ1 = dA1 * (Z1 > 0)
    _, grads["dW1"], grads["db1"] = linear_backward(dZ1, cache1)
    return grads


def accuracy(A2, Y):
    return np.mean((A2 > 0.5) == Y)
