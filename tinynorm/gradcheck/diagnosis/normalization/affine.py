"""What is wrong with the gradients of gamma and beta, dgamma = Σ dy * x_hat and dbeta = Σ dy.

Both are Σ dy * f over the axes along which the parameter was broadcast. The hypotheses are another f, other axes, or a mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

import numpy as np

from ...report.evidence import Evidence, Finding, Recognised
from ..hypotheses import Mistake, listed, wrong_gradient
from ..naming import explained, named_axes
from ..patterns import subsets
from .layouts import wrong_rstds, wrong_statistics

Factor = tuple[str, str, str, np.ndarray]  # (kind, sentence, formula, f)


def explain_gamma(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    x_hat, name = recognised.symbols["x_hat"], evidence.names[i]
    return _explain(recognised, evidence, i, f"d{name} = Σ dy * x_hat", x_hat, _wrong_x_hats(recognised))


def explain_beta(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    s, name = recognised.symbols, evidence.names[i]
    ones = np.ones_like(s["x_hat"])
    wrong: list[Factor] = [("extra_x_hat", "x_hat is multiplied in", "x_hat", s["x_hat"])]
    if s["gamma"] is not None:
        wrong.append(("extra_gamma", "gamma is multiplied in, as in dx", "gamma", ones * s["gamma"]))
        wrong.append(("extra_gamma", "gamma and rstd are multiplied in, as in dx", "gamma", ones * s["gamma"] * s["rstd"]))
    return _explain(recognised, evidence, i, f"d{name} = Σ dy", ones, wrong)


def _wrong_x_hats(recognised: Recognised) -> Iterator[Factor]:
    """What people multiply dy by in the place of x_hat."""
    s, rms = recognised.symbols, recognised.layer == "RMSNorm"
    x, x_hat, c, rstd, gamma = (s[symbol] for symbol in ("x", "x_hat", "c", "rstd", "gamma"))
    yield "x_hat_forgotten", "x_hat is not multiplied in, it is the sum of dy", "x_hat", np.ones_like(x_hat)
    if not rms:
        yield "x_for_x_hat", "x stands for x_hat", "x", x
        yield "x_for_x_hat", "mu is not subtracted, x * rstd stands for x_hat", "x * rstd", x * rstd
    bare = "x" if rms else "x - mu"
    yield "x_for_x_hat", f"{bare} stands for x_hat, and rstd is missing", bare, c
    yield "rstd_squared", "rstd is multiplied in twice", "rstd²", x_hat * rstd
    yield "rstd_squared", "rstd is multiplied in three times", "rstd³", x_hat * rstd**2
    yield "y_for_x_hat", "the output y stands for x_hat", "y", s["y"]
    if gamma is not None:
        yield "extra_gamma", "gamma is multiplied in, as in dx", "gamma", x_hat * gamma
        yield "extra_gamma", "gamma and rstd are multiplied in, as in dx", "gamma * rstd", x_hat * gamma * rstd
    for _, kind, says, formula, other in wrong_rstds(s):
        yield kind, f"in x_hat, {says}", formula, c * other
    for _, kind, says, formula, c, rstd in wrong_statistics(s):
        yield kind, f"in x_hat, {says}", formula, c * rstd


def _explain(
    recognised: Recognised, evidence: Evidence, i: int, formula: str, f: np.ndarray, wrong_factors: Iterable[Factor]
) -> Finding | None:
    """The finding about the gradient Σ dy * f, which `formula` writes down."""
    s, shape = recognised.symbols, evidence.inputs[i].shape
    dy = evidence.cotangent.reshape(s["view"])
    parameter = s["layout"].aligned(evidence.inputs[i], s["view"])
    if parameter is None:
        return None
    summed = tuple(k for k, n in enumerate(parameter.shape) if n == 1 and dy.shape[k] > 1)

    def total(a: np.ndarray) -> np.ndarray:
        return np.broadcast_to(a, dy.shape).sum(axis=summed).reshape(shape)

    wrong = wrong_gradient(recognised, evidence, i, total(dy * f))
    if wrong is None:
        return None
    mistakes: list[Mistake] = [(kind, total(dy * g), f"{says}: {{right}}", term) for kind, says, term, g in wrong_factors]
    mistakes.append(("dy_forgotten", total(f), "dy is not multiplied in: {right}", "dy"))
    mistakes += _other_sums(dy * f, summed, shape)
    return wrong.judge(listed(formula, wrong.R, mistakes, _means(wrong.R, dy, summed)), lambda says: explained(says, s))


def _means(right: np.ndarray, dy: np.ndarray, summed: tuple[int, ...]) -> Iterator[Mistake]:
    """A mean stands for the sum over some of the axes."""
    by_count: dict[int, list[tuple[int, ...]]] = {}
    for axes in subsets(summed):
        by_count.setdefault(prod(dy.shape[k] for k in axes), []).append(axes)
    for count, some in by_count.items():
        over = f"{named_axes(some[0])}, {count} numbers," if len(some) == 1 else f"{count} numbers"
        says = f"a mean over {over} stands for the sum: one parameter serves all of them, so its gradient adds up"
        yield "mean_for_sum", right / count, f"{says}; multiply by {count}", f"/ {count}"


def _other_sums(summands: np.ndarray, summed: tuple[int, ...], shape: tuple[int, ...]) -> Iterator[Mistake]:
    """The sum runs over other axes."""
    for axes in subsets(range(summands.ndim)):
        if axes != summed and summands.size // prod(summands.shape[k] for k in axes) == prod(shape):
            says = f"the sum runs over {named_axes(axes)}, and has to run over {named_axes(summed)}"
            yield "wrong_axes", summands.sum(axis=axes).reshape(shape), says, f"sum over {named_axes(axes)}"
