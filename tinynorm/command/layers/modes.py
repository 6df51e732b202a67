"""The other modes of a layer: where it is not training, and where a number is another than its default."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from copy import copy, deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ..functions.kinds import ELSE, REGULARISED, kind_of, other_number
from ..functions.other_modes import FACTORS
from ..read.read_code import code_of, parameters
from ..run_code import attempt
from .attributes import RATES, arrays_in, name_of, put
from .call_layer import Layer
from .draw_constructor import kind_in_constructor, words_for
from .find_layers import arguments_of, attributes_in
from .parameters import find_parameters, ones_like, values_of
from .readings import share_right

# Options that are left: with them a layer's backward may be given another gradient, or not be called.
KEPT = re.compile("eps|(^|_)out|last|final|first|input|softmax|loss|fuse|train|test|eval|infer|determin|logits|inplace")
OTHERWISE = "linear"  # a word for an activation that leads to `else`, where the code names others
TRAINING = re.compile(r"_*(is_?)?(train|training|train(ing)?_mode|train_?fl(a?g)|eval|test|inference)")


def in_other_modes(layer: Layer) -> Iterator[Layer]:
    """Yield the layer in each other mode in which forward gives another output, and backward some gradient.

    And in those that backward asks for, as where it keeps what it makes: self.debug.
    """
    before = attempt(_output_and_gradients, layer)[0]
    asked = attributes_in(getattr(layer.cls, layer.methods.backward), ast.Load)
    for mode, other in [*_not_training(layer), *_with_a_penalty(layer), *_with_other_options(layer)]:
        other.mode = mode
        after = attempt(_output_and_gradients, other)[0]
        if before and after and after[1] and (before[0] != after[0] or mode.removesuffix(" True") in asked):
            yield other


def _output_and_gradients(layer: Layer) -> tuple[list[Any], bool]:
    """Return the shapes and values of the output, and whether backward gives any gradient."""
    np.random.seed(0)  # noqa: NPY002
    out, used = layer(*map(fresh, values_of(layer)))
    found = [(np.shape(y), np.asarray(y).tobytes()) for y in (out if isinstance(out, tuple) else (out,))]
    return found, any(g is not None for g in layer.backward(ones_like(out), used))


def _not_training(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield the layer with each flag of training that its backward asks for turned round."""
    for name in filter(TRAINING.fullmatch, sorted(attributes_in(getattr(layer.cls, layer.methods.backward), ast.Load))):
        other = copy(layer)
        other.base = attempt(deepcopy, layer.base)[0]
        flags = {p.name: p.default for p in arguments_of(layer.cls, layer.methods.forward)} | layer.arguments
        given = next((title for title in (name, *flags) if TRAINING.fullmatch(title) and title in flags), "")
        flag = flags[given] if given else getattr(other.base, name, None)
        if type(flag) is bool:
            if not given:
                setattr(other.base, name, not flag)
            other.arguments = layer.arguments | ({given: not flag} if given else {})
            for k, (ways, a) in enumerate(arrays_in(other.base)):  # running_mean is 0 at first, and running_var 1
                if kind_of(name_of(ways[0])) in ("mean", "variance"):
                    put(other.base, ways, np.random.default_rng(k).uniform(0.5, 2, a.shape))
            yield f"{name} {not flag}", other


def _with_a_penalty(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield the layer with another factor of a penalty, where the loss and backward take it: loss(x, y, reg=0)."""
    halves = (layer.methods.cost or layer.methods.forward, layer.methods.backward)
    loss, backward = ({p.name: p.default for p in arguments_of(layer.cls, half)} for half in halves)
    for name in [name for name in REGULARISED if type(loss.get(name)) in (int, float) and name in backward]:
        factor = other_number(loss[name])
        roles = layer.roles | {name: ("value", factor)}
        base = attempt(deepcopy, layer.base)[0]
        yield f"{name} {factor:.3g}", replace(layer, base=base, arguments=layer.arguments | {name: factor}, roles=roles)


def _with_other_options(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield the layer with other values for each default: a factor 1 may be forgotten, and windows may overlap."""
    has_constructor = inspect.isfunction(inspect.getattr_static(layer.cls, "__init__"))
    for p in parameters(layer.cls) if has_constructor else []:
        for value in [] if KEPT.search(p.name) or RATES.fullmatch(p.name) else _other_than(p, layer):
            remake: Any = partial(layer.remake, **{p.name: value})  # type: ignore[arg-type, misc]
            base, error = attempt(remake)
            other = layer.anew(base=base, remake=remake)
            works = error is None and layer.base is not None and attempt(find_parameters, other)[1] is None
            if works and value == OTHERWISE:  # a word of ours, which may mean nothing
                works = attempt(share_right, other)[0] == attempt(share_right, layer)[0]
            if works and bool(layer.parameters) == bool(other.parameters):
                yield f"{p.name} {f'{value:.3g}' if type(value) is float else repr(value)}", other


def _other_than(p: inspect.Parameter, layer: Layer) -> list[Any]:
    """Return other values than the default of a constructor's argument, or than the word that it was given."""
    given = getattr(layer.remake, "keywords", {}).get(p.name, p.default)
    match given if p.default is p.empty and isinstance(given, str) else p.default:
        case bool():
            return [not p.default]
        case str() | None if words := words_for(p.name, layer.cls):
            others = [word for word in words if word != given]
            others = others or ([ELSE[given]] if given in ELSE else ["sigmoid"] if "act" in p.name else [])
            others += [OTHERWISE] if "act" in p.name else []
            return [word for word in others if word not in ("softmax", "test", "eval")]
        case float() | int() if type(p.default) is float or FACTORS.search(p.name):
            return [other_number(p.default, p.name)]
    backward = ast.unparse(code_of(getattr(layer.cls, layer.methods.backward)) or ast.Pass())
    if p.default == 0 and kind_in_constructor(p, "") == "pad" and ":-" in backward:
        return [0]  # pad:-pad is nothing then
    return [1] if not layer.parameters and kind_in_constructor(p, "") in ("move", "pad") and p.default != 1 else []
