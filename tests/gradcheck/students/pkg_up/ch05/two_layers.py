# expect Affine: right
# expect Scale: wrong: WRONG
import os
import sys

sys.path.append(os.pardir)
import numpy as np

from common.gradients import rows_to_one


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, rows_to_one(dout)
        return dout @ self.W.T


class Scale:
    def __init__(self, gamma):
        self.gamma = gamma

    def forward(self, x):
        self.x = x
        return x * self.gamma

    def backward(self, dout):
        self.dgamma = rows_to_one(dout)
        return dout * self.gamma
