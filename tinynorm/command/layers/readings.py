"""Choose between several ways to understand a class: the first with which its gradients are right."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..functions.kinds import kind_of
from ..read.read_code import code_of, methods_of, parameters
from ..run_code import attempt
from .arguments import PREDICTIONS, TRUE
from .attributes import RATES, names_gradient
from .call_layer import BEFORE, Layer
from .find_layers import attributes_in
from .parameters import find_parameters, values_of
from .roles import COUNTS
from .usual_losses import USUAL_LOSSES


def ways_to_read(layer: Layer) -> Iterator[Layer]:
    """Yield a layer as it is; then with other losses, other targets, another rate, or another layer before it."""
    yield layer
    losses = [layer, *(replace(layer, usual=name) for name in USUAL_LOSSES if layer.usual and name != layer.usual)]
    if layer.updated:
        yield from (replace(layer, rate=rate) for rate in _numbers_in(getattr(layer.cls, layer.methods.backward)))
    if layer.loss and any(np.ndim(y) and np.size(y) > 1 for y in layer.parts(layer.run(values_of(layer)))[:1]):
        losses += [replace(layer, reduced=np.sum)]
    t: Any = layer.arguments.get(layer.target)
    if isinstance(t, np.ndarray) and t.ndim == 2 and np.isin(t, (0, 1)).all():
        columns = np.eye(len(t))[:, np.arange(t.shape[1]) % len(t)]
        losses += [replace(one, arguments=one.arguments | {one.target: columns}) for one in losses]
    yield from losses[1:]
    names, counted = list(layer.arguments), [name for name in layer.roles if name in COUNTS and layer.roles[name][0] == "value"]
    for number in {n for x in layer.arguments.values() for n in (np.size(x), *np.shape(x)[-1:])} if counted else ():
        yield replace(layer, roles=layer.roles | dict.fromkeys(counted, ("value", number)))
    unclear = not layer.parameters and not any(TRUE.search(name) or PREDICTIONS.search(name) for name in names)
    if layer.loss and unclear and len(names) == 2 and layer.silent == set(layer.targets) & set(names[:1]):
        yield replace(layer, targets=names[1:], silent={names[1]})  # loss(y, d)
    if layer.loss and not layer.parameters and layer.methods.how != "cost":
        yield from (replace(one, before=name) for one in losses for name in BEFORE)
    if layer.loss and re.search("bin|bce|logistic|sigmoid", layer.name, re.IGNORECASE) and np.ndim(t) == 2:
        column = {name: x[:, :1] if np.shape(x) == np.shape(t) else x for name, x in layer.arguments.items()}
        yield from (replace(layer, arguments=column, before=name) for name in ("", "a sigmoid"))


def with_a_method_after(layer: Layer) -> Layer:
    """Return the layer with the method called after backward that makes most gradients right which backward does not make."""
    names = [re.split(r"[.\[]", name)[0] for name in layer.unseen] + [name for name in layer.parameters if name.isidentifier()]
    set_in_backward = attributes_in(getattr(layer.cls, layer.methods.backward))
    found, best = layer, attempt(share_right, layer)[0] or 0.0
    for title, method in methods_of(layer.cls).items():
        sets = attributes_in(method) - set_in_backward
        rates = all(RATES.fullmatch(p.name) or p.default is not p.empty for p in parameters(method)[1:])
        makes = any(name in sets or any(names_gradient(one, name) for one in sets) for name in names)
        if makes and rates and title not in (layer.methods.forward, layer.methods.backward):
            other = layer.anew(after=title)
            _, error = attempt(find_parameters, other)
            share = (attempt(share_right, other)[0] or 0.0) if error is None else 0.0
            if share > best or (other.parameters.keys() > layer.parameters.keys() and share >= min(best, 0.5)):
                found, best = other, share
    return found


def _numbers_in(function: Callable) -> list[float]:
    """Return the numbers that a function writes out: a rate of learning may be among them."""
    code = code_of(function)
    found = [node.value for node in ast.walk(code) if isinstance(node, ast.Constant)] if code else []
    return list(dict.fromkeys(x for x in found if isinstance(x, float) and 0 < x < 1))


def share_right(layer: Layer) -> float:
    """Return the share of the gradients' elements that are forward's along one direction.

    That is no verdict: it chooses between ways to read a class. Where a bias alone is right, it may be another loss, with a
    penalty for the weights; that counts as 0.
    """
    rng, step = np.random.default_rng(0), 1e-5
    values = values_of(layer)
    floats = [i for i, x in enumerate(values) if differentiable(x)]

    def outputs(moved: int, way: Any) -> tuple[np.ndarray, Any]:
        np.random.seed(0)  # noqa: NPY002
        out, used = layer(*[x + way if i == moved else fresh(x) for i, x in enumerate(values)])
        return np.concatenate([np.ravel(y) for y in (out if isinstance(out, tuple) else (out,))]), (out, used)

    _, (out, used) = outputs(-1, 0.0)
    u = [rng.standard_normal(np.shape(y))[()] for y in (out if isinstance(out, tuple) else (out,))]
    grads = layer.backward(tuple(u) if isinstance(out, tuple) else u[0], used)
    v, right, wrong, biases = np.concatenate([np.ravel(x) for x in u]), 0, 0, 0
    for i, g in zip(floats, grads, strict=True):
        if g is not None:
            way = rng.standard_normal(values[i].shape)
            slope = v @ (outputs(i, step * way)[0] - outputs(i, -step * way)[0]) / (2 * step)
            agrees = abs(np.sum(g * way) - slope) <= 1e-4 * np.abs(g * way).sum()  # not where one is NaN
            if not np.any(g) or not agrees:
                wrong += g.size
            elif kind_of(layer.names[i]).endswith("bias"):
                biases += g.size
            else:
                right += g.size
    return (right + biases) / (right + biases + wrong) if right or (biases and not wrong) else 0.0
