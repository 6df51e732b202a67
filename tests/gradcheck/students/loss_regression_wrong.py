import numpy as np

# long
# expect mse_loss: wrong: multiply by 2
# expect mse_loss_v2: wrong: sign
# expect huber_loss: wrong
# expect mae_loss: wrong
# expect mse: wrong


def mse_loss(pred, target):
    diff = pred - target
    return np.mean(diff ** 2), diff / diff.size


def mse_loss_v2(pred, target):
    return np.mean((pred - target) ** 2), 2 * (target - pred) / pred.size


def huber_loss(y_pred, y_true, delta=1.0):
    r = y_pred - y_true
    small = np.abs(r) <= delta
    loss = np.mean(np.where(small, 0.5 * r ** 2, delta * (np.abs(r) - 0.5 * delta)))
    grad = np.where(small, r, delta) / r.size  # the sign
    return loss, grad


def mae_loss(pred, target):
    loss = np.mean(np.abs(pred - target))
    dpred = (pred - target) / pred.size
    return loss, dpred


def mse_forward(predictions, targets):
    return ((predictions - targets) ** 2).mean(), (predictions, targets)


def mse_backward(dloss, cache):
    predictions, targets = cache
    return dloss * 2 * (predictions - targets) / len(predictions)
