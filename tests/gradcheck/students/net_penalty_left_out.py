import numpy as np

# long
# expect forward_propagation: right: loss: compute_cost
# expect run: wrong: W1

# the factor of a penalty is 0 where it is left out, in the cost and in backward


def forward_propagation(X, parameters):
    W1, b1, W2, b2 = (parameters[key] for key in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
    return A2, (A1, W1, W2, A2)


def compute_cost(A, Y, parameters, lambd=0.0):
    m = Y.shape[1]
    penalty = lambd / (2 * m) * (np.sum(parameters["W1"] ** 2) + np.sum(parameters["W2"] ** 2))
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m + penalty


def backward_propagation(X, Y, cache, lambd=0.0):
    A1, W1, W2, A2 = cache
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    return {
        "dW1": dZ1 @ X.T + lambd / m * W1,
        "db1": dZ1.sum(axis=1, keepdims=True),
        "dW2": dZ2 @ A1.T + lambd / m * W2,
        "db2": dZ2.sum(axis=1, keepdims=True),
    }


def run_forward(X, W1, W2):
    A1 = np.tanh(np.dot(W1, X))
    return A1, np.dot(W2, A1)


def run_loss(out, target, W1, W2, lambd=0.0):
    return np.sum((out - target) ** 2) / 2 + lambd / 2 * (np.sum(W1**2) + np.sum(W2**2))


def run_backward(X, target, A1, out, W1, W2, lambd=0.0):
    d2 = out - target
    d1 = W2.T @ d2 * (1 - A1**2)
    return d1 @ X.T, d2 @ A1.T + lambd * W2
