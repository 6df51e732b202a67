"""What is wrong with the backward pass of a normalisation layer: the wrong gradient, projected on the known terms.

dx = rstd (g - mean(g) - x_hat mean(g x_hat)) has three terms. A wrong dx is fitted as a combination of the three; the
coefficients name the mistake: 0 for a term that is missing, -1 for a wrong sign, m for a sum in place of a mean. Where the
plain terms do not fit, one of their symbols is varied: g without gamma, another power of rstd, another eps, a mean over other
axes, x for x_hat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ..evidence import Evidence, Finding, Recognised
from .judge import NAMED, Candidate, Suspect, simplest, suspect_of
from .normalization_affine import explain_beta, explain_gamma, named_axes
from .recognise_normalization import recognise

__all__ = ["explain", "recognise"]

TERMS = ("rstd * g", "- rstd * mean(g)", "- rstd * x_hat * mean(g * x_hat)")


@dataclass(frozen=True)
class Symbols:
    """What the terms are made of; a variant replaces some of it, and says which mistake that is."""

    dy: np.ndarray
    gamma: np.ndarray | None
    scale: np.ndarray  # rstd
    x_hat: np.ndarray  # before mean(g x_hat)
    inner: np.ndarray  # inside mean(g x_hat)
    axes: tuple[int, ...]
    gamma_in: tuple[bool, bool, bool] = (True, True, True)  # in which terms gamma is multiplied in before the mean
    gamma_after: bool = False  # gamma multiplied on after the means
    kind: str = ""
    says: str = ""
    formula: str = ""
    cost: int = 0

    def terms(self) -> list[np.ndarray]:
        gamma = 1.0 if self.gamma is None else self.gamma
        g = [self.dy * gamma if inside else self.dy for inside in self.gamma_in]
        scale = self.scale * gamma if self.gamma_after else self.scale
        mean_g = g[1].mean(axis=self.axes, keepdims=True)
        mean_gx = (g[2] * self.inner).mean(axis=self.axes, keepdims=True)
        terms = scale * g[0], -scale * mean_g, -scale * self.x_hat * mean_gx
        return [np.broadcast_to(term, self.dy.shape) for term in terms]


def explain(recognised: Recognised, evidence: Evidence) -> list[Finding]:
    """At most one finding for each wrong input."""
    found = []
    by_input = {i: role for role, i in recognised.roles.items()}
    for i in evidence.wrong:
        explainer = {"x": _dx, "gamma": explain_gamma, "beta": explain_beta}.get(by_input.get(i, ""))
        finding = explainer(recognised, evidence, i) if explainer else None
        if finding is not None:
            found.append(finding)
    return found


def _right(layer: str) -> np.ndarray:
    """The coefficients of the three terms."""
    return np.array({"RMSNorm": [1.0, 0.0, 1.0], "BatchNormEval": [1.0, 0.0, 0.0]}.get(layer, [1.0, 1.0, 1.0]))


def _dx(recognised: Recognised, evidence: Evidence, i: int) -> Finding | None:
    s = recognised.symbols
    base = Symbols(evidence.cotangent.reshape(s["view"]), s["gamma"], s["rstd"], s["x_hat"], s["x_hat"], s["axes"])
    right = _right(recognised.layer)
    shape = evidence.inputs[i].shape
    R = sum(c * t for c, t in zip(right, base.terms(), strict=True))
    suspect = suspect_of(recognised, evidence, i, np.asarray(R).reshape(shape))
    if suspect is None:
        return None
    suspect.G, suspect.R = suspect.G.reshape(s["view"]), suspect.R.reshape(s["view"])
    for variants in ([base], list(_variants(base, recognised)), list(_pairs(base, recognised))):
        found = []
        for variant in variants:
            finding = _fitted(suspect, variant, right, recognised)
            if finding is not None:
                found.append(finding)
        best = simplest(found)
        if best is not None:
            return best
        if found:
            return None  # several kinds would explain it: that would be a guess
    return None


def _fitted(suspect: Suspect, variant: Symbols, right: np.ndarray, recognised: Recognised) -> Candidate | None:
    """The variant's terms fitted to G, and the coefficients named."""
    terms = variant.terms()
    if variant.kind:  # first as it stands
        left = suspect.explained(sum(c * t for c, t in zip(right, terms, strict=True)))  # type: ignore[arg-type]
        if left is not None:
            return Candidate(variant.cost, left, suspect.finding(variant.kind, variant.says, variant.formula, left))
    live = [k for k in range(3) if np.any(terms[k] != 0)]
    fitted = suspect.fit([terms[k] for k in live])
    if fitted is None:
        return None
    c, left = np.zeros(3), fitted[1]
    c[live] = fitted[0]
    c[np.abs(c) < NAMED * np.max(np.abs(c))] = 0.0
    named = _name_coefficients(suspect, c, right, recognised)
    if named is None:
        return None
    if not variant.kind:
        return Candidate(0, left, suspect.finding(named.kind, named.sentence, named.formula, left, **named.details))
    if named.kind in ("constant_factor", "sign"):
        says, cost = f"{variant.says}; and it is {named.formula} times that", variant.cost + 1
    else:
        says, cost = f"{variant.says}; and {named.sentence}", variant.cost + 2
    return Candidate(cost, left, suspect.finding(variant.kind, says, f"{variant.formula}; {named.formula}", left))


def _name_coefficients(suspect: Suspect, c: np.ndarray, right: np.ndarray, recognised: Recognised) -> Finding | None:
    """The mistake that the three coefficients are, as (kind, what it says, formula) in a Finding."""
    m, layer = recognised.symbols["m"], recognised.layer
    over = _over(recognised)

    def found(kind: str, says: str, formula: str, **details: float) -> Finding:
        return Finding(kind, suspect.name, says, formula, details=details)

    if np.all(c == 0):
        return None
    scale = c[0] if c[0] else 1.0
    if np.allclose(c, scale * right, rtol=NAMED, atol=0) and suspect.named(scale):
        whole = suspect.factor(float(scale), 1.0)
        says = "it has the wrong sign" if whole.kind == "sign" else f"it is {whole.formula} times the right gradient"
        return found(whole.kind, says, whole.formula, **whole.details)
    if layer == "BatchNormEval":
        if np.allclose(c, [1, c[1], c[2]]) and set(np.round(c[1:], 6)) <= {0.0, 1.0}:
            return found(
                "constants_as_statistics",
                "it is training's formula, with terms that differentiate the batch's own statistics; in eval mode the running "
                "statistics are constants: dx = gamma * rstd * dy",
                " ".join(TERMS[k] for k in (1, 2) if c[k]),
            )
        return None
    off = [k for k in range(3) if abs(c[k] - right[k]) > NAMED]
    missing = [k for k in off if c[k] == 0]
    if off == missing and off == [1]:
        says = f"the mean term is missing: add {TERMS[1]}, the mean over {over}"
        return found("missing_mean_term", says, TERMS[1])
    if off == missing and off == [2] and right[1]:
        says = f"the x_hat term is missing: add {TERMS[2]}, the mean over {over}"
        return found("missing_x_hat_term", says, TERMS[2])
    if off == missing and off == [2]:
        says = f"the x_hat term is missing, as if the root mean square were a constant: add {TERMS[2]}"
        return found("missing_x_hat_term", says, TERMS[2])
    if off == missing and off == [1, 2]:
        says = f"mean and variance are treated as constants: both projection terms are missing, add {TERMS[1]} {TERMS[2]}"
        return found("statistics_as_constants", says, f"{TERMS[1]} {TERMS[2]}")
    if off == [1] and not right[1] and abs(c[1] - 1) < NAMED:
        says = f"it has a mean term, as of a layer that centres; RMSNorm does not: take out {TERMS[1]}"
        return found("extra_mean_term", says, TERMS[1])
    if off and all(abs(c[k] - m) < NAMED * m for k in off) and 0 not in off:
        which = " and ".join(TERMS[k] for k in off)
        return found("sum_for_mean", f"a sum stands for a mean over {over} in {which}: divide by m = {m}", which)
    if len(off) == 1 and abs(c[off[0]] + right[off[0]]) < NAMED:
        return found("term_sign", f"the term {TERMS[off[0]]} has the wrong sign", TERMS[off[0]])
    if len(off) == 1 and suspect.named(float(c[off[0]])):
        k = off[0]
        times = suspect.named(float(c[k]))
        return found("term_factor", f"the term {TERMS[k]} has the factor {times} in place of 1", f"{times} * ({TERMS[k]})")
    if suspect.named(float(scale)) and abs(abs(scale) - 1) > NAMED:
        inner = _name_coefficients(suspect, c / scale, right, recognised)
        if inner is not None and inner.kind not in ("constant_factor", "sign"):
            return found(inner.kind, f"{inner.sentence}; and all is {suspect.named(float(scale))} times that", inner.formula)
    return None


def _over(recognised: Recognised) -> str:
    m = recognised.symbols["m"]
    group = {"BatchNorm": "a channel's", "LayerNorm": "a row's", "RMSNorm": "a row's", "GroupNorm": "a group's"}
    return f"{group.get(recognised.layer, 'a group of')} m = {m} numbers"


def _variants(base: Symbols, recognised: Recognised) -> Iterator[Symbols]:
    """One symbol replaced by what people write in its place."""
    yield from _gammas(base)
    yield from _scales(base, recognised)
    yield from _axes(base, recognised)
    s = recognised.symbols
    for name, other in (("x", s["x"]), ("c, which is x - mu,", s["c"]), ("y", s["y"])):
        for where, what in (
            ("before the mean", {"x_hat": other}),
            ("inside the mean", {"inner": other}),
            ("in both places", {"x_hat": other, "inner": other}),
        ):
            says = f"{name} stands for x_hat in the last term, {where}"
            kind = "y_for_x_hat" if name == "y" else "x_for_x_hat"
            yield replace(base, kind=kind, says=says, formula=TERMS[2], cost=1, **what)  # type: ignore[arg-type]


def _gammas(base: Symbols) -> Iterator[Symbols]:
    if base.gamma is None:
        return
    says = "gamma is forgotten: g = dy * gamma, and dy alone stands for it"
    yield replace(base, gamma_in=(False,) * 3, kind="gamma_forgotten", says=says, formula="g = dy * gamma", cost=1)
    says = "gamma is multiplied on after the means; it differs within a group, so it has to stand inside them: g = dy * gamma"
    yield replace(
        base, gamma_in=(False,) * 3, gamma_after=True, kind="gamma_forgotten", says=says, formula="mean(dy * gamma)", cost=1
    )
    for k, inside in ((0, (False, True, True)), (1, (True, False, True)), (2, (True, True, False))):
        says = f"gamma is forgotten in the term {TERMS[k]}, where dy stands for g = dy * gamma"
        yield replace(base, gamma_in=inside, kind="gamma_forgotten", says=says, formula=TERMS[k], cost=1)


def _scales(base: Symbols, recognised: Recognised) -> Iterator[Symbols]:
    """Other things in the place of rstd: in front of the bracket, and in x_hat as well."""
    s = recognised.symbols
    var, eps, m, c, rstd = s["var"], s["eps"], s["m"], s["c"], s["rstd"]
    ones = np.ones_like(rstd)
    yield replace(base, scale=ones, kind="rstd_forgotten", says="rstd is forgotten: multiply by it", formula="rstd", cost=1)
    says = "rstd is multiplied in twice: divide by it once"
    yield replace(base, scale=rstd**2, kind="rstd_squared", says=says, formula="rstd²", cost=1)
    says = "it has rstd³, as from the derivative of the root, where rstd belongs"
    yield replace(base, scale=rstd**3, kind="rstd_squared", says=says, formula="rstd³", cost=1)
    with np.errstate(all="ignore"):
        others = [
            (
                "unbiased_variance",
                "the variance is divided by m - 1; the layer normalises with the biased one, divided by m",
                "1 / sqrt(var * m / (m - 1) + eps)",
                1 / np.sqrt(var * (m / max(m - 1, 1)) + eps),
            ),
        ]
        if eps:
            others += [
                (
                    "eps_outside_root",
                    "eps is added to the standard deviation; it stands inside the root: rstd = 1 / sqrt(var + eps)",
                    "1 / (sqrt(var) + eps)",
                    1 / (np.sqrt(var) + eps),
                ),
                ("eps_forgotten", "eps is left out of rstd = 1 / sqrt(var + eps)", "1 / sqrt(var)", 1 / np.sqrt(var)),
            ]
    for kind, says, formula, other in others:
        if not np.all(np.isfinite(other)):
            continue
        yield replace(base, scale=other, kind=kind, says=says, formula=formula, cost=1)
        yield replace(
            base,
            scale=other,
            x_hat=c * other,
            inner=c * other,
            kind=kind,
            says=f"{says}, in x_hat too",
            formula=formula,
            cost=1,
        )
        yield replace(base, x_hat=c * other, inner=c * other, kind=kind, says=f"{says}, in x_hat", formula=formula, cost=1)


def _axes(base: Symbols, recognised: Recognised) -> Iterator[Symbols]:
    """The means over other axes, of the view or, for groups of channels, of x as it is."""
    right = base.axes
    ndim = base.dy.ndim
    for k in range(1, ndim + 1):
        for axes in combinations(range(ndim), k):
            if axes == right or int(np.prod([base.dy.shape[a] for a in axes])) == 1:
                continue
            of = " of (N, G, C/G, *)" if recognised.layer == "GroupNorm" else ""
            says = f"the means run over {named_axes(axes)}; they have to run over {named_axes(right)}{of}"
            yield replace(base, axes=axes, kind="wrong_axes", says=says, formula=f"mean over axes {axes}", cost=1)


def _pairs(base: Symbols, recognised: Recognised) -> Iterator[Symbols]:
    """Two symbols replaced: gamma and rstd."""
    for one in _gammas(base):
        for two in _scales(one, recognised):
            yield replace(
                two, kind=one.kind, says=f"{one.says}; and {two.says}", formula=f"{one.formula}; {two.formula}", cost=2
            )
