"""Which normalisation layer is this? The one whose formula gives the output from the inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...report.evidence import Recognised
from .layouts import OTHER_DEVIATIONS, USUAL, Deviation, Layout, layouts, sizes_of

ROLES = {
    "x": ("x", "input", "inputs", "a", "z"),
    "gamma": ("gamma", "weight", "g", "scale", "w"),
    "beta": ("beta", "bias", "b", "shift", "offset"),
    "mean": ("running_mean", "mean", "mu", "moving_mean", "rm"),
    "var": ("running_var", "var", "variance", "moving_var", "moving_variance", "rv"),
}
CLOSE = 1e-7  # of the largest output
USUAL_EPS = [10.0**-k for k in range(1, 13)] + [2e-5, 5e-5, 5e-6]


def roles_of(names: list[str], inputs: list[Any]) -> dict[str, int]:
    """Symbol -> which input: by name, and what is left by order."""
    roles: dict[str, int] = {}
    arrays = [i for i, a in enumerate(inputs) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    for i in arrays:
        short = names[i].lower().rsplit(".", 1)[-1]
        for role, known in ROLES.items():
            if short in known and role not in roles:
                roles[role] = i
                break
    for i in arrays:
        if i not in roles.values():
            free = next((role for role in ROLES if role not in roles), None)
            if free:
                roles[free] = i
    return roles


def plain(hint: str | None) -> str:
    """A hint without case, digits and signs: "LayerNorm2d" -> "layernorm"."""
    return "".join(c for c in (hint or "").lower() if c.isalpha()).removesuffix("d")


def recognise(names: list[str], inputs: list[Any], output: np.ndarray, hint: str | None) -> Recognised | None:
    """The normalisation layer with its groups, eps, x_hat and rstd; None where it is none."""
    roles = roles_of(names, inputs)
    if "x" not in roles:
        return None
    x = inputs[roles["x"]]
    if x.ndim < 1 or x.shape != output.shape or x.size < 2 or not np.all(np.isfinite(output)):
        return None
    parameters = {role: inputs[i] for role, i in roles.items() if role != "x"}
    hinted = plain(hint)
    candidates = sorted(layouts(x.shape), key=lambda layout: plain(layout.layer) != hinted)
    for symbols in _matches(x, parameters, output, candidates):
        if symbols is not None:
            return _recognised(symbols, roles, names)
    return None


def _matches(x: np.ndarray, parameters: dict, output: np.ndarray, candidates: list[Layout]) -> Iterator[dict | None]:
    """What each formula makes of the output, the usual ones first."""
    running = Layout("BatchNormEval", x.shape, (0, *range(2, x.ndim)), (1, *x.shape[1:2], *(1 for _ in x.shape[2:])))
    if x.ndim > 1 and "mean" in parameters and "var" in parameters:
        yield _by_constants(x, parameters, output, running)
    for deviation in (USUAL, *OTHER_DEVIATIONS):
        for layout in candidates:
            if deviation == USUAL or not layout.layer.startswith("RMSNorm"):
                yield _by_statistics(x, parameters, output, layout, deviation)
    if x.ndim > 1 and "mean" not in parameters and "var" not in parameters:
        yield _by_channel(x, parameters, output, running)


def _recognised(symbols: dict, roles: dict[str, int], names: list[str]) -> Recognised:
    layer = symbols["layout"].layer
    used = {"x", "gamma", "beta"} if layer != "BatchNormEval" else {"x", "gamma", "beta", "mean", "var"}
    roles = {role: i for role, i in roles.items() if role in used}
    symbols["definitions"] = _definitions(symbols, {role: names[i] for role, i in roles.items()})
    return Recognised(layer, roles, symbols)


def _definitions(symbols: dict, names: dict[str, str]) -> dict[str, str]:
    """The symbols of the derivation, by the user's own names."""
    x, var = names["x"], names.get("var", "var")
    deviation: Deviation = symbols["deviation"]
    mean = "" if symbols["layout"].layer.startswith("RMSNorm") else f" - {names.get('mean', 'mu')}"
    var = f"mean({x}²)" if not mean else var
    found = {
        "rstd": f"rstd = 1 / {deviation.formula.format(var=var)}"
        if not symbols.get("fitted")
        else "rstd = 1 / sqrt(var + eps)",
        "x_hat": f"x_hat = ({x}{mean}) * rstd" if mean else f"x_hat = {x} * rstd",
    }
    if deviation != USUAL:
        found["k"] = f"k = {deviation.correction}"
    if symbols["gamma"] is not None:
        if names["gamma"] != "gamma":
            found["gamma"] = f"gamma = {names['gamma']}"
        if names["gamma"] != "g":
            found["g"] = "g = dy * gamma"
    return found


def _by_constants(x: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout) -> dict | None:
    mean, var = (layout.against(parameters[k], x.shape) for k in ("mean", "var"))
    if mean is None or var is None:
        return None
    return _matching(x, x - mean, var, parameters, y, layout)


def _by_channel(x: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout) -> dict | None:
    """Running statistics that are no inputs: (y - beta) / gamma is then a x + b, with one a and one b for each channel."""
    gamma, beta = (layout.against(parameters.get(k), x.shape) for k in ("gamma", "beta"))
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
    return _symbols(layout, 0.0, 1 / np.square(a), a, c, x, y, gamma) | {"fitted": True}


def _by_statistics(x: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout, deviation: Deviation) -> dict | None:
    v = x.reshape(layout.view)
    c = v
    if layout.layer != "RMSNorm":
        c = v - v.mean(axis=layout.axes, keepdims=True)
        c = c - c.mean(axis=layout.axes, keepdims=True)
    var = (c * c).mean(axis=layout.axes, keepdims=True)
    if deviation.unbiased:
        if layout.m < 3:
            return None
        var = var * (layout.m / (layout.m - 1))
    return _matching(v, c, var, parameters, y.reshape(layout.view), layout, deviation)


def _matching(
    v: np.ndarray,
    c: np.ndarray,
    var: np.ndarray,
    parameters: dict,
    y: np.ndarray,
    layout: Layout,
    deviation: Deviation = USUAL,
) -> dict | None:
    """The symbols, if y = gamma c / sqrt(var + eps) + beta, or with another deviation, for some eps >= 0."""
    gamma, beta = (layout.against(parameters.get(k), v.shape) for k in ("gamma", "beta"))
    if any(parameters.get(k) is not None and p is None for k, p in (("gamma", gamma), ("beta", beta))):
        return None
    scaled = c if gamma is None else gamma * c
    shifted = y if beta is None else y - beta
    weight = np.sum(scaled * scaled)
    if not weight > 0:
        return None
    # y - beta is scaled times rstd: where var is largest the group decides whether it can be this layer at all
    rstd = np.sum(shifted * scaled * np.ones_like(var)) / weight if var.size == 1 else _rstd(shifted, scaled, var, layout)
    with np.errstate(all="ignore"):
        measured = 1 / rstd - np.sqrt(var) if deviation.outside else 1 / np.square(rstd) - var
        eps = _usual(float(np.median(measured)), float(np.median(var)))
        right = 1 / (np.sqrt(var) + eps) if deviation.outside else 1 / np.sqrt(var + eps)
        predicted = scaled * right
        close = CLOSE * float(np.max(np.abs(shifted)))
        if not np.max(np.abs(predicted - shifted)) <= close:
            return None
    found = _symbols(layout, eps, var, right, c, v, y, gamma)
    if deviation != USUAL:
        ratio = layout.m / (layout.m - 1) if deviation.unbiased else 1.0
        found["correction"] = ratio / (right * np.sqrt(var)) if deviation.outside else np.full_like(var, ratio)
    return found | {"deviation": deviation}


def _symbols(
    layout: Layout,
    eps: float,
    var: np.ndarray,
    rstd: np.ndarray,
    c: np.ndarray,
    v: np.ndarray,
    y: np.ndarray,
    gamma: np.ndarray | None,
) -> dict:
    sizes = sizes_of(layout)
    return {
        "layout": layout,
        "view": layout.view,
        "axes": layout.axes,
        "m": layout.m,
        "eps": eps,
        "var": var,
        "rstd": rstd,
        "c": c,
        "x_hat": c * rstd,
        "x": v,
        "y": y,
        "gamma": gamma,
        "sizes": sizes,
        "variance": next(symbol for symbol, n in sizes.items() if n == layout.m),
        "deviation": USUAL,
    }


def _rstd(shifted: np.ndarray, scaled: np.ndarray, var: np.ndarray, layout: Layout) -> np.ndarray:
    """The rstd of each group, as the output has it."""
    axes = tuple(a for a, n in enumerate(var.shape) if n == 1)
    top, bottom = (np.sum(a, axis=axes, keepdims=True) for a in (shifted * scaled, scaled * scaled))
    with np.errstate(all="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


def _usual(eps: float, var: float) -> float:
    """The usual number that eps is, up to rounding; never negative."""
    noise = 1e-9 * var
    for usual in [0.0, *USUAL_EPS]:
        if abs(eps - usual) <= max(noise, 1e-6 * usual):
            return usual
    return max(eps, 0.0) if np.isfinite(eps) else 0.0
