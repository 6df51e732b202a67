import numpy as np

# expect svm_loss: not checked: unfinished
# expect softmax_loss: not looked at: unfinished
# expect hinge_loss: wrong
# expect accuracy_loss: not looked at: no gradient
# expect mse_loss: not checked


def svm_loss(x, y):
    loss, dx = None, None
    # to do
    return loss, dx


def softmax_loss(x, y):
    raise NotImplementedError


def hinge_loss(x, y):
    t = np.where(y > 0, 1, -1)
    loss = np.maximum(0, 1 - t * x).mean()
    dx = np.zeros_like(x)
    # the gradient comes later
    return loss, dx


def accuracy_loss(x, y):
    return np.mean(np.argmax(x, axis=1) != y)


def mse_loss(pred, target):
    loss = np.mean((pred - target) ** 2)
    dpred = 2 * (pred - targets) / pred.size
    return loss, dpred
