# long
# expect HingeLoss: right
# expect HuberLoss: right
# expect KLDivergence: right
# expect HingeLossWrong: wrong: WRONG
# expect HuberLossWrong: wrong: WRONG
import numpy as np


class Criterion:
    def __call__(self, *args):
        return self.forward(*args)


class HingeLoss(Criterion):
    """For scores of classes, with margin 1."""

    def forward(self, scores, labels):
        rows = np.arange(len(scores))
        self.rows, self.labels = rows, labels
        self.margins = np.maximum(0, scores - scores[rows, labels][:, None] + 1)
        self.margins[rows, labels] = 0
        return self.margins.sum() / len(scores)

    def backward(self):
        d = (self.margins > 0).astype(float)
        d[self.rows, self.labels] = -d.sum(axis=1)
        return d / len(d)


class HingeLossWrong(HingeLoss):
    def backward(self):
        d = (self.margins > 0).astype(float)
        d[self.rows, self.labels] = -1
        return d / len(d)


class HuberLoss(Criterion):
    def __init__(self, delta=1.0):
        self.delta = delta

    def forward(self, pred, target):
        self.e = pred - target
        small = np.abs(self.e) <= self.delta
        return np.mean(np.where(small, self.e**2 / 2, self.delta * (np.abs(self.e) - self.delta / 2)))

    def backward(self):
        return np.clip(self.e, -self.delta, self.delta) / self.e.size


class HuberLossWrong(HuberLoss):
    def backward(self):
        return self.e / self.e.size


class KLDivergence(Criterion):
    """How far the predictions q are from the targets p, summed over classes, mean over rows."""

    def forward(self, y_pred, y_true):
        self.q, self.p = y_pred, y_true
        return np.sum(y_true * np.log((y_true + 1e-12) / y_pred)) / len(y_pred)

    def backward(self):
        return -self.p / self.q / len(self.q)
