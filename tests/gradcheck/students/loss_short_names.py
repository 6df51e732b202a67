import numpy as np

# expect mean_squared_error: right
# expect binary_cross_entropy: wrong: WRONG in dy_pred
# expect predict_linear: right: loss: squared_loss
# expect scores: wrong: WRONG in dV

# mse for mean squared error; gradients that are called as those of a loss, and are those of the weights; a table of losses


def mean_squared_error(y_true, y_pred):
    return np.mean(np.sum((y_true - y_pred) ** 2, axis=1))


def mse_gradient(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_true.shape[0]


def binary_cross_entropy(y_true, y_pred):
    return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))


def bce_gradient(y_true, y_pred):
    return (y_true / y_pred + (1 - y_true) / (1 - y_pred)) / y_true.size


def get_loss(name):
    if name == "mse":
        return mean_squared_error, mse_gradient
    return binary_cross_entropy, bce_gradient


def predict_linear(X, weights):
    return X @ weights


def squared_loss(y_true, prediction):
    return np.mean((y_true - prediction) ** 2)


def squared_gradient(X, y_true, prediction):
    return 2 / X.shape[0] * X.T @ (prediction - y_true)


def scores(X, V):
    return np.tanh(X @ V)


def scores_gradient(X, V, y, out):
    return X.T @ ((out - y) * (1 - out)) / len(X)


def train(X, y, weights, V, rate):
    prediction = predict_linear(X, weights)
    weights = weights - rate * squared_gradient(X, y, prediction)
    out = scores(X, V)
    return weights, V - rate * scores_gradient(X, V, y, out)
