import numpy as np

# expect bce: right: y_predicted (6, 9)
# expect cross_entropy: wrong: WRONG in dprediction
# expect logisticcost: right
# expect compute_mse: right
# expect hinge_cost: wrong: WRONG in dw

# ce for cross_entropy; a cost in one word with its gradient in another order of words; the error beside a gradient


def bce(y_true, y_predicted):
    return -np.mean(y_true * np.log(y_predicted) + (1 - y_true) * np.log(1 - y_predicted))


def bce_derivative(y_true, y_predicted):
    return ((1 - y_true) / (1 - y_predicted) - y_true / y_predicted) / np.size(y_true)


def cross_entropy(prediction, target):
    return -np.sum(target * np.log(prediction)) / target.shape[0]


def ce_derivative(prediction, target):
    return -target / prediction


def logisticcost(x, y, w, b):
    z = x @ w + b
    return np.mean(np.log(1 + np.exp(z)) - y * z)


def compute_gradient_logistic(x, y, w, b):
    error = 1 / (1 + np.exp(-(x @ w + b))) - y
    return x.T @ error / len(y), np.mean(error)


def compute_mse(y, tx, w):
    return np.mean((y - tx @ w) ** 2) / 2


def compute_gradient(y, tx, w):
    err = y - tx.dot(w)
    grad = -tx.T.dot(err) / len(err)
    return grad, err


def hinge_cost(w, data, signs, reg):
    return np.mean(np.maximum(0, 1 - signs * (data @ w))) + reg * w @ w


def hinge_gradient(w, data, signs, reg):
    err = np.where(signs * (data @ w) < 1, -signs, 0)
    grad = data.T @ err / len(signs) + reg * w
    return grad, err
