"""Choose between several ways to understand a class: the first with which its gradients are right."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..read.read_code import code_of
from .call_layer import BEFORE, Layer
from .parameters import values_of
from .usual_losses import USUAL_LOSSES


def ways_to_read(layer: Layer) -> Iterator[Layer]:
    """Yield a layer as it is; then with other losses, other targets, another rate, or another layer before it."""
    yield layer
    if layer.usual:
        yield from (replace(layer, usual=name) for name in USUAL_LOSSES)
    if layer.updated:
        yield from (replace(layer, rate=rate) for rate in _numbers_in(getattr(layer.cls, layer.methods.backward)))
    losses = [layer]
    if layer.loss and any(np.ndim(y) and np.size(y) > 1 for y in layer.parts(layer.run(values_of(layer)))[:1]):
        losses += [replace(layer, reduced=np.sum)]
    t: Any = layer.arguments.get(layer.target)
    if isinstance(t, np.ndarray) and t.ndim == 2 and np.array_equal(np.sort(t, axis=1), np.eye(t.shape[1])[[-1] * len(t)]):
        columns = np.eye(len(t))[:, np.arange(t.shape[1]) % len(t)]
        losses += [replace(one, arguments=one.arguments | {one.target: columns}) for one in losses]
    yield from losses[1:]
    if layer.loss and not layer.parameters and layer.methods.how != "cost":
        yield from (replace(one, before=name) for one in losses for name in BEFORE)
    if layer.loss and re.search("bin|bce|logistic|sigmoid", layer.name, re.IGNORECASE) and np.ndim(t) == 2:
        column = {name: x[:, :1] if np.shape(x) == np.shape(t) else x for name, x in layer.arguments.items()}
        yield from (replace(layer, arguments=column, before=name) for name in ("", "a sigmoid"))


def _numbers_in(function: Callable) -> list[float]:
    """Return the numbers that a function writes out: a rate of learning may be among them."""
    code = code_of(function)
    found = [node.value for node in ast.walk(code) if isinstance(node, ast.Constant)] if code else []
    return list(dict.fromkeys(x for x in found if isinstance(x, float) and 0 < x < 1))


def agrees(layer: Layer) -> bool:
    """Whether the gradients are forward's along one direction. That is no verdict: it chooses between ways to read a class."""
    rng, step = np.random.default_rng(0), 1e-5
    values = values_of(layer)
    floats = [i for i, x in enumerate(values) if differentiable(x)]

    def outputs(t: float) -> tuple[np.ndarray, Any]:
        np.random.seed(0)  # noqa: NPY002
        out, used = layer(*[x + t * ways[i] if i in ways else fresh(x) for i, x in enumerate(values)])
        return np.concatenate([np.ravel(y) for y in (out if isinstance(out, tuple) else (out,))]), (out, used)

    ways: dict[int, np.ndarray] = {}
    _, (out, used) = outputs(0.0)
    several = out if isinstance(out, tuple) else (out,)
    u = [rng.standard_normal(np.shape(y))[()] for y in several]
    grads = layer.backward(tuple(u) if isinstance(out, tuple) else u[0], used)
    ways.update({i: rng.standard_normal(values[i].shape) for i, g in zip(floats, grads, strict=True) if g is not None})
    parts = np.array([np.sum(g * ways[i]) for i, g in zip(floats, grads, strict=True) if g is not None])
    v = np.concatenate([np.ravel(x) for x in u])
    slope = (v @ outputs(step)[0] - v @ outputs(-step)[0]) / (2 * step)
    return bool(len(parts) and np.any(parts) and abs(parts.sum() - slope) <= 1e-4 * np.abs(parts).sum())
