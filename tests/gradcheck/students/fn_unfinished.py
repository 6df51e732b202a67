import numpy as np

# expect affine: right
# expect relu: not checked: unfinished
# expect batchnorm: not checked: unfinished
# expect conv: not checked: unfinished
# expect dropout: not checked: unfinished
# expect pool: not checked: unfinished
# expect softmax: not checked: NameError


def affine_forward(x, w, b):
    return x.reshape(x.shape[0], -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(x.shape[0], -1).T @ dout, dout.sum(0)


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    dx, x = None, cache
    # TODO: your code here
    return dx


def batchnorm_forward(x, gamma, beta, bn_param):
    out, cache = None, None
    mode = bn_param["mode"]
    if mode == "train":
        # still to do
        pass
    return out, cache


def batchnorm_backward(dout, cache):
    dx, dgamma, dbeta = None, None, None
    return dx, dgamma, dbeta


def conv_forward(x, w, b, conv_param):
    raise NotImplementedError("write the convolution")


def conv_backward(dout, cache):
    raise NotImplementedError


def dropout_forward(x, p):
    mask = np.random.rand(*x.shape) > p
    return x * mask, mask


def dropout_backward(dout, mask):
    pass


def pool_forward(x, pool_param):
    ...


def pool_backward(dout, cache):
    ...


def softmax_forward(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), e


def softmax_backward(dout, cache):
    dx = dout * probs
    return dx
