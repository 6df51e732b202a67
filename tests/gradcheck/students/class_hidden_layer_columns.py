# expect LinearLayer: right
# expect SigmoidLayer: right
# expect BinaryCrossEntropy: right
# expect LinearLayerMean: right or wrong: right up to 1/m
import numpy as np


class LinearLayer:
    """Examples are columns."""

    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.randn(n_out, n_in) * 0.1, "b": np.zeros((n_out, 1))}

    def forward(self, A_prev):
        self.A_prev = A_prev
        self.Z = self.params["W"] @ A_prev + self.params["b"]
        return self.Z

    def backward(self, dZ):
        self.dW = dZ @ self.A_prev.T
        self.db = np.sum(dZ, axis=1, keepdims=True)
        return self.params["W"].T @ dZ


class LinearLayerMean(LinearLayer):
    def backward(self, dZ):
        m = self.A_prev.shape[1]
        self.dW = dZ @ self.A_prev.T / m
        self.db = np.sum(dZ, axis=1, keepdims=True) / m
        return self.params["W"].T @ dZ


class SigmoidLayer:
    def forward(self, Z):
        self.A = 1 / (1 + np.exp(-Z))
        return self.A

    def backward(self, dA):
        return dA * self.A * (1 - self.A)


class BinaryCrossEntropy:
    def forward(self, AL, Y):
        self.AL, self.Y = AL, Y
        m = Y.shape[1]
        cost = -(np.dot(Y.ravel(), np.log(AL).ravel()) + np.dot(1 - Y.ravel(), np.log(1 - AL).ravel())) / m
        return np.squeeze(cost)

    def backward(self):
        m = self.Y.shape[1]
        return -(np.divide(self.Y, self.AL) - np.divide(1 - self.Y, 1 - self.AL)) / m
