import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# expect conv2d: right: by their names
# expect conv2d_wrong: wrong: reversed
# expect maxpool2x2: right
# expect Relu: right
# expect Cube: wrong


def conv2d_forward(img, K, pad=0):
    return np.tensordot(sliding_window_view(np.pad(img, pad), K.shape), K, 2)


def conv2d_backward(dOut, img, K, pad=0):
    H, W = img.shape
    dK = np.tensordot(dOut, sliding_window_view(np.pad(img, pad), dOut.shape), ([0, 1], [2, 3]))
    wide = np.pad(dOut, [(K.shape[0] - 1,) * 2, (K.shape[1] - 1,) * 2])
    dX = np.tensordot(sliding_window_view(wide, K.shape), K[::-1, ::-1], 2)[pad:pad + H, pad:pad + W]
    return dK, dX


def conv2d_wrong_forward(img, K):
    return np.tensordot(sliding_window_view(img, K.shape), K, 2)


def conv2d_wrong_backward(dOut, img, K):
    dK = np.tensordot(dOut, sliding_window_view(img, dOut.shape), ([0, 1], [2, 3]))
    wide = np.pad(dOut, [(K.shape[0] - 1,) * 2, (K.shape[1] - 1,) * 2])
    dX = np.tensordot(sliding_window_view(wide, K.shape), K, 2)
    return dK, dX


def maxpool2x2_forward(x):
    H, W = x.shape
    return x.reshape(H // 2, 2, W // 2, 2).max(axis=(1, 3))


def maxpool2x2_backward(dOut, x):
    H, W = x.shape
    dX = np.zeros_like(x)
    for i in range(H // 2):
        for j in range(W // 2):
            window = x[2 * i:2 * i + 2, 2 * j:2 * j + 2]
            dX[2 * i:2 * i + 2, 2 * j:2 * j + 2] = (window == window.max()) * dOut[i, j]
    return dX


class Relu:
    """`self` is the array: Relu.forward(z)."""

    def forward(self):
        return np.maximum(0, self)

    def backward(self):
        return (self > 0).astype(float)


class Cube:
    def forward(self):
        return self**3

    def backward(self):
        return 3 * self
