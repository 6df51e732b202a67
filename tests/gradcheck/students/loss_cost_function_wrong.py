import numpy as np

# long
# expect propagate: wrong: db
# expect costFunctionReg: wrong
# expect linear_cost: wrong


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def propagate(w, b, X, Y):
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    dw = np.dot(X, (A - Y).T) / m
    db = np.sum(A - Y)
    return {"dw": dw, "db": db}, cost


def costFunctionReg(theta, X, y, lambda_):
    m = len(y)
    h = sigmoid(X @ theta)
    J = -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + lambda_ / (2 * m) * np.sum(theta[1:] ** 2)
    grad = X.T @ (h - y) / m + lambda_ / m * theta  # theta[0] too
    return J, grad


def linear_cost(w, b, x, y):
    err = x @ w + b - y
    cost = np.mean(err ** 2) / 2
    grads = {"w": x.T @ err, "b": err.mean()}
    return cost, grads
