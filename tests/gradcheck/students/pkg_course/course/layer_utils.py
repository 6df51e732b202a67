# long
# expect conv: right
# expect relu: right
# expect conv_bias: wrong: db
# expect affine_relu: right
# expect conv_relu: wrong: WRONG
from course.layers import *
from course.layers import conv_backward, conv_forward, relu_backward, relu_forward


def affine_relu_forward(x, w, b):
    a = x.reshape(len(x), -1) @ w + b
    out, relu_cache = relu_forward(a)
    return out, (x, w, relu_cache)


def affine_relu_backward(dout, cache):
    x, w, relu_cache = cache
    da = relu_backward(dout, relu_cache)
    return (da @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ da, da.sum(axis=0)


def conv_relu_forward(x, w, b, conv_param):
    a, conv_cache = conv_forward(x, w, b, conv_param)
    out, relu_cache = relu_forward(a)
    return out, (conv_cache, relu_cache)


def conv_relu_backward(dout, cache):
    conv_cache, relu_cache = cache
    return conv_backward(dout, conv_cache)
