# expect Square: right
# expect SquareWrong: wrong: WRONG in dx
"""A base class whose call, and not forward, keeps what backward needs; it takes whatever forward takes."""
import numpy as np


class Base:
    def __call__(self, x, *args, **kwargs):
        self._last = x
        return self.forward(x, *args, **kwargs)

    def backward(self, grad_output):
        x = getattr(self, "_last", None)
        if x is None:  # nothing was called
            return np.asarray(grad_output)
        return grad_output * self.slope(x)


class Square(Base):
    def forward(self, x, training=False):
        return x**2

    def slope(self, x):
        return 2 * x


class SquareWrong(Square):
    def slope(self, x):
        return x
