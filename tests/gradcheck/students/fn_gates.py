import numpy as np

# long
# expect add: right
# expect multiply: right
# expect matmul: right
# expect concat: right
# expect exp: right
# expect log: right
# expect divide: right
# expect mean: right
# expect transpose: right: hands back dout
# expect flatten: right: hands back dout
# expect divide_v2: wrong
# expect multiply_v2: wrong: swapped

# the nodes of a computational graph


def add_forward(x, y):
    return x + y, None


def add_backward(dz, cache):
    return dz.copy(), dz.copy()


def multiply_forward(x, y):
    return x * y, (x, y)


def multiply_backward(dz, cache):
    x, y = cache
    return dz * y, dz * x


def multiply_backward_v2(dz, cache):
    x, y = cache
    return dz * x, dz * y


def matmul_forward(A, B):
    return A @ B, (A, B)


def matmul_backward(dC, cache):
    A, B = cache
    return dC @ B.T, A.T @ dC


def concat_forward(a, b):
    return np.concatenate([a, b], axis=-1), a.shape[-1]


def concat_backward(dout, n):
    return dout[..., :n].copy(), dout[..., n:].copy()


def exp_forward(x):
    y = np.exp(x)
    return y, y


def exp_backward(dy, y):
    return dy * y


def log_forward(x):
    return np.log(x), x


def log_backward(dy, x):
    return dy / x


def divide_forward(x, y):
    return x / y, (x, y)


def divide_backward(dz, cache):
    x, y = cache
    return dz / y, -dz * x / y ** 2


def divide_backward_v2(dz, cache):
    x, y = cache
    return dz / y, dz * x / y ** 2


def mean_forward(x):
    return x.mean(axis=0), x.shape


def mean_backward(dy, shape):
    return np.ones(shape) * dy / shape[0]


def transpose_forward(x):
    return x.T, None


def transpose_backward(dy, cache):
    return dy.T


def flatten_forward(x):
    return x.reshape(x.shape[0], -1), x.shape


def flatten_backward(dout, shape):
    return dout.reshape(shape)
