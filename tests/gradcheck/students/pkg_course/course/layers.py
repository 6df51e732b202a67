# long
# expect conv: right
# expect relu: right
# expect conv_bias: wrong: db
import numpy as np
from course.im2col import *


def conv_forward(x, w, b, conv_param):
    stride, pad, size = conv_param["stride"], conv_param["pad"], w.shape[2]
    col = im2col(x, size, stride, pad)
    out = np.einsum("ncpk,fck->nfp", col, w.reshape(*w.shape[:2], -1)) + b[:, None]
    rows = (x.shape[2] + 2 * pad - size) // stride + 1
    return out.reshape(len(x), len(w), rows, -1), (x, w, b, conv_param, col)


def conv_backward(dout, cache):
    x, w, b, conv_param, col = cache
    stride, pad, size = conv_param["stride"], conv_param["pad"], w.shape[2]
    d = dout.reshape(*dout.shape[:2], -1)
    dw = np.einsum("nfp,ncpk->fck", d, col).reshape(w.shape)
    dcol = np.einsum("nfp,fck->ncpk", d, w.reshape(*w.shape[:2], -1))
    return col2im(dcol, x.shape, size, stride, pad), dw, d.sum(axis=(0, 2))


def conv_bias_forward(x, w, b, conv_param):
    return conv_forward(x, w, b, conv_param)


def conv_bias_backward(dout, cache):
    dx, dw, db = conv_backward(dout, cache)
    return dx, dw, db / dout[0, 0].size


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    return dout * (cache > 0)
