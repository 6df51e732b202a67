import numpy as np

# expect error_function: right: a ()
# expect log_loss: right
# expect loss_gradient: wrong: WRONG in dw
# expect cross_entropy: wrong: right for both together
# expect exponential: right: not checked
# expect square_loss: right: theta (2, 1)

# the gradient has the loss's arguments, in part by other names; numbers as parameters; sizes that only the file's data have

lambda_reg = 0.1
rng = np.random.RandomState(0)
n = 20
X = rng.rand(n, 1)
y = 3 * X + 1
theta_init = np.zeros((2, 1))


def linear_model(x, a, b):
    return a * x + b


def error_function(x, y, a, b):
    return np.sum((linear_model(x, a, b) - y) ** 2)


def error_gradients(x, y, a, b):
    grad_a = 2 * np.sum(x * (a * x + b - y))
    grad_b = 2 * np.sum(a * x + b - y)
    return grad_a, grad_b


def log_loss(X, y, w):
    return np.mean(np.log(1 + np.exp(-y * (X @ w)))) + lambda_reg / 2 * w @ w


def gradient(X, y, weights):
    r = -y / (1 + np.exp(y * (X @ weights)))
    return X.T @ r / len(X) + lambda_reg * weights


def loss_gradient(X, y, w):
    r = -y / (1 + np.exp(y * (X @ w)))
    return X.T @ r + lambda_reg * w  # not divided


def cross_entropy(p, t):
    s = len(t)
    return np.sum(-np.log(p[range(s), np.argmax(t, axis=1)])) / s


def d_cross_entropy(g, y):
    m = len(y)
    grad = g.copy()
    grad[range(m), np.argmax(y, axis=1)] -= 1
    return grad / m


def exponential(y_true, y_pred):
    if y_true == 0:
        return np.exp(0.5 * y_pred)
    elif y_true == 1:
        return np.exp(-0.5 * y_pred)


def d_exponential(y_true, y_pred):
    if y_true == 0:
        return 0.5 * np.exp(0.5 * y_pred)
    elif y_true == 1:
        return -0.5 * np.exp(-0.5 * y_pred)


def square_loss(X, y, theta):
    assert X.shape == (n, 1)
    assert theta.shape == (2, 1)
    return ((np.concatenate([X, np.ones((n, 1))], axis=1) @ theta - y) ** 2).mean() / 2


def square_loss_gradient(X, y, theta):
    columns = np.concatenate([X, np.ones((n, 1))], axis=1)
    return ((columns @ theta - y) * columns).mean(axis=0)[:, np.newaxis]
