from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

# long
# expect ReLU: right
# expect Linear: right
# expect LinearTwice: wrong: it is 2 times the right gradient
# expect Stack: right
# expect Norm: wrong: the mean term is missing
# expect Repeat: right
# expect RepeatOnce: wrong
# expect Scores: right
# expect ScoresNoSlope: wrong


@dataclass
class Gradients:
    """What the backward of a layer gives."""

    of_input: np.ndarray
    of_parameters: dict[str, np.ndarray] = field(default_factory=dict)


class NormGradients(NamedTuple):
    dgamma: np.ndarray
    dbeta: np.ndarray
    dx: np.ndarray


class ReLU:
    def __init__(self) -> None:
        self.params: dict[str, np.ndarray] = {}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.on = x > 0
        return x * self.on

    def backward(self, grad: np.ndarray) -> Gradients:
        return Gradients(grad * self.on)


class Linear:
    def __init__(self, in_size: int, out_size: int) -> None:
        self.params = {"W": np.random.randn(in_size, out_size) / np.sqrt(in_size), "b": np.zeros(out_size)}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, grad: np.ndarray) -> Gradients:
        return Gradients(grad @ self.params["W"].T, {"W": self.x.T @ grad, "b": grad.sum(axis=0)})


class LinearTwice(Linear):
    def backward(self, grad: np.ndarray) -> Gradients:
        return Gradients(grad @ self.params["W"].T, {"W": 2 * self.x.T @ grad, "b": grad.sum(axis=0)})


class Stack:
    """Hands the gradients on from layer to layer; it asks of them the parameters that they have."""

    def __init__(self, list_of_layers: list[ReLU | Linear]) -> None:
        self.own = list_of_layers
        self.names = [f"{i}.{key}" for i, layer in enumerate(self.own) for key in layer.params]

    def forward(self, x: np.ndarray) -> np.ndarray:
        for layer in self.own:
            x = layer.forward(x)
        return x

    def backward(self, grad: np.ndarray) -> Gradients:
        found: dict[str, np.ndarray] = {}
        for i, layer in reversed(list(enumerate(self.own))):
            one = layer.backward(grad)
            grad = one.of_input
            found |= {f"{i}.{key}": g for key, g in one.of_parameters.items()}
        return Gradients(grad, found)


class Norm:
    def __init__(self, dim: int, eps: float = 1e-6) -> None:
        self.gamma, self.beta, self.eps = np.ones(dim), np.zeros(dim), eps

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.std = np.sqrt(x.var(axis=1, keepdims=True) + self.eps)
        self.x_hat = (x - x.mean(axis=1, keepdims=True)) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy: np.ndarray) -> NormGradients:
        g = dy * self.gamma
        dx = (g - self.x_hat * (g * self.x_hat).mean(axis=1, keepdims=True)) / self.std
        return NormGradients((dy * self.x_hat).sum(axis=0), dy.sum(axis=0), dx)


class Repeat:
    def __init__(self, rate: int) -> None:
        if not isinstance(rate, int):
            raise TypeError("a whole number")
        self.rate = rate

    def forward(self, x: np.ndarray) -> np.ndarray:
        return np.repeat(x, self.rate, axis=-1)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad.reshape(*grad.shape[:-1], -1, self.rate).sum(axis=-1)


class RepeatOnce(Repeat):
    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad[..., :: self.rate]


class Scores:
    """A network whose sizes are one list, whatever it is called."""

    def __init__(self, neurons: list, function: str = "tanh") -> None:
        self.function, self.depth = function, len(neurons)
        self.weights = [np.random.randn(n, m) for m, n in zip(neurons[:-1], neurons[1:])]

    def forward(self, x: np.ndarray) -> np.ndarray:
        for w in self.weights[:-1]:
            x = np.tanh(w @ x)
        return self.weights[-1] @ x

    def backward(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        kept = [x]
        for w in self.weights[:-1]:
            kept.append(np.tanh(w @ kept[-1]))
        error = self.weights[-1] @ kept[-1] - y
        found = []
        for k in reversed(range(self.depth - 1)):
            found.insert(0, error @ kept[k].T)
            error = (self.weights[k].T @ error) * self.slope(kept[k])
        return found

    def slope(self, a: np.ndarray) -> np.ndarray:
        return 1 - a**2


class ScoresNoSlope(Scores):
    def slope(self, a: np.ndarray) -> np.ndarray:
        return np.ones_like(a)
