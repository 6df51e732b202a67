"""Door 5: an import by the name of the folder that the file lies in."""

from course.activations import *


def relu_forward(x):
    return positive(x), x


def relu_backward(dout, cache):
    return dout * (cache > 0)
