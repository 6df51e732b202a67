# long
# expect MaxPool2D: right
# expect AvgPool2D: right
# expect MaxPool2DSpread: wrong: WRONG
# expect MaxPool2DOverwrites: wrong: stride 1
import numpy as np


class MaxPool2D:
    def __init__(self, pool_size=2, stride=2):
        self.p, self.stride = pool_size, stride

    def forward(self, x):
        self.x = x
        n, c, h, w = x.shape
        out = np.zeros((n, c, (h - self.p) // self.stride + 1, (w - self.p) // self.stride + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = self.reduce(self.window(x, i, j))
        return out

    def window(self, x, i, j):
        return x[:, :, i * self.stride : i * self.stride + self.p, j * self.stride : j * self.stride + self.p]

    def reduce(self, window):
        return window.max(axis=(2, 3))

    def route(self, window):
        return window == window.max(axis=(2, 3), keepdims=True)

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                self.window(dx, i, j)[...] += self.route(self.window(self.x, i, j)) * dout[:, :, i, j, None, None]
        return dx


class AvgPool2D(MaxPool2D):
    def reduce(self, window):
        return window.mean(axis=(2, 3))

    def route(self, window):
        return np.full(window.shape, 1 / self.p**2)


class MaxPool2DSpread(MaxPool2D):
    def route(self, window):
        return np.full(window.shape, 1 / self.p**2)


class MaxPool2DOverwrites(MaxPool2D):
    """Right where no window overlaps another."""

    def __init__(self, pool_size, stride):
        super().__init__(pool_size, stride)

    def backward(self, dout):
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                self.window(dx, i, j)[...] = self.route(self.window(self.x, i, j)) * dout[:, :, i, j, None, None]
        return dx
