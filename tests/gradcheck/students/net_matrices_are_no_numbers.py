import numpy as np

# long
# expect error_gradient: right: half the squared error
# expect miss_gradient: not checked: it is the gradient of no common one

# a product of matrices that a forgotten transpose spoils is none of two numbers


def squash(z):
    return 1 / (1 + np.exp(-z))


def error_gradient(y, g, x):
    return np.dot(x.T, (g - y) * g * (1 - g))


def miss_gradient(y, h, x):
    return np.dot(x, (h - y) * h * (1 - h))  # x.T


def train(train_x, train_y, alpha, rounds):
    W = np.zeros((3, train_x.shape[1]))
    for _ in range(rounds):
        g = squash(np.dot(train_x, W.T))
        W = W - alpha * error_gradient(train_y, g, train_x).T
    return W


def train_too(train_x, train_y, alpha, rounds):
    V = np.zeros((3, train_x.shape[1]))
    for _ in range(rounds):
        h = squash(np.dot(train_x, V.T))
        V = V - alpha * miss_gradient(train_y, h, train_x).T
    return V
