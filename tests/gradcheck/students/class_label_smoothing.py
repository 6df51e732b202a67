# expect CrossEntropy: right
# expect MSE: right
# expect MSESum: right
# expect CosineLoss: right
# expect CrossEntropyWrong: wrong: WRONG
# expect MSESumWrong: wrong: WRONG
import numpy as np


class CrossEntropy:
    """Of logits, with smoothed labels, and a mean or a sum over the rows."""

    def __init__(self, smoothing=0.1, reduction="mean"):
        self.smoothing, self.reduction = smoothing, reduction

    def __call__(self, logits, labels):
        n, c = logits.shape
        z = logits - logits.max(axis=1, keepdims=True)
        self.logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        self.q = np.full((n, c), self.smoothing / c)
        self.q[np.arange(n), labels] += 1 - self.smoothing
        loss = -(self.q * self.logp).sum()
        return loss / n if self.reduction == "mean" else loss

    def backward(self):
        d = self.target(np.exp(self.logp))
        return d / len(d) if self.reduction == "mean" else d

    def target(self, p):
        return p - self.q


class CrossEntropyWrong(CrossEntropy):
    """The labels are no longer smooth on the way back."""

    def target(self, p):
        return p - (self.q > 0.5)


class MSE:
    def loss(self, y_hat, y):
        return np.sum((y_hat - y) ** 2) / (2 * y.shape[0])

    def backward(self, y_hat, y):
        return (y_hat - y) / y.shape[0]


class MSESum:
    """forward keeps nothing; backward gets both again."""

    @staticmethod
    def forward(y_hat, y):
        return 0.5 * np.sum((y_hat - y) ** 2)

    @staticmethod
    def backward(y_hat, y):
        return y_hat - y


class MSESumWrong(MSESum):
    @staticmethod
    def backward(y_hat, y):
        return (y_hat - y) / y_hat.size


class CosineLoss:
    def forward(self, x, y):
        self.x, self.y = x, y
        self.nx, self.ny = np.linalg.norm(x, axis=1, keepdims=True), np.linalg.norm(y, axis=1, keepdims=True)
        self.cos = (x * y).sum(axis=1, keepdims=True) / (self.nx * self.ny)
        return np.mean(1 - self.cos)

    def backward(self):
        return -(self.y / (self.nx * self.ny) - self.cos * self.x / self.nx**2) / len(self.x)
