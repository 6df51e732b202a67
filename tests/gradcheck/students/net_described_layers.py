import numpy as np

# long
# expect whole: right: compute_cost
# expect whole_wrong: wrong

DESCRIPTION = [
    {"n_in": 2, "n_out": 3, "activation": "relu"},
    {"n_in": 3, "n_out": 1, "activation": "sigmoid"},
]


def one_layer(A, W, b, activation):
    Z = W @ A + b
    return (np.maximum(Z, 0) if activation == "relu" else 1 / (1 + np.exp(-Z))), Z


def slope_of(dA, Z, activation):
    s = 1 / (1 + np.exp(-Z))
    return dA * (Z > 0) if activation == "relu" else dA * s * (1 - s)


def whole_forward(X, values, description):
    A, memory = X, {}
    for k, layer in enumerate(description):
        memory["A" + str(k)] = A
        A, memory["Z" + str(k + 1)] = one_layer(A, values["W" + str(k + 1)], values["b" + str(k + 1)], layer["activation"])
    return A, memory


def compute_cost(Y_hat, Y):
    return -np.sum(Y * np.log(Y_hat) + (1 - Y) * np.log(1 - Y_hat)) / Y.shape[1]


def whole_backward(Y_hat, Y, memory, values, description):
    grads, m = {}, Y.shape[1]
    dA = -(Y / Y_hat - (1 - Y) / (1 - Y_hat)) / m
    for k, layer in reversed(list(enumerate(description))):
        dZ = slope_of(dA, memory["Z" + str(k + 1)], layer["activation"])
        grads["dW" + str(k + 1)] = dZ @ memory["A" + str(k)].T
        grads["db" + str(k + 1)] = dZ.sum(axis=1, keepdims=True)
        dA = values["W" + str(k + 1)].T @ dZ
    return grads


def whole_wrong_forward(X, values, description):
    return whole_forward(X, values, description)


def whole_wrong_backward(Y_hat, Y, memory, values, description):
    grads, m = {}, Y.shape[1]
    dA = -(Y / Y_hat - (1 - Y) / (1 - Y_hat)) / m
    for k, layer in reversed(list(enumerate(description))):
        dZ = slope_of(dA, memory["Z" + str(k + 1)], "sigmoid")
        grads["dW" + str(k + 1)] = dZ @ memory["A" + str(k)].T
        grads["db" + str(k + 1)] = dZ.sum(axis=1, keepdims=True)
        dA = values["W" + str(k + 1)].T @ dZ
    return grads
