import numpy as np

# long
# expect forward: right: reg: 0, for the loss has no such term
# expect ahead: right: not checked with reg; what it adds to dV1 is not the gradient of a penalty that it has for the others

# a penalty that only backward has, whose gradient is that of the same penalty for all weights; or with another sign for one


def forward(X, W1, W2):
    hidden = np.tanh(X @ W1)
    exp = np.exp(hidden @ W2)
    return hidden, exp / exp.sum(axis=1, keepdims=True)


def ahead_forward(X, V1, V2):
    hidden = np.tanh(X @ V1)
    exp = np.exp(hidden @ V2)
    return hidden, exp / exp.sum(axis=1, keepdims=True)


def backward(X, Y, hidden, probs, W1, W2, reg):
    d = (probs - Y) / len(X)
    dW2 = hidden.T @ d + reg * W2
    dW1 = X.T @ (d @ W2.T * (1 - hidden**2)) + reg * W1
    return dW1, dW2


def ahead_backward(X, Y, hidden, probs, V1, V2, reg):
    d = (probs - Y) / len(X)
    dV2 = hidden.T @ d + reg * V2
    dV1 = X.T @ (d @ V2.T * (1 - hidden**2)) - reg * V1  # +
    return dV1, dV2
