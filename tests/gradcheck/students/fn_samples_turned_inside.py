import numpy as np

# expect forward: right: Y: 0 or 1, in the other order of axes
# expect two: wrong: dW1, db1

# the data has a sample in each row; inside the network samples are columns


def act(t):
    return 1.0 / (1.0 + np.exp(-t))


def forward(data, weights):
    kept = {"H0": data.T}
    for k in range(1, len(weights) // 2 + 1):
        kept[f"S{k}"] = weights[f"W{k}"] @ kept[f"H{k - 1}"] + weights[f"b{k}"]
        kept[f"H{k}"] = act(kept[f"S{k}"])
    return kept


def backward(weights, kept, data, Y):
    n, layers, found = data.shape[0], len(weights) // 2, {}
    dH = (1 - Y.T) / (1 - kept[f"H{layers}"]) - Y.T / kept[f"H{layers}"]
    for k in range(layers, 0, -1):
        dS = dH * kept[f"H{k}"] * (1 - kept[f"H{k}"])
        found[f"dW{k}"] = dS @ kept[f"H{k - 1}"].T / n
        found[f"db{k}"] = dS.sum(axis=1, keepdims=True) / n
        dH = weights[f"W{k}"].T @ dS
    return found


def forward_two(data, W1, b1, W2, b2):
    H1 = act(W1 @ data.T + b1)
    H2 = act(W2 @ H1 + b2)
    return H2, (data, H1, W2)


def backward_two(H2, cache, Y):  # the slope of the first layer is forgotten
    data, H1, W2 = cache
    n = data.shape[0]
    dS2 = H2 - Y.T
    dS1 = W2.T @ dS2
    dW2, db2 = dS2 @ H1.T / n, dS2.sum(1, keepdims=True) / n
    dW1, db1 = dS1 @ data / n, dS1.sum(1, keepdims=True) / n
    return dW1, db1, dW2, db2
