import numpy as np

# expect run_network: wrong: it is total_loss that differs

# the only loss of the file is the network's, though no name and no call says so


def run_network(X, W1, b1, W2, b2):
    Z1 = X @ W1 + b1
    A1 = np.tanh(Z1)
    A2 = 1 / (1 + np.exp(-(A1 @ W2 + b2)))
    return Z1, A1, A2


def total_loss(y_true, y_pred):
    return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))


def run_network_backward(X, y_true, Z1, A1, A2, W2):
    dZ2 = (A2 - y_true) * A2 * (1 - A2) / len(X)
    dZ1 = (dZ2 @ W2.T) * (1 - A1**2)
    return X.T @ dZ1, dZ1.sum(axis=0, keepdims=True), A1.T @ dZ2, dZ2.sum(axis=0, keepdims=True)
