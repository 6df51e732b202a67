import numpy as np

# expect evaluate: right: Y: one-hot in columns, drawn; loss: cost
# expect evaluate_slip: wrong: WRONG in dW1, db1
# expect feedforward: right
# expect feedforward_slip: wrong: WRONG in db1
# expect feedforward_twice_backward: not looked at

# forward hands back (weights, cache), and backward takes the rate before them; feedforward as the name of a layer


def evaluate_forward(X, weights):
    cache = {"Z1": weights["W1"] @ X + weights["b1"]}
    cache["A1"] = np.maximum(0, cache["Z1"])
    scores = weights["W2"] @ cache["A1"] + weights["b2"]
    e = np.exp(scores - scores.max(axis=0))
    cache["A2"] = e / e.sum(axis=0)
    return weights, cache


def cost(A2, Y, m):
    return -np.sum(Y * np.log(A2)) / m


def _both(X, Y, weights, cache, slope):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dZ1 = (weights["W2"].T @ dZ2) * slope
    grads = {"W2": dZ2 @ cache["A1"].T / m, "W1": dZ1 @ X.T / m}
    return grads | {"b2": dZ2.sum(axis=1, keepdims=True) / m, "b1": dZ1.sum(axis=1, keepdims=True) / m}


def evaluate_backward(learning_rate, X, Y, weights, cache):
    grads = _both(X, Y, weights, cache, cache["Z1"] > 0)
    for key in grads:
        weights[key] = weights[key] - learning_rate * grads[key]
    return weights


def evaluate_slip_forward(X, weights):
    return evaluate_forward(X, weights)


def evaluate_slip_backward(learning_rate, X, Y, weights, cache):
    grads = _both(X, Y, weights, cache, cache["A1"])
    for key in grads:
        weights[key] = weights[key] - learning_rate * grads[key]
    return weights


def feedforward_forward(x, W1, b1, W2, b2):
    hidden = np.maximum(0, x @ W1 + b1)
    return hidden @ W2 + b2, (x, hidden)


def feedforward_backward(dout, cache, W1, W2):
    x, hidden = cache
    dhidden = (dout @ W2.T) * (hidden > 0)
    return dhidden @ W1.T, x.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dout, dout.sum(axis=0)


def feedforward_slip_forward(x, W1, b1, W2, b2):
    return feedforward_forward(x, W1, b1, W2, b2)


def feedforward_slip_backward(dout, cache, W1, W2):
    dx, dW1, db1, dW2, db2 = feedforward_backward(dout, cache, W1, W2)
    return dx, dW1, db1 / len(dout), dW2, db2


def feedforward_twice_backward(dout, cache, W1, W2):
    return feedforward_backward(feedforward_backward(dout, cache, W1, W2)[0], cache, W1, W2)
