"""np.clip in a backward whose derivative it is, and no guard: the loss of each element, whose sum is meant."""

# expect Huber: right
# expect HuberWrong: wrong
# expect Bounded: right
# expect BoundedWrong: wrong: WRONG in dx, dw
import numpy as np


class Loss:
    def __call__(self, p, t):
        return self.forward(p, t)


class Huber(Loss):
    def forward(self, p, t):
        self.d = p - t
        return np.where(np.abs(self.d) < 1, 0.5 * self.d**2, np.abs(self.d) - 0.5)

    def backward(self):
        return np.clip(self.d, -1, 1)


class HuberWrong(Huber):
    def backward(self):
        return np.clip(self.d, -1.5, 1.5)


class Bounded:
    def __init__(self, n_in, n_out, lr=0.1):
        self.w, self.lr = np.random.randn(n_in, n_out), lr

    def forward(self, x):
        self.x, self.z = x, x @ self.w
        return np.clip(self.z, -1, 1)

    def backward(self, dout):
        dz = dout * (np.abs(self.z) < 1)
        dx = dz @ self.w.T
        self.w -= self.lr * self.x.T @ dz
        return dx


class BoundedWrong(Bounded):
    def backward(self, dout):
        dx = dout @ self.w.T
        self.w -= self.lr * self.x.T @ dout
        return dx
