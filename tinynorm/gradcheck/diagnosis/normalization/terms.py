"""The three terms of dx = rstd (g - mean(g) - x_hat mean(g x_hat)), and what people write in the place of each.

A trait is one thing about one term that is not as it should be: another power of rstd, no gamma, other axes, x for x_hat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ...report.evidence import Evidence, Recognised
from ..naming import named_axes
from .deviations import other_rstds

FIRST, MEAN, PROJECTION = 0, 1, 2
POWERS = (-6, -4, -3, -2, -1, 1, 2, 3, 4)  # of rstd, too many


@dataclass(frozen=True)
class Ingredients:
    """What the terms are made of, in the view in which a group lies along `axes`."""

    dy: np.ndarray
    gamma: np.ndarray | None
    rstd: np.ndarray
    c: np.ndarray  # x - mu; x itself in RMSNorm
    axes: tuple[int, ...]
    correction: np.ndarray | float = 1.0  # of the x_hat term, where forward takes another standard deviation

    @property
    def x_hat(self) -> np.ndarray:
        return self.c * self.rstd

    @property
    def gamma_is_constant(self) -> bool:
        """Whether a group has one gamma, so that it may as well stand outside the means."""
        return self.gamma is None or all(self.gamma.shape[a] == 1 for a in self.axes)

    def term(
        self,
        k: int,
        power: int = 0,
        gamma: str = "in",
        axes: tuple[int, ...] | None = None,
        outer: np.ndarray | float | None = None,
        inner: np.ndarray | float | None = None,
    ) -> np.ndarray:
        """Term `k`, sign and all, with rstd to a power more, and gamma "in" the mean, "after" it, "both", "twice" or "none"."""
        gamma_ = 1.0 if self.gamma is None else self.gamma
        g = self.dy * {"in": gamma_, "both": gamma_, "twice": np.square(gamma_)}.get(gamma, 1.0)
        scale = self.rstd ** (1.0 + power) * (gamma_ if gamma in ("after", "both") else 1.0)
        axes = self.axes if axes is None else axes
        if k == FIRST:
            value = scale * g
        elif k == MEAN:
            value = -scale * np.mean(g * (1.0 if inner is None else inner), axis=axes, keepdims=True)
        else:
            outer, inner = (self.x_hat if a is None else a for a in (outer, inner))
            value = -scale * self.correction * outer * np.mean(g * inner, axis=axes, keepdims=True)
        return np.broadcast_to(value, self.dy.shape)


@dataclass(frozen=True, eq=False)
class Trait:
    """What is not as it should be about one term."""

    term: int
    cause: str  # the same for terms that went wrong in the same way
    kind: str
    says: str
    make: Callable[[], np.ndarray]
    formula: str = ""
    everywhere: tuple[int, ...] = (FIRST, MEAN, PROJECTION)  # the terms it may show in: where it does in all, none is named
    power: int = 0  # of rstd


def ingredients(recognised: Recognised, evidence: Evidence) -> Ingredients:
    s = recognised.symbols
    dy = evidence.cotangent.reshape(s["view"])
    return Ingredients(dy, s["gamma"], s["rstd"], s["c"], s["axes"], s.get("correction", 1.0))


def traits(base: Ingredients, recognised: Recognised) -> Iterator[Trait]:
    """All that is looked for, term by term."""
    for k in (FIRST, MEAN, PROJECTION):
        yield from _gammas(base, k)
        yield from _powers(base, k)
        yield from _scales(base, recognised, k)
        if k != FIRST:
            yield from _axes(base, recognised, k)
    yield from _x_hats(base, recognised)
    if not np.all(base.correction == 1.0):
        says = "the factor k is missing, which is 1 only where the variance is divided by m and eps stands inside the root"
        make = lambda: base.term(PROJECTION) / base.correction  # noqa: E731
        yield Trait(PROJECTION, "usual", "unbiased_variance", says, make, "k", (PROJECTION,))
    if recognised.layer == "BatchNormEval":
        yield from _batch(base, recognised)


def _gammas(s: Ingredients, k: int) -> Iterator[Trait]:
    if s.gamma is None:
        return
    says = "gamma is forgotten, dy alone stands for g"
    yield Trait(k, "gamma none", "gamma_forgotten", says, lambda: s.term(k, gamma="none"), "g = dy * gamma")
    for where in ("twice",) if k == FIRST or s.gamma_is_constant else ("twice", "both"):
        says = "gamma is multiplied in twice"
        yield Trait(k, "gamma twice", "extra_gamma", says, lambda w=where: s.term(k, gamma=w), "gamma")  # type: ignore[misc]
    if k != FIRST and not s.gamma_is_constant:
        says = "gamma is multiplied on after the mean; it differs within a group, so it has to stand inside, in g"
        everywhere = (MEAN, PROJECTION)
        yield Trait(k, "gamma after", "gamma_forgotten", says, lambda: s.term(k, gamma="after"), "mean(dy * gamma)", everywhere)


def _powers(s: Ingredients, k: int) -> Iterator[Trait]:
    for power in POWERS:
        kind = {-1: "rstd_forgotten", 1: "rstd_squared", 2: "rstd_squared"}.get(power, "rstd_power")
        says = {-1: "rstd is missing: multiply by it", 1: "rstd is multiplied in twice: divide by it once"}.get(
            power, "1 / rstd stands for rstd" if power == -2 else f"rstd^{1 + power} stands for rstd"
        )
        make = lambda p=power: s.term(k, power=p)  # noqa: E731
        yield Trait(k, f"rstd {power}", kind, says, make, f"rstd^{1 + power}", power=power)


def _scales(s: Ingredients, recognised: Recognised, k: int) -> Iterator[Trait]:
    """Another standard deviation in the place of rstd: in front of the bracket, in x_hat, or in both."""
    for cause, kind, says, formula, other in other_rstds(recognised.symbols):
        ratio = other / s.rstd
        for power in (1, 2, 3) if k == PROJECTION else (1,):
            make = lambda q=ratio**power: s.term(k) * q  # noqa: E731
            yield Trait(k, cause, kind, says, make, formula)


def _axes(s: Ingredients, recognised: Recognised, k: int) -> Iterator[Trait]:
    """The mean over other axes: of the view or, for groups of channels, of x as it is."""
    shape = s.dy.shape
    long = tuple(a for a, n in enumerate(shape) if n > 1)  # a mean along one number is none
    right = tuple(a for a in s.axes if a in long)
    m, there = recognised.symbols["m"], named_axes(right)
    of = " of (N, G, C/G, *)" if recognised.layer == "GroupNorm" else ""
    for n in range(1, len(long) + 1):
        for axes in combinations(long, n):
            if axes != right:
                says = f"the mean runs over {named_axes(axes)}{of}, and has to run over {there}"
                make = lambda a=axes: s.term(k, axes=a)  # noqa: E731
                yield Trait(k, f"axes {axes}", "wrong_axes", says, make, f"mean over axes {axes}", (MEAN, PROJECTION))
                share = np.prod([shape[a] for a in axes]) / m
                if share != 1:  # written as a sum, over m as it should be
                    says = f"the sum, which is divided by m = {m}, runs over {named_axes(axes)}{of}; it has to run over {there}"
                    summed = lambda a=axes, q=share: s.term(k, axes=a) * q  # type: ignore[misc]  # noqa: E731
                    yield Trait(k, f"sum {axes}", "wrong_axes", says, summed, f"sum over axes {axes}", (MEAN, PROJECTION))


def _x_hats(s: Ingredients, recognised: Recognised) -> Iterator[Trait]:
    """What stands for x_hat before the mean, inside it, or in both places."""
    x, y = recognised.symbols["x"], recognised.symbols["y"]

    def trait(cause: str, kind: str, says: str, outer: object, inner: object) -> Trait:
        make = lambda: s.term(PROJECTION, outer=outer, inner=inner)  # type: ignore[arg-type]  # noqa: E731
        return Trait(PROJECTION, cause, kind, says, make, "x_hat * mean(g * x_hat)", (PROJECTION,))

    others: list[tuple[str, str, str, np.ndarray]] = [("y", "y_for_x_hat", "y stands for x_hat", y)]
    if recognised.layer == "RMSNorm":
        says = "x is centred, which RMSNorm does not do"
        centred = (x - x.mean(axis=s.axes, keepdims=True)) * s.rstd
        others += [("centred", "extra_mean_term", says, centred)]
    else:
        others += [("x", "x_for_x_hat", "x stands for x_hat = (x - mu) * rstd", x)]
        others += [("x rstd", "x_for_x_hat", "mu is not subtracted from x", x * s.rstd)]
    for cause, kind, says, other in others:
        yield trait(f"{cause} before", kind, f"{says}, before the mean", other, None)
        yield trait(f"{cause} inside", kind, f"{says}, inside the mean", None, other)
        yield trait(f"{cause} both", kind, f"{says}, before the mean and inside", other, other)
    yield trait("1 before", "x_hat_forgotten", "x_hat is missing before the mean", 1.0, None)
    yield trait("1 inside", "x_hat_forgotten", "x_hat is missing inside the mean, which has to be mean(g * x_hat)", None, 1.0)
    says = "x_hat is multiplied in: mean(g * x_hat) stands for mean(g)"
    yield Trait(MEAN, "x_hat in mean", "extra_x_hat", says, lambda: s.term(MEAN, inner=s.x_hat), "mean(g)", (MEAN,))


def _batch(s: Ingredients, recognised: Recognised) -> Iterator[Trait]:
    """The batch's own mean and variance for the running ones."""
    x, eps = recognised.symbols["x"], recognised.symbols["eps"]
    c = x - x.mean(axis=s.axes, keepdims=True)
    var = np.square(c).mean(axis=s.axes, keepdims=True)
    if not np.all(var > 0):
        return
    batch = replace(s, c=c, rstd=1 / np.sqrt(var + eps))
    for k in (FIRST, MEAN, PROJECTION):
        says = "the batch's own statistics stand for the running ones"
        yield Trait(k, "batch", "constants_as_statistics", says, lambda k=k: batch.term(k), "running_var")  # type: ignore[misc]
