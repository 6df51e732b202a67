# expect CategoricalLoss: right: with a softmax before it, for its backward is the gradient of both
# expect SparseLoss: right: with a softmax before it
# expect CategoricalLossSign: wrong: WRONG
# expect BinaryLoss: right: y_pred (6, 1)
# expect BinaryLossSlip: wrong: WRONG
# expect SquaredLoss: wrong: divide by 9
# expect StaticSquares: right
# expect StaticSquaresSign: wrong: WRONG
# expect Softmax: not checked: hands dout on as it is
# long
import numpy as np


class Softmax:
    """Its slope is part of the loss's."""

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, dout):
        return dout


class CategoricalLoss:
    """One number for each sample, and the slope for the scores."""

    def forward(self, y_pred, y_true):
        return -np.sum(y_true * np.log(np.clip(y_pred, 1e-12, 1)), axis=-1)

    def backward(self, y_pred, y_true):
        return y_pred - y_true


class CategoricalLossSign(CategoricalLoss):
    def backward(self, y_pred, y_true):
        return y_true - y_pred


class SparseLoss:
    def forward(self, y_true, y_pred):
        self.rows = range(len(y_true))
        return -np.mean(np.log(y_pred[self.rows, y_true]))

    def backward(self, y_true, y_pred):
        slope = y_pred.copy()
        slope[self.rows, y_true] -= 1
        return slope / len(slope)


class BinaryLoss:
    """For one output: the mean of all is that of the samples."""

    def forward(self, y_pred, y_true):
        self.p, self.y = np.clip(y_pred, 1e-9, 1 - 1e-9), y_true
        return -np.mean(y_true * np.log(self.p) + (1 - y_true) * np.log(1 - self.p))

    def backward(self):
        return ((1 - self.y) / (1 - self.p) - self.y / self.p) / len(self.y)


class BinaryLossSlip(BinaryLoss):
    def backward(self):
        return ((1 - self.y) / (1 - self.p) + self.y / self.p) / len(self.y)


class SquaredLoss:
    """For several outputs too, so that the mean of all is not that of the samples."""

    def forward(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def backward(self, y_pred, y_true):
        return 2 * (y_pred - y_true) / len(y_pred)


class StaticSquares:
    @staticmethod
    def compute(y_true, y_pred):
        return np.sum((y_true - y_pred) ** 2) / len(y_true)

    @staticmethod
    def gradient(y_true, y_pred):
        return 2 * (y_pred - y_true) / len(y_true)


class StaticSquaresSign(StaticSquares):
    @staticmethod
    def gradient(y_true, y_pred):
        return 2 * (y_true - y_pred) / len(y_true)
