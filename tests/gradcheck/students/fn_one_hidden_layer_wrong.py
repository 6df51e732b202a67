import numpy as np

# long
# expect forward_propagation: wrong: dW1
# expect forward_propagation: wrong: what is handed back to that layer is wrong
# expect forward_propagation_n: wrong


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward_propagation(X, parameters):
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]
    A1 = np.tanh(W1 @ X + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    return A2, {"A1": A1, "A2": A2}


def compute_cost(A2, Y):
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"])
    grads = {"dW1": dZ1 @ X.T / m, "db1": dZ1.sum(1, keepdims=True) / m,
             "dW2": dZ2 @ cache["A1"].T / m, "db2": dZ2.sum(1, keepdims=True) / m}
    return grads


def forward_propagation_n(X, Y, parameters):
    """returns the cost and the cache of a 2-layer network"""
    m = X.shape[1]
    W1, b1, W2, b2 = parameters["W1"], parameters["b1"], parameters["W2"], parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = np.maximum(Z1, 0)
    A2 = sigmoid(np.dot(W2, A1) + b2)
    logprobs = -np.log(A2) * Y - np.log(1 - A2) * (1 - Y)
    cost = 1.0 / m * np.sum(logprobs)
    return cost, (Z1, A1, W1, b1, A2, W2, b2)


def backward_propagation_n(X, Y, cache):
    m = X.shape[1]
    Z1, A1, W1, b1, A2, W2, b2 = cache
    dZ2 = A2 - Y
    dW2 = 1.0 / m * np.dot(dZ2, A1.T) * 2
    db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1.0 / m * np.dot(dZ1, X.T)
    db1 = 4.0 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dZ2": dZ2, "dW2": dW2, "db2": db2, "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}
