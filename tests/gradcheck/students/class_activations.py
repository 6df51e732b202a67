# long
# expect GELU: right
# expect LeakyReLU: right
# expect ELU: right
# expect GELUWrong: wrong: dx
# expect LeakyReLUWrong: wrong: plain ReLU
# expect ELUWrong: wrong: dx
import numpy as np


class GELU:
    c = np.sqrt(2 / np.pi)

    def forward(self, x):
        self.x, self.t = x, np.tanh(self.c * (x + 0.044715 * x**3))
        return 0.5 * x * (1 + self.t)

    def backward(self, dout):
        slope = 0.5 * (1 + self.t) + 0.5 * self.x * (1 - self.t**2) * self.c * (1 + 3 * 0.044715 * self.x**2)
        return dout * slope


class GELUWrong(GELU):
    def backward(self, dout):
        return dout * (0.5 * (1 + self.t) + 0.5 * self.x * (1 - self.t**2) * self.c * (1 + 0.044715 * self.x**2))


class LeakyReLU:
    def __init__(self, alpha=0.01):
        self.alpha = alpha

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dout):
        return dout * np.where(self.x > 0, 1, self.alpha)


class LeakyReLUWrong(LeakyReLU):
    def backward(self, dout):
        return dout * (self.x > 0)


class ELU(LeakyReLU):
    def forward(self, x):
        self.x = x
        return np.where(x >= 0, x, self.alpha * (np.exp(np.minimum(x, 0)) - 1))

    def backward(self, dout):
        return dout * np.where(self.x >= 0, 1, self.alpha * np.exp(np.minimum(self.x, 0)))


class ELUWrong(ELU):
    def backward(self, dout):
        return dout * np.where(self.x >= 0, 1, np.exp(np.minimum(self.x, 0)))
