"""What is wrong with dγ = Σ dy x_hat and dβ = Σ dy of a normalisation layer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from ...report.evidence import Evidence, Finding, Recognised
from ..hypotheses import Hypothesis, WrongGradient, wrong_gradient
from ..naming import explained, named_axes
from .deviations import other_rstds


def _summed(a: np.ndarray, like: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...] | None = None) -> np.ndarray:
    """Summed over the axes along which a parameter was broadcast, in the parameter's shape."""
    axes = tuple(k for k, n in enumerate(like.shape) if n == 1 and a.shape[k] > 1) if axes is None else axes
    return a.sum(axis=axes).reshape(shape)


Factor = tuple[str, str, str, np.ndarray]  # (kind, what it says, formula, f): the gradient as Σ dy f


def _explain(recognised: Recognised, evidence: Evidence, i: int, formula: str, factors: list[Factor]) -> Finding | None:
    """Σ dy f for several f; the first is the right one."""
    s, shape = recognised.symbols, evidence.inputs[i].shape
    dy = evidence.cotangent.reshape(s["view"])
    like = s["layout"].against(evidence.inputs[i], s["view"])
    if like is None:
        return None
    suspect = wrong_gradient(recognised, evidence, i, _summed(dy * factors[0][3], like, shape))
    if suspect is None:
        return None
    formula = f"d{suspect.name} = {formula}"
    hypotheses = list(_hypotheses(suspect, dy, like, factors))
    for h in hypotheses:
        h.says = h.says.replace("{right}", formula)
    return suspect.judge(hypotheses, lambda says: explained(says, s))


def _hypotheses(suspect: WrongGradient, dy: np.ndarray, like: np.ndarray, factors: list[Factor]) -> Iterator[Hypothesis]:
    shape, right = suspect.R.shape, dy * factors[0][3]
    summed = tuple(k for k, n in enumerate(like.shape) if n == 1 and dy.shape[k] > 1)
    yield Hypothesis("", suspect.R)
    yield from _means(suspect, dy, summed)
    for kind, says, formula, f in factors[1:]:
        yield Hypothesis(kind, _summed(dy * f, like, shape), says, formula)
    without = _summed(np.broadcast_to(factors[0][3], dy.shape), like, shape)
    yield Hypothesis("dy_forgotten", without, "dy is not multiplied in: {right}", "dy")
    for k in range(1, dy.ndim + 1):
        for axes in combinations(range(dy.ndim), k):
            if axes != summed and dy.size // _count(dy, axes) == suspect.R.size:
                says = f"the sum runs over {named_axes(axes)}, and has to run over {named_axes(summed)}"
                yield Hypothesis("wrong_axes", _summed(right, like, shape, axes), says, f"sum over {named_axes(axes)}")
    for axis in summed:
        for place, which in ((-1, "last"), (0, "first")):
            part = np.take(right, [place], axis=axis)
            rest = tuple(k for k in summed if k != axis)
            says = f"only the {which} slice of axis {axis} counts: the gradients of all of them have to be added, += for ="
            yield Hypothesis("missing_accumulation", part.sum(axis=rest).reshape(shape), says, f"Σ over axis {axis}")


def _means(suspect: WrongGradient, dy: np.ndarray, summed: tuple[int, ...]) -> Iterator[Hypothesis]:
    """A mean over some of the axes, for the sum."""
    counts: dict[int, list[tuple[int, ...]]] = {}
    for n in range(1, len(summed) + 1):
        for some in combinations(summed, n):
            counts.setdefault(_count(dy, some), []).append(some)
    for count, axes in counts.items():
        over = f"{named_axes(axes[0])}, {count} numbers," if len(axes) == 1 else f"{count} numbers"
        says = f"a mean over {over} stands for the sum: one parameter serves all of them, so its gradient adds up"
        yield Hypothesis("mean_for_sum", suspect.R / count, f"{says}; multiply by {count}", f"/ {count}", is_factor=True)


def _count(a: np.ndarray, axes: tuple[int, ...]) -> int:
    return int(np.prod([a.shape[k] for k in axes]))


def explain_gamma(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    factors = [("", "", "", recognised.symbols["x_hat"]), *_for_x_hat(recognised), *_other_x_hats(recognised)]
    return _explain(recognised, evidence, i, "Σ dy * x_hat", factors)


def _for_x_hat(recognised: Recognised) -> Iterator[Factor]:
    """What people multiply dy by in the place of x_hat."""
    s, rms = recognised.symbols, recognised.layer.startswith("RMSNorm")
    x_hat, c, rstd = s["x_hat"], s["c"], s["rstd"]
    says = "x_hat is not multiplied in, it is the sum of dy: {right}"
    yield "x_hat_forgotten", says, "x_hat", np.ones_like(x_hat)
    if not rms:
        yield "x_for_x_hat", "x stands for x_hat: {right}", "x", s["x"]
        yield "x_for_x_hat", "mu is not subtracted, x * rstd stands for x_hat: {right}", "x * rstd", s["x"] * rstd
    bare = "x" if rms else "x - mu"
    yield "x_for_x_hat", f"{bare} stands for x_hat, and rstd is missing: {{right}}", bare, c
    yield "rstd_squared", "rstd is multiplied in twice: {right}", "rstd²", x_hat * rstd
    yield "rstd_squared", "rstd is multiplied in three times: {right}", "rstd³", x_hat * rstd**2
    yield "y_for_x_hat", "the output y stands for x_hat: {right}", "y", s["y"]
    if s["gamma"] is not None:
        yield "extra_gamma", "gamma is multiplied in, as in dx: {right}", "gamma", x_hat * s["gamma"]
        says = "gamma and rstd are multiplied in, as in dx: {right}"
        yield "extra_gamma", says, "gamma * rstd", x_hat * s["gamma"] * rstd


def _other_x_hats(recognised: Recognised) -> Iterator[Factor]:
    """x_hat with another standard deviation, or with the batch's own statistics in eval mode."""
    s = recognised.symbols
    for _, kind, says, formula, rstd in other_rstds(s):
        yield kind, f"in x_hat, {says}: {{right}}", formula, s["c"] * rstd
    if recognised.layer == "BatchNormEval":
        c = s["x"] - s["x"].mean(axis=s["axes"], keepdims=True)
        with np.errstate(all="ignore"):
            rstd = 1 / np.sqrt(np.square(c).mean(axis=s["axes"], keepdims=True) + s["eps"])
        says = "in x_hat, the batch's own statistics stand for the running ones: {right}"
        if np.all(np.isfinite(rstd)):
            yield "constants_as_statistics", says, "running_mean, running_var", c * rstd


def explain_beta(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    s = recognised.symbols
    ones = np.ones_like(s["x_hat"])
    factors = [("", "", "", ones), ("extra_x_hat", "x_hat is multiplied in: {right}", "x_hat", s["x_hat"])]
    if s["gamma"] is not None:
        factors.append(("extra_gamma", "gamma is multiplied in, as in dx: {right}", "gamma", ones * s["gamma"]))
        factors.append(
            ("extra_gamma", "gamma and rstd are multiplied in, as in dx: {right}", "gamma", ones * s["gamma"] * s["rstd"])
        )
    return _explain(recognised, evidence, i, "Σ dy", factors)
