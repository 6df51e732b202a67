# expect Relu: right
# expect Elu: right
# expect Tanh: right
# expect TanhTwice: wrong: WRONG
# expect Flatten: right
# expect Centre: not checked: each output depends on several inputs
# expect Scale: right
import numpy as np


class Relu:
    """backward takes what forward took, and gives the slope there."""

    def forward(self, x):
        return np.maximum(x, 0)

    def backward(self, x):
        return np.where(x > 0, 1, 0)


class Elu:
    """backward takes what forward gave, by the same name."""

    def __init__(self, alpha=0.5):
        self.alpha = alpha

    def forward(self, data):
        return np.where(data > 0, data, self.alpha * (np.exp(data) - 1))

    def backward(self, data):
        return np.where(data > 0, 1, data + self.alpha)


class Tanh:
    """backward takes the incoming gradient, by the name of forward's argument."""

    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, x):
        return x * (1 - self.out**2)


class TanhTwice(Tanh):
    def backward(self, x):
        return x * (1 - self.out)


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, x):
        return x.reshape(self.shape)


class Centre:
    """No slope of the shape of x says what its gradient is."""

    def forward(self, x):
        return x - x.mean(axis=1, keepdims=True)

    def backward(self, x):
        return 1 - 1 / x.shape[1] + 0 * x


class Scale:
    """Called for the gradient by the name of a slope, but with the incoming gradient."""

    def forward(self, x):
        return 3 * x

    def grad(self, dout):
        return 3 * dout
