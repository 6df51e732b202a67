import numpy as np

# expect predict: right: loss: mse_loss
# expect predict_twice: wrong: WRONG in dv

# the gradients take what predict does, and the targets; nothing else says that they belong together


def predict(X, w, b):
    return X @ w + b


def mse_loss(y_pred, y_true):
    return np.sum((y_pred - y_true) ** 2) / y_true.shape[0]


def compute_gradients(X, y, w, b):
    residuals = X @ w + b - y
    return 2 / len(X) * (X.T @ residuals), 2 / len(X) * np.sum(residuals)


def predict_twice(X, v):
    return 2 * (X @ v)


def gradients_of_both(X, y, v):
    return 2 / len(X) * X.T @ (2 * X @ v - y)
