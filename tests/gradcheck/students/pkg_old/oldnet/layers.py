import numpy as np

from .tools import report, share, windows

# expect MovingMean: right
# expect MeanSquares: wrong: it is 2 times the right gradient


class MovingMean(object):
    def __init__(self, size=3):
        self.size = size

    def forward(self, x):
        self.n = x.shape[1]
        return np.stack([x[:, w].mean(axis=1) for w in windows(self.n, self.size)], axis=1)

    def backward(self, dout):
        dx = np.zeros((len(dout), self.n))
        for i, w in enumerate(windows(self.n, self.size)):
            dx[:, w] += dout[:, i:i + 1] / float(self.size)
        return dx


class MeanSquares(object):
    def forward(self, y_pred, y_true):
        self.diff = y_pred - y_true
        return share(len(y_pred)) * np.sum(self.diff ** 2) / 2.0

    def backward(self):
        return 2 * share(len(self.diff)) * self.diff
