import numpy as np

# expect fc: right
# expect sigmoid: right
# expect tanh: right
# expect relu: right
# expect linear: right


def fc_forward(X, W, b):
    """Z = XW + b"""
    return X @ W + b


def fc_backward(dZ, X, W):
    dX = dZ @ W.T
    dW = X.T @ dZ
    db = dZ.sum(axis=0)
    return dX, dW, db


def sigmoid_forward(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_backward(da, z):
    a = sigmoid_forward(z)
    return da * a * (1 - a)


def tanh_forward(z):
    return np.tanh(z)


def tanh_backward(da, a):
    # a is the output
    return da * (1 - a ** 2)


def relu_forward(Z):
    return np.maximum(Z, 0)


def relu_backward(dA, Z):
    dZ = dA.copy()
    dZ[Z <= 0] = 0
    return dZ


def linear_forward(x, W, b):
    return np.dot(x, W) + b


def linear_backward(grad_output, x, W, b):
    return {"grad_x": np.dot(grad_output, W.T), "grad_W": np.dot(x.T, grad_output), "grad_b": grad_output.sum(axis=0)}
