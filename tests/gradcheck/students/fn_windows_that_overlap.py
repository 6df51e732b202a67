# expect max_pool: right: stride 1
# expect mean_pool: wrong: wrong with stride 1
# expect upsample: right: scale 3
"""Pools whose stride is an argument: a window that overlaps another shows `=` in place of `+=`. And a factor that counts."""
import numpy as np


def max_pool_forward(x, size, stride):
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - size) // stride + 1, (W - size) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = x[:, :, i * stride : i * stride + size, j * stride : j * stride + size].max(axis=(2, 3))
    return out, (x, size, stride)


def max_pool_backward(dout, cache):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + size), slice(j * stride, j * stride + size)
            window = x[:, :, rows, columns]
            mask = window == window.max(axis=(2, 3), keepdims=True)
            dx[:, :, rows, columns] += mask * dout[:, :, i : i + 1, j : j + 1]
    return dx


def mean_pool_forward(x, size, stride):
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - size) // stride + 1, (W - size) // stride + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = x[:, :, i * stride : i * stride + size, j * stride : j * stride + size].mean(axis=(2, 3))
    return out, (x, size, stride)


def mean_pool_backward(dout, cache):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(i * stride, i * stride + size), slice(j * stride, j * stride + size)
            dx[:, :, rows, columns] = dout[:, :, i : i + 1, j : j + 1] / size**2  # WRONG: = for +=
    return dx


def upsample_forward(x, scale=2):
    return x.repeat(scale, axis=2).repeat(scale, axis=3), (x.shape, scale)


def upsample_backward(dout, cache):
    (N, C, H, W), scale = cache
    return dout.reshape(N, C, H, scale, W, scale).sum(axis=(3, 5))
