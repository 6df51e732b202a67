"""The usual forward of a layer, told by the names of its function and arguments, and how the user's forward differs from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import from_numpy
from ...gradcheck.diagnosis.naming import exactly
from ..functions.call_pair import Call

LINEAR = (
    lambda x, weight, bias=0.0: x @ weight + bias,
    lambda x, weight, bias=0.0: weight @ x + bias,
    lambda x, weight, bias=0.0: x @ weight.T + bias,
    lambda x, weight, bias=0.0: x.reshape(len(x), -1) @ weight + bias,
)
ELEMENTWISE = ("relu", "sigmoid", "tanh", "softplus", "elu", "gelu", "silu", "softmax", "log_softmax")


def usual_outputs(call: Call) -> Iterator[tuple[str, Callable]]:
    """Yield (the layer's name, its usual output as a function of the call's inputs), if that has the shape of the output."""
    from ...nn import functional as F  # loads the layers, which a file without mistakes does not need

    kinds, name = dict(zip(call.kinds, range(len(call.kinds)), strict=True)), re.sub(r"\d", "", call.pair.name.lower())
    arrays = [kind for kind, x in zip(call.kinds, call.inputs, strict=True) if isinstance(x, np.ndarray)]
    if len(arrays) != len(set(arrays)) or "x" not in kinds:
        return
    options: list[tuple[str, Callable]] = []
    if set(arrays) in ({"x", "weight"}, {"x", "weight", "bias"}):
        if np.ndim(call.inputs[kinds["weight"]]) == 2:
            options += [("linear layer", forward) for forward in LINEAR]
        elif np.ndim(call.inputs[kinds["weight"]]) == 4:
            options.append(("convolution", lambda x, weight, bias=0.0: _convolution(F, x, weight, bias, _settings(call))))
    elif arrays == ["x"]:
        words = name.split("_")
        found = [f for f in ELEMENTWISE if f == name or f in words or f.replace("_", "") == name]
        options += [(f, lambda x, f=f: _of_tensor(getattr(F, f), x)) for f in found[-1:]]
    elif set(arrays) == {"x", "target"} and "mse" in name.split("_"):
        options += [("mean squared error", lambda x, target: np.mean((x - target) ** 2))]
    for layer, forward in options:

        def usual(*inputs: Any, forward: Callable = forward) -> Any:
            return forward(**{kind: inputs[i] for kind, i in kinds.items() if isinstance(inputs[i], np.ndarray)})

        try:
            fits = np.shape(usual(*call.inputs)) == call.shape
        except Exception:  # the shapes do not fit this layer
            continue
        if fits:
            yield layer, usual


def _of_tensor(function: Callable, *arrays: Any, **options: Any) -> Any:
    options |= {"dim": -1} if "softmax" in function.__name__ else {}
    return function(*map(from_numpy, arrays), **options).numpy()


def _settings(call: Call) -> dict[str, Any]:
    """Return the numbers of the call: its arguments, and those in a dict of settings."""
    found: dict[str, Any] = {}
    for name, x in zip(call.names, call.inputs, strict=True):
        found |= x if isinstance(x, dict) else {name: x}
    return found


def _convolution(F: Any, x: Any, weight: Any, bias: Any, settings: dict[str, Any]) -> Any:
    """A convolution with the channels first, or last: by the place of the channels in the kernels."""
    options = {"stride": settings.get("stride", 1), "padding": settings.get("pad", settings.get("padding", 0))}
    last = x.shape[-1] == weight.shape[2] and x.shape[1] != weight.shape[1]
    x, weight = (x.transpose(0, 3, 1, 2), weight.transpose(3, 2, 0, 1)) if last else (x, weight)
    out = _of_tensor(F.conv2d, x, weight, **options) + np.reshape(bias, (-1, 1, 1))
    return out.transpose(0, 2, 3, 1) if last else out


def how_it_differs(call: Call, out: np.ndarray, usual: np.ndarray) -> str:
    """Say in a few words how an output differs from the usual one."""
    first = usual.ndim == 4 and call.layout is not None and call.layout.convolved == "first"
    for name, x, kind in zip(call.names, call.inputs, call.kinds, strict=True):
        if kind == "bias":
            b = np.reshape(x, (-1, 1, 1)) if first else x
            k = _multiple(out - usual, np.broadcast_to(b, usual.shape))
            if k is not None:
                return f"it adds {name} {exactly(k + 1)} times" if k != -1 else f"it does not add {name}"
    k = _multiple(out, usual)
    if k is not None:
        return f"its output is {exactly(k)} times the usual one"
    at = np.unravel_index(int(np.argmax(np.abs(out - usual))), out.shape)
    where = f" at ({', '.join(map(str, at))})" if out.ndim else ""
    return f"its output{where} is {out[at]:.6g}, where the usual one is {usual[at]:.6g}"


def _multiple(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return k where a = k b, else None."""
    k = float(np.sum(a * b) / np.sum(b * b)) if np.any(b) else 0.0
    return k if k and np.allclose(a, k * b, rtol=1e-9, atol=1e-9 * float(np.max(np.abs(b)))) else None
