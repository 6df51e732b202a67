# expect SigmoidCrossEntropy: right: taken as the gradient of binary cross-entropy
# expect SigmoidCrossEntropyWrong: not checked: those of no usual loss
# expect LogSoftmax: right: X (6, 9)
# expect LogSoftmaxWrong: wrong: WRONG in dX
# expect BinaryLoss: right: y_pred (6, 9), y_true (6, 9)
# expect BinaryLossWrong: wrong: the loss is a mean over the 9 columns, and its gradient is that of their sum: divide by 9
"""What an argument of backward is, by its use: subtracted from the output it is the targets; Y beside DY is the output."""

import numpy as np


class SigmoidCrossEntropy:
    def forward(self, x):
        self.p = 1 / (1 + np.exp(-x))
        return self.p

    def backward(self, grad_output=None, learning_rate=0.0):
        return (self.p - grad_output) / grad_output.shape[0]


class SigmoidCrossEntropyWrong(SigmoidCrossEntropy):
    def backward(self, grad_output=None, learning_rate=0.0):
        return self.p * (self.p - grad_output) / grad_output.shape[0]


class LogSoftmax:
    def feedforward(self, X):
        return X - np.log(np.exp(X).sum(axis=1, keepdims=True))

    def backpropagate(self, Y, DY):
        self.DX = DY - np.exp(Y) * DY.sum(axis=1, keepdims=True)


class LogSoftmaxWrong(LogSoftmax):
    def backpropagate(self, Y, DY):
        self.DX = DY - Y * DY.sum(axis=1, keepdims=True)


class BinaryLoss:
    def forward(self, y_pred, y_true):
        return np.mean(-(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)), axis=-1)

    def backward(self, dvalues, y_true):
        dx = -(y_true / dvalues - (1 - y_true) / (1 - dvalues))
        self.dinputs = dx / dvalues.shape[1] / len(dvalues)


class BinaryLossWrong(BinaryLoss):
    def backward(self, dvalues, y_true):
        self.dinputs = -(y_true / dvalues - (1 - y_true) / (1 - dvalues)) / len(dvalues)
