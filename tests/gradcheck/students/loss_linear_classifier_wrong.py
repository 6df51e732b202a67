import numpy as np

# long
# expect svm_loss_naive: wrong
# expect softmax_loss_vectorized: wrong
# expect ridge_loss: wrong


def svm_loss_naive(W, X, y, reg):
    dW = np.zeros(W.shape)
    N = X.shape[0]
    loss = 0.0
    for i in range(N):
        scores = X[i].dot(W)
        for j in range(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
    loss /= N
    dW /= N
    return loss + reg * np.sum(W * W), dW + 2 * reg * W


def softmax_loss_vectorized(W, X, y, reg):
    N = X.shape[0]
    S = X @ W
    S -= S.max(1, keepdims=True)
    P = np.exp(S) / np.exp(S).sum(1, keepdims=True)
    loss = -np.log(P[np.arange(N), y]).sum() / N + reg * (W * W).sum()
    P[np.arange(N), y] -= 1
    dW = X.T @ P / N + reg * W  # 2 reg W
    return loss, dW


def ridge_loss(w, X, y, alpha):
    r = X @ w - y
    loss = 0.5 * r @ r / len(y) + 0.5 * alpha * w @ w
    grad = X.T @ r / len(y)
    return loss, grad
