"""Which normalisation layer is it? The one whose formula gives the output of forward from its inputs.

The formula is y = gamma * x_hat + beta with x_hat = (x - mu) * rstd and rstd = 1 / sqrt(var + eps). For each layout of groups,
mu and var follow from x, and eps from y. The layer is recognised if the formula then gives all of y.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...report.evidence import Recognised
from .layouts import OTHER_DEVIATIONS, USUAL, Deviation, Layout, layouts

ROLES = {  # role -> the names that people give to this input
    "x": ("x", "input", "inputs", "a", "z"),
    "gamma": ("gamma", "weight", "g", "scale", "w"),
    "beta": ("beta", "bias", "b", "shift", "offset"),
    "mean": ("running_mean", "mean", "mu", "moving_mean", "rm"),
    "var": ("running_var", "var", "variance", "moving_var", "moving_variance", "rv"),
}
# The largest difference between the output and the formula, relative to the largest output. Both are computed in float64: the
# right formula leaves 1e-15, and 3e-9 if the mean of x is 1e8 times its standard deviation. Another formula leaves far more.
CLOSE = 1e-7
USUAL_EPS = (0.0, *(10.0**-k for k in range(1, 13)), 2e-5, 5e-5, 5e-6)


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """The normalisation layer with its groups, eps, x_hat and rstd; None if it is no such layer."""
    roles = _roles(names, inputs)
    if "x" not in roles:
        return None
    x = inputs[roles["x"]]
    if x.ndim < 1 or x.shape != output.shape or x.size < 2 or not np.all(np.isfinite(output)):
        return None
    parameters = {role: inputs[i] for role, i in roles.items() if role != "x"}
    candidates = sorted(layouts(x.shape), key=lambda layout: plain(layout.layer) != plain(hint))
    symbols = next((found for found in _matches(x, parameters, output, candidates) if found is not None), None)
    if symbols is None:
        return None
    layer = symbols["layout"].layer
    found = {role: (names[roles[role]], symbols["layout"].aligned(p, x.shape)) for role, p in parameters.items()}
    symbols["beta"] = found.get("beta", ("", None))[1]
    symbols["running"] = {role: found[role] for role in ("mean", "var") if role in found}
    used = ROLES if layer == "BatchNormEval" else ("x", "gamma", "beta")
    roles = {role: i for role, i in roles.items() if role in used}
    symbols["definitions"] = _definitions(symbols, {role: names[i] for role, i in roles.items()})
    return Recognised(layer, roles, symbols)


def plain(hint: str | None) -> str:
    """A layer's name without case, digits and signs: "LayerNorm2d" -> "layernorm"."""
    return "".join(c for c in (hint or "").lower() if c.isalpha()).removesuffix("d")


def _roles(names: list[str], inputs: list[Any]) -> dict[str, int]:
    """Role -> index of the input: of the one with such a name, or of the next one without a known name."""
    roles: dict[str, int] = {}
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    for i in arrays:
        name = names[i].lower().rsplit(".", 1)[-1]
        role = next((role for role, known in ROLES.items() if name in known and role not in roles), None)
        if role:
            roles[role] = i
    for i in arrays:
        role = next((role for role in ROLES if role not in roles), None)
        if role and i not in roles.values():
            roles[role] = i
    return roles


def _definitions(symbols: dict, names: dict[str, str]) -> dict[str, str]:
    """Symbol -> its definition, with the user's names of the inputs."""
    x, deviation = names["x"], symbols["deviation"]
    if symbols["layout"].layer == "RMSNorm":
        x_hat, var = f"{x} * rstd", f"mean({x}²)"
    else:
        x_hat, var = f"({x} - {names.get('mean', 'mu')}) * rstd", names.get("var", "var")
    root = "sqrt(var + eps)" if symbols.get("fitted") else deviation.formula.format(var=var)
    found = {"rstd": f"rstd = 1 / {root}", "x_hat": f"x_hat = {x_hat}"}
    if deviation != USUAL:
        found["k"] = f"k = {deviation.correction}"
    if symbols["gamma"] is not None:
        if names["gamma"] != "gamma":
            found["gamma"] = f"gamma = {names['gamma']}"
        if names["gamma"] != "g":
            found["g"] = "g = dy * gamma"
    return found


def _matches(x: np.ndarray, parameters: dict, y: np.ndarray, candidates: list[Layout]) -> Iterator[dict | None]:
    """The symbols of each layer that x may have gone through, or None if its formula does not give y; usual layers first."""
    running = Layout("BatchNormEval", x.shape, (0, *range(2, x.ndim)), (1, *x.shape[1:2], *(1 for _ in x.shape[2:])))
    mean, var = (running.aligned(parameters.get(role), x.shape) for role in ("mean", "var"))
    if x.ndim > 1 and mean is not None and var is not None:
        yield _with_some_eps(x, x - mean, var, parameters, y, running)
    for deviation in (USUAL, *OTHER_DEVIATIONS):
        for layout in candidates:
            if deviation == USUAL or layout.layer != "RMSNorm":
                yield _with_statistics_of(x, parameters, y, layout, deviation)
    if x.ndim > 1 and "mean" not in parameters and "var" not in parameters:
        yield _with_fitted_statistics(x, parameters, y, running)


def _with_statistics_of(x: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout, deviation: Deviation) -> dict | None:
    """Forward normalises with the mean and the variance of each group of x."""
    v = c = x.reshape(layout.view)
    if layout.layer != "RMSNorm":
        c = v - v.mean(axis=layout.axes, keepdims=True)
        c = c - c.mean(axis=layout.axes, keepdims=True)  # the first mean has a rounding error, which matters if it is large
    var = (c * c).mean(axis=layout.axes, keepdims=True)
    if deviation.unbiased:
        if layout.m < 3:
            return None
        var = var * (layout.m / (layout.m - 1))
    return _with_some_eps(v, c, var, parameters, y.reshape(layout.view), layout, deviation)


def _with_some_eps(
    v: np.ndarray, c: np.ndarray, var: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout, deviation: Deviation = USUAL
) -> dict | None:
    """The symbols, if y = gamma * c / sqrt(var + eps) + beta, or the same with another deviation, for some eps >= 0."""
    gamma, beta = (layout.aligned(parameters.get(role), v.shape) for role in ("gamma", "beta"))
    if any(parameters.get(role) is not None and p is None for role, p in (("gamma", gamma), ("beta", beta))):
        return None
    scaled = c if gamma is None else gamma * c
    shifted = y if beta is None else y - beta  # scaled * rstd, in this layer
    squares = scaled * scaled
    if not np.sum(squares) > 0:
        return None
    axes = tuple(a for a, n in enumerate(var.shape) if n == 1)
    top, bottom = (np.sum(a, axis=axes, keepdims=True) for a in (shifted * scaled, squares))
    with np.errstate(all="ignore"):
        rstd = np.where(bottom > 0, top / bottom, np.nan)
        eps = _rounded(np.median(1 / rstd - np.sqrt(var) if deviation.eps_outside else 1 / np.square(rstd) - var), var)
        rstd = 1 / (np.sqrt(var) + eps) if deviation.eps_outside else 1 / np.sqrt(var + eps)
        if not np.max(np.abs(scaled * rstd - shifted)) <= CLOSE * np.max(np.abs(shifted)):
            return None
    found = _symbols(layout, eps, var=var, rstd=rstd, c=c, x=v, y=y, gamma=gamma) | {"deviation": deviation}
    if deviation != USUAL:
        ratio = layout.m / (layout.m - 1) if deviation.unbiased else 1.0
        found["correction"] = ratio / (rstd * np.sqrt(var)) if deviation.eps_outside else np.full_like(var, ratio)
    return found


def _with_fitted_statistics(x: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout) -> dict | None:
    """Forward has running statistics that are no inputs: then (y - beta) / gamma = a x + b, with a and b for each channel."""
    gamma, beta = (layout.aligned(parameters.get(role), x.shape) for role in ("gamma", "beta"))
    if gamma is None or beta is None or not np.all(gamma) or layout.m < 4:
        return None
    x_hat = (y - beta) / gamma
    mu, centre = (a.mean(axis=layout.axes, keepdims=True) for a in (x, x_hat))
    spread = np.square(x - mu).sum(axis=layout.axes, keepdims=True)
    a = np.sum((x - mu) * (x_hat - centre), axis=layout.axes, keepdims=True) / np.where(spread > 0, spread, np.nan)
    c = x - (mu - centre / a)
    if not np.all(a > 0) or np.max(np.abs(c * a - x_hat)) > CLOSE * np.max(np.abs(x_hat)):
        return None
    if np.all(np.abs(a - 1) < 1e-9) and np.max(np.abs(x - c)) < 1e-9 * np.max(np.abs(x)):
        return None  # y = gamma x + beta, which normalises nothing
    return _symbols(layout, 0.0, var=1 / np.square(a), rstd=a, c=c, x=x, y=y, gamma=gamma) | {"fitted": True}


def _rounded(eps: float, var: np.ndarray) -> float:
    """The usual value of eps that differs from this one by rounding only, else this one; never negative."""
    rounding = 1e-9 * float(np.median(var))
    usual = (e for e in USUAL_EPS if abs(eps - e) <= max(rounding, 1e-6 * e))
    return next(usual, max(float(eps), 0.0) if np.isfinite(eps) else 0.0)


def _symbols(layout: Layout, eps: float, **arrays: Any) -> dict:
    """What the derivation speaks of, by symbol: arrays in the layout's view. c is x - mu, or x in RMSNorm."""
    about = {"layout": layout, "view": layout.view, "axes": layout.axes, "m": layout.m, "sizes": layout.sizes}
    about["variance"] = next(symbol for symbol, n in layout.sizes.items() if n == layout.m)
    return {**about, **arrays, "x_hat": arrays["c"] * arrays["rstd"], "eps": eps, "deviation": USUAL}
