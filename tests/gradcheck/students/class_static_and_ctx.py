# expect Square: right
# expect Linear: right
# expect Cube: wrong: dx
import numpy as np


class Context:
    def save(self, *arrays):
        self.saved = arrays


class Square:
    """Static methods with a context, as the large libraries have them."""

    @staticmethod
    def forward(ctx, x):
        ctx.save(x)
        return x**2

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved
        return 2 * x * grad_output


class Cube:
    @staticmethod
    def forward(ctx, x):
        ctx.save(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved
        return 2 * x**2 * grad_output


class Linear:
    @staticmethod
    def forward(x, w, b):
        return x @ w + b, (x, w)

    @staticmethod
    def backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(axis=0)
