# long
# expect Linear: wrong: WRONG in
# expect Softmax: wrong: WRONG
# expect MSELoss: wrong: WRONG
# expect CrossEntropyLoss: wrong: WRONG
# expect BatchNorm1d: wrong: WRONG
import numpy as np


class Linear:
    def __init__(self, in_features, out_features, debug=False):
        self.W = np.zeros((out_features, in_features))
        self.b = np.zeros((out_features, 1))
        self.debug = debug

    def forward(self, A):
        self.A = A
        self.N = A.shape[0]
        self.Ones = np.ones((self.N, 1))
        return A @ self.W.T + self.Ones @ self.b.T

    def backward(self, dLdZ):
        dLdA = dLdZ @ self.W
        self.dLdW = dLdZ.T @ self.A
        self.dLdb = dLdZ.T @ self.Ones / self.N
        if self.debug:
            self.dLdA = dLdA
        return dLdA


class Softmax:
    """The Jacobian of a row lacks its diagonal."""

    def forward(self, Z):
        e = np.exp(Z - Z.max(axis=1, keepdims=True))
        self.A = e / e.sum(axis=1, keepdims=True)
        return self.A

    def backward(self, dLdA):
        dLdZ = np.zeros_like(dLdA)
        for i in range(len(dLdA)):
            a = self.A[i]
            J = -np.outer(a, a)
            dLdZ[i] = dLdA[i] @ J
        return dLdZ


class MSELoss:
    def forward(self, A, Y):
        self.A, self.Y = A, Y
        return np.mean((A - Y) ** 2)

    def backward(self):
        return 2 * (self.A - self.Y) / len(self.A)


class CrossEntropyLoss:
    def forward(self, A, Y):
        self.Y, self.N = Y, len(A)
        self.softmax = np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)
        return -np.sum(Y * np.log(self.softmax)) / self.N

    def backward(self):
        return self.softmax - self.Y


class BatchNorm1d:
    def __init__(self, num_features, alpha=0.9):
        self.alpha, self.eps = alpha, 1e-8
        self.BW, self.Bb = np.ones((1, num_features)), np.zeros((1, num_features))

    def forward(self, Z, eval=False):
        self.M, self.V = Z.mean(axis=0), Z.var(axis=0)
        self.NZ = (Z - self.M) / np.sqrt(self.V + self.eps)
        return self.BW * self.NZ + self.Bb

    def backward(self, dLdBZ):
        self.dLdBW = np.sum(dLdBZ * self.NZ, axis=0, keepdims=True)
        self.dLdBb = np.sum(dLdBZ, axis=0, keepdims=True)
        g = dLdBZ * self.BW
        return (g - g.mean(axis=0)) / np.sqrt(self.V + self.eps)
