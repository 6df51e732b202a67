"""How a normalisation layer groups the numbers of x, and by which standard deviation it divides them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np


@dataclass(frozen=True)
class Deviation:
    """A formula for the standard deviation that x - mu is divided by."""

    formula: str
    unbiased: bool = False  # the variance is divided by m - 1, not by m
    eps_outside: bool = False  # eps is added to the standard deviation, not to the variance
    correction: str = ""  # the factor k of the x_hat term of dx that follows from that; "" where k = 1


USUAL = Deviation("sqrt({var} + eps)")
OTHER_DEVIATIONS = (
    Deviation("(std + eps)", True, True, "m / (m - 1) / (std * rstd), std with m - 1"),
    Deviation("sqrt({var} + eps)", True, False, "m / (m - 1), var with m - 1"),
    Deviation("(std + eps)", False, True, "1 / (std * rstd)"),
)


@dataclass(frozen=True)
class Layout:
    """The groups of a layer: x, reshaped to `view`, has one group along `axes`."""

    layer: str
    view: tuple[int, ...]
    axes: tuple[int, ...]
    parameter: tuple[int, ...]  # the shape in which gamma and beta broadcast against the view

    @property
    def m(self) -> int:
        """How many numbers a group has."""
        return prod(self.view[a] for a in self.axes)

    def aligned(self, p: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
        """A parameter in the shape in which it broadcasts against an x of `shape`; None where it does not fit."""
        if p is None:
            return None
        if p.ndim == len(shape) and p.ndim > 1 and self.view == shape:
            return p if all(n in (1, s) for n, s in zip(p.shape, shape, strict=True)) else None
        return p.reshape(self.parameter) if p.size == prod(self.parameter) else None

    @property
    def sizes(self) -> dict[str, int]:
        """Symbol -> size, for the sizes by which people divide a sum. The symbol m is there if no other symbol equals m."""
        view, sizes = self.view, {}
        if self.layer.startswith(("LayerNorm", "RMSNorm")):
            sizes = {"N": view[0]} if len(view) > 1 else {}
            sizes |= {"T": view[1]} if len(view) == 3 else {}
        elif self.layer == "BatchNorm" and len(view) > 2 and view[-1] == self.parameter[-1] > 1:  # channels last
            sizes = {"N": view[0], "C": view[-1], "the number of positions": prod(view[1:-1])}
        else:
            channels = 3 if self.layer == "GroupNorm" else 2  # the axes before the positions; a group's channels are axis 2
            sizes = {"N": view[0], "C": prod(view[1:channels])}
            sizes |= {"the number of positions": prod(view[channels:])} if view[channels:] else {}
        return sizes if self.m in sizes.values() else sizes | {"m": self.m}


def layouts(shape: tuple[int, ...]) -> Iterator[Layout]:
    """The layouts of all layers that take an x of this shape."""
    ndim, ones = len(shape), (1,) * len(shape)
    if ndim == 1:
        yield Layout("LayerNorm (one row)", shape, (0,), shape)
        return
    N, C, *positions = shape
    channel = (1, C, *ones[2:])
    yield Layout("BatchNorm", shape, (0, *range(2, ndim)), channel)
    for first in range(ndim - 1, 0, -1):  # the first of the axes that make up a row
        for layer in ("LayerNorm", "RMSNorm"):
            yield Layout(layer, shape, tuple(range(first, ndim)), (*ones[:first], *shape[first:]))
    if ndim > 2:
        yield Layout("InstanceNorm", shape, tuple(range(2, ndim)), channel)
        yield Layout("BatchNorm", shape, tuple(range(ndim - 1)), (*ones[1:], shape[-1]))  # channels last
    for G in range(1, C):
        if C % G == 0:
            view = (N, G, C // G, *positions)
            yield Layout("GroupNorm", view, tuple(range(2, len(view))), (1, G, C // G, *ones[2:]))


def wrong_rstds(symbols: dict, rare: bool = True) -> Iterator[tuple[str, str, str, str, np.ndarray]]:
    """What people take for rstd: (cause, kind, sentence, formula, its values).

    There is none where forward itself has an unusual deviation, or where its variance is not known; `rare` adds rarer ones.
    """
    var, eps, m, rstd = symbols["var"], symbols["eps"], symbols["m"], symbols["definitions"]["rstd"]
    if symbols.get("correction") is not None or symbols.get("fitted"):
        return
    with np.errstate(all="ignore"):
        if m > 1:
            says = "the variance is divided by m - 1; this layer normalises with the biased one, divided by m"
            formula = "1 / sqrt(var * m / (m - 1) + eps)"
            yield "unbiased", "unbiased_variance", says, formula, 1 / np.sqrt(var * (m / (m - 1)) + eps)
        if eps and np.all(var > 0):
            says = f"eps is added to the standard deviation; it stands inside the root, {rstd}"
            yield "eps outside", "eps_outside_root", says, "1 / (sqrt(var) + eps)", 1 / (np.sqrt(var) + eps)
            yield "eps", "eps_forgotten", f"eps is left out of {rstd}", "1 / sqrt(var)", 1 / np.sqrt(var)
        if rare and symbols["layout"].layer != "BatchNormEval":
            says = f"the standard deviation stands for the variance in {rstd}"
            yield "std", "std_for_var", says, "1 / sqrt(std + eps)", 1 / np.sqrt(np.sqrt(var) + eps)
        for cause, kind, says, formula, _, other in wrong_statistics(symbols) if rare else ():
            yield cause, kind, says, formula, other


def running_statistics(symbols: dict) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Running statistics in training, before and after forward updates them: (how, mean, var).

    Where they are no inputs, the mean began at 0, and the variance at 0 or 1.
    """
    if symbols["layout"].layer != "BatchNorm":
        return
    x, c, var = symbols["x"], symbols["c"], symbols["var"]
    mu = (x - c).mean(axis=symbols["axes"], keepdims=True)
    given = [symbols["running"][role] for role in ("mean", "var") if symbols["running"].get(role, ("", None))[1] is not None]
    names = [name for name, _ in given] if len(given) == 2 else ["running_mean", "running_var"]
    starts = [(given[0][1], given[1][1], names[1])] if len(given) == 2 else [(0 * mu, 0 * var, "0"), (0 * mu, 1 + 0 * var, "1")]
    for mean, variance, old in starts:
        if len(given) == 2:
            yield f"{' and '.join(names)} stand", mean, variance
        for k in (0.9, 0.1):
            how = f"{' and '.join(names)}, updated ({k} * {old} + {1 - k:.1g} * var), stand"
            yield how, k * mean + (1 - k) * mu, k * variance + (1 - k) * var


def wrong_statistics(symbols: dict, rare: bool = True) -> Iterator[tuple[str, str, str, str, np.ndarray, np.ndarray]]:
    """What people take for mu and var: (cause, kind, sentence, formula, x - mu, rstd)."""
    x, eps, axes, layer = symbols["x"], symbols["eps"], symbols["axes"], symbols["layout"].layer
    mu = x.mean(axis=axes, keepdims=True)
    var = np.square(x - mu).mean(axis=axes, keepdims=True)
    with np.errstate(all="ignore"):
        if layer == "BatchNormEval":
            says = "the batch's own statistics stand for the running ones"
            yield "batch", "constants_as_statistics", says, "running_mean, running_var", x - mu, 1 / np.sqrt(var + eps)
        elif rare and layer != "RMSNorm":
            says = "mu and var are swapped"
            yield "swapped", "mean_var_swapped", says, "mu, var", x - var, 1 / np.sqrt(np.abs(mu) + eps)
        for says, mean, variance in running_statistics(symbols) if rare else ():
            says = f"{says} for the batch's own statistics"
            yield f"running {says}", "statistics_of_eval", says, "mu, var", x - mean, 1 / np.sqrt(variance + eps)
