"""A layer of your own: its forward, its backward written by hand, a check of that, and a network that learns with it.

The layer is a softsign with a learned scale for each feature, y = a x / (1 + |x|). With s = 1 / (1 + |x|):

    dy/dx = a s^2           for each element alone, so  dx = dy a s^2
    dy/da = x s             and a serves every row, so  da = sum over rows of dy x s
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tinynorm
import tinynorm.nn.functional as F
from tinynorm import nn, optim
from tinynorm.autograd import Function
from tinynorm.gradcheck import Report, check_function


class ScaledSoftsign(Function):
    """y = a x / (1 + |x|) for x (N, C) and a (C,); the operators used here work on NumPy and CuPy arrays and on Tensors."""

    @staticmethod
    def forward(ctx: Any, x: Any, a: Any) -> Any:
        ctx.save_for_backward(x, a)
        return a * x / (1 + abs(x))

    @staticmethod
    def backward(ctx: Any, dy: Any) -> Any:
        x, a = ctx.saved_tensors
        s = 1 / (1 + abs(x))
        dx = dy * a * s * s  # (N, C)
        da = (dy * x * s).sum(axis=0)  # (N, C) -> (C,)
        return dx, da


class Softsign(nn.Module):
    """The layer: holds the scale, and uses the function like any other."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(tinynorm.ones(features))

    def forward(self, x: tinynorm.Tensor) -> tinynorm.Tensor:
        return ScaledSoftsign.apply(x, self.scale)


def check() -> Report:
    """Compare the hand-written gradients with finite differences. The report says for each input whether they agree."""
    rng = np.random.default_rng(0)
    x, a = (tinynorm.tensor(rng.standard_normal(shape), requires_grad=True) for shape in ((5, 3), 3))
    return check_function(ScaledSoftsign.apply, [x, a], names=["x", "a"])


def rings(n: int = 400) -> tuple[tinynorm.Tensor, tinynorm.Tensor]:
    """n points on a disc (class 0) and on the ring around it (class 1): no straight line parts them."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    radius, angle = y + rng.uniform(0.0, 0.8, n), rng.uniform(0, 2 * np.pi, n)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)  # (n, 2)
    return tinynorm.from_numpy(x), tinynorm.from_numpy(y)


def train(steps: int = 200) -> float:
    """Train 2-16-2 with the layer; prints the loss on the way and returns the accuracy on the points it learned."""
    tinynorm.manual_seed(0)
    x, y = rings()
    model = nn.Sequential(nn.Linear(2, 16), Softsign(16), nn.Linear(16, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    for step in range(steps + 1):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step:3d}  loss {loss.item():.4f}")
    return float((model(x).argmax(1) == y).float().mean().item())


if __name__ == "__main__":
    print(check())
    print(f"accuracy: {train():.1%}")
