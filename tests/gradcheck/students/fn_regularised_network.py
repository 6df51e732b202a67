import numpy as np

# long
# expect forward_propagation: right or not checked
# expect forward_propagation_with_dropout: right

keep = {"prob": 0.8}


def relu(x):
    return np.maximum(0, x)


def forward_propagation(X, parameters):
    W1, b1, W2, b2 = parameters["W1"], parameters["b1"], parameters["W2"], parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = relu(Z1)
    A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
    return A2, (Z1, A1, W1, b1, A2, W2, b2)


def compute_cost(A2, Y):
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]


def compute_cost_with_regularization(A2, Y, parameters, lambd):
    m = Y.shape[1]
    L2 = lambd / (2 * m) * (np.sum(np.square(parameters["W1"])) + np.sum(np.square(parameters["W2"])))
    return compute_cost(A2, Y) + L2


def backward_propagation_with_regularization(X, Y, cache, lambd):
    m = X.shape[1]
    (Z1, A1, W1, b1, A2, W2, b2) = cache
    dZ2 = A2 - Y
    dW2 = 1 / m * np.dot(dZ2, A1.T) + lambd / m * W2
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2) * (A1 > 0)
    dW1 = 1 / m * np.dot(dZ1, X.T) + lambd / m * W1
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def forward_propagation_with_dropout(X, parameters, keep_prob=0.5):
    np.random.seed(1)
    W1, b1, W2, b2 = parameters["W1"], parameters["b1"], parameters["W2"], parameters["b2"]
    A1 = relu(np.dot(W1, X) + b1)
    D1 = np.random.rand(*A1.shape) < keep_prob
    A1 = A1 * D1 / keep_prob
    A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
    return A2, (D1, A1, W1, b1, A2, W2, b2)


def backward_propagation_with_dropout(X, Y, cache, keep_prob):
    m = X.shape[1]
    (D1, A1, W1, b1, A2, W2, b2) = cache
    dZ2 = A2 - Y
    dA1 = np.dot(W2.T, dZ2) * D1 / keep_prob
    dZ1 = dA1 * (A1 > 0)
    return {"dW2": np.dot(dZ2, A1.T) / m, "db2": dZ2.sum(1, keepdims=True) / m,
            "dW1": np.dot(dZ1, X.T) / m, "db1": dZ1.sum(1, keepdims=True) / m}
