# long
# expect Flatten: right
# expect Reshape: right
# expect Transpose: right
# expect GlobalAveragePool: right
# expect BadGlobalAveragePool: wrong: WRONG
# expect BadTranspose: wrong: WRONG
# expect BadFlatten: wrong: WRONG
import numpy as np


class Flatten:
    def forward(self, x):
        self.in_shape = x.shape
        return x.reshape(x.shape[0], -1)

    def backward(self, dout):
        return dout.reshape(self.in_shape)


class Reshape:
    """x is (C, H, W) without a batch."""

    def __init__(self, input_shape, output_shape):
        self.input_shape = input_shape
        self.output_shape = output_shape

    def forward(self, input):
        return np.reshape(input, self.output_shape)

    def backward(self, output_gradient):
        return np.reshape(output_gradient, self.input_shape)


class Transpose:
    def forward(self, x):
        return x.transpose(0, 2, 3, 1)

    def backward(self, dout):
        return dout.transpose(0, 3, 1, 2)


class GlobalAveragePool:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dout):
        n, c, h, w = self.shape
        return np.ones(self.shape) * dout[:, :, None, None] / (h * w)


class BadGlobalAveragePool:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dout):
        n, c, h, w = self.shape
        return np.ones(self.shape) * dout[:, :, None, None] / (h * h)


class BadTranspose:
    """Turned the same way again."""

    def forward(self, x):
        return x.transpose(0, 2, 3, 1)

    def backward(self, dout):
        return dout.transpose(0, 2, 3, 1)


class BadFlatten:
    def forward(self, x):
        self.x = x
        return x.transpose(0, 2, 3, 1).reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self.x.shape)
