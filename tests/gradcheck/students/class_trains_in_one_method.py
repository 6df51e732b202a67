"""A network whose activations are methods that are checked alone: that its train() is not checked has to be said.

# expect XorNet.sig: right
# expect XorNet.train: not looked at: make backward one of its own
"""

import numpy as np


class XorNet:
    def __init__(self):
        self.w_ih = np.random.uniform(-1, 1, (2, 3))
        self.w_ho = np.random.uniform(-1, 1, (3, 1))

    def sig(self, x):
        return 1 / (1 + np.exp(-x))

    def dsig(self, y):
        return y * (1 - y)

    def think(self, x):
        self.hid = self.sig(x @ self.w_ih)
        self.res = self.sig(self.hid @ self.w_ho)
        return self.res

    def train(self, X, y, rounds=1000):
        for _ in range(rounds):
            out = self.think(X)
            err = y - out
            d_out = err * self.dsig(out)
            d_hid = d_out @ self.w_ho.T * self.dsig(out)  # a mistake that nobody looks at
            self.w_ho += self.hid.T @ d_out
            self.w_ih += X.T @ d_hid
            if np.abs(err).mean() < 0.01:
                break
