import numpy as np

# expect linear: right
# expect relu: right
# expect batch_norm: right
# expect softmax: wrong


def forward_linear(X, W, b):
    out = X @ W + b
    return out, [X, W, b]


def backward_linear(grad_output, cache):
    X, W, b = cache
    grad_input = grad_output @ W.T
    return [grad_input, X.T @ grad_output, grad_output.sum(axis=0)]


def forward_relu(X):
    return X.clip(min=0), X > 0


def backward_relu(grad_output, cache):
    return np.where(cache, grad_output, 0.0)


def forward_batch_norm(X, gamma, beta, eps=1e-5):
    mean, var = X.mean(axis=0), X.var(axis=0)
    X_norm = (X - mean) / np.sqrt(var + eps)
    return gamma * X_norm + beta, {"X": X, "X_norm": X_norm, "mean": mean, "var": var, "gamma": gamma, "eps": eps}


def backward_batch_norm(dY, cache):
    X, X_norm, mean, var = cache["X"], cache["X_norm"], cache["mean"], cache["var"]
    N = X.shape[0]
    std_inv = 1.0 / np.sqrt(var + cache["eps"])
    dX_norm = dY * cache["gamma"]
    dvar = np.sum(dX_norm * (X - mean) * -0.5 * std_inv ** 3, axis=0)
    dmean = np.sum(dX_norm * -std_inv, axis=0) + dvar * np.mean(-2.0 * (X - mean), axis=0)
    dX = dX_norm * std_inv + dvar * 2 * (X - mean) / N + dmean / N
    return dX, np.sum(dY * X_norm, axis=0), np.sum(dY, axis=0)


def forward_softmax(X):
    E = np.exp(X - X.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True), E


def backward_softmax(dY, E):
    S = E.sum(axis=1, keepdims=True)
    return dY * E / S - E * np.sum(dY * E, axis=1, keepdims=True) / S
