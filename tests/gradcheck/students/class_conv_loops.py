# long
# expect Conv2D: right
# expect Conv2DStride: wrong: WRONG
# expect Conv2DBias: wrong: WRONG
import numpy as np


class Conv2D:
    """x is (N, C, H, W); no padding."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        self.k, self.stride = kernel_size, stride
        self.W = np.random.randn(out_channels, in_channels, kernel_size, kernel_size) * 0.1
        self.b = np.zeros(out_channels)

    def windows(self, shape):
        for i in range((shape[2] - self.k) // self.stride + 1):
            for j in range((shape[3] - self.k) // self.stride + 1):
                top, left = i * self.stride, j * self.stride
                yield i, j, slice(top, top + self.k), slice(left, left + self.k)

    def forward(self, x):
        self.x = x
        rows, cols = ((size - self.k) // self.stride + 1 for size in x.shape[2:])
        out = np.zeros((len(x), len(self.W), rows, cols))
        for i, j, r, c in self.windows(x.shape):
            out[:, :, i, j] = np.einsum("nchw,fchw->nf", x[:, :, r, c], self.W) + self.b
        return out

    def backward(self, dout):
        dx, self.dW, self.db = np.zeros_like(self.x), np.zeros_like(self.W), self.bias_gradient(dout)
        for i, j, r, c in self.back_windows(self.x.shape):
            self.dW += np.einsum("nf,nchw->fchw", dout[:, :, i, j], self.x[:, :, r, c])
            dx[:, :, r, c] += np.einsum("nf,fchw->nchw", dout[:, :, i, j], self.W)
        return dx

    def bias_gradient(self, dout):
        return dout.sum(axis=(0, 2, 3))

    def back_windows(self, shape):
        return self.windows(shape)


class Conv2DStride(Conv2D):
    """Two steps at a time on the way there, one on the way back."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=2):
        super().__init__(in_channels, out_channels, kernel_size, stride)

    def back_windows(self, shape):
        for i, j, _, _ in self.windows(shape):
            yield i, j, slice(i, i + self.k), slice(j, j + self.k)


class Conv2DBias(Conv2D):
    def bias_gradient(self, dout):
        return dout.sum(axis=(2, 3)).mean(axis=0)
