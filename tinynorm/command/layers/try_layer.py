"""Run forward and backward of a class once, and rank them: is the output finite, and do the gradients' shapes fit?"""

from __future__ import annotations

from math import prod

import numpy as np

from ...gradcheck.problem.problem import differentiable
from ..functions.depends import moves
from ..functions.kinds import kind_of
from ..run_code import attempt
from .by_chance import rows_in
from .call_layer import Layer
from .parameters import find_parameters, values_of


def rank_of(layer: Layer, words: str, finite: bool) -> tuple[bool, bool, bool, bool]:
    """Return whether the output is finite and depends on x, whether backward works, and whether the gradients' shapes are
    right: those of all but the biases, and of all."""
    _, error = attempt(find_parameters, layer)
    if error is not None:
        return finite, False, False, False
    values = values_of(layer)
    (out, used), error = attempt(layer, *values)
    finite = finite and (not values or moves(layer.outputs, values, 0, words, layer.parts(used)))
    douts = [np.random.default_rng(0).standard_normal(np.shape(y))[()] for y in (out if isinstance(out, tuple) else [out])]
    grads, error = attempt(layer.backward, tuple(douts) if isinstance(out, tuple) else douts[0], used)
    if error is not None:
        return finite, False, False, False
    if "softmax" in words.replace("_", "") and not layer.loss and any(np.array_equal(g, u) for g in grads[:1] for u in douts):
        says = "hands dout on as it is, right only after a loss whose backward is the gradient of both together, p - y"
        layer.doubt = f"{layer.methods.backward} {says}; that loss is checked with a softmax before it"
    floats = {name: x for name, x in zip(layer.names, values, strict=True) if differentiable(x)}
    fits = {name: g is not None and np.shape(g) == x.shape for (name, x), g in zip(floats.items(), grads, strict=True)}
    steps = np.shape(used.scores) if layer.methods.how == "cost" else ()
    targets = np.size(layer.arguments.get(layer.target, 0))
    every = len(steps) < 3 or targets in (prod(steps), prod(steps[:-1]))  # a target for each step
    rows = zip(floats.values(), grads, strict=True) if rows_in(layer.arguments) > 1 else ()
    layer.unsummed = any(np.ndim(g) > x.ndim > 0 and np.shape(g)[-x.ndim :] == x.shape for x, g in rows)
    weights = bool(fits) and all(fits[name] for name in fits if not kind_of(name).endswith("bias"))
    return finite, True, weights, bool(fits) and all(fits.values()) and every
