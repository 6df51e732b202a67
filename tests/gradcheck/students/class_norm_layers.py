# long
# expect LayerNorm: right
# expect LayerNormRows: right
# expect GroupNorm: right
# expect InstanceNorm: right
# expect RMSNorm: right
import numpy as np


class LayerNorm:
    def __init__(self, normalized_shape, eps=1e-5):
        self.gamma, self.beta, self.eps = np.ones(normalized_shape), np.zeros(normalized_shape), eps

    def forward(self, x):
        self.mu = x.mean(axis=-1, keepdims=True)
        self.rstd = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
        self.x_hat = (x - self.mu) * self.rstd
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        axes = tuple(range(dout.ndim - 1))
        self.dgamma, self.dbeta = (dout * self.x_hat).sum(axis=axes), dout.sum(axis=axes)
        g = dout * self.gamma
        m1, m2 = g.mean(axis=-1, keepdims=True), (g * self.x_hat).mean(axis=-1, keepdims=True)
        return self.rstd * (g - m1 - self.x_hat * m2)


class LayerNormRows:
    """The batch norm of the transposed rows."""

    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        z = x.T
        self.std = np.sqrt(z.var(axis=0) + 1e-5)
        self.norm = (z - z.mean(axis=0)) / self.std
        return self.gamma * self.norm.T + self.beta

    def backward(self, dout):
        self.dbeta, self.dgamma = dout.sum(axis=0), (dout * self.norm.T).sum(axis=0)
        g, m = (dout * self.gamma).T, dout.shape[1]
        return ((m * g - g.sum(axis=0) - self.norm * (g * self.norm).sum(axis=0)) / (m * self.std)).T


class GroupNorm:
    def __init__(self, num_groups, num_channels, eps=1e-5):
        assert num_channels % num_groups == 0
        self.G, self.eps = num_groups, eps
        self.gamma, self.beta = np.ones((1, num_channels, 1, 1)), np.zeros((1, num_channels, 1, 1))

    def forward(self, x):
        n, c, h, w = x.shape
        z = x.reshape(n, self.G, -1)
        self.rstd = 1 / np.sqrt(z.var(axis=2, keepdims=True) + self.eps)
        self.norm = (z - z.mean(axis=2, keepdims=True)) * self.rstd
        return self.norm.reshape(x.shape) * self.gamma + self.beta

    def backward(self, dout):
        norm = self.norm.reshape(dout.shape)
        self.dgamma = (dout * norm).sum(axis=(0, 2, 3), keepdims=True)
        self.dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
        g = (dout * self.gamma).reshape(self.norm.shape)
        dz = g - g.mean(axis=2, keepdims=True) - self.norm * (g * self.norm).mean(axis=2, keepdims=True)
        return (dz * self.rstd).reshape(dout.shape)


class InstanceNorm:
    def __init__(self, num_features, eps=1e-5):
        self.eps = eps
        self.weight, self.bias = np.ones(num_features), np.zeros(num_features)

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=(2, 3), keepdims=True) + self.eps)
        self.x_hat = (x - x.mean(axis=(2, 3), keepdims=True)) / self.std
        return self.x_hat * self.weight[:, None, None] + self.bias[:, None, None]

    def backward(self, dout):
        self.dweight, self.dbias = (dout * self.x_hat).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))
        g = dout * self.weight[:, None, None]
        a, b = g.mean(axis=(2, 3), keepdims=True), (g * self.x_hat).mean(axis=(2, 3), keepdims=True)
        return (g - a - self.x_hat * b) / self.std


class RMSNorm:
    def __init__(self, dim, eps=1e-6):
        self.weight, self.eps = np.ones(dim), eps

    def forward(self, x):
        self.x, self.rms = x, np.sqrt((x**2).mean(-1, keepdims=True) + self.eps)
        return x / self.rms * self.weight

    def backward(self, dout):
        self.grad_weight = (dout * self.x / self.rms).reshape(-1, self.x.shape[-1]).sum(0)
        g = dout * self.weight
        return g / self.rms - self.x * (g * self.x).mean(-1, keepdims=True) / self.rms**3
