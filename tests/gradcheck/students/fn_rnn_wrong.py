import numpy as np

# long
# expect rnn_step: wrong: dx, dprev_h, dWx, dWh, db: 1 - h stands for 1 - h²
# expect rnn: wrong
# expect rnn_seq: wrong
# expect word_embedding: wrong: np.add.at
# expect embedding: wrong: np.add.at


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    h = np.tanh(np.dot(x, Wx) + np.dot(prev_h, Wh) + b)
    return h, (x, prev_h, Wx, Wh, h)


def step_back(dh, cache, dtanh):
    x, prev_h, Wx, Wh, h = cache
    dz = dh * dtanh(h)
    return np.dot(dz, Wx.T), np.dot(dz, Wh.T), np.dot(x.T, dz), np.dot(prev_h.T, dz), dz.sum(0)


def rnn_step_backward(dnext_h, cache):
    return step_back(dnext_h, cache, lambda h: 1 - h)


def rnn_forward(x, h0, Wx, Wh, b):
    caches, hs, h = [], [], h0
    for t in range(x.shape[1]):
        h, c = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        hs.append(h)
        caches.append(c)
    return np.stack(hs, axis=1), caches


def rnn_backward(dh, caches):
    # what comes from the later steps is not added to dh
    steps = [step_back(dh[:, t], caches[t], lambda h: 1 - h ** 2) for t in range(dh.shape[1])]
    dx, dprev, dWx, dWh, db = zip(*steps)
    return np.stack(dx, axis=1), dprev[0], sum(dWx), sum(dWh), sum(db)


def rnn_seq_forward(x, h0, Wx, Wh, b):
    return rnn_forward(x, h0, Wx, Wh, b)


def rnn_seq_backward(dh, caches):
    dprev = 0
    dxs = []
    for t in reversed(range(len(caches))):
        dx, dprev, dWx, dWh, db = step_back(dh[:, t] + dprev, caches[t], lambda h: 1 - h * h)
        dxs.append(dx)
    return np.stack(dxs[::-1], axis=1), dprev, dWx, dWh, db  # those of the first step only


def word_embedding_forward(x, W):
    return W[x], (x, W)


def word_embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros(W.shape)
    dW[x] += dout
    return dW


def embedding_forward(idx, W):
    return W[idx], (idx, W.shape)


def embedding_backward(dout, cache):
    idx, shape = cache
    dW = np.zeros(shape)
    for n in range(len(idx)):
        dW[idx[n]] = dout[n]
    return dW
