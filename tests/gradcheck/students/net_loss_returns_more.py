# long
# expect forward_pass: right
# expect run: wrong: WRONG in
import numpy as np


def forward_pass(x, w1, b1, w2, b2):
    h = np.tanh(x @ w1 + b1)
    logits = h @ w2 + b2
    return h, logits


def loss_fn(logits, y):
    e = np.exp(logits - logits.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return -np.log(p[range(len(y)), y]).mean(), p


def backward_pass(x, y, h, p, w2):
    d = p.copy()
    d[range(len(y)), y] -= 1
    d /= len(y)
    dw2, db2 = h.T @ d, d.sum(0)
    dh = d @ w2.T * (1 - h**2)
    return x.T @ dh, dh.sum(0), dw2, db2


def run_forward(x, w1, w2):
    h = np.maximum(0, x @ w1)
    return h, h @ w2


def run_backward(x, y, h, p, w2):
    d = p.copy()
    d[range(len(y)), y] -= 1
    d /= len(y)
    return x.T @ (d @ w2.T), h.T @ d
