"""Find the parameters of a layer that is an object, and give them values with which every term shows."""

from __future__ import annotations

import ast
import linecache
import re
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..functions.kinds import PARAMETERS, kind_of
from ..read.read_code import code_of, methods_in, own_text, plain_title, returned
from ..run_code import attempt
from .arguments import TRUE, words_of
from .attributes import (
    STORES,
    Way,
    arrays_in,
    at,
    gradient_at,
    is_called_gradient,
    name_of,
    names_gradient,
    plain,
    put,
    set_numbers,
    widen,
)
from .call_layer import Layer, Used, parameters
from .find_layers import arguments_of, attributes_in, that_returns
from .read_gradients import hands_on_delta, only_gradient_of

DRAWS = 9  # of parameters, one less, before units that are dead for all samples are left so
BENT = re.compile(r"relu|maximum|> ?0\b", re.IGNORECASE)
A_PARAMETER = re.compile("weight|bias|embed|kernel", re.IGNORECASE)  # in the name of an array: layer_weight
SHORT = 1e-4  # a dout so short that no gradient is clipped, and so long that Adam's epsilon is nothing beside it
EPSILON, BETAS = re.compile("_*(adam_?)?eps(ilon)?", re.IGNORECASE), re.compile("_*b(eta)?_?[12]", re.IGNORECASE)
DAMPED = 2.0**100  # between a gradient and `LR`
# Wqk, b_hh, weights_input_hidden
PARAMETER = re.compile(r"_?[WUVb]_?[a-zA-Z]{0,2}\d?|coef\w*|intercept\w*|_*(weights?|bias(es)?)_[a-z_\d]+")


def find_parameters(layer: Layer) -> None:
    """Find the parameters of a layer, and give them values with which every term shows."""
    base = _with_lazy_arrays(layer)
    used = run(layer)
    earlier = {way: np.array(a) for ways, a in arrays_in(used.object) for way in ways}
    grads = layer.gradients(ones_like(layer.output(used)), used)
    if layer.base is not None and widen(base, used.object):
        return find_parameters(layer)
    found, others = {}, {}
    titles = ", ".join(map(plain_title, returned(that_returns(layer.cls, layer.methods.backward)))).split(", ")
    for ways, _ in arrays_in(base):
        ways = sorted(ways, key=lambda way: (isinstance(way[-1], int), len(way)))
        name = next((layer.drawn[way] for way in ways if way in layer.drawn), name_of(ways[0]))
        title = f"self.{name}" if name in layer.arguments else name
        now, was = np.asarray(at(used.object, ways[0])), next((earlier[way] for way in ways if way in earlier), None)
        updated = was is not None and (now.shape != was.shape or np.any(now != was))
        data = name in layer.arguments and name in layer.drawn.values() and not arguments_of(layer.cls, layer.methods.forward)
        if data or is_called_gradient(ways[0]) or kind_of(name) in ("mean", "variance"):
            continue
        named = any(names_gradient(title, name.split(".")[-1]) for title in titles if title)
        owed = _is_parameter(ways[0]) and (np.ndim(at(base, ways[0])) or plain(name) in ("w", "b"))  # a number may be a setting
        if gradient_at(used.object, ways) is not None or updated or owed or named:
            found[title] = ways
            layer.updated |= {title} if updated else set()
        elif np.ndim(at(base, ways[0])) and name != "loss":  # where losses are summed
            others[title] = ways
    shapes = [np.shape(at(base, ways[0])) for ways in (found | others).values()]
    for title, ways in list(others.items()):  # self.M, and self.grad_w of its shape
        shape = np.shape(at(base, ways[0]))
        if len(shape) > 1 and shapes.count(shape) == 1 and only_gradient_of(shape, layer, used) is not None:
            found[title] = others.pop(title)
    kept = {name: np.array(at(base, ways[0])) for name, ways in found.items()}
    for draw in range(1, DRAWS if any(map(BENT.search, linecache.getlines(f"{layer.path}"))) else 2):
        _redraw(base, found, draw)
        layer.parameters = {name: ways for name, ways in found.items() if matters(layer, base, ways)}
        if not found or not _is_dead(layer):
            break
    layer.updated &= layer.parameters.keys()  # and not where gradients are summed
    for name in found.keys() - layer.parameters.keys():
        put(base, found[name], kept[name])
    learned = [*layer.parameters, *(name for name, ways in others.items() if matters(layer, base, ways))]  # and no cache
    _quiet(layer, _gradients_of(layer) if hands_on_delta(layer) else grads, learned)
    got = _gradients_of(layer)
    stepped = [name for name in _without_length(layer) if name in layer.parameters]
    if stepped and _damp(layer):
        layer.parameters, layer.updated, layer.silent, layer.unseen = {}, set(), set(), {}
        return find_parameters(layer)
    others |= {name: layer.parameters.pop(name) for name in stepped}
    has_place = any(is_called_gradient((f".{name}",)) for name in (vars(base) if hasattr(base, "__dict__") else ()))
    if not has_place and all(got.get(name) is None for name in layer.parameters):
        others, layer.parameters = others | layer.parameters, {}
    for name in found.keys() - layer.parameters.keys():  # what is none as it was
        put(base, found[name], kept[name])
    unseen = [name for name, ways in others.items() if matters(layer, base, ways)]
    for name in unseen:
        layer.unseen |= (
            {f"{name} (its step is the same for each gradient)": True} if name in stepped else {name: _may_be_one(name, layer)}
        )


def _may_be_one(name: str, layer: Layer) -> bool:
    """Whether a word in a name is that of a parameter, as net.layer_weight, or the constructor draws its first numbers."""
    made = "".join(own_text(method) for title, method in methods_in(layer.cls).items() if title == "__init__")
    if re.search(rf"\bself\.{re.escape(name)} = .*(rand|normal|uniform)", made):
        return True
    return any(kind_of(word) in PARAMETERS or A_PARAMETER.search(word) for word in re.findall(r"\w+", name))


def _without_length(layer: Layer) -> list[str]:
    """Return the parameters whose step is the same for a gradient of any length, as that of Adam: nothing is known of it."""
    if not layer.updated:
        return []
    once, twice = (_gradients_of(layer, length) for length in (SHORT, 2 * SHORT))
    steps = {name: (np.asarray(once[name]), np.asarray(twice[name])) for name in layer.updated if np.any(once.get(name))}
    # Most of its elements: some may be so small that Adam's epsilon counts, or so large that they are clipped.
    return [name for name, (a, b) in steps.items() if np.median(np.isclose(a, b, rtol=1e-3, atol=0)[a != 0])]


def _damp(layer: Layer) -> bool:
    """Make steps of Adam those of gradient descent, by no momenta and an epsilon so large that nothing counts beside it; return
    whether it has one that forward does not use."""
    if layer.damped != 1 or layer.base is None:
        return False
    base, taken = deepcopy(layer.base), parameters(getattr(layer.cls, layer.methods.backward))
    damping = {p.name: ("value", DAMPED) for p in taken if EPSILON.fullmatch(p.name)}
    has_one = set_numbers(base, EPSILON, DAMPED) or bool(damping)
    set_numbers(base, BETAS, 0.0)
    damping |= {p.name: ("value", 0.0) for p in taken if BETAS.fullmatch(p.name)}
    other = replace(layer, base=base)
    same = all(np.array_equal(a, b) for a, b in zip(*(one.parts(run(one)) for one in (layer, other)), strict=True))
    if has_one and same:
        layer.base, layer.damped, layer.roles = base, DAMPED, layer.roles | damping
    return has_one and same


def _gradients_of(layer: Layer, length: float = 1.0) -> dict[str, Any]:
    """Return the gradients by their names, for a dout of such numbers."""
    np.random.seed(0)  # noqa: NPY002
    used = layer.run(values_of(layer))
    return layer.gradients(ones_like(layer.output(used), length), used)


def values_of(layer: Layer) -> tuple:
    """Return the values of all inputs: the arguments, and the parameters as they stand in the object."""
    base = layer.made
    arguments = (fresh(x) for name, x in layer.arguments.items() if name not in layer.silent)
    return (*arguments, *(np.array(at(base, ways[0]), dtype=float) for ways in layer.parameters.values()))


def ones_like(out: Any, value: float = 1.0) -> Any:
    found = tuple(np.full(np.shape(y), value)[()] for y in (out if isinstance(out, tuple) else (out,)))
    return found if isinstance(out, tuple) else found[0]


def _with_lazy_arrays(layer: Layer) -> Any:
    """Return the object, after one forward where that makes its parameters."""
    base, used = layer.made, run(layer).object
    before = {name_of(ways[0]) for ways, _ in arrays_in(base)}
    stepped = {f".{name}" for name in attributes_in(getattr(layer.cls, layer.methods.backward))}
    new = [ways for ways, _ in arrays_in(used) if _is_parameter(ways[0]) or ways[0][0] in stepped]
    new = [ways for ways in new if name_of(ways[0]) not in before]
    reset(used)
    if not any(matters(replace(layer, base=used), used, ways) for ways in new):
        return base
    layer.base = used
    return used


def reset(layer: Any) -> None:
    """Call the methods that set the gradients of a layer to zero, where it has any."""
    for name in ("zero_grad", "flush_gradients", "reset_gradients", "zero_grads", "clear_gradients", "reset_grad"):
        if hasattr(layer, name):
            attempt(getattr(layer, name))


def _is_parameter(way: Way) -> bool:
    """Whether an array has the name of a parameter, or lies in a dict or a list of parameters."""
    if any(isinstance(step, str) and STORES.fullmatch(step.strip("._")) for step in way):
        return True
    last = name_of(way).split(".")[-1]
    return kind_of(last) in PARAMETERS or plain(last).rstrip("0123456789") in ("w", "b") or bool(PARAMETER.fullmatch(last))


def run(layer: Layer) -> Used:
    """Run forward with copies of its arguments, which the object may keep, the parameters as they are, and the same mask."""
    np.random.seed(0)  # noqa: NPY002
    return replace(layer, parameters={}).run(tuple(fresh(x) for n, x in layer.arguments.items() if n not in layer.silent))


def _is_dead(layer: Layer) -> bool:
    """Whether a row or a column of a gradient is zero, as behind a ReLU that gives 0 for each sample; or nothing matters."""
    grads = attempt(_gradients_of, layer)[0] or {}
    own = [np.asarray(g) for name, g in grads.items() if name in layer.parameters and g is not None]
    tables = [g for g in own if g.ndim == 2 and min(g.shape) > 1]
    return not layer.parameters or any(not np.all(np.any(g, axis=axis)) for g in tables for axis in (0, 1))


def _redraw(base: Any, found: dict[str, list[Way]], draw: int) -> None:
    """Give the parameters generic values: an initialiser may give zeros, ones or tiny numbers."""
    for k, (name, ways) in enumerate(found.items()):
        rng, a = np.random.default_rng([draw, k]), at(base, ways[0])
        kind = kind_of(re.split(r"[.\[]", name)[-1])
        if kind == "affine":
            new = rng.choice([-1.0, 1.0], a.shape) * rng.uniform(0.5, 1.5, a.shape)
        else:  # outputs of about 1, so that no sigmoid saturates
            new = rng.standard_normal(a.shape) * (max(1 / np.sqrt(np.prod(a.shape) / max(a.shape)), 0.3) if a.ndim > 1 else 0.7)
        alive = 0.5 * (draw - 1) if kind.endswith("bias") else 0.0  # of more and more units, and not all at once
        put(base, ways, np.asarray(new + alive, dtype=float))


def matters(layer: Layer, base: Any, ways: list[Way]) -> bool:
    """Whether the output depends on an array in the object."""
    old = np.array(at(base, ways[0]))
    outputs = []
    for x in (old, old + np.random.default_rng(2).uniform(0.1, 0.2, old.shape)):
        put(base, ways, x)
        outputs.append(attempt(lambda: [np.array(y) for y in layer.parts(run(layer))])[0])
    put(base, ways, old)
    return all(outputs) and not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(*outputs, strict=True))


def _quiet(layer: Layer, grads: dict[str, Any], arrays: list[str]) -> None:
    """Note which inputs need no gradient: masks and statistics; and where backward gives none: targets, states that forward may
    be called without, and the data of a network."""
    states = [p.name for p in parameters(getattr(layer.cls, layer.methods.forward)) if p.default is None]
    backward = getattr(layer.cls, layer.methods.backward)
    says_none = ast.unparse(code_of(backward) or ast.Pass()).endswith("\n    return None")
    says_none = says_none or (layer.methods.how == "layer" and bool(layer.updated) and not returned(backward))
    own, titles = [name.split(".")[-1] for name in layer.parameters], [title for one in layer.titles.values() for title in one]
    if titles and all(any(names_gradient(title, name) for name in own) for title in titles):  # dW, db
        says_none, grads = True, {}
    some = bool(titles) and len(titles) < len(own) and not grads  # it returns db alone, and leaves dW: it may be a slip for dx
    given = sum(grads.get(name) is not None for name in layer.arguments)
    alone, fewer = given < 2, given < sum(map(differentiable, layer.arguments.values()))  # alone: that of the prediction
    for name, x in layer.arguments.items():
        if not differentiable(x):
            continue
        g = grads.get(name)
        without = g is None or np.shape(g) != np.shape(x) or (alone and name in layer.targets)
        numbers = {tuple(re.findall(r"\d+", one)) for one in arrays}
        stack = layer.loss or len(numbers - {()}) > 1  # W1 and W2: a network
        refused = given and grads.get(name, 0) is None  # it says None outright
        refused = refused or (g is None and bool(layer.parameters) and says_none)  # the first has nothing to hand on
        refused = refused or (g is None and hands_on_delta(layer) and name not in layer.targets)
        target = re.search(f"^y|{TRUE.pattern}", name, re.IGNORECASE) or (name in layer.targets and layer.methods.how == "cost")
        if refused or (layer.loss and without and not layer.parameters and not target):
            layer.unseen[name] = some or _may_be_one(name, layer)
        of_x = g is not None and layer.methods.how == "layer" and not layer.loss  # y of x + y is no target
        data = layer.loss or (stack and layer.parameters) or (name in layer.targets and not of_x)
        may = bool(refused or data or name in states)
        if (may and without) or (fewer and kind_of(name, words_of(layer.name)) in ("mask", "mean", "variance")):
            layer.silent.add(name)
            if stack and of_x and name not in (*layer.targets, *states):  # a network returns something else
                layer.unseen[name] = True
    if not layer.parameters and layer.silent >= {name for name, x in layer.arguments.items() if differentiable(x)}:
        claimed = [name for name in layer.silent if grads.get(name) is not None and name not in layer.targets][:1]
        layer.silent -= {*claimed}  # of a loss: it has a gradient, of another shape
        layer.unseen = {name: owed for name, owed in layer.unseen.items() if name not in claimed}
