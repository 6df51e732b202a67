import numpy as np

# long
# expect two_layer_loss: right
# expect net_loss: wrong: b1


def two_layer_loss(params, X, y=None, reg=0.0):
    """Scores where y is None, else (loss, grads)."""
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    N, D = X.shape
    h = np.maximum(0, X @ W1 + b1)
    scores = h @ W2 + b2
    if y is None:
        return scores
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(N), y])) + reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    grads = {}
    ds = p.copy()
    ds[np.arange(N), y] -= 1
    ds /= N
    grads["W2"] = h.T @ ds + 2 * reg * W2
    grads["b2"] = ds.sum(axis=0)
    dh = ds @ W2.T
    dh[h <= 0] = 0
    grads["W1"] = X.T @ dh + 2 * reg * W1
    grads["b1"] = dh.sum(axis=0)
    return loss, grads


def net_loss(params, X, y=None, reg=0.0):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    h = np.tanh(X.dot(W1) + b1)
    scores = h.dot(W2) + b2
    if y is None:
        return scores
    d = scores - np.eye(scores.shape[1])[y]
    loss = 0.5 * np.sum(d * d) / len(X) + 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    d = d / len(X)
    dh = d.dot(W2.T) * (1 - h ** 2)
    grads = {"W1": X.T.dot(dh) + reg * W1, "b1": dh.sum(), "W2": h.T.dot(d) + reg * W2, "b2": d.sum(0)}
    return loss, grads
