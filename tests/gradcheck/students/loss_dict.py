import numpy as np

# long
# expect linear_regression_loss: right
# expect mlp_loss: right
# expect autoencoder_loss: right
# expect l1_loss: right
# expect linear_regression_loss_v2: wrong: w


def linear_regression_loss(x, y, w, b):
    n = len(x)
    diff = x @ w + b - y
    loss = (diff ** 2).sum() / n
    return loss, {"dw": 2 * x.T @ diff / n, "db": 2 * diff.sum(axis=0) / n}


def linear_regression_loss_v2(x, y, w, b):
    diff = x @ w + b - y
    return (diff ** 2).sum() / len(x), {"dw": 2 * x.T @ diff, "db": 2 * diff.sum(axis=0) / len(x)}


def mlp_loss(X, y, W1, b1, W2, b2, reg=1e-3):
    z = X @ W1 + b1
    a = 1 / (1 + np.exp(-z))
    s = a @ W2 + b2
    s = s - s.max(1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(1, keepdims=True))
    N = len(X)
    loss = -logp[np.arange(N), y].mean() + reg / 2 * ((W1 ** 2).sum() + (W2 ** 2).sum())
    ds = np.exp(logp)
    ds[np.arange(N), y] -= 1
    ds /= N
    da = ds @ W2.T
    dz = da * a * (1 - a)
    grads = {"W1": X.T @ dz + reg * W1, "b1": dz.sum(0), "W2": a.T @ ds + reg * W2, "b2": ds.sum(0)}
    return loss, grads


def autoencoder_loss(params, x):
    W, b = params["W"], params["b"]
    h = np.tanh(x @ W + b)
    r = h @ W.T - x  # tied weights
    loss = 0.5 * np.mean(np.sum(r ** 2, axis=1))
    r = r / len(x)
    dh = r @ W * (1 - h ** 2)
    return loss, {"W": x.T @ dh + r.T @ h, "b": dh.sum(axis=0)}


def l1_loss(x, y):
    loss = np.abs(x - y).sum()
    grads = {"x": np.sign(x - y)}
    return loss, grads
