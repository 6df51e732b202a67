"""Which normalisation layer is this? The one whose formula gives the output from the inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..evidence import Recognised

ROLES = {
    "x": ("x", "input", "inputs", "a", "z"),
    "gamma": ("gamma", "weight", "g", "scale", "w"),
    "beta": ("beta", "bias", "b", "shift", "offset"),
    "mean": ("running_mean", "mean", "mu", "moving_mean", "rm"),
    "var": ("running_var", "var", "variance", "moving_var", "moving_variance", "rv"),
}
CLOSE = 1e-7  # of the largest output
USUAL_EPS = [10.0**-k for k in range(1, 13)] + [2e-5, 5e-5, 5e-6]


class Layout:
    """A layer's groups: the view of x in which they lie along `axes`, and how a parameter is laid against that view."""

    def __init__(self, layer: str, view: tuple[int, ...], axes: tuple[int, ...], parameter: tuple[int, ...]) -> None:
        self.layer, self.view, self.axes, self.parameter = layer, view, axes, parameter
        self.m = int(np.prod([view[a] for a in axes]))

    def against(self, p: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
        """A parameter ready to broadcast; None where it does not fit."""
        if p is None:
            return None
        if p.ndim == len(shape) and p.ndim > 1 and self.view == shape:
            fits = all(n in (1, s) for n, s in zip(p.shape, shape, strict=True))
            return p if fits else None
        if p.size != int(np.prod(self.parameter)):
            return None
        return p.reshape(self.parameter)


def layouts(shape: tuple[int, ...]) -> Iterator[Layout]:
    """All layers that x of this shape may have gone through."""
    ndim, rest = len(shape), tuple(range(2, len(shape)))
    channel = (1, *shape[1:2], *(1 for _ in rest))
    yield Layout("BatchNorm", shape, (0, *rest), channel)
    for k in range(1, ndim):
        trailing = tuple(range(ndim - k, ndim))
        parameter = (*(1 for _ in range(ndim - k)), *shape[ndim - k :])
        yield Layout("LayerNorm", shape, trailing, parameter)
        yield Layout("RMSNorm", shape, trailing, parameter)
    if ndim > 2:
        yield Layout("InstanceNorm", shape, rest, channel)
        yield Layout("BatchNorm", shape, tuple(range(ndim - 1)), (*(1 for _ in range(ndim - 1)), shape[-1]))
    C = shape[1]
    for G in range(1, C):
        if C % G == 0:
            view = (shape[0], G, C // G, *shape[2:])
            yield Layout("GroupNorm", view, tuple(range(2, len(view))), (1, G, C // G, *(1 for _ in rest)))


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
    if x.ndim < 2 or x.shape != output.shape or x.size < 2 or not np.all(np.isfinite(output)):
        return None
    parameters = {role: inputs[i] for role, i in roles.items() if role != "x"}
    hinted = plain(hint)
    if "mean" in parameters and "var" in parameters:
        found = _by_constants(
            x, parameters, output, Layout("BatchNormEval", x.shape, (0, *range(2, x.ndim)), _channel(x.shape))
        )
        if found is not None:
            return _recognised(found, roles, parameters)
    candidates = sorted(layouts(x.shape), key=lambda layout: plain(layout.layer) != hinted)
    for layout in candidates:
        found = _by_statistics(x, parameters, output, layout)
        if found is not None:
            return _recognised(found, roles, parameters)
    return None


def _channel(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, shape[1], *(1 for _ in shape[2:]))


def _recognised(symbols: dict, roles: dict[str, int], parameters: dict) -> Recognised:
    layer = symbols["layout"].layer
    used = {"x", "gamma", "beta"} if layer != "BatchNormEval" else {"x", "gamma", "beta", "mean", "var"}
    return Recognised(layer, {role: i for role, i in roles.items() if role in used}, symbols)


def _by_constants(x: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout) -> dict | None:
    mean, var = (layout.against(parameters[k], x.shape) for k in ("mean", "var"))
    if mean is None or var is None:
        return None
    return _matching(x, x - mean, var, parameters, y, layout)


def _by_statistics(x: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout) -> dict | None:
    v = x.reshape(layout.view)
    c = v
    if layout.layer != "RMSNorm":
        c = v - v.mean(axis=layout.axes, keepdims=True)
        c = c - c.mean(axis=layout.axes, keepdims=True)
    var = (c * c).mean(axis=layout.axes, keepdims=True)
    return _matching(v, c, var, parameters, y.reshape(layout.view), layout)


def _matching(v: np.ndarray, c: np.ndarray, var: np.ndarray, parameters: dict, y: np.ndarray, layout: Layout) -> dict | None:
    """The symbols, if y = gamma c / sqrt(var + eps) + beta for some eps >= 0."""
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
        eps = _usual(float(np.median(1 / np.square(rstd) - var)), float(np.median(var)))
        right = 1 / np.sqrt(var + eps)
        predicted = scaled * right
        close = CLOSE * float(np.max(np.abs(shifted)))
        if not np.max(np.abs(predicted - shifted)) <= close:
            return None
    sizes = {"N": v.shape[0], "m": layout.m} | ({"C": v.shape[1]} if layout.layer != "LayerNorm" else {})
    return {
        "layout": layout,
        "view": layout.view,
        "axes": layout.axes,
        "m": layout.m,
        "eps": eps,
        "var": var,
        "rstd": right,
        "c": c,
        "x_hat": c * right,
        "x": v,
        "y": y,
        "gamma": gamma,
        "sizes": sizes,
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
