"""One neuron that steps its weights, and makes its input flat in backward: that is no gradient."""

# long
# expect Unit: right: dw
# expect UnitSlip: wrong: WRONG in dw
import numpy as np


class Unit:
    def __init__(self, n_inputs):
        self.w = np.random.randn(n_inputs) * 0.1
        self.b = 0.0

    def forward(self, x):
        self.x = x
        self.out = 1 / (1 + np.exp(-(sum(w * v for w, v in zip(self.w, x)) + self.b)))
        return self.out

    def slope(self):
        return self.out * (1 - self.out)

    def backward(self, dout, learning_rate):
        self.x = np.asarray(self.x).flatten()
        dz = dout * self.slope()
        for i in range(len(self.w)):
            self.w[i] -= learning_rate * dz * self.x[i]
        self.b -= learning_rate * dz


class UnitSlip(Unit):
    def slope(self):
        return self.out  # the mistake: times 1 - out
