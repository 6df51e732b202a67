import numpy as np

# long
# expect linear: wrong: dA
# expect linear_v2: wrong: db
# expect linear_v3: wrong: m = 6 is a number of features: the samples are on the other axis
# expect relu: wrong: mask
# expect sigmoid: wrong


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z)), Z


def relu(Z):
    return np.maximum(0, Z), Z


def relu_backward(dA, cache):
    Z = cache
    dZ = np.array(dA, copy=True)
    return dZ


def sigmoid_backward(dA, cache):
    Z = cache
    return dA * Z * (1 - Z)


def linear_forward(A, W, b):
    return np.dot(W, A) + b, (A, W, b)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ) / m
    return dA_prev * 2, dW, db


def linear_backward_v2(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True)  # forgot the 1/m here
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db * W.shape[0]


def linear_backward_v3(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[0]  # these are the features
    return W.T @ dZ, dZ @ A_prev.T / m, np.sum(dZ, axis=1, keepdims=True) / m
