# expect Square: right or not checked
# expect Mul: right or not checked
# expect Exp: wrong or not checked
# expect Sin: right
import numpy as np


class Variable:
    def __init__(self, data):
        self.data, self.grad, self.creator = data, None, None


class Function:
    """The base keeps the inputs; forward and backward of an heir see arrays only."""

    def __call__(self, *inputs):
        ys = self.forward(*[x.data for x in inputs])
        outputs = [Variable(y) for y in (ys if isinstance(ys, tuple) else (ys,))]
        self.inputs, self.outputs = inputs, outputs
        return outputs if len(outputs) > 1 else outputs[0]

    def forward(self, *xs):
        raise NotImplementedError()

    def backward(self, *gys):
        raise NotImplementedError()


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        x = self.inputs[0].data
        return 2 * x * gy


class Mul(Function):
    def forward(self, x0, x1):
        return x0 * x1

    def backward(self, gy):
        x0, x1 = self.inputs[0].data, self.inputs[1].data
        return gy * x1, gy * x0


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return self.inputs[0].data * gy


class Sin(Function):
    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, gy):
        return gy * np.cos(self.x)
