import numpy as np

# expect fc: wrong: dW
# expect sigmoid: wrong or right: output
# expect tanh: wrong
# expect softplus: wrong
# expect dense: wrong


def fc_forward(X, W, b):
    return X @ W + b


def fc_backward(dZ, X, W):
    m = X.shape[0]
    dW = (X - X.mean(axis=0)).T @ dZ
    return dZ @ W.T, dW, dZ.sum(axis=0)


def sigmoid_forward(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_backward(da, z):
    # z is the input, it is taken for the output
    return da * z * (1 - z)


def tanh_forward(z):
    return np.tanh(z)


def tanh_backward(da, a):
    return da * (1 - np.tanh(a) ** 2) * a


def softplus_forward(x):
    return np.log1p(np.exp(x))


def softplus_backward(dy, x):
    return dy / (1 + np.exp(x))


def dense_forward(inputs, weights, bias):
    return inputs.dot(weights) + bias


def dense_backward(grad, inputs, weights):
    return {"inputs": grad.dot(weights.T), "weights": 2 * inputs.T.dot(grad), "bias": grad.sum(axis=0)}
