# expect Swish: right
# expect Softplus: right
# expect HardTanh: right
# expect PReLU: right
# expect SwishWrong: wrong: dx
# expect PReLUWrong: wrong: WRONG
import numpy as np


class Swish:
    def forward(self, x):
        self.x, self.s = x, 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, dout):
        return dout * (self.s + self.x * self.s * (1 - self.s))


class SwishWrong(Swish):
    def backward(self, dout):
        return dout * self.x * self.s * (1 - self.s)


class Softplus:
    def forward(self, x):
        self.x = x
        return np.log(1 + np.exp(x))

    def backward(self, dout):
        return dout / (1 + np.exp(-self.x))


class HardTanh:
    def forward(self, x):
        self.inside = (x > -1) & (x < 1)
        return np.clip(x, -1, 1)

    def backward(self, dout):
        return dout * self.inside


class PReLU:
    """One slope for all, which is learned."""

    def __init__(self, init=0.25):
        self.a = np.array([init])

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.a * x)

    def backward(self, dout):
        self.da = np.array([np.sum(dout * self.x * (self.x < 0))])
        return dout * np.where(self.x > 0, 1, self.a)


class PReLUWrong(PReLU):
    def backward(self, dout):
        self.da = np.array([np.sum(dout * self.x)])
        return dout * np.where(self.x > 0, 1, self.a)
