import numpy as np
from pkg_flat.float_config import FLOAT

# long
# expect Tanh: right
# expect ScaleTanh: wrong: WRONG in dx
# expect AvgPool2: right


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x, dtype=FLOAT)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class ScaleTanh:
    dtype = np.float32

    def __init__(self, scale=np.float32(0.5)):
        self.scale = scale

    def forward(self, x):
        self.out = np.tanh(self.scale * x.astype(self.dtype))
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2) * self.scale * 1.0005


class AvgPool2:
    def forward(self, x, dtype=np.float32):
        n, c, h, w = self.shape = x.shape
        return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5), dtype=dtype)

    def backward(self, dout):
        dx = np.zeros(self.shape, dtype=FLOAT)
        for i in (0, 1):
            for j in (0, 1):
                dx[:, :, i::2, j::2] = dout / 4
        return dx
