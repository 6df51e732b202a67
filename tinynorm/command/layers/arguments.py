"""Say what the arguments of a layer's forward method are, by their names."""

from __future__ import annotations

import ast
import inspect
import re

from ..functions.find_losses import REGULARISED
from ..functions.kinds import RECURRENT, kind_of, kinds_of
from ..read import match_names
from ..read.by_use import kinds_in_a_product
from ..read.packed import Packed
from ..read.read_code import code_of, inside
from ..run_code import UserError
from .call_layer import Layer
from .find_layers import arguments_of, is_loss, left_by_neighbours, targets_in

FLAGS = re.compile("train|eval|test|mode|infer|predict")
BEFORE_IT = r"(^|_)[hcsa]_?(prev|t_?1|tm1|old|last)|(prev(ious)?|init(ial)?)_?([hcs]($|_)|hidden|cell|state)"
STATES = re.compile(rf"{BEFORE_IT}|hidden_state|^[hc]_?0$|^[hc]_in(put)?$", re.IGNORECASE)
KEEPS = re.compile("(is_?)?train|((save|store|keep|retain)_?)?(cache|grad|state)|(save|store|keep|retain)(_|$)|for_backward")
TRUE = re.compile(r"tr?u|lab|targ|^t$|^gt|real|actual|expect|desir|goal|ref|class|one_?hot", re.IGNORECASE)
PREDICTIONS = re.compile(r"pred|hat|prob|^p$|^out|logit|score|^x|^al?\d?$|^z", re.IGNORECASE)


def forward_kinds(layer: Layer, lists: bool = False) -> dict[str, str]:
    """Return the kinds of the arguments of forward that are drawn. `lists`: x is a list of arrays if its code may mean that."""
    words = words_of(layer.name)
    how, static = layer.methods.how, inspect.getattr_static(layer.cls, layer.methods.forward)
    every = [p for p in arguments_of(layer.cls, layer.methods.forward) if p.kind is not p.VAR_KEYWORD]
    found = [p for p in every if p.kind is not p.VAR_POSITIONAL] or every
    text = ast.unparse(code_of(getattr(layer.cls, layer.methods.forward)) or ast.Pass())
    if found and found[0].name in ("ctx", "context", "self"):
        layer.context = isinstance(static, staticmethod) or f"{found[0].name}['" in text
        found = found[layer.context :]
    if how == "cost" and not found:
        return {}  # the constructor takes the data
    known = {p.name: _kind(p.name, words) for p in found}
    product = kinds_in_a_product(getattr(layer.cls, layer.methods.forward), list(known), known)
    known |= {name: kind for name, kind in product.items() if known[name] in ("", "x", "target", "index")}
    if not any(kind.endswith("weight") for kind in known.values()):  # forward(a, b) of an operation
        known |= {name: "x" for name, kind in known.items() if kind == "bias"}
    summed = [name for name, kind in known.items() if kind == "index" and re.search(rf"\b{name} [+*]|[+*] {name}\b", text)]
    known |= dict.fromkeys(summed, "x")  # of the embedding of positions, which is added to x
    if any(word in words for word in (*RECURRENT, "cell")):  # h is a state, and no activation
        here = kinds_of(list(known), f"{words}_recurrent")
        known |= {name: kind for name, kind in zip(list(known), here, strict=True) if kind == "hidden"}
    if any(kind_of(p.name) in ("index", "target") for p in found):  # of an embedding, h in (h, idx) is no index
        known = {name: _kind(name, "") for name in known}
    kinds: dict[str, str] = {}
    for p in found:
        kind = known[p.name]
        optional = p.default is None and kind in ("weight", "bias", "affine", "hidden", "recurrent")
        of_a_loss = kind == "target" and (how != "layer" or is_loss(layer.cls))
        of_a_loss = of_a_loss or (how == "loss and gradients" and p.name in REGULARISED)
        if p.default is p.empty or optional or of_a_loss:
            kinds[p.name] = kind
        elif p.default is False and KEEPS.match(p.name):  # what is checked is training, and backward needs what it keeps
            kinds[p.name] = "flag"
    if how == "cost":
        kinds |= dict.fromkeys(targets_in(layer.cls, layer.methods.backward)[:1], "target")
    before = left_by_neighbours(layer.cls, layer.methods.forward)  # x is there
    if (is_loss(layer.cls) or how == "gradient") and not before:
        kinds |= _kinds_of_a_loss(kinds)
    kinds = {name: kind or ("flag" if FLAGS.search(name) else "x") for name, kind in kinds.items()}
    if kinds and not before and not {"x", "index"} & set(kinds.values()):
        kinds[next(iter(kinds))] = "x"
    if not kinds and how == "layer" and before:
        return {}
    if not kinds:
        title = f"{layer.name}.{layer.methods.forward}"
        raise UserError(f"{title} takes no arguments, so there is nothing to draw; {advice(layer)}")
    drawn: dict[str, str] = {}
    for name, kind in kinds.items():
        drawn |= _unpacked(layer, name, kind, lists) or {name: kind}
    return drawn


def _unpacked(layer: Layer, name: str, kind: str, lists: bool) -> dict[str, str]:
    """Return the kinds of the arrays in an argument that is a list of arrays, as forward's code has it: ``h, c = state``."""
    method = getattr(layer.cls, layer.methods.forward)
    code, p = code_of(method), inspect.signature(method).parameters.get(name)
    count = 2 if p is not None and p.kind is p.VAR_POSITIONAL else 0
    hint = re.match(r"(?:typing\.)?(tuple|list|sequence)\[.*array", str(p.annotation if p else ""), re.IGNORECASE)
    form = "list" if hint and hint[1].lower() != "tuple" else "tuple" if hint else ""
    for node in inside(code) if code and kind in ("x", "hidden") else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == name:
            count = next((len(target.elts) for target in node.targets if isinstance(target, ast.Tuple)), count)
        if re.match(rf"(not|assert) isinstance\({name},", text := ast.unparse(node)):
            form = next((word for word in ("list", "tuple") if word in text), form)
    several = rf"(len|sum|concatenate|stack|enumerate|reduce)\({name}\b|in {name}:|\*{name}\b|\b{name}\[[01]\]"
    if lists and code and kind == "x" and re.search(several, ast.unparse(code)):
        form = form or "list"
    if not count and not form:
        return {}
    names = tuple(f"{name}[{i}]" for i in range(count or 2))
    layer.packed[name] = Packed(names, "tuple only" if form == "tuple" else "list")
    return dict.fromkeys(names, kind)


def words_of(name: str) -> str:
    """Return a class's name as words: batch_norm_2d of BatchNorm2D."""
    return re.sub(r"(?=\d+d)", "_", "_".join(match_names.words_of(name)))


def _kind(name: str, words: str) -> str:
    """Return the kind of an argument of forward: xs is x, h_prev_t a state."""
    one = kind_of(name.removesuffix("s"), words)
    return kind_of(name, words) or one or ("hidden" if STATES.search(name) else "")


def _kinds_of_a_loss(kinds: dict[str, str]) -> dict[str, str]:
    """Return the kinds of a loss's arguments: one is the prediction, one the target."""
    said = [name for name in kinds if PREDICTIONS.search(name)]
    found = dict.fromkeys([name for name in said if not TRUE.search(name)] or said, "x")  # output, beside output_expected
    true = {name for name, kind in kinds.items() if kind == "target" or (kind in ("", "x") and TRUE.search(name))}
    found |= {name: "target" for name in kinds if name not in found and name in true}
    for name in kinds:
        if name not in found and kinds[name] in ("", "x", "number", "hidden"):
            found[name] = "target" if "x" in found.values() and "target" not in found.values() else "x"
    if "x" not in found.values() and found:  # y of (y_true, y) is what the network says
        found[next((name for name in found if not TRUE.search(name)), next(iter(found)))] = "x"
    return found


def advice(layer: Layer) -> str:
    return f"write a function {layer.name}_inputs(rng) that returns them as a dict by name"
