import numpy as np

# long
# expect bce_loss: right
# expect bce_with_logits_loss: right
# expect binary_cross_entropy: right
# expect logistic_loss: right
# expect bce_loss_v2: wrong: right for both together, wrong for y_pred
# expect bce_loss_v3: wrong: but for the factor 1/9 of the mean
# expect bce_loss_v4: wrong: no known pattern
# expect bce_with_logits_loss_v2: wrong


def bce_loss(y_pred, y_true):
    """y_pred are probabilities"""
    n = y_pred.size
    loss = -np.sum(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)) / n
    grad = (y_pred - y_true) / (y_pred * (1 - y_pred)) / n
    return loss, grad


def bce_with_logits_loss(logits, targets):
    loss = np.mean(np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits))))
    dlogits = (1 / (1 + np.exp(-logits)) - targets) / logits.size
    return loss, dlogits


def binary_cross_entropy_forward(p, t):
    eps = 1e-12
    p = np.clip(p, eps, 1 - eps)
    return np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p)), (p, t)


def binary_cross_entropy_backward(dout, cache):
    p, t = cache
    return dout * (-t / p + (1 - t) / (1 - p)) / p.size


def logistic_loss(w, X, y):
    """y is 0 or 1"""
    p = 1 / (1 + np.exp(-X.dot(w)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dw = X.T.dot(p - y) / len(y)
    return loss, dw


def bce_loss_v2(y_pred, y_true):
    loss = -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))
    grad = (y_pred - y_true) / y_pred.size  # that is the one for the logits
    return loss, grad


def bce_with_logits_loss_v2(logits, targets):
    p = 1 / (1 + np.exp(-logits))
    loss = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    dlogits = (targets - p) / logits.size
    return loss, dlogits


def bce_loss_v3(probs, y):
    loss = -np.mean(y * np.log(probs) + (1 - y) * np.log(1 - probs))
    return loss, (probs - y) / y.shape[0]  # of the scores, and of one output


def bce_loss_v4(probs, y):
    loss = -np.mean(y * np.log(probs) + (1 - y) * np.log(1 - probs))
    return loss, (probs + y) / y.shape[0]
