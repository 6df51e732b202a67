# expect Linear: right
# expect Bilinear: wrong: WRONG
import numpy as np

from ..base import Layer
from ..init import xavier


class Linear(Layer):
    def __init__(self, in_dim: int, out_dim: int, bias: bool = True) -> None:
        super().__init__()
        self.params["W"] = xavier(in_dim, out_dim)
        if bias:
            self.params["b"] = np.zeros(out_dim)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        y = x @ self.params["W"]
        return y + self.params["b"] if "b" in self.params else y

    def backward(self, grad: np.ndarray) -> np.ndarray:
        self.grads["W"] = self.x.T @ grad
        if "b" in self.params:
            self.grads["b"] = grad.sum(axis=0)
        return grad @ self.params["W"].T


class Bilinear(Layer):
    """x W x of each row, by one matrix: the second path to x is missing."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.params["W"] = xavier(dim, dim)

    def forward(self, x):
        self.x = x
        return np.einsum("ni,ij,nj->n", x, self.params["W"], x)

    def backward(self, grad):
        self.grads["W"] = np.einsum("n,ni,nj->ij", grad, self.x, self.x)
        return grad[:, None] * (self.x @ self.params["W"].T)
