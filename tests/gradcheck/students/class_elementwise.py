# expect Exp: right
# expect Log: right
# expect SumRows: right
# expect ExpWrong: wrong: dx
# expect LogWrong: wrong: dx
import numpy as np


class Exp:
    def forward(self, x):
        self.y = np.exp(x)
        return self.y

    def backward(self, dout):
        return dout * self.y


class ExpWrong(Exp):
    def backward(self, dout):
        return self.y


class Log:
    def forward(self, x):
        self.x = x
        return np.log(x)

    def backward(self, dout):
        return dout / self.x


class LogWrong(Log):
    def backward(self, dout):
        return dout * np.log(self.x)


class SumRows:
    def forward(self, x):
        self.shape = x.shape
        return x.sum(axis=0)

    def backward(self, dout):
        return np.broadcast_to(dout, self.shape) + 0.0
