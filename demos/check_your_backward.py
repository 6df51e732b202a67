"""Check your own backward pass: three ways to ask, and what the answer looks like.

    python demos/check_your_backward.py

A LayerNorm written by hand, in the form that courses use: ``out, cache = forward(...)`` and ``grads = backward(dout, cache)``.
Its backward has a mistake. The checker finds it, and says which term is missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn
from tinynorm.gradcheck import check_backward, check_module
from tinynorm.gradcheck.report.text import show

EPS = 1e-5


def layernorm_forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, Any]:
    mu = x.mean(axis=1, keepdims=True)
    rstd = 1 / np.sqrt(x.var(axis=1, keepdims=True) + EPS)
    x_hat = (x - mu) * rstd
    return gamma * x_hat + beta, (x_hat, rstd, gamma)


def layernorm_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, ...]:
    """The derivation took the variance's dependence on x, and forgot the mean's."""
    x_hat, rstd, gamma = cache
    g = dout * gamma
    dx = rstd * (g - x_hat * (g * x_hat).mean(axis=1, keepdims=True))
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def corrected_backward(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, ...]:
    x_hat, rstd, gamma = cache
    g = dout * gamma
    dx = rstd * (g - g.mean(axis=1, keepdims=True) - x_hat * (g * x_hat).mean(axis=1, keepdims=True))
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def relu_backward(dout: np.ndarray, x: np.ndarray) -> tuple[np.ndarray]:
    """Right numbers, in the wrong place: dout belongs to others too."""
    dout[x <= 0] = 0
    return (dout,)


def main(side: int = 1000) -> None:
    """`side`: of the large input at the end, side x side numbers."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((6, 8)), rng.standard_normal(8), rng.standard_normal(8)

    print("1. Plain arrays: a backward with a term missing\n")
    show(check_backward(layernorm_forward, layernorm_backward, inputs))

    print("\n2. The same with the term\n")
    show(check_backward(layernorm_forward, corrected_backward, inputs))

    print("\n3. Right numbers, wrong manners\n")
    show(check_backward(lambda x: (np.maximum(x, 0), x), relu_backward, [inputs[0]]))

    print("\n4. A module of tinynorm, with its parameters; its running statistics are the same afterwards\n")
    tn.manual_seed(0)
    show(check_module(nn.BatchNorm1d(4), tn.randn(8, 4)))

    print(f"\n5. One of {side * side:,} elements is wrong by one part in ten thousand\n")

    def almost(dout: np.ndarray, cache: Any) -> tuple[np.ndarray, ...]:
        dx, dgamma, dbeta = corrected_backward(dout, cache)
        dx[412, 77] *= 1 + 1e-4
        return dx, dgamma, dbeta

    large = rng.standard_normal((side, side)), rng.standard_normal(side), rng.standard_normal(side)
    show(check_backward(layernorm_forward, almost, large))


if __name__ == "__main__":
    main()
