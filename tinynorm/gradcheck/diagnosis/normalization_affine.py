"""What is wrong with dγ = Σ dy x_hat and dβ = Σ dy of a normalisation layer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ..evidence import Evidence, Finding, Recognised
from .judge import Hypothesis, Suspect, suspect_of


def _summed(a: np.ndarray, like: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...] | None = None) -> np.ndarray:
    """Summed over the axes along which a parameter was broadcast, in the parameter's shape."""
    axes = tuple(k for k, n in enumerate(like.shape) if n == 1 and a.shape[k] > 1) if axes is None else axes
    return a.sum(axis=axes).reshape(shape)


Factor = tuple[str, str, str, np.ndarray]  # (kind, what it says, formula, f): the gradient as Σ dy f


def _explain(recognised: Recognised, evidence: Evidence, i: int, factors: list[Factor]) -> Finding | None:
    """Σ dy f for several f; the first is the right one."""
    s, shape = recognised.symbols, evidence.inputs[i].shape
    dy = evidence.cotangent.reshape(s["view"])
    like = s["layout"].against(evidence.inputs[i], s["view"])
    if like is None:
        return None
    suspect = suspect_of(recognised, evidence, i, _summed(dy * factors[0][3], like, shape))
    return suspect.judge(_hypotheses(suspect, dy, like, factors)) if suspect else None


def _hypotheses(suspect: Suspect, dy: np.ndarray, like: np.ndarray, factors: list[Factor]) -> Iterator[Hypothesis]:
    shape, right = suspect.R.shape, dy * factors[0][3]
    summed = tuple(k for k, n in enumerate(like.shape) if n == 1 and dy.shape[k] > 1)
    yield Hypothesis("", suspect.R)
    counts = {_count(dy, some) for n in range(1, len(summed) + 1) for some in combinations(summed, n)}
    for count in counts - {1}:
        says = f"a mean over {count} numbers stands for their sum: {suspect.name} serves all of them, so its gradient adds up"
        yield Hypothesis("mean_for_sum", suspect.R / count, says, f"/ {count}")
    for kind, says, formula, f in factors[1:]:
        yield Hypothesis(kind, _summed(dy * f, like, shape), says, formula)
    without = _summed(np.broadcast_to(factors[0][3], dy.shape), like, shape)
    yield Hypothesis("dy_forgotten", without, "dy is not multiplied in", "dy")
    for k in range(1, dy.ndim + 1):
        for axes in combinations(range(dy.ndim), k):
            if axes != summed and dy.size // _count(dy, axes) == suspect.R.size:
                says = f"the sum runs over {named_axes(axes)}; it has to run over {named_axes(summed)}"
                yield Hypothesis("wrong_axes", _summed(right, like, shape, axes), says, f"sum over {named_axes(axes)}")


def _count(a: np.ndarray, axes: tuple[int, ...]) -> int:
    return int(np.prod([a.shape[k] for k in axes]))


def named_axes(axes: tuple[int, ...]) -> str:
    """In words: "axis 0", "axes 0, 2"."""
    return f"ax{'i' if len(axes) == 1 else 'e'}s {', '.join(map(str, axes))}"


def explain_gamma(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    s = recognised.symbols
    x_hat, var, eps, m, c = s["x_hat"], s["var"], s["eps"], s["m"], s["c"]
    factors = [
        ("", "", "", x_hat),
        (
            "x_hat_forgotten",
            "x_hat is not multiplied in: it is the sum of dy, which is dbeta; dgamma = Σ dy * x_hat",
            "x_hat",
            np.ones_like(x_hat),
        ),
        ("x_for_x_hat", "x stands for x_hat: dgamma = Σ dy * x_hat", "x", s["x"]),
        ("x_for_x_hat", "x - mu stands for x_hat: dgamma = Σ dy * x_hat, and rstd is missing", "x - mu", c),
        ("y_for_x_hat", "the output y stands for x_hat: dgamma = Σ dy * x_hat", "y", s["y"]),
    ]
    if s["gamma"] is not None:
        says = "gamma is multiplied in, as in dx; dgamma = Σ dy * x_hat has none"
        factors.append(("extra_gamma", says, "gamma", x_hat * s["gamma"]))
    with np.errstate(all="ignore"):
        if m > 1:
            says = "x_hat is taken with the variance divided by m - 1"
            factors.append(("unbiased_variance", says, "m - 1", c / np.sqrt(var * m / (m - 1) + eps)))
        if eps and np.all(var > 0):
            factors.append(("eps_outside_root", "x_hat is taken with eps outside the root", "eps", c / (np.sqrt(var) + eps)))
            factors.append(("eps_forgotten", "x_hat is taken without eps", "eps", c / np.sqrt(var)))
    return _explain(recognised, evidence, i, factors)


def explain_beta(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    s = recognised.symbols
    ones = np.ones_like(s["x_hat"])
    factors = [("", "", "", ones), ("extra_x_hat", "x_hat is multiplied in: that is dgamma; dbeta = Σ dy", "x_hat", s["x_hat"])]
    if s["gamma"] is not None:
        factors.append(("extra_gamma", "gamma is multiplied in, as in dx; dbeta = Σ dy has none", "gamma", ones * s["gamma"]))
    return _explain(recognised, evidence, i, factors)
