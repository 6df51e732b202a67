import numpy as np

# long
# expect svm_loss: wrong: where y names the column
# expect softmax_loss: wrong: divide by N
# expect softmax_loss_v2: wrong: 1
# expect temporal_softmax_loss: wrong: mask


def svm_loss(x, y):
    n = np.arange(len(x))
    m = np.maximum(0, x - x[n, y][:, None] + 1)
    m[n, y] = 0
    dx = (m > 0).astype(float)
    dx[n, y] = -1  # as often as a margin is violated, not once
    return m.sum() / len(x), dx / len(x)


def softmax_loss(x, y):
    n = np.arange(len(x))
    p = np.exp(x - x.max(1, keepdims=True))
    p = p / p.sum(1, keepdims=True)
    loss = -np.log(p[n, y]).mean()
    dx = p.copy()
    dx[n, y] -= 1
    return loss, dx


def softmax_loss_v2(x, y):
    n = np.arange(len(x))
    p = np.exp(x - x.max(1, keepdims=True))
    p = p / p.sum(1, keepdims=True)
    return -np.log(p[n, y]).mean(), p / len(x)


def temporal_softmax_loss(x, y, mask):
    N, T, V = x.shape
    xf, yf, mf = x.reshape(-1, V), y.reshape(-1), mask.reshape(-1)
    p = np.exp(xf - xf.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    i = np.arange(N * T)
    loss = -np.sum(mf * np.log(p[i, yf])) / N
    p[i, yf] -= 1
    return loss, (p / N).reshape(N, T, V)
