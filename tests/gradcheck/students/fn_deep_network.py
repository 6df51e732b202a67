import numpy as np

# expect linear: right: 1/m
# expect L_model: right
# expect tanh_net: wrong: WRONG in dX, dW1, dW2


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def linear_forward(A, W, b):
    return W @ A + b, (A, W, b)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return W.T @ dZ, dZ @ A_prev.T / m, dZ.sum(axis=1, keepdims=True) / m


def L_model_forward(X, parameters):
    """[LINEAR->RELU]*(L-1) -> LINEAR->SIGMOID"""
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        Z, linear_cache = linear_forward(A, parameters["W" + str(l)], parameters["b" + str(l)])
        A = np.maximum(0, Z)
        caches.append((linear_cache, Z))
    ZL, linear_cache = linear_forward(A, parameters["W" + str(L)], parameters["b" + str(L)])
    AL = sigmoid(ZL)
    caches.append((linear_cache, ZL))
    return AL, caches


def compute_cost(AL, Y):
    m = Y.shape[1]
    cost = -1 / m * np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
    return np.squeeze(cost)


def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    Y = Y.reshape(AL.shape)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    linear_cache, ZL = caches[L - 1]
    s = sigmoid(ZL)
    grads["dA" + str(L - 1)], grads["dW" + str(L)], grads["db" + str(L)] = linear_backward(dAL * s * (1 - s), linear_cache)
    for l in reversed(range(L - 1)):
        linear_cache, Z = caches[l]
        dZ = grads["dA" + str(l + 1)] * (Z > 0)
        grads["dA" + str(l)], grads["dW" + str(l + 1)], grads["db" + str(l + 1)] = linear_backward(dZ, linear_cache)
    return grads


def update_parameters(params, grads, learning_rate):
    parameters = params.copy()
    for l in range(len(parameters) // 2):
        parameters["W" + str(l + 1)] = params["W" + str(l + 1)] - learning_rate * grads["dW" + str(l + 1)]
        parameters["b" + str(l + 1)] = params["b" + str(l + 1)] - learning_rate * grads["db" + str(l + 1)]
    return parameters


def tanh_net_forward(X, params):
    """Keys of another form. The derivative of the layers between the first and the last is forgotten."""
    caches, A = [], X
    for l in range(1, len(params) // 2 + 1):
        before, A = A, np.tanh(params["W%d" % l] @ A + params["b%d" % l])
        caches.append((before, params["W{}".format(l)], A))
    return A, caches


def tanh_net_backward(dout, caches):
    grads, L = {}, len(caches)
    for l in range(L, 0, -1):
        before, W, A = caches[l - 1]
        dZ = dout * (1 - A**2) if l in (1, L) else dout
        grads["dW%d" % l], grads["db%d" % l] = dZ @ before.T, dZ.sum(axis=1, keepdims=True)
        dout = W.T @ dZ
    grads["dX"] = dout
    return grads
