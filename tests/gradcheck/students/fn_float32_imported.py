"""float32 by a name of the file's own: it is NumPy's, and read as float64 too."""

# expect silu: right
# expect silu_wrong: wrong
import numpy as np
from numpy import float32


def silu_forward(x):
    x = x.astype(float32)
    s = float32(1) / (float32(1) + np.exp(-x))
    return x * s, (x, s)


def silu_backward(dout, cache):
    x, s = cache
    return dout * (s + x * s * (1 - s))


def silu_wrong_forward(x):
    return silu_forward(x)


def silu_wrong_backward(dout, cache):
    x, s = cache
    return dout * (s + 0.999 * x * s * (1 - s))
