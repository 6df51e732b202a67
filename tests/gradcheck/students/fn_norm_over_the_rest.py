"""Norms over what is behind the first two axes: of (N, D) that is one number, and the output 0."""

# long
# expect instancenorm: right: x (6, 8, 3, 5)
# expect planar_norm: wrong: the mean term is missing
# expect Planar: right: x (6, 8, 3, 5)
# expect PlanarWrong: wrong: dx
import numpy as np


def normalised(x, eps):
    r = x.reshape(*x.shape[:2], -1)
    s = np.sqrt(r.var(axis=-1, keepdims=True) + eps)
    return (r - r.mean(axis=-1, keepdims=True)) / s, s


def instancenorm_forward(x, gamma, beta, eps=1e-5):
    n, s = normalised(x, eps)
    return (gamma[:, None] * n + beta[:, None]).reshape(x.shape), (n, s, gamma)


def instancenorm_backward(dout, cache):
    n, s, gamma = cache
    d = dout.reshape(n.shape)
    g = gamma[:, None] * d
    dx = (g - g.mean(axis=-1, keepdims=True) - n * (g * n).mean(axis=-1, keepdims=True)) / s
    return dx.reshape(dout.shape), (d * n).sum(axis=(0, 2)), d.sum(axis=(0, 2))


def planar_norm_forward(x, eps=1e-5):
    n, s = normalised(x, eps)
    return n.reshape(x.shape), (n, s)


def planar_norm_backward(dout, cache):
    n, s = cache
    d = dout.reshape(n.shape)
    return ((d - n * (d * n).mean(axis=-1, keepdims=True)) / s).reshape(dout.shape)


class Planar:
    def __init__(self, eps=1e-5):
        self.eps = eps

    def forward(self, x):
        self.n, self.s = normalised(x, self.eps)
        return self.n.reshape(x.shape)

    def backward(self, dout):
        d = dout.reshape(self.n.shape)
        centred = d - d.mean(axis=-1, keepdims=True)
        return ((centred - self.n * self.along(d)) / self.s).reshape(dout.shape)

    def along(self, d):
        return (d * self.n).mean(axis=-1, keepdims=True)




class PlanarWrong(Planar):
    def along(self, d):
        return (d * self.n).sum(axis=-1, keepdims=True)
