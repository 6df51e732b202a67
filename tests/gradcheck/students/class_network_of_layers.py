# The network's loss adds 1e-7 in a function that its last layer calls.
# expect Affine: right
# expect SoftmaxWithLoss: right: log(p + 1e-7)
# expect Net: right: log(p + 1e-7)
# expect HalfNet: wrong: db1, dW2, db2: right up to a tiny number
import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(p, t):
    return -np.mean(np.log(p[np.arange(len(t)), t] + 1e-7))


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


class SoftmaxWithLoss:
    def forward(self, x, t):
        self.p, self.t = softmax(x), t
        return cross_entropy(self.p, t)

    def backward(self, dout=1):
        dx = self.p.copy()
        dx[np.arange(len(self.t)), self.t] -= 1
        return dx * dout / len(self.t)


class Net:
    def __init__(self, input_size, hidden_size, output_size):
        self.params = {"W1": np.random.randn(input_size, hidden_size), "b1": np.zeros(hidden_size)}
        self.params |= {"W2": np.random.randn(hidden_size, output_size), "b2": np.zeros(output_size)}
        self.layers = [Affine(self.params["W1"], self.params["b1"]), Affine(self.params["W2"], self.params["b2"])]
        self.last = SoftmaxWithLoss()

    def loss(self, x, t):
        for layer in self.layers:
            x = layer.forward(x)
        return self.last.forward(x, t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last.backward()
        for layer in self.layers[::-1]:
            dout = layer.backward(dout)
        first, second = self.layers
        return {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}


class HalfNet(Net):
    def gradient(self, x, t):
        grads = super().gradient(x, t)
        return {**grads, "W1": grads["W1"] / 2}
