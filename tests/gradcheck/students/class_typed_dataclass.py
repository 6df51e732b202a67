# expect Linear: right
# expect Scale: wrong: WRONG
# expect Standardize: right
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Linear:
    in_features: int
    out_features: int
    weight: np.ndarray = field(init=False)
    bias: np.ndarray = field(init=False)
    weight_grad: np.ndarray | None = field(init=False, default=None)
    bias_grad: np.ndarray | None = field(init=False, default=None)

    def __post_init__(self):
        bound = 1 / np.sqrt(self.in_features)
        self.weight = np.random.uniform(-bound, bound, (self.out_features, self.in_features))
        self.bias = np.random.uniform(-bound, bound, self.out_features)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return x @ self.weight.T + self.bias

    def backward(self, grad_output: np.ndarray) -> np.ndarray:
        self.weight_grad = grad_output.T @ self._x
        self.bias_grad = grad_output.sum(axis=0)
        return grad_output @ self.weight


@dataclass
class Scale:
    dim: int

    def __post_init__(self):
        self.weight = np.ones(self.dim)
        self.weight_grad = None

    def forward(self, x):
        self._x = x
        return x * self.weight

    def backward(self, grad_output):
        self.weight_grad = grad_output.sum(axis=0)
        return grad_output * self.weight


@dataclass
class Standardize:
    """No parameters: zero mean and unit variance over the features."""

    eps: float = 1e-5

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
        self.y = (x - x.mean(axis=-1, keepdims=True)) / self.std
        return self.y

    def backward(self, dy):
        return (dy - dy.mean(axis=-1, keepdims=True) - self.y * (dy * self.y).mean(axis=-1, keepdims=True)) / self.std
