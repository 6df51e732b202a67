# long
# expect ZeroPad: right
# expect Upsample: right
# expect ConvTranspose: right
# expect DepthwiseConv: right
# expect ZeroPadWrong: wrong: WRONG
# expect UpsampleWrong: wrong: WRONG
import numpy as np


class ZeroPad:
    def __init__(self, pad=1):
        self.pad = pad

    def forward(self, x):
        p = self.pad
        return np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))

    def backward(self, dout):
        p = self.pad
        return dout[:, :, p:-p, p:-p].copy()


class ZeroPadWrong(ZeroPad):
    def backward(self, dout):
        p = self.pad
        return dout[:, :, : dout.shape[2] - 2 * p, : dout.shape[3] - 2 * p].copy()


class Upsample:
    """Each pixel becomes 2 x 2."""

    def forward(self, x):
        return x.repeat(2, axis=2).repeat(2, axis=3)

    def backward(self, dout):
        n, c, h, w = dout.shape
        return dout.reshape(n, c, h // 2, 2, w // 2, 2).sum(axis=(3, 5))


class UpsampleWrong(Upsample):
    def backward(self, dout):
        return dout[:, :, ::2, ::2].copy()


class ConvTranspose:
    """Stride 2, and kernels of 2 x 2 that do not overlap; W is (in, out, 2, 2)."""

    def __init__(self, in_channels, out_channels):
        self.W = np.random.randn(in_channels, out_channels, 2, 2) * 0.1
        self.b = np.zeros(out_channels)

    def forward(self, x):
        self.x = x
        n, c, h, w = x.shape
        y = np.einsum("nihw,iokl->nohkwl", x, self.W)
        return y.reshape(n, -1, 2 * h, 2 * w) + self.b[:, None, None]

    def backward(self, dout):
        n, c, h, w = self.x.shape
        d = dout.reshape(n, -1, h, 2, w, 2)
        self.dW = np.einsum("nihw,nohkwl->iokl", self.x, d)
        self.db = dout.sum(axis=(0, 2, 3))
        return np.einsum("nohkwl,iokl->nihw", d, self.W)


class DepthwiseConv:
    def __init__(self, channels, kernel_size=3):
        self.k = kernel_size
        self.W = np.random.randn(channels, kernel_size, kernel_size) * 0.1

    def forward(self, x):
        self.x, k = x, self.k
        h, w = x.shape[2] - k + 1, x.shape[3] - k + 1
        return sum(x[:, :, i : i + h, j : j + w] * self.W[:, i, j][:, None, None] for i in range(k) for j in range(k))

    def backward(self, dout):
        h, w = dout.shape[2:]
        dx, self.dW = np.zeros_like(self.x), np.zeros_like(self.W)
        for i in range(self.k):
            for j in range(self.k):
                dx[:, :, i : i + h, j : j + w] += dout * self.W[:, i, j][:, None, None]
                self.dW[:, i, j] = (dout * self.x[:, :, i : i + h, j : j + w]).sum(axis=(0, 2, 3))
        return dx
