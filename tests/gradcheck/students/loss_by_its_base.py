# expect Huber: right: dprediction
# expect HuberWrong: wrong: dprediction
# expect Hinge: right: prediction (1,)
# expect HingeWrong: wrong: WRONG in dprediction
"""Losses that are called so by the class that they inherit from only; and of one number."""

import numpy as np


class Loss:
    def __call__(self, actual, prediction, backward=False):
        return self.backward(actual, prediction) if backward else self.forward(actual, prediction)

    def forward(self, actual, prediction):
        pass

    def backward(self, actual, prediction):
        pass


class Huber(Loss):
    def forward(self, actual, prediction):
        d = np.abs(actual - prediction)
        return np.mean(np.where(d <= 1, d**2 / 2, d - 0.5))

    def backward(self, actual, prediction):
        return np.clip(prediction - actual, -1, 1) / actual.size


class HuberWrong(Huber):
    def backward(self, actual, prediction):
        return np.mean(np.clip(prediction - actual, -1, 1))


class Hinge(Loss):
    def forward(self, actual, prediction):
        return max(0, 1.0 - actual * prediction)

    def backward(self, actual, prediction):
        return np.where(actual * prediction < 1, -1.0 * actual, 0)


class HingeWrong(Hinge):
    def backward(self, actual, prediction):
        return np.where(actual * prediction < 1, 2.0 - actual, 0)
