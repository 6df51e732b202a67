import numpy as np

# expect forward_propagation: wrong: backward_propagation is right for binary cross-entropy divided by the samples in columns
# expect forward_propagation: wrong: it is compute_cost that differs


def forward_propagation(X, w, b):
    A = 1 / (1 + np.exp(-(w @ X + b)))
    return A, {"X": X, "A": A}


def compute_cost(A, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(A)) / m


def backward_propagation(cache, Y):
    m = Y.shape[1]
    dz = (cache["A"] - Y) / m
    return {"dw": dz @ cache["X"].T, "db": np.sum(dz, axis=1, keepdims=True)}
