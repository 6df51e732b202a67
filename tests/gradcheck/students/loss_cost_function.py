import numpy as np

# long
# expect propagate: right
# expect cost_function: right
# expect costFunctionReg: right
# expect compute_cost: right

# logistic regression, with samples in columns (propagate) and in rows


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def propagate(w, b, X, Y):
    """w (n, 1), b a number, X (n, m), Y (1, m); returns grads, cost"""
    m = X.shape[1]
    A = sigmoid(np.dot(w.T, X) + b)
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dw = 1 / m * np.dot(X, (A - Y).T)
    db = 1 / m * np.sum(A - Y)
    cost = np.squeeze(np.array(cost))
    grads = {"dw": dw, "db": db}
    return grads, cost


def cost_function(theta, X, y):
    m = y.size
    h = sigmoid(X.dot(theta))
    J = -(1 / m) * (np.log(h).T.dot(y) + np.log(1 - h).T.dot(1 - y))
    grad = (1 / m) * X.T.dot(h - y)
    return J, grad


def costFunctionReg(theta, X, y, lambda_):
    m = y.size
    h = sigmoid(X.dot(theta))
    t = theta.copy()
    t[0] = 0  # the first one is not regularised
    J = np.sum(-y * np.log(h) - (1 - y) * np.log(1 - h)) / m + lambda_ / (2 * m) * np.sum(t ** 2)
    grad = X.T.dot(h - y) / m + lambda_ / m * t
    return J, grad


def compute_cost(X, y, w, b):
    """linear regression with several variables"""
    m = X.shape[0]
    err = X @ w + b - y
    return np.sum(err ** 2) / (2 * m)


def compute_gradient(X, y, w, b):
    m, n = X.shape
    dj_dw = np.zeros((n,))
    dj_db = 0.0
    for i in range(m):
        err = (np.dot(X[i], w) + b) - y[i]
        for j in range(n):
            dj_dw[j] += err * X[i, j]
        dj_db += err
    return dj_db / m, dj_dw / m
