import numpy as np

# expect layer: right: activation 'tanh'
# expect gate: wrong: tanh


def layer_forward(A_prev, W, b, activation="sigmoid"):
    Z = W @ A_prev + b
    if activation is "sigmoid":
        A = 1 / (1 + np.exp(-Z))
    elif activation is "tanh":
        A = np.tanh(Z)
    else:
        raise Exception("unknown activation")
    return A, (A_prev, W, A)


def layer_backward(dA, cache, activation="sigmoid"):
    A_prev, W, A = cache
    if activation is "sigmoid":
        dZ = dA * A * (1 - A)
    elif activation is "tanh":
        dZ = dA * (1 - A**2)
    else:
        raise Exception("unknown activation")
    return W.T @ dZ, dZ @ A_prev.T, dZ.sum(axis=1, keepdims=True)


def gate_forward(x, kind="relu"):
    y = np.maximum(x, 0) if kind is "relu" else np.tanh(x)
    return y, y


def gate_backward(dout, y, kind="relu"):
    if kind is "relu":
        return dout * (y > 0)
    if kind is "tanh":
        return dout * (1 - y)
