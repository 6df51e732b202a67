import numpy as np

# expect third: right
# expect square: right
# expect halved: wrong
# expect Mean: right


def third_forward(x):
    return x / 3, x.shape


def third_backward(dout, shape):
    dx = np.zeros(shape, dtype=np.float32)
    dx += dout / 3
    return dx


def square_forward(x, w):
    return (x @ w) ** 2, (x, w)


def square_backward(dout, cache):
    x, w = cache
    d = (dout * 2 * (x @ w)).astype(np.float32)
    return d @ w.T, x.T @ d


def halved_forward(x):
    return x**2, x


def halved_backward(dout, x):
    return (dout * x).astype(np.float32)  # 2 x


class Mean:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=0)

    def backward(self, dout):
        dx = np.zeros(self.shape, dtype=np.float32)
        for i in range(len(dx)):
            dx[i] = dout / len(dx)
        return dx
