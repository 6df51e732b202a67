"""Networks whose activations are methods that are checked alone: train() is too, or that it is not has to be said.

# expect XorNet.sig: right
# expect XorNet.train: wrong: WRONG in dw_ih
# expect Threshold.train: not looked at: make backward one of its own
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
            d_hid = d_out @ self.w_ho.T * self.dsig(out)  # the mistake: the slope at self.hid
            self.w_ho += self.hid.T @ d_out
            self.w_ih += X.T @ d_hid
            if np.abs(err).mean() < 0.01:
                break


class Threshold(XorNet):
    """It learns by a rule that is no gradient."""

    def train(self, X, y, rounds=1000):
        for _ in range(rounds):
            for x, target in zip(X, y):
                said = 1 if x @ self.w_ih[:, 0] > 0 else 0
                if said != target:
                    self.w_ih[:, 0] += (target - said) * x
