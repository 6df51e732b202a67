import numpy as np

# long
# expect mse_loss: right
# expect mae_loss: right
# expect huber_loss: right
# expect log_cosh_loss: right
# expect l2_loss: right
# expect quantile_loss: right
# expect mse: right


def mse_loss(pred, target):
    diff = pred - target
    loss = np.mean(diff ** 2)
    dpred = 2 * diff / diff.size
    return loss, dpred


def mae_loss(pred, target):
    return np.mean(np.abs(pred - target)), np.sign(pred - target) / pred.size


def huber_loss(y_pred, y_true, delta=1.0):
    r = y_pred - y_true
    small = np.abs(r) <= delta
    loss = np.where(small, 0.5 * r ** 2, delta * (np.abs(r) - 0.5 * delta)).mean()
    grad = np.where(small, r, delta * np.sign(r)) / r.size
    return loss, grad


def log_cosh_loss(y_hat, y):
    d = y_hat - y
    return np.sum(np.log(np.cosh(d))), np.tanh(d)


def l2_loss(w, X, y, reg=0.1):
    err = X @ w - y
    loss = 0.5 * np.sum(err ** 2) / len(X) + 0.5 * reg * np.sum(w ** 2)
    grad = X.T @ err / len(X) + reg * w
    return loss, grad


def quantile_loss(pred, target, q=0.9):
    e = target - pred
    loss = np.mean(np.maximum(q * e, (q - 1) * e))
    dpred = np.where(e > 0, -q, 1 - q) / e.size
    return loss, dpred


def mse_forward(predictions, targets):
    return ((predictions - targets) ** 2).mean(), (predictions, targets)


def mse_backward(dloss, cache):
    predictions, targets = cache
    return dloss * 2 * (predictions - targets) / predictions.size
