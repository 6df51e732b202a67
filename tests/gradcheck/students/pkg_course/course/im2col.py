import numpy as np

__all__ = ["im2col", "col2im"]


def _index(shape, size, stride, pad):
    n, c, h, w = shape
    rows, cols = (h + 2 * pad - size) // stride + 1, (w + 2 * pad - size) // stride + 1
    i = np.repeat(np.arange(size), size)[None] + stride * np.repeat(np.arange(rows), cols)[:, None]
    j = np.tile(np.arange(size), size)[None] + stride * np.tile(np.arange(cols), rows)[:, None]
    return i, j, rows, cols


def im2col(x, size, stride, pad):
    """(N, C, H, W) to (N, C, places, size * size)."""
    i, j, _, _ = _index(x.shape, size, stride, pad)
    return np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))[:, :, i, j]


def col2im(col, shape, size, stride, pad):
    n, c, h, w = shape
    i, j, _, _ = _index(shape, size, stride, pad)
    out = np.zeros((n, c, h + 2 * pad, w + 2 * pad))
    np.add.at(out, (slice(None), slice(None), i, j), col)
    return out[:, :, pad : pad + h, pad : pad + w]
