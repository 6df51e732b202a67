# expect Linear: not checked: unfinished
# expect ReLU: not checked: unfinished
# expect Tanh: right
# expect Sigmoid: not checked: unfinished
# expect SoftPlus: not checked: unfinished
import numpy as np


class Linear:
    def __init__(self, in_features, out_features):
        self.W = np.zeros((out_features, in_features))
        self.b = np.zeros((out_features, 1))

    def forward(self, A):
        self.A = A
        Z = self.A @ self.W.T + self.b.T
        return Z

    def backward(self, dLdZ):
        dLdA = None  # TODO
        self.dLdW = None  # TODO
        self.dLdb = None  # TODO
        return dLdA


class ReLU:
    def forward(self, Z):
        self.A = np.maximum(Z, 0)
        return self.A

    def backward(self, dLdA):
        raise NotImplementedError


class Tanh:
    def forward(self, Z):
        self.A = np.tanh(Z)
        return self.A

    def backward(self, dLdA):
        return dLdA * (1 - self.A**2)


class Sigmoid:
    def forward(self, Z):
        # ---- your code here ----
        pass

    def backward(self, dLdA):
        # ---- your code here ----
        pass


class SoftPlus:
    def forward(self, Z):
        self.Z = Z
        return np.log1p(np.exp(Z))

    def backward(self, dLdA):
        dLdZ = ...
        return dLdZ
