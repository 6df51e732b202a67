import numpy as np

# long
# expect softmax: right
# expect linear: right
# expect train_softmax: right
# expect train_svm: not looked at: it takes steps along no gradient that is known

# a training function that is not understood stands beside pairs that are right; the other one calls these


def softmax_forward(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, p


def softmax_backward(dout, p):
    return p * (dout - (dout * p).sum(axis=1, keepdims=True))


def linear_forward(x, w):
    return x @ w, (x, w)


def linear_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def train_svm(X, y, lr=0.01, reg=0.01, epochs=100):
    w = np.zeros(X.shape[1])
    b = 0.0
    for _ in range(epochs):
        for i in range(len(X)):
            if y[i] * (X[i] @ w - b) >= 1:
                w -= lr * 2 * reg * w
            else:
                w -= lr * (2 * reg * w - 3 * X[i] * y[i])
                b -= lr * y[i]
    return w, b


def train_softmax(X, y, lr=0.1, epochs=100):
    w = np.zeros((X.shape[1], y.shape[1]))
    for _ in range(epochs):
        z, cache = linear_forward(X, w)
        p, kept = softmax_forward(z)
        dp = -y / p / len(X)
        _, dw = linear_backward(softmax_backward(dp, kept), cache)
        w -= lr * dw
    return w
