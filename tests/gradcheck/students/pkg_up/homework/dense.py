# expect Dense: right
# expect DenseTwice: wrong: WRONG
import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "..")))
from common.gradients import rows_to_one


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def __call__(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, rows_to_one(dout)
        return dout @ self.W.T


class DenseTwice(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW += self.dW
        return dx
