# expect BatchNorm1d: right
# expect BatchNorm1dWrong: wrong: BatchNormEval
# expect Temperature: right
# expect TemperatureForgotten: wrong: WRONG in dx
# expect MaxPool: right
# expect MaxPoolAssigns: wrong: WRONG in dx
# expect Tutorial: right
# expect TutorialWrong: wrong: WRONG in dweights1
# expect Digits: right
# expect DigitsWrong: wrong: WRONG in dW1
import numpy as np


class BatchNorm1d:
    def __init__(self, size):
        self.gamma, self.beta = np.ones(size), np.zeros(size)
        self.running_mean, self.running_var, self.training = np.zeros(size), np.ones(size), True

    def forward(self, x):
        mean, var = (x.mean(0), x.var(0)) if self.training else (self.running_mean, self.running_var)
        self.std = np.sqrt(var + 1e-5)
        self.x_hat = (x - mean) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.x_hat).sum(0), dout.sum(0)
        g = dout * self.gamma
        if not self.training:
            return g / self.std
        return (g - g.mean(0) - self.x_hat * (g * self.x_hat).mean(0)) / self.std


class BatchNorm1dWrong(BatchNorm1d):
    def backward(self, dout):
        dx = super().backward(dout)
        return dx if self.training else dx * self.std


class Temperature:
    def __init__(self, temperature=1.0):
        self.temperature = temperature

    def forward(self, x):
        self.y = np.tanh(x / self.temperature)
        return self.y

    def backward(self, dout):
        return dout * (1 - self.y**2) / self.temperature


class TemperatureForgotten(Temperature):
    def backward(self, dout):
        return dout * (1 - self.y**2)


class MaxPool:
    def __init__(self, pool_size=2, stride=2):
        self.size, self.stride = pool_size, stride

    def windows(self):
        for i in range(0, self.x.shape[2] - self.size + 1, self.stride):
            for j in range(0, self.x.shape[3] - self.size + 1, self.stride):
                yield (
                    i // self.stride,
                    j // self.stride,
                    (slice(None), slice(None), slice(i, i + self.size), slice(j, j + self.size)),
                )

    def forward(self, x):
        self.x = x
        rows, columns = ((n - self.size) // self.stride + 1 for n in x.shape[2:])
        out = np.zeros((*x.shape[:2], rows, columns))
        for i, j, window in self.windows():
            out[:, :, i, j] = x[window].max(axis=(2, 3))
        return out

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for i, j, window in self.windows():
            part = self.x[window]
            dx[window] += (part == part.max(axis=(2, 3), keepdims=True)) * dout[:, :, i, j, None, None]
        return dx


class MaxPoolAssigns(MaxPool):
    """Right where the windows do not overlap."""

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for i, j, window in self.windows():
            part = self.x[window]
            dx[window] = (part == part.max(axis=(2, 3), keepdims=True)) * dout[:, :, i, j, None, None]
        return dx


def squash(z):
    return 1 / (1 + np.exp(-z))


class Tutorial:
    """The constructor takes the data, and backprop begins with the squares."""

    def __init__(self, x, y):
        self.input, self.y = x, y
        self.weights1, self.weights2 = np.random.rand(x.shape[1], 4), np.random.rand(4, 1)
        self.output = np.zeros(y.shape)

    def feedforward(self):
        self.layer1 = squash(self.input @ self.weights1)
        self.output = squash(self.layer1 @ self.weights2)

    def backprop(self):
        d = 2 * (self.y - self.output) * self.output * (1 - self.output)
        hidden = d @ self.weights2.T * self.slope()
        self.weights2 += self.layer1.T @ d
        self.weights1 += self.input.T @ hidden

    def slope(self):
        return self.layer1 * (1 - self.layer1)


class TutorialWrong(Tutorial):
    def slope(self):
        return 1 - self.layer1


class Digits:
    """Samples in columns; back_prop begins with the cross-entropy of a softmax."""

    def __init__(self, layer_sizes):
        pairs = list(zip(layer_sizes[:-1], layer_sizes[1:]))
        self.W = {f"W{i}": np.random.randn(b, a) for i, (a, b) in enumerate(pairs, 1)}
        self.b = {f"b{i}": np.zeros((b, 1)) for i, (_, b) in enumerate(pairs, 1)}
        self.A, self.Z, self.dW, self.db, self.n = {}, {}, {}, {}, len(pairs)

    def forward_pass(self, X):
        A = self.A["A0"] = X
        for i in range(1, self.n + 1):
            Z = self.Z[f"Z{i}"] = self.W[f"W{i}"] @ A + self.b[f"b{i}"]
            A = self.A[f"A{i}"] = np.maximum(Z, 0) if i < self.n else np.exp(Z) / np.exp(Z).sum(0)
        return A

    def back_prop(self, y):
        dZ = self.A[f"A{self.n}"] - y
        for i in range(self.n, 0, -1):
            self.dW[f"W{i}"] = dZ @ self.A[f"A{i - 1}"].T / y.shape[1]
            self.db[f"b{i}"] = dZ.sum(axis=1, keepdims=True) / y.shape[1]
            if i > 1:
                dZ = self.W[f"W{i}"].T @ dZ * self.slope(self.Z[f"Z{i - 1}"])

    def slope(self, Z):
        return Z > 0


class DigitsWrong(Digits):
    def slope(self, Z):
        return 1
