"""Mistakes in layers of all kinds, each with the name and the words that the checker has to find for it."""

import numpy as np
import pytest
from helpers import some

from tinynorm.gradcheck import KINDS, check_backward

# ---- the layers: forward returns (out, cache), backward one gradient for each name -----------------------------------------


def sums(a, *axes):
    return a.sum(axis=axes, keepdims=True)


def batchnorm(x, gamma, beta, running_mean, running_var):
    mu, var = x.mean(0), x.var(0)
    h = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * h + beta, (x, h, mu, var, gamma, beta, running_mean, running_var)


def batchnorm_backward(d, c, rstd=None, h=None, gamma=None, axis=0):
    _, own, _, var, scale, *_ = c
    rstd, h, g = (
        1 / np.sqrt(var + 1e-5) if rstd is None else rstd,
        own if h is None else h,
        d * (scale if gamma is None else gamma),
    )
    dx = rstd * (g - g.mean(axis, keepdims=True) - h * (g * h).mean(axis, keepdims=True))
    return dx, (d * own).sum(0), d.sum(0), None, None


def affine(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(d, c):
    x, w = c
    return (d @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ d, d.sum(0)


def affine_relu(x, w, b):
    y = np.maximum(x @ w + b, 0)
    return y, (x, w, y > 0)


def affine_relu_backward(d, c):
    x, w, mask = c
    d = d * mask
    return d @ w.T, x.T @ d, d.sum(0)


def dropout(keep, inverted):
    def forward(x):
        mask = (np.random.rand(*x.shape) < keep) / (keep if inverted else 1.0)  # noqa: NPY002
        return x * mask, (x, mask)

    return forward


def dropout_backward(d, c):
    return (d * c[1],)


def embedding(W, idx):
    return W[idx], (W, idx)


def embedding_backward(d, c):
    dW = np.zeros_like(c[0])
    np.add.at(dW, c[1], d)
    return dW, None


def conv(stride, pad, f=3):
    def forward(x, w, b):
        p = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
        rows, columns = ((n + 2 * pad - f) // stride + 1 for n in x.shape[2:])
        y = np.empty((len(x), len(w), rows, columns))
        for i, j in np.ndindex(rows, columns):
            window = p[:, :, i * stride : i * stride + f, j * stride : j * stride + f]
            y[:, :, i, j] = np.einsum("ncab,fcab->nf", window, w)
        return y + b[:, None, None], (x, w, p, stride, pad)

    return forward


def conv_backward(d, c, step=None, cut=None, flip=1, add=True, samples=None):
    x, w, p, stride, pad = c
    step, f = stride if step is None else step, w.shape[2]
    dp, dw = np.zeros_like(p), np.zeros_like(w)
    for n in range(len(x)):
        for i, j in np.ndindex(d.shape[2:]):
            at = slice(i * step, i * step + f), slice(j * step, j * step + f)
            if not add:
                dw[:] = 0
                dp[(n, slice(None), *at)] = 0
            dw += np.einsum("f,cab->fcab", d[n, :, i, j], p[(n, slice(None), *at)])
            dp[(n, slice(None), *at)] += np.einsum("f,fcab->cab", d[n, :, i, j], w[:, :, ::flip, ::flip])
    cut = pad if cut is None else cut
    return dp[:, :, cut : cut + x.shape[2], cut : cut + x.shape[3]], dw, d.sum((0, 2, 3))


def pool(kind, stride=2, f=2):
    def forward(x):
        rows, columns = ((n - f) // stride + 1 for n in x.shape[2:])
        y = np.empty((*x.shape[:2], rows, columns))
        for i, j in np.ndindex(rows, columns):
            y[:, :, i, j] = getattr(x[:, :, i * stride : i * stride + f, j * stride : j * stride + f], kind)((2, 3))
        return y, (x, stride, f)

    return forward


def pool_backward(share, step=None, add=True):
    """`share` is the part that each number of a window (..., f, f) gets."""

    def backward(d, c):
        x, stride, f = c
        dx, by = np.zeros_like(x), step or stride
        for i, j in np.ndindex(d.shape[2:]):
            window = x[:, :, i * stride : i * stride + f, j * stride : j * stride + f]
            at = (..., slice(i * by, i * by + f), slice(j * by, j * by + f))
            dx[at] = (dx[at] if add else 0) + share(window) * d[:, :, i, j, None, None]
        return (dx,)

    return backward


def routed(w):
    return w == sums_max(w)


def sums_max(w):
    return w.max((2, 3), keepdims=True)


def rnn(x, h0, Wx, Wh, b):
    h = [h0]
    for t in range(x.shape[1]):
        h.append(np.tanh(x[:, t] @ Wx + h[-1] @ Wh + b))
    return np.stack(h[1:], 1), (x, np.stack(h, 1), Wx, Wh)


def rnn_backward(d, c, through=True, previous=0, derivative=lambda h: 1 - h * h, add=True, grad_x=None):
    x, h, Wx, Wh = c
    dx, dh, dWx, dWh, db = np.empty_like(x), 0.0, 0.0, 0.0, 0.0
    for t in range(x.shape[1])[::-1]:
        total = d[:, t] + dh
        dz = total * derivative(h[:, t + 1])
        dx[:, t], dh = (dz if grad_x is None else grad_x(total, dz)) @ Wx.T, dz @ Wh.T if through else 0.0
        keep = 1.0 if add else 0.0
        dWx, dWh, db = keep * dWx + x[:, t].T @ dz, keep * dWh + h[:, t + previous].T @ dz, keep * db + dz.sum(0)
    return dx, dz @ Wh.T, dWx, dWh, db


def rnn_step(x, h, Wx, Wh, b):
    y = np.tanh(x @ Wx + h @ Wh + b)
    return y, (x, h, Wx, Wh, y)


def rnn_step_backward(d, c, derivative=lambda y: 1 - y * y):
    x, h, Wx, Wh, y = c
    dz = d * derivative(y)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, h.T @ dz, dz.sum(0)


def scaled_tanh(x, g, s):
    y = np.tanh((x * g) @ s)
    return y, (x, g, s, y)


def scaled_tanh_backward(d, c, derivative=lambda y: 1 - y * y):
    x, g, s, y = c
    dz = d * derivative(y)
    return dz @ s.T * g, (dz @ s.T * x).sum(0), (x * g).T @ dz


def gelu(x):
    t = np.tanh(0.8 * (x + 0.04 * x**3))
    return 0.5 * x * (1 + t), (x, t)


def gelu_backward(d, c):
    x, t = c
    return (d * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.8 * (1 + 0.12 * x * x)),)


def softplus(x):
    y = np.log1p(np.exp(x))
    return y, (x, y)


def softplus_backward(d, c):
    return (d / (1 + np.exp(-c[0])),)


def swish(x):
    s = 1 / (1 + np.exp(-x))
    return x * s, (x, s)


def swish_backward(d, c):
    x, s = c
    return (d * (s + x * s * (1 - s)),)


def elu(x):
    y = np.where(x > 0, x, 0.7 * (np.exp(x) - 1))
    return y, (x, y)


def elu_backward(d, c):
    return (d * np.where(c[0] > 0, 1.0, c[1] + 0.7),)


def sigmoid(x):
    s = 1 / (1 + np.exp(-x))
    return s, (x, s)


def tanh(x):
    return np.tanh(x), (x, np.tanh(x))


def attention(q, k, v):
    a = q @ k.swapaxes(1, 2) / np.sqrt(5)
    p = np.exp(a - a.max(-1, keepdims=True))
    p = p / sums(p, -1)
    return p @ v, (q, k, v, p)


def attention_backward(d, c, scale=5**-0.5, softmax=True):
    q, k, v, p = c
    dp = d @ v.swapaxes(1, 2)
    da = p * (dp - sums(dp * p, -1)) if softmax else dp
    return da @ k * scale, da.swapaxes(1, 2) @ q * scale, p.swapaxes(1, 2) @ d


def ridge(x, w, reg):
    return np.square(x @ w).sum() / len(x) + reg * np.square(w).sum(), (x, w, reg)


def ridge_backward(d, c):
    x, w, reg = c
    return d * 2 * (x @ w) @ w.T / len(x), d * (2 * x.T @ (x @ w) / len(x) + 2 * reg * w), None


def bce(p, t):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)), (p, t)


def bce_backward(d, c):
    p, t = c
    return d * (p - t) / (p * (1 - p)), d * np.log(1 / p - 1)


def cell(a, s, i):
    """The end of an LSTM's step: h = o tanh(c) and c, with o = σ(a) and c = s + tanh(i)."""
    c = s + np.tanh(i)
    return (np.tanh(c) / (1 + np.exp(-a)), c), (a, c, i)


def cell_backward(d, cache, slope=lambda c: 1 - np.tanh(c) ** 2):
    (dh, dc), (a, c, i) = d, cache
    o = 1 / (1 + np.exp(-a))
    dc = dc + dh * o * slope(c)
    return dh * np.tanh(c) * o * (1 - o), 1 * dc, dc * (1 - np.tanh(i) ** 2)


def logistic(x, b):
    return np.mean(np.square(x.sum(0) + b)), (x, b)


def logistic_backward(d, c):
    x, b = c
    dz = d * 2 * (x.sum(0) + b) / x.shape[1]
    return dz + 0 * x, dz.sum(keepdims=True)


def gated(x, g, s):
    """A layer of no family: a product, a sum over the steps, a tanh."""
    return np.tanh((x * g).sum(1) @ s) + np.sin(x).sum(1) @ s, (x, g, s)


def gated_backward(d, c):
    x, g, s = c
    a = (x * g).sum(1)
    dz = d * (1 - np.tanh(a @ s) ** 2)
    da = dz @ s.T
    return da[:, None] * g + np.cos(x) * (d @ s.T)[:, None], (da[:, None] * x).sum(0), a.T @ dz + np.sin(x).sum(1).T @ d


NORM = batchnorm, batchnorm_backward, [(6, 6), (6,), (6,), (6,), "variance"], "x gamma beta running_mean running_var"
AFFINE = affine, affine_backward, [(6, 2, 3), (6, 5), (5,)], "x w b"
SQUARE = affine, affine_backward, [(5, 5), (5, 5), (5,)], "x w b"
AFFINE_RELU = affine_relu, affine_relu_backward, [(6, 4), (4, 5), (5,)], "x w b"
DROPOUT = dropout(0.6, inverted=True), dropout_backward, [(6, 7)], "x"
PLAIN_DROPOUT = dropout(0.6, inverted=False), dropout_backward, [(6, 7)], "x"
EMBEDDING = embedding, embedding_backward, [(7, 4), "index"], "W idx"
CONV = conv(2, 1), conv_backward, [(2, 3, 7, 7), (4, 3, 3, 3), (4,)], "x w b"
CONV_1 = conv(1, 1), conv_backward, [(2, 3, 4, 4), (4, 3, 3, 3), (4,)], "x w b"
MAX_POOL = pool("max"), pool_backward(routed), [(2, 2, 6, 6)], "x"
MEAN_POOL = pool("mean"), pool_backward(lambda w: np.full(w.shape, 0.25)), [(2, 2, 6, 6)], "x"
MAX_POOL_3 = pool("max", 2, 3), pool_backward(routed), [(2, 2, 7, 7)], "x"
RNN = rnn, rnn_backward, [(3, 5, 4), (3, 6), (4, 6), (6, 6), (6,)], "x h0 Wx Wh b"
RNN_STEP = rnn_step, rnn_step_backward, [(4, 3), (4, 5), (3, 5), (5, 5), (5,)], "x prev_h Wx Wh b"
SCALED_TANH = scaled_tanh, scaled_tanh_backward, [(4, 3), (3,), (3, 5)], "x g s"
GELU = gelu, gelu_backward, [(4, 5)], "x"
SOFTPLUS = softplus, softplus_backward, [(4, 5)], "x"
SWISH = swish, swish_backward, [(4, 5)], "x"
ELU = elu, elu_backward, [(4, 5)], "x"
SIGMOID = sigmoid, lambda d, c: (d * c[1] * (1 - c[1]),), [(4, 5)], "x"
TANH = tanh, lambda d, c: (d * (1 - c[1] ** 2),), [(4, 5)], "x"
ATTENTION = attention, attention_backward, [(2, 4, 5), (2, 4, 5), (2, 4, 5)], "q k v"
CELL = cell, cell_backward, [(4, 3), (4, 3), (4, 3)], "a s i"
LOGISTIC = logistic, logistic_backward, [(4, 9), (1,)], "x b"
RIDGE = ridge, ridge_backward, [(6, 4), (4, 3), 0.35], "x w reg"
GATED = gated, gated_backward, [(4, 3, 5), (3, 5), (5, 6)], "x g s"

TURNED = lambda x: (1 * x.transpose(0, 2, 3, 1), None), lambda d, c: (1 * d.transpose(0, 3, 1, 2),), [(2, 3, 3, 3)], "x"
TURNED_WIDE = *TURNED[:2], [(2, 4, 3, 3)], "x"
PADDED = lambda x: (np.pad(x, ((0, 0), (1, 1), (1, 1))), None), lambda d, c: (1 * d[:, 1:-1, 1:-1],), [(2, 4, 4)], "x"
BCE = bce, bce_backward, ["share", "share"], "p t"

# ---- the mistakes: layer, wrong backward, the input whose gradient is wrong, kind, a piece of the sentence ------------------


def instead(right, which, of):
    """The right gradients, with the one of number `which` replaced by of(right one, dout, cache)."""

    def backward(d, c):
        grads = list(right(d, c))
        grads[which] = of(grads[which], d, c)
        return tuple(grads)

    return backward


def but(layer, which, of):
    return layer, instead(layer[1], which, of), layer[3].split()[which]


def at(g, where, value):
    g = g.copy()
    g[where] = value if np.ndim(value) or value == 0 else value * g[where]
    return g


def new_mask(g, d, c):
    return d * (np.random.rand(*d.shape) < 0.6) * np.max(c[1])  # noqa: NPY002


def last_wins(g, d, c):
    dW = np.zeros_like(g)
    dW[c[1]] += d
    return dW


def norm_dx(**changes):
    return lambda g, d, c: batchnorm_backward(d, c, **{name: of(c) for name, of in changes.items()})[0]


def other_side(g, d, c, gamma_inside=True, rstd_inside=True):
    """The means run over axis 1, and rstd stands inside of them, or gamma outside."""
    _, h, _, var, gamma, *_ = c
    rstd, (a, w) = 1 / np.sqrt(var + 1e-5), (d * gamma, 1.0) if gamma_inside else (d, gamma)
    if rstd_inside:
        return w * (rstd * a - sums(rstd * a, 1) / 6 - h * sums(rstd * a * h, 1) / 6)
    return w * rstd * (a - sums(a, 1) / 6 - h * sums(a * h, 1) / 6)


def rnn_but(which, **changes):
    return RNN, instead(rnn_backward, which, lambda g, d, c: rnn_backward(d, c, **changes)[which]), RNN[3].split()[which]


def step_but(which, derivative):
    return but(RNN_STEP, which, lambda g, d, c: rnn_step_backward(d, c, derivative)[which])


def tanh_but(which, derivative):
    return but(SCALED_TANH, which, lambda g, d, c: scaled_tanh_backward(d, c, derivative)[which])


def conv_but(layer, which, **changes):
    return but(layer, which, lambda g, d, c: conv_backward(d, c, **changes)[which])


def pool_but(layer, share, **changes):
    return layer, pool_backward(share, **changes), "x"


NAMED = {
    # normalisation
    "norm: beta for gamma": (*but(NORM, 0, norm_dx(gamma=lambda c: c[5])), "wrong_input", "beta stands for gamma"),
    "norm: running_var": (
        *but(NORM, 0, norm_dx(rstd=lambda c: 1 / np.sqrt(c[7] + 1e-5))),
        "statistics_of_eval",
        "running_mean and running_var stand for the batch's own statistics",
    ),
    "norm: running_var, updated": (
        *but(NORM, 0, norm_dx(rstd=lambda c: 1 / np.sqrt(0.9 * c[7] + 0.1 * c[3] + 1e-5))),
        "statistics_of_eval",
        "updated (0.9 * running_var + 0.1 * var), stand for",
    ),
    "norm: running x_hat in dgamma": (
        *but(NORM, 1, lambda g, d, c: (d * (c[0] - c[6]) / np.sqrt(c[7] + 1e-5)).sum(0)),
        "statistics_of_eval",
        "running_mean and running_var stand for",
    ),
    "norm: standard deviation for variance": (
        *but(NORM, 0, norm_dx(rstd=lambda c: (np.sqrt(c[3]) + 1e-5) ** -0.5)),
        "std_for_var",
        "the standard deviation stands for the variance",
    ),
    "norm: mean and var swapped": (
        *but(
            NORM,
            0,
            norm_dx(
                rstd=lambda c: 1 / np.sqrt(c[2] ** 2 + 1e-5 - c[2] ** 2 + c[2]),
                h=lambda c: (c[0] - c[3]) / np.sqrt(c[2] + 1e-5),
            ),
        ),
        "mean_var_swapped",
        "mu and var are swapped",
    ),
    "norm: mean for variance": (
        *but(NORM, 0, norm_dx(rstd=lambda c: 1 / np.sqrt(np.abs(c[2]) + 1e-5))),
        "mean_var_swapped",
        "mu and var are swapped",
    ),
    "norm: axis 1, rstd inside": (*but(NORM, 0, other_side), "wrong_axes", "axis 1, and has to run over axis 0"),
    "norm: axis 1, gamma outside": (
        *but(NORM, 0, lambda g, d, c: other_side(g, d, c, False, False)),
        "wrong_axes",
        "axis 1, and has to run over axis 0",
    ),
    "norm: axis 1, both": (*but(NORM, 0, lambda g, d, c: other_side(g, d, c, False, True)), "wrong_axes", "axis 1, and has to"),
    # linear
    "linear: w.reshape": (
        *but(AFFINE, 0, lambda g, d, c: (d @ c[1].reshape(5, 6)).reshape(g.shape)),
        "transposed",
        "w.reshape(5, 6) stands for w.T",
    ),
    "linear: w.reshape of a square": (*but(SQUARE, 0, lambda g, d, c: d @ c[1]), "transposed", "dx = dy wᵀ"),
    "linear: x.reshape": (
        *but(AFFINE, 1, lambda g, d, c: c[0].reshape(6, 6) @ d),
        "transposed",
        "x.reshape(6, 6) stands for x.T",
    ),
    "linear: last sample": (
        *but(AFFINE, 1, lambda g, d, c: np.outer(c[0][-1], d[-1])),
        "missing_accumulation",
        "only the last slice of axis 0 counts",
    ),
    "affine + relu: mask forgotten, dx": (
        *but(AFFINE_RELU, 0, lambda g, d, c: d @ c[1].T),
        "mask_forgotten",
        "were never closed: its mask, x > 0, is not applied",
    ),
    "affine + relu: mask forgotten, dw": (
        *but(AFFINE_RELU, 1, lambda g, d, c: c[0].T @ d),
        "mask_forgotten",
        "were never closed: its mask, x > 0, is not applied",
    ),
    "affine + relu: mask forgotten, db": (
        *but(AFFINE_RELU, 2, lambda g, d, c: d.sum(0)),
        "mask_forgotten",
        "were never closed: its mask, x > 0, is not applied",
    ),
    # dropout
    "dropout: mask forgotten": (*but(DROPOUT, 0, lambda g, d, c: d), "mask_forgotten", "the mask is forgotten"),
    "dropout: mask forgotten, scaled": (*but(DROPOUT, 0, lambda g, d, c: d / 0.6), "mask_forgotten", "the mask is forgotten"),
    "dropout: plain, mask forgotten": (*but(PLAIN_DROPOUT, 0, lambda g, d, c: d), "mask_forgotten", "the mask is forgotten"),
    "dropout: scale forgotten": (
        *but(DROPOUT, 0, lambda g, d, c: d * (c[1] > 0)),
        "constant_factor",
        "the scale 1 / 0.6 of forward is forgotten",
    ),
    "dropout: mask twice": (*but(DROPOUT, 0, lambda g, d, c: d * c[1] ** 2), "constant_factor", "multiplied in twice"),
    "dropout: plain, scaled": (*but(PLAIN_DROPOUT, 0, lambda g, d, c: g / 0.6), "constant_factor", "5/3 times the right"),
    "dropout: new mask": (*but(DROPOUT, 0, new_mask), "new_mask", "another mask than forward's"),
    "dropout: plain, new mask": (*but(PLAIN_DROPOUT, 0, new_mask), "new_mask", "another mask than forward's"),
    "dropout: mask inverted": (*but(DROPOUT, 0, lambda g, d, c: d * (c[1] == 0)), "mask_inverted", "the wrong way round"),
    "dropout: x for mask": (*but(DROPOUT, 0, lambda g, d, c: d * c[0] * c[1]), "x_for_mask", "stands for the mask"),
    # embedding
    "embedding: +=": (*but(EMBEDDING, 0, last_wins), "missing_accumulation", "np.add.at"),
    "embedding: mean": (
        *but(EMBEDDING, 0, lambda g, d, c: g / np.maximum(np.bincount(c[1].ravel(), minlength=7), 1)[:, None]),
        "mean_for_sum",
        "mean over the places",
    ),
    # convolution
    "conv: stride forgotten, dx": (*conv_but(CONV, 0, step=1), "stride_forgotten", "the stride of 2 is forgotten"),
    "conv: stride forgotten, dw": (*conv_but(CONV, 1, step=1), "stride_forgotten", "the stride of 2 is forgotten"),
    "conv: padding not cut off": (*conv_but(CONV, 0, cut=0), "wrong_padding", "the padding of 1"),
    "conv: padding cut at one end": (*conv_but(CONV, 0, cut=2), "wrong_padding", "the padding of 1"),
    "conv: kernel flipped": (*conv_but(CONV_1, 0, flip=-1), "reversed", "w is reversed along axes 2, 3"),
    "conv: dw flipped": (*but(CONV_1, 1, lambda g, d, c: g[:, :, ::-1, ::-1]), "reversed", "axes 2, 3"),
    "conv: dw of the last place": (*conv_but(CONV, 1, add=False), "missing_accumulation", "+="),
    "conv: dx overwritten": (*conv_but(CONV, 0, add=False), "missing_accumulation", "+="),
    "conv: dw of the last sample": (
        *but(CONV_1, 1, lambda g, d, c: conv_backward(d * (np.arange(2) == 1)[:, None, None, None], c)[1]),
        "missing_accumulation",
        "only the last slice of axis 0 counts",
    ),
    "conv: dx of the last sample": (
        *but(CONV_1, 0, lambda g, d, c: at(g, 0, 0)),
        "some_elements",
        "only row 0 is wrong: 0",
    ),
    "conv: db over other axes": (
        *but(CONV_1, 2, lambda g, d, c: d.sum((0, 1, 2))),
        "wrong_axes",
        "the sum of dy over axes 0, 1, 2",
    ),
    "conv: db of the last sample": (*but(CONV, 2, lambda g, d, c: d[-1].sum((1, 2))), "missing_accumulation", "only the last"),
    "conv: db, mean": (*but(CONV, 2, lambda g, d, c: d.mean((0, 2, 3))), "constant_factor", "1/32"),
    # pooling
    "max pooling: spread": (
        *pool_but(MAX_POOL, lambda w: np.full(w.shape, 0.25)),
        "wrong_function",
        "gets 1/4 of dy, as in average pooling; right for max pooling: dy goes to the largest",
    ),
    "max pooling: to all": (*pool_but(MAX_POOL, np.ones_like), "wrong_function", "all numbers of a window get all of dy"),
    "max pooling: first of the window": (
        *pool_but(MAX_POOL, lambda w: np.arange(4).reshape(2, 2) == 0),
        "wrong_function",
        "to the first",
    ),
    "max pooling: overwritten": (*pool_but(MAX_POOL_3, routed, add=False), "missing_accumulation", "+="),
    "max pooling: stride forgotten": (*pool_but(MAX_POOL, routed, step=1), "stride_forgotten", "the stride of 2"),
    "average pooling: routed": (*pool_but(MEAN_POOL, routed), "wrong_function", "as in max pooling; right for average"),
    "average pooling: not divided": (
        *pool_but(MEAN_POOL, np.ones_like),
        "constant_factor",
        "4 times",
    ),
    "average pooling: stride forgotten": (
        *pool_but(MEAN_POOL, lambda w: np.full(w.shape, 0.25), step=1),
        "stride_forgotten",
        "the stride of 2",
    ),
    # recurrent
    "rnn: next step forgotten, dx": (*rnn_but(0, through=False), "missing_accumulation", "next step"),
    "rnn: next step forgotten, dWx": (*rnn_but(2, through=False), "missing_accumulation", "next step"),
    "rnn: next step forgotten, dWh": (*rnn_but(3, through=False), "missing_accumulation", "next step"),
    "rnn: next step forgotten, dh0": (*rnn_but(1, through=False), "missing_accumulation", "next step hands back"),
    "rnn: h for previous h": (*rnn_but(3, previous=1), "off_by_one", "h of the same step stands for that of the step before"),
    "rnn: dx without the derivative": (
        *rnn_but(0, grad_x=lambda total, dz: total),
        "derivative_forgotten",
        "1 - h², is not multiplied in",
    ),
    "rnn: no derivative at all": (*rnn_but(2, derivative=lambda h: 1.0), "derivative_forgotten", "1 - h²"),
    "rnn: 1 - h": (*rnn_but(2, derivative=lambda h: 1 - h), "wrong_function", "1 - h stands for 1 - h²"),
    "rnn: not added over time": (*rnn_but(3, add=False), "missing_accumulation", "+= for ="),
    "rnn: bias of the last step": (*rnn_but(4, add=False), "missing_accumulation", "+= for ="),
    "rnn step: no derivative": (*step_but(0, lambda y: 1.0), "derivative_forgotten", "1 - h²"),
    "rnn step: 1 - h": (*step_but(3, lambda y: 1 - y), "wrong_function", "1 - h stands for 1 - h²"),
    "tanh at the end: no derivative": (*tanh_but(0, lambda y: 1.0), "derivative_forgotten", "(1 - y²) is not multiplied in"),
    "tanh at the end: 1 - y": (*tanh_but(1, lambda y: 1 - y), "wrong_function", "(1 - y) stands for (1 - y²)"),
    "tanh at the end: twice": (*tanh_but(2, lambda y: (1 - y * y) ** 2), "extra_factor", "(1 - y²) is multiplied in once too"),
    # activations
    "gelu: second term": (*but(GELU, 0, lambda g, d, c: d * 0.5 * (1 + c[1])), "product_rule", "y / x"),
    "gelu: first term": (*but(GELU, 0, lambda g, d, c: g - d * 0.5 * (1 + c[1])), "product_rule", "y / x"),
    "gelu: at the output": (*but(GELU, 0, lambda g, d, c: gelu_backward(d, gelu(gelu(c[0])[0])[1])[0]), "y_for_x", "at y"),
    "softplus: at the output": (*but(SOFTPLUS, 0, lambda g, d, c: d / (1 + np.exp(-c[1]))), "y_for_x", "at y"),
    "softplus: of -x": (*but(SOFTPLUS, 0, lambda g, d, c: d / (1 + np.exp(c[0]))), "y_for_x", "at -x and has to be that at x"),
    "swish: second term": (*but(SWISH, 0, lambda g, d, c: d * c[1]), "product_rule", "y / x"),
    "swish: s (1 - s) without its factor": (
        *but(SWISH, 0, lambda g, d, c: d * (c[1] + 0.5 * c[0] * c[1] * (1 - c[1]))),
        "product_rule",
        "besides dy * y / x, it has 1/2 times the term",
    ),
    "swish: no dout": (*but(SWISH, 0, lambda g, d, c: swish_backward(1.0, c)[0]), "dy_forgotten", "dy is not multiplied in"),
    "elu: at the output": (
        *but(ELU, 0, lambda g, d, c: d * np.where(c[0] > 0, 1, 0.7 * np.exp(c[1]))),
        "y_for_x",
        "at y",
    ),
    "sigmoid: of itself": (
        *but(SIGMOID, 0, lambda g, d, c: d * sigmoid(c[1])[0] * (1 - sigmoid(c[1])[0])),
        "x_for_y",
        "once more",
    ),
    "sigmoid: s": (*but(SIGMOID, 0, lambda g, d, c: d * c[1]), "wrong_function", "it is dy * y"),
    "sigmoid: x (1 - x)": (*but(SIGMOID, 0, lambda g, d, c: d * c[0] * (1 - c[0])), "x_for_y", "x stands"),
    "tanh: 1 - h": (*but(TANH, 0, lambda g, d, c: d * (1 - c[1])), "wrong_function", "it is dy * (1 - y)"),
    "rnn step: h for previous h": (
        *but(RNN_STEP, 3, lambda g, d, c: c[4].T @ (d * (1 - c[4] ** 2))),
        "off_by_one",
        "h of the same step stands for that of the step before",
    ),
    # any layer
    "any: turned the same way": (
        *but(TURNED, 0, lambda g, d, c: d.transpose(0, 2, 3, 1)),
        "transposed",
        "dy.transpose(0, 3, 1, 2)",
    ),
    "any: reshaped": (
        *but(TURNED_WIDE, 0, lambda g, d, c: 1 * d.reshape(g.shape)),
        "transposed",
        "it is dy.reshape(2, 4, 3, 3)",
    ),
    "any: padding cut at the wrong end": (*but(PADDED, 0, lambda g, d, c: d[:, :-2, :-2]), "off_by_one", "along axes 1, 2"),
    "any: p (1 - p) not in the denominator": (
        *but(BCE, 0, lambda g, d, c: d * (c[0] - c[1]) / c[0] * (1 - c[0])),
        "extra_factor",
        "(1 - p)² is multiplied in once too often",
    ),
    "any: dy forgotten and the sign": (
        *but(GATED, 2, lambda g, d, c: -gated_backward(np.ones_like(d), c)[2]),
        "dy_forgotten",
        "and all is -1 times that",
    ),
    "attention: scale forgotten": (
        *but(ATTENTION, 0, lambda g, d, c: attention_backward(d, c, scale=1.0)[0]),
        "constant_factor",
        "5 is the size of axis 2",
    ),
    "attention: softmax forgotten": (
        *but(ATTENTION, 0, lambda g, d, c: attention_backward(d, c, softmax=False)[0]),
        "wrong_function",
        "dP is passed on as it is: dS = p * (dP - Σ dP p)",
    ),
    "attention: only the diagonal": (
        *but(ATTENTION, 1, lambda g, d, c: (c[3] * (1 - c[3]) * (d @ c[2].swapaxes(1, 2))).swapaxes(1, 2) @ c[0] / 5**0.5),
        "sum_term_forgotten",
        "only the diagonal of the Jacobian",
    ),
    "attention: v": (*but(ATTENTION, 2, lambda g, d, c: c[3] @ d), "transposed", "P stands for Pᵀ"),
    "cell: 1 - c²": (
        *but(CELL, 2, lambda g, d, c: cell_backward(d, c, lambda s: 1 - s * s)[2]),
        "wrong_function",
        "through h = o * tanh(c), 1 - c² stands for 1 - tanh(c)²",
    ),
    "cell: 1": (
        *but(CELL, 1, lambda g, d, c: cell_backward(d, c, np.ones_like)[1]),
        "derivative_forgotten",
        "1 - tanh(c)² is not multiplied in",
    ),
    "loss: regularisation forgotten": (
        *but(RIDGE, 1, lambda g, d, c: g - d * 2 * c[2] * c[1]),
        "missing_term",
        "w is missing",
    ),
    "loss: regularisation without 2": (*but(RIDGE, 1, lambda g, d, c: g - d * c[2] * c[1]), "missing_term", "w"),
    "loss: sum for mean, one number": (
        *but(LOGISTIC, 1, lambda g, d, c: 9 * g),
        "constant_factor",
        "9 is the size of x's axis 1",
    ),
    "any: another's gradient": (
        *but(GATED, 2, lambda g, d, c: c[2]),
        "wrong_function",
        "it is s; the right gradient is another",
    ),
    "any: last sample": (
        *but(GATED, 1, lambda g, d, c: gated_backward(d * (np.arange(4) == 3)[:, None], c)[1]),
        "missing_accumulation",
        "only the last slice of axis 0 counts",
    ),
    "any: not the first sample": (
        *but(GATED, 2, lambda g, d, c: gated_backward(d * (np.arange(4) > 0)[:, None], c)[2]),
        "missing_accumulation",
        "the first slice of axis 0 is left out",
    ),
    "any: reversed": (*but(GATED, 0, lambda g, d, c: g[:, ::-1]), "reversed", "reversed along axis 1"),
    "any: transposed": (
        *but(SQUARE, 1, lambda g, d, c: g.T),
        "transposed",
        "transposed",
    ),
    "any: axes swapped": (
        *but((lambda x: (x * x * x, x), lambda d, x: (3 * d * x * x,), [(3, 4, 4)], "x"), 0, lambda g, d, c: g.swapaxes(1, 2)),
        "transposed",
        "axes 1, 2",
    ),
    "any: dout reversed": (
        *but(GATED, 1, lambda g, d, c: gated_backward(d[::-1], c)[1]),
        "reversed",
        "dy is reversed along axis 0",
    ),
    "any: an input forgotten": (
        *but(GATED, 2, lambda g, d, c: gated_backward(d, (c[0], np.ones_like(c[1]), c[2]))[2]),
        "input_forgotten",
        "g",
    ),
    "any: dy averaged": (
        *but(GATED, 2, lambda g, d, c: gated_backward(np.broadcast_to(d.mean(0), d.shape), c)[2]),
        "wrong_axes",
        "mean of dy over axis 0",
    ),
    "any: zero beyond a row": (
        *but(GATED, 0, lambda g, d, c: at(g, slice(2, None), 0)),
        "zero_in_part",
        "where the index of axis 0 is 2 or more",
    ),
    "any: doubled in the border": (
        *but(CONV_1, 0, lambda g, d, c: 2 * g - np.pad(g[:, :, 1:-1, 1:-1], ((0, 0), (0, 0), (1, 1), (1, 1)))),
        "factor_in_part",
        "in the border of axes 2, 3",
    ),
    "any: only at 0": (
        *but(
            (
                lambda x, b: (np.maximum(x, 0) * b, (x, b)),
                lambda d, c: (d * (c[0] > 0) * c[1], (d * np.maximum(c[0], 0)).sum(0)),
                [(5, 4), (4,)],
                "x b",
            ),
            0,
            lambda g, d, c: np.where(c[0] > 0, g, d * c[1]),
        ),
        "some_elements",
        "where the right gradient is 0",
    ),
}


def drawn(shapes):
    rng = np.random.default_rng(3)
    made = {
        "variance": lambda: rng.uniform(0.5, 2, 6),
        "share": lambda: rng.uniform(0.1, 0.9, (4, 3)),
        "index": lambda: np.array([[1, 3, 1], [5, 3, 1]]),
    }
    return [made[s]() if isinstance(s, str) else rng.standard_normal(s) + 0.2 if isinstance(s, tuple) else s for s in shapes]


def checked(layer, backward):
    forward, _, shapes, names = layer
    inputs = drawn(shapes)
    if forward is batchnorm:
        inputs[0] += 3  # a mean can stand for a variance
    return check_backward(forward, backward, inputs, names=names.split())


LAYERS = {id(row[0]): row[0] for row in NAMED.values()}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=lambda layer: layer[0].__qualname__.split(".")[0])
def test_the_right_ones_are_right(layer):
    report = checked(layer, layer[1])
    assert report.ok is True, report


@pytest.mark.parametrize("name", some(NAMED, 3))
def test_each_is_named(name):
    layer, backward, wrong, kind, says = NAMED[name]
    report = checked(layer, backward)
    assert [found.name for found in report.inputs if found.ok is False] == [wrong], report
    assert report.findings, report
    assert report.findings[0].kind == kind, report
    assert report.findings[0].kind in KINDS
    assert says in report.diagnosis, report


# ---- never a wrong name -----------------------------------------------------------------------------------------------------

ODD = {
    "noise": lambda g, rng: g + 0.003 * rng.standard_normal(g.shape),
    "each element by a factor": lambda g, rng: g * rng.uniform(0.6, 1.4, g.shape),
    "the first index by a factor": lambda g, rng: g * rng.uniform(0.6, 1.4, (len(g), *[1] * (g.ndim - 1))),
    "permuted": lambda g, rng: rng.permutation(g.ravel()).reshape(g.shape),
}


@pytest.mark.parametrize("how", some(ODD, 4))
@pytest.mark.parametrize("layer", [GATED, RNN_STEP, EMBEDDING, ATTENTION, MAX_POOL], ids=lambda layer: layer[0].__qualname__)
def test_what_has_no_name_is_given_none(layer, how):
    wrong = instead(layer[1], 0, lambda g, d, c: ODD[how](g, np.random.default_rng(5)))
    report = checked(layer, wrong)
    assert report.ok is False
    assert not report.findings, report
