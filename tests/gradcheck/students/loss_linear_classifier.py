import numpy as np

# long
# expect svm_loss_naive: right
# expect svm_loss_vectorized: right
# expect softmax_loss_naive: right
# expect softmax_loss_vectorized: right


def svm_loss_naive(W, X, y, reg):
    """W (D, C), X (N, D), y (N,); loops over examples and classes"""
    dW = np.zeros(W.shape)
    num_classes, num_train = W.shape[1], X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / num_train + reg * np.sum(W * W)
    dW = dW / num_train + 2 * reg * W
    return loss, dW


def svm_loss_vectorized(W, X, y, reg):
    N = len(y)
    scores = X @ W
    margins = np.maximum(0, scores - scores[range(N), y].reshape(N, 1) + 1)
    margins[range(N), y] = 0
    loss = margins.sum() / N + reg * (W ** 2).sum()
    M = (margins > 0) * 1.0
    M[range(N), y] = -M.sum(axis=1)
    dW = X.T @ M / N + 2 * reg * W
    return loss, dW


def softmax_loss_naive(W, X, y, reg):
    loss, dW = 0.0, np.zeros_like(W)
    N = X.shape[0]
    for i in range(N):
        s = X[i] @ W
        s = s - s.max()
        p = np.exp(s) / np.exp(s).sum()
        loss -= np.log(p[y[i]])
        for c in range(W.shape[1]):
            dW[:, c] += (p[c] - (c == y[i])) * X[i]
    loss /= N
    dW /= N
    loss += reg * np.sum(W * W)
    dW += 2 * reg * W
    return loss, dW


def softmax_loss_vectorized(W, X, y, reg):
    N = X.shape[0]
    scores = X.dot(W)
    scores -= scores.max(axis=1, keepdims=True)
    P = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = np.mean(-np.log(P[np.arange(N), y])) + reg * np.sum(W * W)
    P[np.arange(N), y] -= 1
    return loss, X.T.dot(P) / N + 2 * reg * W
