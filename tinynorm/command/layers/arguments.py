"""Say what the arguments of a layer's forward method are, by their names."""

from __future__ import annotations

import inspect
import re

from ..functions.draw_inputs import RECURRENT, kind_of, kinds_of
from ..functions.find_losses import REGULARISED
from ..read import match_names
from ..read.operands import kinds_in_a_product
from ..read.read_code import parameters
from ..run_code import UserError
from .call_layer import Layer, is_loss_name
from .find_layers import arguments_of

FLAGS = re.compile("train|eval|test|mode|infer|predict")
STATES = re.compile(r"(^|_)[hcsa]_?(prev|t_?1|tm1|old|last)|prev(ious)?_?([hcs]($|_)|hidden|cell|state)", re.IGNORECASE)
PREDICTIONS = re.compile(r"pred|hat|prob|^p$|^out|logit|score|^x|^al?\d?$|^z", re.IGNORECASE)


def forward_kinds(layer: Layer) -> dict[str, str]:
    """Return the kinds of the arguments of forward that are drawn."""
    words = words_of(layer.name)
    how, static = layer.methods.how, inspect.getattr_static(layer.cls, layer.methods.forward)
    found = [p for p in arguments_of(layer.cls, layer.methods.forward) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if isinstance(static, staticmethod) and found and found[0].name in ("ctx", "context", "self"):
        layer.context, found = True, found[1:]
    if how == "cost" and not found:
        return {}  # the constructor takes the data
    known = {p.name: _kind(p.name, words) for p in found}
    product = kinds_in_a_product(getattr(layer.cls, layer.methods.forward), list(known), known)
    known |= {name: kind for name, kind in product.items() if known[name] in ("", "x", "target")}
    if not any(kind.endswith("weight") for kind in known.values()):  # forward(a, b) of an operation
        known |= {name: "x" for name, kind in known.items() if kind == "bias"}
    if any(word in words for word in (*RECURRENT, "cell")):  # h is a state, and no activation
        here = kinds_of(list(known), f"{words}_recurrent")
        known |= {name: kind for name, kind in zip(list(known), here, strict=True) if kind == "hidden"}
    if any(kind_of(p.name) in ("index", "target") for p in found):  # of an embedding, h in (h, idx) is no index
        known = {name: _kind(name, "") for name in known}
    kinds: dict[str, str] = {}
    for p in found:
        kind = known[p.name]
        optional = p.default is None and kind in ("weight", "bias", "affine", "hidden", "recurrent")
        of_a_loss = (kind == "target" and how != "layer") or (how == "loss and gradients" and p.name in REGULARISED)
        if p.default is p.empty or optional or of_a_loss:
            kinds[p.name] = kind
        elif p.default is False and re.match("(is_?)?train", p.name):  # what is checked is training
            kinds[p.name] = "flag"
    if how == "cost":
        wanted = [p.name for p in parameters(getattr(layer.cls, layer.methods.backward))]
        kinds |= dict.fromkeys([name for name in wanted if kind_of(name) == "target"][:1], "target")
    if is_loss_name(layer.cls.__name__) or how == "gradient":
        kinds |= _kinds_of_a_loss(kinds)
    kinds = {name: kind or ("flag" if FLAGS.search(name) else "x") for name, kind in kinds.items()}
    if kinds and not {"x", "index"} & set(kinds.values()):
        kinds[next(iter(kinds))] = "x"
    if not kinds:
        title = f"{layer.name}.{layer.methods.forward}"
        raise UserError(f"{title} takes no arguments, so there is nothing to draw; {advice(layer)}")
    return kinds


def words_of(name: str) -> str:
    """Return a class's name as words: batch_norm_2d of BatchNorm2D."""
    return re.sub(r"(?=\d+d)", "_", "_".join(match_names.words_of(name)))


def _kind(name: str, words: str) -> str:
    """Return the kind of an argument of forward: xs is x, h_prev_t a state."""
    if name.lower() in ("cond", "condition"):
        return "mask"
    one = kind_of(name.removesuffix("s"), words)
    return kind_of(name, words) or one or ("hidden" if STATES.search(name) else "")


def _kinds_of_a_loss(kinds: dict[str, str]) -> dict[str, str]:
    """Return the kinds of a loss's arguments: one is the prediction, one the target."""
    found = {name: "x" for name in kinds if PREDICTIONS.search(name)}
    found |= {name: "target" for name in kinds if name not in found and kinds[name] == "target"}
    for name in kinds:
        if name not in found and kinds[name] in ("", "x", "number", "hidden"):
            found[name] = "target" if "x" in found.values() and "target" not in found.values() else "x"
    if "x" not in found.values() and found:
        found[next(iter(found))] = "x"
    return found


def advice(layer: Layer) -> str:
    return f"write a function {layer.name}_inputs(rng) that returns them as a dict by name"
