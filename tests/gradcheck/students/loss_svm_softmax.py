import numpy as np

# expect svm_loss: right
# expect softmax_loss: right
# expect temporal_softmax_loss: right


def svm_loss(x, y):
    """Multiclass hinge loss of the scores x (N, C) with the labels y (N,)"""
    N = x.shape[0]
    correct = x[np.arange(N), y]
    margins = np.maximum(0, x - correct[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= num_pos
    dx /= N
    return loss, dx


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def temporal_softmax_loss(x, y, mask, verbose=False):
    """x (N, T, V), y (N, T); only the steps where mask is True count"""
    N, T, V = x.shape
    flat = x.reshape(N * T, V)
    target = y.reshape(N * T)
    m = mask.reshape(N * T)
    probs = np.exp(flat - np.max(flat, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    loss = -np.sum(m * np.log(probs[np.arange(N * T), target])) / N
    dflat = probs.copy()
    dflat[np.arange(N * T), target] -= 1
    dflat /= N
    dflat *= m[:, None]
    if verbose:
        print("dflat", dflat.shape)
    return loss, dflat.reshape(N, T, V)
