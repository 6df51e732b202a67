"""The other modes of a layer: where it is not training, and where a number is another than its default."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from copy import copy, deepcopy
from functools import partial
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ..functions.kinds import ELSE, LEARNED, kind_of, other_number
from ..read.read_code import parameters
from ..run_code import attempt
from .attributes import RATES, arrays_in, name_of, put
from .call_layer import Layer
from .draw_constructor import kind_in_constructor, words_for
from .find_layers import arguments_of, attributes_in
from .parameters import find_parameters, ones_like, values_of

FACTORS = (*LEARNED, "factor", "scale", "gain", "beta", "gamma")  # whose default may be written 1, and 0.7 be meant too
# Options that are left: with them a layer's backward may be given another gradient, or not be called.
KEPT = re.compile("eps|(^|_)out|last|final|first|input|softmax|loss|fuse|train|test|eval|infer|determin|logits|inplace")
TRAINING = re.compile(r"_*(is_?)?(train|training|train(ing)?_mode|train_?fl(a?g)|eval|test|inference)")


def in_other_modes(layer: Layer) -> Iterator[Layer]:
    """Yield the layer in each other mode in which forward gives another output, and backward some gradient."""
    before = attempt(_output_and_gradients, layer)[0]
    for mode, other in [*_not_training(layer), *_with_other_options(layer)]:
        other.mode = mode
        after = attempt(_output_and_gradients, other)[0]
        if before and after and after[1] and before[0] != after[0]:
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
            if given:
                other.arguments = layer.arguments | {given: not flag}
            else:
                setattr(other.base, name, not flag)
            for k, (ways, a) in enumerate(arrays_in(other.base)):  # running_mean is 0 at first, and running_var 1
                if kind_of(name_of(ways[0])) in ("mean", "variance"):
                    put(other.base, ways, np.random.default_rng(k).uniform(0.5, 2, a.shape))
            yield f"{name} {not flag}", other


def _with_other_options(layer: Layer) -> Iterator[tuple[str, Layer]]:
    """Yield the layer with other values for each default: a factor 1 may be forgotten, and windows may overlap."""
    has_constructor = inspect.isfunction(inspect.getattr_static(layer.cls, "__init__"))
    for p in parameters(layer.cls) if has_constructor else []:
        for value in [] if KEPT.search(p.name) or RATES.fullmatch(p.name) else _other_than(p, layer):
            make: Any = layer.remake
            remake = partial(make, **{p.name: value})
            base, error = attempt(remake)
            if error is not None or layer.base is None:
                continue
            other = layer.anew(base=base, remake=remake)
            _, error = attempt(find_parameters, other)
            if error is None and bool(layer.parameters) == bool(other.parameters):
                yield f"{p.name} {f'{value:.3g}' if type(value) is float else repr(value)}", other


def _other_than(p: inspect.Parameter, layer: Layer) -> list[Any]:
    """Return other values than the default of a constructor's argument."""
    match p.default:
        case bool():
            return [not p.default]
        case str() | None if words := words_for(p.name, layer.cls, p.default):
            others = [word for word in words if word != p.default] or [ELSE.get(str(p.default), "sigmoid")]
            return [word for word in others if word not in ("softmax", "test", "eval")]
        case float():
            return [other_number(p.default)]
        case int() if p.name in FACTORS:
            return [other_number(p.default)]
    return [1] if not layer.parameters and kind_in_constructor(p, "") in ("move", "pad") and p.default != 1 else []
