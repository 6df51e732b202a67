# long
# expect Linear: right
# expect ReLU: right
# expect RMSNorm: right
# expect BadRMSNorm: wrong: WRONG
# expect BadLinear: wrong: WRONG
import numpy as np


class Linear:
    def __init__(self, fan_in, fan_out, bias=True):
        self.w = np.random.randn(fan_in, fan_out) / fan_in**0.5
        self.b = np.zeros(fan_out) if bias else None
        self.w_grad = None
        self.b_grad = None

    def __call__(self, x):
        self.x = x
        out = x @ self.w
        if self.b is not None:
            out += self.b
        return out

    def backward(self, dout):
        self.w_grad = self.x.T @ dout
        if self.b is not None:
            self.b_grad = dout.sum(0)
        return dout @ self.w.T


class ReLU:
    def __call__(self, x):
        self.out = x * (x > 0)
        return self.out

    def backward(self, dout):
        return (self.out > 0) * dout


class RMSNorm:
    def __init__(self, dim, eps=1e-6):
        self.weight = np.ones(dim)
        self.eps = eps

    def __call__(self, x):
        self.inv = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)
        self.xhat = x * self.inv
        return self.xhat * self.weight

    def backward(self, dout):
        self.weight_grad = (dout * self.xhat).reshape(-1, len(self.weight)).sum(0)
        g = dout * self.weight
        return self.inv * (g - self.xhat * np.mean(g * self.xhat, axis=-1, keepdims=True))


class BadRMSNorm:
    """Centred like a layer norm, though forward does not centre."""

    def __init__(self, dim, eps=1e-6):
        self.weight = np.ones(dim)
        self.eps = eps

    def __call__(self, x):
        self.inv = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)
        self.xhat = x * self.inv
        return self.xhat * self.weight

    def backward(self, dout):
        self.weight_grad = (dout * self.xhat).reshape(-1, len(self.weight)).sum(0)
        g = dout * self.weight
        mean = g.mean(axis=-1, keepdims=True)
        return self.inv * (g - mean - self.xhat * np.mean(g * self.xhat, axis=-1, keepdims=True))


class BadLinear:
    def __init__(self, fan_in, fan_out):
        self.w = np.random.randn(fan_in, fan_out)
        self.b = np.zeros(fan_out)

    def __call__(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dout):
        self.w_grad = self.x.T @ dout
        self.b_grad = np.ones(len(self.b))
        return dout @ self.w.T
