"""Layers that compile(lr, reg) makes ready, and whose backward takes the targets for the last one's sake."""

# long
# expect Dense: right
# expect DenseWrong: wrong: dx
# expect Conv: right
# expect Norm: right
# expect Flat: right
# expect Leaky: right
# expect LeakyWrong: wrong: dz
import numpy as np


def step(w, dw, config):
    config["m"] = 0.9 * config["m"] + 0.1 * dw
    config["v"] = 0.99 * config["v"] + 0.01 * dw**2
    return w - config["rate"] * (config["m"] / (np.sqrt(config["v"]) + 1e-8) + config["reg"] * w), config


class Dense:
    def __init__(self, in_size, out_size):
        self.w = np.random.randn(in_size, out_size)
        self.config = {}

    def compile(self, lr, reg):
        self.config = {"rate": lr, "reg": reg, "m": np.zeros(self.w.shape), "v": np.zeros(self.w.shape)}

    def forward(self, x, training=False):
        self.x = x
        return x @ self.w

    def backward(self, dz, y):
        dx = dz @ self.w.T
        self.w, self.config = step(self.w, self.x.T @ dz, self.config)
        return dx


class DenseWrong(Dense):
    def backward(self, dz, y):
        self.w, self.config = step(self.w, self.x.T @ dz, self.config)
        return dz @ self.w.T


class Conv(Dense):
    def __init__(self, input_shape, kernel_size, num_kernels):
        self.channels, self.height, self.width = input_shape
        self.w = np.random.randn(num_kernels, self.channels, kernel_size, kernel_size)
        self.config = {}

    def forward(self, x, training=False):
        self.x, k = x, self.w.shape[-1]
        out = np.zeros((len(x), len(self.w), self.height - k + 1, self.width - k + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = np.tensordot(x[:, :, i : i + k, j : j + k], self.w, ([1, 2, 3], [1, 2, 3]))
        return out

    def backward(self, dz, y):
        dx, dw, k = np.zeros_like(self.x), np.zeros_like(self.w), self.w.shape[-1]
        for i in range(dz.shape[2]):
            for j in range(dz.shape[3]):
                dw += np.tensordot(dz[:, :, i, j], self.x[:, :, i : i + k, j : j + k], ([0], [0]))
                dx[:, :, i : i + k, j : j + k] += np.tensordot(dz[:, :, i, j], self.w, ([1], [0]))
        self.w, self.config = step(self.w, dw, self.config)
        return dx


class Norm:
    def __init__(self, gamma=1, beta=0):
        self.gamma, self.beta, self.config = gamma, beta, {}

    def compile(self, lr, reg):
        self.config = {"running_mean": 0, "running_var": 0, "learning_rate": lr}

    def forward(self, z, training=True):
        mean, self.std = z.mean(axis=0), np.sqrt(z.var(axis=0) + 1e-5)
        self.centered, self.x_norm = z - mean, (z - mean) / self.std
        self.config["running_mean"] = 0.99 * self.config["running_mean"] + 0.01 * mean
        return self.gamma * self.x_norm + self.beta

    def backward(self, da, y):
        n, dx_norm = len(da), self.gamma * da
        dvar = np.sum(dx_norm * self.centered * -(self.std**-2), axis=0) / 2 / self.std
        dmean = -(np.sum(dx_norm / self.std, axis=0) + 2 / n * np.sum(self.centered, axis=0))  # the last is 0
        self.gamma -= self.config["learning_rate"] * np.sum(da * self.x_norm, axis=0)
        return dx_norm / self.std + (dmean + 2 * dvar * self.centered) / n


class Flat:
    def __init__(self, in_shape, out_shape):
        self.in_shape, self.out_shape = in_shape, out_shape

    def forward(self, x, training=False):
        return x.reshape((len(x), self.out_shape))

    def backward(self, dz, y):
        return dz.reshape((len(dz), *self.in_shape))


class Leaky:
    low = 0.01

    def forward(self, z, training=False):
        self.z = z
        return np.maximum(z, 0.01 * z)

    def backward(self, da, y):
        return da * np.where(self.z > 0, 1, self.low)


class LeakyWrong(Leaky):
    low = -0.01
