# long
# expect Linear: right
# expect ReLU: right
# expect FeedForward: right
# expect ResidualBlock: right
# expect ResidualBlockWrong: wrong: WRONG
# expect GatedUnit: right
# expect GatedUnitWrong: wrong: WRONG
import numpy as np


class Linear:
    def __init__(self, in_features, out_features):
        self.W, self.b = np.random.randn(in_features, out_features) * 0.3, np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, d):
        flat_x, flat_d = self.x.reshape(-1, self.x.shape[-1]), d.reshape(-1, d.shape[-1])
        self.dW, self.db = flat_x.T @ flat_d, flat_d.sum(axis=0)
        return d @ self.W.T


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, d):
        return d * (self.x > 0)


class FeedForward:
    def __init__(self, d_model, d_ff):
        self.linear1, self.relu, self.linear2 = Linear(d_model, d_ff), ReLU(), Linear(d_ff, d_model)

    def forward(self, x):
        return self.linear2.forward(self.relu.forward(self.linear1.forward(x)))

    def backward(self, dout):
        return self.linear1.backward(self.relu.backward(self.linear2.backward(dout)))


class ResidualBlock:
    def __init__(self, dim):
        self.fc1, self.fc2, self.act = Linear(dim, dim), Linear(dim, dim), ReLU()

    def forward(self, x):
        return x + self.fc2.forward(self.act.forward(self.fc1.forward(x)))

    def backward(self, dout):
        return dout + self.fc1.backward(self.act.backward(self.fc2.backward(dout)))


class ResidualBlockWrong(ResidualBlock):
    """The way past the layers is forgotten."""

    def backward(self, dout):
        return self.fc1.backward(self.act.backward(self.fc2.backward(dout)))


class GatedUnit:
    def __init__(self, dim, hidden):
        self.value, self.gate = Linear(dim, hidden), Linear(dim, hidden)

    def forward(self, x):
        self.v, z = self.value.forward(x), self.gate.forward(x)
        self.s = 1 / (1 + np.exp(-z))
        return self.v * self.s

    def backward(self, dout):
        return self.value.backward(dout * self.s) + self.gate.backward(dout * self.v * self.slope())

    def slope(self):
        return self.s * (1 - self.s)


class GatedUnitWrong(GatedUnit):
    def slope(self):
        return 1 - self.s
