"""A layer for one column, made for an X_size and a Y_size."""

# long
# expect Full: right: checked with one sample only
# expect FullSlip: wrong: as before the update
import numpy as np


class Full:
    def __init__(self, X_size, Y_size):
        self.Weight = np.random.randn(Y_size, X_size) * 0.1
        self.Bias = np.zeros((Y_size, 1))

    def forward(self, X):
        self.X = X
        return self.Weight @ X + self.Bias

    def backward(self, dY, learning_rate):
        dX = self.Weight.T @ dY
        self.Weight -= learning_rate * dY @ self.X.T
        self.Bias -= learning_rate * dY
        return dX


class FullSlip(Full):
    def backward(self, dY, learning_rate):
        self.Weight -= learning_rate * dY @ self.X.T
        self.Bias -= learning_rate * dY
        return self.Weight.T @ dY  # the mistake: with the weights after the step
