"""Choose between several ways to understand a class: the first with which its gradients are right."""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import Problem
from ..functions.depends import agreeing
from ..functions.kinds import REGULARISED, kind_of
from ..other_numpy import numpy_with, unclipped
from ..read.read_code import code_of, is_gradient_of, methods_in, nodes_of, parameters
from ..run_code import UserError, attempt
from .arguments import PREDICTIONS, TRUE
from .attributes import RATES, names_gradient
from .call_layer import BEFORE, USUAL_LOSSES, Layer
from .find_layers import attributes_in, reached
from .parameters import find_parameters, values_of

# An error that is the target minus the output: with it, a step down adds.
TARGET_FIRST = re.compile(
    rf"err\w*(\.append\(| = ).*\b(\w*({TRUE.pattern})\w*|y|output|data)(\[\w+\])* ?- ?[\w.]*(pred|out|hat|guess|input|forward)"
    r"|= -\([\w.]*(pred|out|hat)\w* - (target|y|label)|err\w* = -\w*(softmax|sigmoid)\(",
    re.IGNORECASE,
)


def ways_to_read(layer: Layer) -> Iterator[Layer]:
    """Yield a layer as it is; then with other losses, other targets, another rate, or another layer before it."""
    yield layer
    used = layer.run(values_of(layer))
    out, kept = layer.parts(used)[0], vars(used.object) if layer.douts and hasattr(used.object, "__dict__") else {}
    named = [
        name for name, a in kept.items() if getattr(a, "shape", ()) == np.shape(out) and is_gradient_of(layer.douts[0], name)
    ]
    yield from (replace(layer, scores=name) for name in named if not np.array_equal(kept[name], out))
    x = next((np.shape(x) for x in layer.arguments.values() if np.ndim(x) == np.ndim(out) > 2), ())
    longer = [k for k in range(len(x) - 1) if np.shape(out)[k] == x[k] + 1]
    yield from (replace(layer, later=(np.s_[:],) * k + (np.s_[1:],)) for k in longer)
    several = used.returned if isinstance(used.returned, tuple) else (used.returned,)
    if layer.packed and len(layer.douts) == 1 and any(isinstance(y, list) and len(y) > 1 for y in several):
        yield replace(layer, last=True)
    losses = [layer, *(replace(layer, usual=name) for name in USUAL_LOSSES if layer.usual and name != layer.usual)]
    if layer.updated:
        nodes, known = nodes_of(getattr(layer.cls, layer.methods.backward)), vars(sys.modules[layer.cls.__module__])
        numbers = [getattr(node, "value", known.get(getattr(node, "id", ""))) for node in nodes]
        rates = dict.fromkeys(number for number in numbers if isinstance(number, float) and 0 < number < 1)
        yield from (replace(layer, rate=rate) for rate in rates)
        files = layer.path.parent.glob("*.py") if any("err" in name.lower() for name in layer.douts) else []
        if any(TARGET_FIRST.search("".join(linecache.getlines(f"{file}"))) for file in files):
            yield replace(layer, rate=-1.0)
    each = layer.loss and np.size(out) > 1  # a loss for each sample
    if each:
        losses += [replace(layer, reduced=np.sum)]
    t: Any = layer.arguments.get(layer.target)
    if isinstance(t, np.ndarray) and t.ndim == 2 and np.isin(t, (0, 1)).all():
        columns = np.eye(len(t))[:, np.arange(t.shape[1]) % len(t)]
        losses += [replace(one, arguments=one.arguments | {one.target: columns}) for one in losses]
    yield from losses[1:]
    names = list(layer.arguments)
    unclear = not layer.parameters and not any(TRUE.search(name) or PREDICTIONS.search(name) for name in names)
    if layer.loss and unclear and len(names) == 2 and layer.silent == set(layer.targets) & set(names[:1]):
        yield replace(layer, targets=names[1:], silent={names[1]})  # loss(y, d)
    if layer.loss and not layer.parameters and layer.methods.how != "cost":
        yield from (replace(one, before=name) for one in losses for name in BEFORE)
    lone = np.ndim(t) == 1  # a number for each sample, beside rows of several
    if layer.loss and (lone or not each) and re.search("bin|bce|logistic|sigmoid", layer.name, re.IGNORECASE) and np.ndim(t):
        code = "".join(ast.unparse(code_of(method) or ast.Pass()) for method in methods_in(layer.cls).values())
        one = np.s_[:1] if "shape[1]" in code else np.s_[:, :1]  # one output, for samples in columns or in rows
        given = layer.arguments.items()
        alone = {name: x[one] if np.ndim(x) == 2 and (lone or np.shape(x) == np.shape(t)) else x for name, x in given}
        yield from (replace(layer, arguments=alone, before=name) for name in ("", "a sigmoid"))


def most_right(options: list[Layer]) -> Layer:
    """Return the one that makes most gradients right of several ways to understand a class, the first of these."""
    every = [one for layer in options for one in ways_to_read(layer)]
    if len(every) == 1 and not every[0].doubt:
        return every[0]
    shares = _shares_right(every)
    if max(shares) < 1:
        with numpy_with(clip=unclipped):  # as a recurrent network may clip its gradients
            shares = max(shares, _shares_right(every), key=max)
    if not any(shares) and every[0].doubt:
        up = [one for one in every if one.updated and attempt(share_right, replace(one, rate=-one.rate))[0] == 1]
        if not up:
            raise UserError(every[0].doubt)
        return up[0]  # each of its steps is up that loss
    return every[shares.index(max(shares))]


def _shares_right(options: list[Layer]) -> list[float]:
    """Return the share of each of some layers, up to the first that is right."""
    shares: list[float] = []
    while len(shares) < len(options) and 1 not in shares:
        shares.append(attempt(share_right, options[len(shares)])[0] or 0.0)
    return shares


def with_a_method_after(layer: Layer) -> Layer:
    """Return the layer with the method called after backward that makes most gradients right which backward does not make."""
    names = [re.split(r"[.\[]", name)[0] for name in layer.unseen]
    names += [name.split("[")[0] for name in layer.parameters if "." not in name]
    set_in_backward = attributes_in(getattr(layer.cls, layer.methods.backward))
    found, best, methods = layer, attempt(share_right, layer)[0] or 0.0, methods_in(layer.cls)
    made_by = attributes_in(methods.get("__init__"), ast.Load)
    for title, method in methods.items():
        sets = attributes_in(method) - set_in_backward
        needed = [p.name for p in parameters(method)[1:] if p.default is p.empty]
        rates = all(RATES.fullmatch(name) or name in (*REGULARISED, *layer.arguments, *layer.roles) for name in needed)
        makes = any(name in sets or any(names_gradient(one, name) for one in sets) for name in names)
        known = title[:2] == "__" or title in (layer.methods.forward, layer.methods.backward, *made_by)
        if makes and rates and not known:
            other = layer.anew(after=title)
            _, error = attempt(find_parameters, other)
            share = (attempt(share_right, other)[0] or 0.0) if error is None else 0.0
            steps = any(attributes_in(methods[name], ast.Load) & set_in_backward for name in reached(layer.cls, title))
            least = 0.0 if steps else min(best, 0.5)  # it steps with what backward has made
            more, fewer = (len(a.parameters.keys() - b.parameters.keys()) for a, b in ((other, layer), (layer, other)))
            if not fewer and (share > best or (more and share >= least)):
                found, best = other, share
    return found


def share_right(layer: Layer) -> float:
    """Return the share of the gradients' elements that are forward's along one direction.

    That is no verdict: it chooses between ways to read a class. Where a bias alone is right, it may be another loss, with a
    penalty for the weights; that counts as 0.
    """
    problem = Problem(layer, layer.backward, values_of(layer), layer.names)
    found = [(name, g.size, right and bool(np.any(g))) for name, g, right in agreeing(problem)]
    total, right = sum(size for _, size, _ in found), sum(size for _, size, right in found if right)
    biases = all(kind_of(name).endswith("bias") for name, _, right in found if right)
    return right / total if right and (right == total or not biases) else 0.0
