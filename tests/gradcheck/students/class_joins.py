from __future__ import annotations

import numpy as np

# long
# expect Add: right
# expect Multiply: right
# expect MultiplySwapped: wrong: the two are swapped
# expect Share: wrong: the right gradient is another
# expect LargestOf: not checked: takes no dout


class Joins:
    """Takes several arrays, in a tuple."""

    def check(self, parts: tuple[np.ndarray, ...]) -> None:
        if not isinstance(parts, tuple) or len(parts) != 2:
            raise TypeError("two arrays in a tuple")


class Add(Joins):
    def forward(self, parts: tuple[np.ndarray, ...]) -> np.ndarray:
        self.check(parts)
        return sum(parts)

    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad


class Multiply(Joins):
    def forward(self, parts: tuple[np.ndarray, ...]) -> np.ndarray:
        self.check(parts)
        self.parts = parts
        return parts[0] * parts[1]

    def backward(self, grad: np.ndarray) -> tuple[np.ndarray, ...]:
        return grad * self.parts[1], grad * self.parts[0]


class MultiplySwapped(Multiply):
    def backward(self, grad: np.ndarray) -> tuple[np.ndarray, ...]:
        return grad * self.parts[0], grad * self.parts[1]


class Share(Multiply):
    def backward(self, grad: np.ndarray) -> np.ndarray:
        return grad * self.parts[1]


class LargestOf:
    """Says where the largest is; it is not given what comes back."""

    def forward(self, part: np.ndarray) -> np.ndarray:
        return np.max(part, axis=-1)

    def backward(self, part: np.ndarray) -> np.ndarray:
        return part == np.max(part, axis=-1, keepdims=True)
