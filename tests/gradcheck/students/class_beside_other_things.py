# long
# expect Linear: right
# expect Mean: right
# expect MeanWrong: wrong: WRONG
# expect Value.__mul__: right
# expect Value.backward: wrong: no gradient reaches what is behind its tensors
import numpy as np


class Value:
    """A number that knows where it comes from. Its backward needs no forward."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents
        self._backward = lambda: None

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def backward(self):
        self.grad = 1.0
        self._backward()


class SGD:
    def __init__(self, layers, lr=0.1):
        self.layers, self.lr = layers, lr

    def step(self):
        for layer in self.layers:
            layer.W -= self.lr * layer.dW


class Dataset:
    def __init__(self, X, y):
        self.X, self.y = X, y

    def __getitem__(self, i):
        return self.X[i], self.y[i]


class PositionalEncoding:
    """Nothing to learn, and nobody asks for its gradient."""

    def __init__(self, d_model, max_len=50):
        self.pe = np.sin(np.arange(max_len)[:, None] / 10000 ** (np.arange(d_model) / d_model))

    def forward(self, x):
        return x + self.pe[: x.shape[1]]


class Linear:
    def __init__(self, n_in, n_out, rng=None):
        rng = rng or np.random.default_rng()
        self.W = rng.normal(size=(n_in, n_out))

    def forward(self, x):
        print("forward of", x.shape)
        self.x = x
        return x @ self.W

    def backward(self, dout):
        assert dout.ndim == 2, "expected (N, M)"
        self.dW = self.x.T @ dout
        print("gradient:", np.abs(self.dW).mean())
        return dout @ self.W.T


class Mean:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=-1)

    def backward(self, dout):
        return np.repeat(dout[..., None], self.shape[-1], axis=-1) / self.shape[-1]


class MeanWrong(Mean):
    def backward(self, dout):
        return np.repeat(dout[..., None], self.shape[-1], axis=-1)
