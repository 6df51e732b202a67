# long
# expect Softmax: right
# expect LinearSVM: right
# expect LinearSVMWrong: wrong: WRONG
# expect LogisticRegression: right
# expect svm_loss: right
import numpy as np


class LinearClassifier:
    def __init__(self):
        self.W = None

    def train(self, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
        if self.W is None:
            self.W = 0.001 * np.random.randn(X.shape[1], np.max(y) + 1)
        for _ in range(num_iters):
            rows = np.random.choice(len(X), batch_size)
            loss, grad = self.loss(X[rows], y[rows], reg)
            self.W -= learning_rate * grad

    def predict(self, X):
        return np.argmax(X.dot(self.W), axis=1)

    def loss(self, X_batch, y_batch, reg):
        pass


def svm_loss(W, X, y, reg, half=1):
    n = X.shape[0]
    scores = X.dot(W)
    margins = np.maximum(0, scores - scores[np.arange(n), y][:, None] + 1)
    margins[np.arange(n), y] = 0
    mask = (margins > 0).astype(float)
    mask[np.arange(n), y] = -mask.sum(axis=1)
    return margins.sum() / n + reg * np.sum(W * W), X.T.dot(mask) / n + 2 * half * reg * W


class LinearSVM(LinearClassifier):
    def loss(self, X_batch, y_batch, reg):
        return svm_loss(self.W, X_batch, y_batch, reg)


class LinearSVMWrong(LinearClassifier):
    def loss(self, X_batch, y_batch, reg):
        return svm_loss(self.W, X_batch, y_batch, reg, half=0.5)


class Softmax(LinearClassifier):
    def loss(self, X_batch, y_batch, reg):
        n = len(X_batch)
        scores = X_batch.dot(self.W)
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(n), y_batch]).mean() + reg * np.sum(self.W**2)
        p[np.arange(n), y_batch] -= 1
        return loss, X_batch.T.dot(p) / n + 2 * reg * self.W


class LogisticRegression:
    def __init__(self, n_features):
        self.w = np.zeros(n_features)
        self.b = 0.0

    def loss(self, X, y):
        z = X @ self.w + self.b
        p = 1 / (1 + np.exp(-z))
        loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        return loss, {"w": X.T @ (p - y) / len(y), "b": np.mean(p - y)}
