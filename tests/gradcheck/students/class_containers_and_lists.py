# expect Squash: wrong: WRONG in dx
# expect Skip: right
# expect SkipForgotten: wrong: WRONG in dx
# expect Perceptron: right
# expect PerceptronWrong: wrong: WRONG in db
# expect ScalarBias: right
# expect ScalarBiasMean: wrong: WRONG in db
# expect OneHotLookup: right: no gradient is looked for of codes
# expect Select: right
# expect SelectSwapped: wrong: WRONG in dleft, dright
# expect Mixing: right
# expect MixingTwice: wrong: WRONG in dM
# expect MarginPairs: right: no gradient is looked for of second
import numpy as np


class Squash:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        return dout * (1 - self.y)


class Skip:
    """Is not to blame for the layer above."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        out = x
        for layer in self.layers:
            out = layer.forward(out)
        return out + x

    def backward(self, dout):
        grad = dout
        for layer in self.layers[::-1]:
            grad = layer.backward(grad)
        return grad + dout


class SkipForgotten(Skip):
    def backward(self, dout):
        return super().backward(dout) - dout


class Perceptron:
    """One sample, in plain Python."""

    def __init__(self, size):
        self.w = [0.1 * i - 0.2 for i in range(size)]
        self.b = 0.3

    def forward(self, x):
        self.x = x
        return sum(w * value for w, value in zip(self.w, x)) + self.b

    def backward(self, dout):
        self.dw = [dout * value for value in self.x]
        self.db = dout
        return [dout * w for w in self.w]


class PerceptronWrong(Perceptron):
    def backward(self, dout):
        dx = super().backward(dout)
        self.db = 2 * dout
        return dx


class ScalarBias:
    def __init__(self, size):
        self.w, self.b = np.zeros(size), 0.0

    def forward(self, X):
        self.X = X
        return X @ self.w + self.b

    def backward(self, dout):
        self.dw, self.db = self.X.T @ dout, dout.sum()
        return np.outer(dout, self.w)


class ScalarBiasMean(ScalarBias):
    def backward(self, dout):
        dX = super().backward(dout)
        self.db = dout.mean()
        return dX


class OneHotLookup:
    def forward(self, codes, table):
        self.codes = codes
        return codes @ table

    def backward(self, dout):
        return None, self.codes.T @ dout


class Select:
    def forward(self, cond, left, right):
        self.cond = cond
        return np.where(cond, left, right)

    def backward(self, dout):
        return None, dout * self.cond, dout * ~self.cond


class SelectSwapped(Select):
    def backward(self, dout):
        return None, dout * ~self.cond, dout * self.cond


class Mixing:
    """The gradient has another name than the matrix."""

    def __init__(self, n, m):
        self.M = np.random.randn(n, m)

    def forward(self, x):
        self.x = x
        return x @ self.M

    def backward(self, dout):
        self.grad_w = self.x.T @ dout
        return dout @ self.M.T


class MixingTwice(Mixing):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grad_w = 2 * self.grad_w
        return dx


class MarginPairs:
    """The second input has a gradient too, which is not returned."""

    def forward(self, first, second):
        self.difference = first - second
        return (self.difference**2).sum()

    def backward(self):
        return 2 * self.difference
