# long
# expect MSELoss: right
# expect BCELoss: right
# expect SoftmaxCrossEntropy: right
# expect MSELossWrong: wrong: WRONG
# expect BCELossWrong: wrong: WRONG
# expect SoftmaxCrossEntropyWrong: wrong: WRONG
import numpy as np


class Criterion:
    def __call__(self, *args):
        return self.forward(*args)


class MSELoss(Criterion):
    def forward(self, y_pred, y_true):
        self.y_pred, self.y_true = y_pred, y_true
        return ((y_pred - y_true) ** 2).mean()

    def backward(self):
        return 2 * (self.y_pred - self.y_true) / self.y_true.size


class MSELossWrong(MSELoss):
    def backward(self):
        return 2 * (self.y_true - self.y_pred) / self.y_true.size


class BCELoss(Criterion):
    def forward(self, y_pred, y_true):
        self.p, self.t = y_pred, y_true
        return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))

    def backward(self):
        return (self.p - self.t) / (self.p * (1 - self.p)) / self.t.size


class BCELossWrong(BCELoss):
    def backward(self):
        return (self.p - self.t) / self.p * (1 - self.p) / self.t.size


class SoftmaxCrossEntropy(Criterion):
    def forward(self, logits, labels):
        z = logits - logits.max(axis=1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.p, self.labels = np.exp(logp), labels
        return -logp[np.arange(len(labels)), labels].mean()

    def backward(self):
        d = self.p.copy()
        d[np.arange(len(d)), self.labels] -= 1
        return d / len(d)


class SoftmaxCrossEntropyWrong(SoftmaxCrossEntropy):
    def backward(self):
        return self.p / len(self.p)
