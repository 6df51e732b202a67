# long
# expect LayerNorm: wrong: dx
# expect LayerNormAxis: wrong: WRONG
# expect GroupNorm: wrong: gamma
# expect RMSNorm: wrong: dx
# expect BatchNorm2d: wrong: dx
import numpy as np


class LayerNorm:
    """The mean over the batch, as a batch norm has it."""

    def __init__(self, normalized_shape, eps=1e-5):
        self.gamma, self.beta, self.eps = np.ones(normalized_shape), np.zeros(normalized_shape), eps

    def forward(self, x):
        self.rstd = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
        self.x_hat = (x - x.mean(axis=-1, keepdims=True)) * self.rstd
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        axes = tuple(range(dout.ndim - 1))
        self.dgamma, self.dbeta = (dout * self.x_hat).sum(axis=axes), dout.sum(axis=axes)
        g = dout * self.gamma
        return self.rstd * (g - g.mean(axis=0) - self.x_hat * (g * self.x_hat).mean(axis=0))


class LayerNormAxis:
    """Both parameters summed over the features, which must be summed over the rows."""

    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        self.x_hat = (x - x.mean(axis=1, keepdims=True)) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.x_hat).sum(axis=1), dout.sum(axis=1)
        g, d = dout * self.gamma, dout.shape[1]
        a, b = g.sum(axis=1, keepdims=True), (g * self.x_hat).sum(axis=1, keepdims=True)
        return (g - a / d - self.x_hat * b / d) / self.std


class GroupNorm:
    """dgamma is made of x, not of what was normalised."""

    def __init__(self, num_groups, num_channels, eps=1e-5):
        self.G, self.eps = num_groups, eps
        self.gamma, self.beta = np.ones((1, num_channels, 1, 1)), np.zeros((1, num_channels, 1, 1))

    def forward(self, x):
        self.x = x
        z = x.reshape(len(x), self.G, -1)
        self.rstd = 1 / np.sqrt(z.var(axis=2, keepdims=True) + self.eps)
        self.norm = (z - z.mean(axis=2, keepdims=True)) * self.rstd
        return self.norm.reshape(x.shape) * self.gamma + self.beta

    def backward(self, dout):
        self.dgamma = (dout * self.x).sum(axis=(0, 2, 3), keepdims=True)
        self.dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
        g = (dout * self.gamma).reshape(self.norm.shape)
        dz = g - g.mean(axis=2, keepdims=True) - self.norm * (g * self.norm).mean(axis=2, keepdims=True)
        return (dz * self.rstd).reshape(dout.shape)


class RMSNorm:
    def __init__(self, dim, eps=1e-6):
        self.weight, self.eps = np.ones(dim), eps

    def forward(self, x):
        self.x, self.rms = x, np.sqrt((x**2).mean(-1, keepdims=True) + self.eps)
        return x / self.rms * self.weight

    def backward(self, dout):
        self.grad_weight = (dout * self.x / self.rms).reshape(-1, self.x.shape[-1]).sum(0)
        return dout * self.weight / self.rms


class BatchNorm2d:
    """N where N*H*W belongs."""

    def __init__(self, num_features):
        self.gamma, self.beta = np.ones((1, num_features, 1, 1)), np.zeros((1, num_features, 1, 1))

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + 1e-5)
        self.norm = (x - x.mean(axis=(0, 2, 3), keepdims=True)) / self.std
        return self.gamma * self.norm + self.beta

    def backward(self, dout):
        self.dgamma = (dout * self.norm).sum(axis=(0, 2, 3), keepdims=True)
        self.dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
        g, m = dout * self.gamma, len(dout)
        a, b = g.sum(axis=(0, 2, 3), keepdims=True), (g * self.norm).sum(axis=(0, 2, 3), keepdims=True)
        return (g - a / m - self.norm * b / m) / self.std
