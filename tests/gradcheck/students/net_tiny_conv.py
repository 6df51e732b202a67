# long
# expect ThreeLayerConvNet: right
# expect ConvNetPool: wrong: W1
# expect conv: right
# expect pool: right
import numpy as np


def conv_forward(x, w, b):
    """A 3 x 3 convolution that keeps the size."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    n, c, h, wd = x.shape
    out = np.zeros((n, len(w), h, wd)) + b[:, None, None]
    for i in range(3):
        for j in range(3):
            out += np.einsum("nchw,fc->nfhw", padded[:, :, i : i + h, j : j + wd], w[:, :, i, j])
    return out, (padded, w)


def conv_backward(dout, cache):
    padded, w = cache
    h, wd = dout.shape[2:]
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(3):
        for j in range(3):
            dw[:, :, i, j] = np.einsum("nfhw,nchw->fc", dout, padded[:, :, i : i + h, j : j + wd])
            dpadded[:, :, i : i + h, j : j + wd] += np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j])
    return dpadded[:, :, 1:-1, 1:-1], dw, dout.sum(axis=(0, 2, 3))


def pool_forward(x):
    n, c, h, w = x.shape
    blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
    out = blocks.max(axis=(3, 5))
    return out, (x.shape, blocks == out[:, :, :, None, :, None])


def pool_backward(dout, cache):
    shape, mask = cache
    return (mask * dout[:, :, :, None, :, None]).reshape(shape)


class ThreeLayerConvNet:
    def __init__(self, input_dim=(2, 4, 6), num_filters=2, hidden_dim=4, num_classes=3, weight_scale=1e-1, reg=0.1):
        c, h, w = input_dim
        self.reg = reg
        self.params = {
            "W1": weight_scale * np.random.randn(num_filters, c, 3, 3),
            "b1": np.zeros(num_filters),
            "W2": weight_scale * np.random.randn(num_filters * (h // 2) * (w // 2), hidden_dim),
            "b2": np.zeros(hidden_dim),
            "W3": weight_scale * np.random.randn(hidden_dim, num_classes),
            "b3": np.zeros(num_classes),
        }

    def loss(self, X, y=None):
        p = self.params
        conv, conv_cache = conv_forward(X, p["W1"], p["b1"])
        pooled, pool_cache = pool_forward(np.maximum(conv, 0))
        flat = pooled.reshape(len(X), -1)
        hidden = np.maximum(flat @ p["W2"] + p["b2"], 0)
        scores = hidden @ p["W3"] + p["b3"]
        if y is None:
            return scores
        probs = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs /= probs.sum(axis=1, keepdims=True)
        loss = -np.log(probs[np.arange(len(X)), y]).mean() + 0.5 * self.reg * sum(np.sum(p[k] ** 2) for k in ("W1", "W2", "W3"))
        d = probs.copy()
        d[np.arange(len(X)), y] -= 1
        d /= len(X)
        grads = {"W3": hidden.T @ d + self.reg * p["W3"], "b3": d.sum(axis=0)}
        d = (d @ p["W3"].T) * (hidden > 0)
        grads["W2"], grads["b2"] = flat.T @ d + self.reg * p["W2"], d.sum(axis=0)
        d = self.unpool((d @ p["W2"].T).reshape(pooled.shape), pool_cache) * (conv > 0)
        _, dw, grads["b1"] = conv_backward(d, conv_cache)
        grads["W1"] = dw + self.reg * p["W1"]
        return loss, grads

    def unpool(self, dout, cache):
        return pool_backward(dout, cache)


class ConvNetPool(ThreeLayerConvNet):
    """Spreads each gradient over its window."""

    def unpool(self, dout, cache):
        return np.repeat(np.repeat(dout, 2, axis=2), 2, axis=3) / 4
