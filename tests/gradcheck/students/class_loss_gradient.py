# long
# expect SquareLoss: right
# expect CrossEntropy: right
# expect MeanAbsolute: right
# expect SquareLossSign: wrong: WRONG
# expect CrossEntropySlip: wrong: WRONG
import numpy as np


class Loss:
    def loss(self, y_true, y_pred):
        raise NotImplementedError()

    def gradient(self, y, y_pred):
        raise NotImplementedError()


class SquareLoss(Loss):
    """An element each, and the slope of each."""

    def loss(self, y, y_pred):
        return 0.5 * np.power(y - y_pred, 2)

    def gradient(self, y, y_pred):
        return -(y - y_pred)


class SquareLossSign(SquareLoss):
    def gradient(self, y, y_pred):
        return y - y_pred


class CrossEntropy(Loss):
    def loss(self, y, p):
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return -y * np.log(p) - (1 - y) * np.log(1 - p)

    def gradient(self, y, p):
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return -(y / p) + (1 - y) / (1 - p)


class CrossEntropySlip(CrossEntropy):
    def gradient(self, y, p):
        p = np.clip(p, 1e-15, 1 - 1e-15)
        return -(y / p) + (1 - y) / p


class MeanAbsolute(Loss):
    def loss(self, y, y_pred):
        return np.mean(np.abs(y - y_pred))

    def gradient(self, y, y_pred):
        return np.sign(y_pred - y) / y.size
