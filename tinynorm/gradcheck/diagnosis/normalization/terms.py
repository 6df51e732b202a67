"""The three terms of dx of a normalisation layer, as they are right and as people get them wrong.

Forward is y = gamma * x_hat + beta with x_hat = (x - mu) * rstd. Since mu, var and rstd = 1 / sqrt(var + eps) depend on x too,

    dx = rstd * g - rstd * mean(g) - rstd * x_hat * mean(g * x_hat)    with g = dy * gamma.

The first term is the direct path from x to y. The mean term is the path through mu. The x_hat term, the projection of g on
x_hat, is the path through var. RMSNorm subtracts no mu and has no mean term. In BatchNorm's eval mode mu and var are constants,
and only the first term is there.

A `Variant` is one term with one mistake: another power of rstd, no gamma, a mean over other axes, x for x_hat, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...report.evidence import Evidence, Recognised
from ..naming import named_axes
from ..patterns import subsets
from .layouts import wrong_rstds, wrong_statistics

FIRST, MEAN, PROJECTION = TERMS = (0, 1, 2)
FORMULAS = ("rstd * g", "rstd * mean(g)", "rstd * x_hat * mean(g * x_hat)")
RIGHT_TERMS = {"RMSNorm": (FIRST, PROJECTION), "BatchNormEval": (FIRST,)}  # of the other layers: all three
# Excess of the power of rstd -> (kind, sentence). With -6, the x_hat term is divided by rstd^3, not multiplied.
POWERS = {p: ("rstd_power", f"rstd^{1 + p} stands for rstd") for p in (-6, -4, -3, -2, -1, 1, 2, 3, 4)} | {
    -2: ("rstd_power", "1 / rstd stands for rstd"),
    -1: ("rstd_forgotten", "rstd is missing: multiply by it"),
    1: ("rstd_squared", "rstd is multiplied in twice: divide by it once"),
    2: ("rstd_squared", "rstd^3 stands for rstd"),
}


@dataclass(frozen=True, eq=False)
class Variant:
    """One term of dx with one mistake, or as it is right."""

    term: int
    value: Callable[[], np.ndarray]
    cause: str = ""  # "" for the right term; variants of several terms with one cause are a single mistake
    kind: str = ""
    says: str = ""
    formula: str = ""
    needs_mean: bool = False  # the mistake cannot be in the first term
    power: int = 0  # of rstd, in excess


@dataclass(frozen=True)
class Terms:
    """The factors of the terms, in the view in which a group lies along `axes`. A wrong variant has another factor."""

    dy: np.ndarray
    gamma: np.ndarray | float  # 1 if the layer has none
    rstd: np.ndarray
    outer: np.ndarray | float  # x_hat before the mean
    inner: np.ndarray | float  # x_hat inside the mean
    axes: tuple[int, ...]
    correction: np.ndarray | float = 1.0  # k, a factor of the x_hat term if forward has an unusual standard deviation
    extra: np.ndarray | float = 1.0  # a factor inside the mean of the mean term
    rare: bool = False  # whether the variants include those of rarer mistakes

    @classmethod
    def of(cls, recognised: Recognised, evidence: Evidence) -> Terms:
        s = recognised.symbols
        dy, gamma = evidence.cotangent.reshape(s["view"]), 1.0 if s["gamma"] is None else s["gamma"]
        return cls(dy, gamma, s["rstd"], s["x_hat"], s["x_hat"], s["axes"], s.get("correction", 1.0))

    def term(self, k: int) -> np.ndarray:
        """Term k with its sign."""
        g, value = self.dy * self.gamma, self.rstd
        if k == FIRST:
            value = value * g
        elif k == MEAN:
            value = -value * np.mean(g * self.extra, axis=self.axes, keepdims=True)
        else:
            value = -value * self.correction * self.outer * np.mean(g * self.inner, axis=self.axes, keepdims=True)
        return np.broadcast_to(value, self.dy.shape)

    def _wrong(
        self, k: int, cause: str, kind: str, says: str, formula: str, factor: Any = 1.0, power: int = 0, **factors: Any
    ) -> Variant:
        """Term k with other `factors` in it, and `factor` times as large."""
        needs_mean = "axes" in factors or cause == "gamma after"
        value = lambda: replace(self, **factors).term(k) * factor  # noqa: E731
        return Variant(k, value, cause, kind, says, formula, needs_mean, power)

    def variants(self, recognised: Recognised) -> Iterator[Variant]:
        """The right terms, then each term with each mistake."""
        for k in TERMS:
            yield Variant(k, lambda k=k: self.term(k))  # type: ignore[misc]
        for k in TERMS:
            if isinstance(self.gamma, np.ndarray):
                yield from self._gamma(k, self.gamma, recognised.symbols["beta"])
            for power, (kind, says) in POWERS.items():
                rstd = self.rstd ** (1.0 + power)
                yield self._wrong(k, f"rstd {power}", kind, says, f"rstd^{1 + power}", power=power, rstd=rstd)
            for cause, kind, says, formula, rstd in wrong_rstds(recognised.symbols, self.rare):
                for power in (1, 2, 3) if k == PROJECTION else (1,):  # x_hat has rstd too
                    yield self._wrong(k, cause, kind, says, formula, (rstd / self.rstd) ** power)
            if k != FIRST:
                yield from self._axes(k, recognised)
        yield from self._x_hat(recognised)
        if not np.all(self.correction == 1.0):
            says = "the factor k is missing, which is 1 only where the variance is divided by m and eps stands inside the root"
            value = lambda: self.term(PROJECTION) / self.correction  # noqa: E731
            yield Variant(PROJECTION, value, "usual", "unbiased_variance", says, "k")
        for cause, kind, says, formula, c, rstd in wrong_statistics(recognised.symbols, self.rare):
            for k in TERMS if cause == "batch" else (PROJECTION,):  # the others are among the wrong rstds
                yield self._wrong(k, cause, kind, says, formula, rstd=rstd, outer=c * rstd, inner=c * rstd)

    def _gamma(self, k: int, gamma: np.ndarray, beta: np.ndarray | None) -> Iterator[Variant]:
        """gamma is missing, is there twice, or stands outside a mean over numbers with several gammas."""
        says = "gamma is forgotten, dy alone stands for g"
        yield self._wrong(k, "gamma none", "gamma_forgotten", says, "g = dy * gamma", gamma=1.0)
        if self.rare and beta is not None:
            yield self._wrong(k, "beta", "wrong_input", "beta stands for gamma", "gamma", gamma=beta)
        says = "gamma is multiplied in twice"
        yield self._wrong(k, "gamma twice", "extra_gamma", says, "gamma", gamma=np.square(gamma))
        if k != FIRST and any(gamma.shape[a] > 1 for a in self.axes):
            yield self._wrong(k, "gamma twice", "extra_gamma", says, "gamma", rstd=self.rstd * gamma)
            says = "gamma is multiplied on after the mean; it differs within a group, so it has to stand inside, in g"
            outside = {"gamma": 1.0, "rstd": self.rstd * gamma}
            yield self._wrong(k, "gamma after", "gamma_forgotten", says, "mean(dy * gamma)", **outside)

    def _axes(self, k: int, recognised: Recognised) -> Iterator[Variant]:
        """The mean runs over other axes: it is divided by the number of elements summed, or still by m."""
        shape, m = self.dy.shape, recognised.symbols["m"]
        long = [a for a, n in enumerate(shape) if n > 1]
        right = tuple(a for a in self.axes if a in long)
        of = " of (N, G, C/G, *)" if recognised.layer == "GroupNorm" else ""
        for axes in subsets(long):
            if axes != right:
                over, there = f"runs over {named_axes(axes)}{of}", f"has to run over {named_axes(right)}"
                says, formula = f"the mean {over}, and {there}", f"mean over axes {axes}"
                share = np.prod([shape[a] for a in axes]) / m
                summed = f"the sum, which is divided by m = {m}, {over}; it {there}"
                for sides in self._sides(k, axes):
                    yield self._wrong(k, f"axes {axes}", "wrong_axes", says, formula, axes=axes, **sides)
                    if share != 1:
                        yield self._wrong(
                            k, f"sum {axes}", "wrong_axes", summed, f"sum over axes {axes}", share, axes=axes, **sides
                        )

    def _sides(self, k: int, axes: tuple[int, ...]) -> Iterator[dict[str, Any]]:
        """The factors of a term that differ if rstd stands inside a mean over other axes, or gamma outside."""
        rstd, gamma = self.rstd, self.gamma
        yield {}
        if not self.rare:
            return
        if any(rstd.shape[a] > 1 for a in axes):
            yield {"rstd": 1.0, "extra": self.extra * rstd, "inner": self.inner * rstd}
            if k == PROJECTION:
                yield {"rstd": 1.0, "outer": self.outer / rstd, "inner": self.inner * rstd**2}
        if isinstance(gamma, np.ndarray) and any(gamma.shape[a] > 1 for a in axes):
            yield {"gamma": 1.0, "rstd": rstd * gamma}
            if any(rstd.shape[a] > 1 for a in axes):
                yield {"gamma": 1.0, "rstd": gamma, "extra": self.extra * rstd, "inner": self.inner * rstd}

    def _x_hat(self, recognised: Recognised) -> Iterator[Variant]:
        """Something else stands for x_hat; or x_hat stands in the mean term, where it does not belong."""
        x, y = recognised.symbols["x"], recognised.symbols["y"]
        others = [("y", "y_for_x_hat", "y stands for x_hat", y)]
        if recognised.layer == "RMSNorm":
            centred = (x - x.mean(axis=self.axes, keepdims=True)) * self.rstd
            others += [("centred", "extra_mean_term", "x is centred, which RMSNorm does not do", centred)]
        else:
            others += [("x", "x_for_x_hat", "x stands for x_hat = (x - mu) * rstd", x)]
            others += [("x rstd", "x_for_x_hat", "mu is not subtracted from x", x * self.rstd)]
        formula = "x_hat * mean(g * x_hat)"
        for cause, kind, says, other in others:
            for place, where, changes in (
                ("before", "before the mean", {"outer": other}),
                ("inside", "inside the mean", {"inner": other}),
                ("both", "before the mean and inside", {"outer": other, "inner": other}),
            ):
                yield self._wrong(PROJECTION, f"{cause} {place}", kind, f"{says}, {where}", formula, **changes)
        says = "x_hat is missing before the mean"
        yield self._wrong(PROJECTION, "1 before", "x_hat_forgotten", says, formula, outer=1.0)
        says = "x_hat is missing inside the mean, which has to be mean(g * x_hat)"
        yield self._wrong(PROJECTION, "1 inside", "x_hat_forgotten", says, formula, inner=1.0)
        says = "x_hat is multiplied in: mean(g * x_hat) stands for mean(g)"
        yield self._wrong(MEAN, "x_hat in mean", "extra_x_hat", says, "mean(g)", extra=self.inner)
