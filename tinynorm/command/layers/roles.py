"""Say what each argument of a layer's backward method is, by its name and by what forward returned."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable
from ..functions.conventions import is_cache
from ..functions.kinds import REGULARISED, kind_of
from ..read.read_code import code_of, is_gradient_of, nodes_of, titles_of
from ..run_code import UserError, attempt
from .arguments import PREDICTIONS
from .attributes import EPOCHS, RATES
from .call_layer import INPUT_NAME, Layer, Used
from .find_layers import COTANGENT, NEXT_WEIGHTS, arguments_of, attributes_in, is_loss
from .objects import SquaredError, Step


def possible_roles(layer: Layer, used: Used) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the roles as `_possible_roles` does; then without the inputs that backward need not be given: x=None."""
    taken = arguments_of(layer.cls, layer.methods.backward)
    spare = {p.name for p in taken if p.default is None and p.name in layer.arguments} if layer.methods.how != "cost" else set()
    several = list(_possible_roles(layer, used))
    yield from several
    yield from (({name: role for name, role in roles.items() if name not in spare}, loss) for roles, loss in several if spare)


def _possible_roles(layer: Layer, used: Used) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield (what each argument of backward is, whether backward takes no dout), the likeliest first.

    An argument is "dout", "rate" (for learning), "result" (what forward returned), "cache", "prediction", ("input", its name),
    ("part", the number of the value that forward returned) or ("value", a number).
    """
    if layer.methods.how == "loss and gradients":
        yield {}, True
        return
    found = arguments_of(layer.cls, layer.methods.backward)[layer.context :]
    needed = [p.name for p in found if p.default is p.empty]
    data = [name for name in needed if name not in layer.arguments and INPUT_NAME.match(name)]
    if layer.methods.how == "gradient" and data and len(needed) > len(layer.arguments):
        says = f"{layer.methods.backward} takes {data[0]}, which {layer.methods.forward} does not"
        raise UserError(f"{says}: its gradients are those of what makes the predictions of {data[0]}")
    backward = getattr(layer.cls, layer.methods.backward)
    static = len(needed) == 1 and not COTANGENT.search(needed[0]) and not attributes_in(backward, ast.Load)  # backward(a)
    first = needed == list(layer.arguments)[:1] and needed[0] not in layer.targets
    if layer.methods.how == "layer" and first and needed[0] not in {getattr(node, "id", "") for node in nodes_of(backward)}:
        yield {needed[0]: "dout"}, False  # forgotten
        return
    if layer.methods.how == "slope" or (layer.methods.how == "layer" and (static or first)):
        whole = layer.methods.how == "slope" and np.size(layer.parts(used)[0]) == 1  # of the squares of w
        yield from ((dict.fromkeys(needed[:1], role), whole) for role in _without_dout(layer, used))
        return
    outputs = layer.parts(used)
    x, y = next((np.shape(x) for x in layer.arguments.values() if differentiable(x)), ()), np.shape(outputs[0])
    of_samples = np.size(outputs[0]) == 1 or (len(y) < len(x) and y == x[: len(y)])  # a number, or one for each sample
    loss = bool(layer.target) and (is_loss(layer.cls) or of_samples)
    loss = loss or layer.methods.how in ("cost", "gradient")
    count = len(used.returned) if isinstance(used.returned, tuple) else len(outputs)
    titles = titles_of(getattr(layer.cls, layer.methods.forward), count)
    roles: dict[str, Any] = {}
    text = ast.unparse(code_of(backward) or ast.Pass())
    for p in found:
        if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            is_result = p.name not in layer.arguments and any(is_gradient_of(other.name, p.name) for other in found)  # of Y, DY
            role = "result" if is_result else _role(p, roles, layer, loss, titles)
            cache = is_cache(p.name) or (isinstance(used.returned, dict) and f"{p.name}['" in text)
            roles |= {p.name: "cache" if cache and isinstance(used.returned, tuple | dict) else role} if role else {}
    if loss and ("input", layer.target) in roles.values() and "dout" in roles.values():  # backward(dvalues, y_true)
        yield {name: "prediction" if role == "dout" else role for name, role in roles.items()}, True
    if layer.methods.how == "layer" and len(needed) == len(layer.arguments) + 2:  # delta, h, h_prev_l, h_prev_t of a cell
        yield dict(zip(needed, ["dout", "result", *(("input", name) for name in layer.arguments)], strict=True)), False
    douts = sorted((name for name, role in roles.items() if role == "dout"), key=lambda name: not COTANGENT.search(name))
    clear = sum(bool(COTANGENT.search(name)) for name in douts)
    rest = douts[min(clear or len(douts), len(outputs)) :]
    for other in (("input", _free(layer, roles)), "result") if rest else ():  # backward(z, grad)
        yield roles | dict.fromkeys(rest, other), False
    if len(douts) > len(outputs) > 0:
        strange = [name for name in douts[len(outputs) :] if not kind_of(name) and not PREDICTIONS.search(name)]
        says = f"it is not known what {', '.join(strange)} of {layer.methods.backward} is, beside the incoming gradient"
        layer.doubt = says if strange else layer.doubt
        return
    behind = [name for name in roles if NEXT_WEIGHTS.search(name)]
    for n in dict.fromkeys(np.shape(outputs[0])) if behind else [0]:  # what it multiplies delta with: next to nothing
        given = roles | dict.fromkeys(behind, ("value", np.eye(n)))
        yield given, (loss or np.size(outputs[0]) == 1) and "dout" not in roles.values()


def _role(p: inspect.Parameter, roles: dict[str, Any], layer: Layer, loss: bool, titles: list[str]) -> Any:
    """Return what an argument of backward is, beside those before it; "" where it is left at its default."""
    douts = list(roles.values()).count("dout")
    if p.name in layer.arguments:
        return ("input", p.name)
    alone = len(arguments_of(layer.cls, layer.methods.backward)[layer.context :]) == 1
    if layer.methods.how == "layer" and p.name == "eta" and alone:
        return "dout"
    if RATES.fullmatch(p.name) or (p.name == "alpha" and roles and p.default is p.empty):
        return "rate"
    if EPOCHS.fullmatch(p.name) or NEXT_WEIGHTS.search(p.name):
        return ("value", 1) if p.default is p.empty or not NEXT_WEIGHTS.search(p.name) else ""
    said = p.name.lower() == "y" != layer.target.lower()  # Y, beside T, is what the network says
    if layer.target and kind_of(p.name) == "target" and not said:
        return ("input", layer.target)
    penalty = "|".join(REGULARISED)
    if p.default is not p.empty and not (layer.methods.how == "cost" and re.fullmatch(penalty, p.name)):
        return "dout" if not loss and COTANGENT.search(p.name) and not douts else ""
    known = {"_*optimi[sz]er(_?(fn|func|function|obj))?|opt": Step(), penalty: 0.0, ".*train.*": True}
    code = ast.unparse(code_of(getattr(layer.cls, layer.methods.backward)) or ast.Pass())
    if re.search(rf"\b{p.name}(\.\w+)?\(", code):  # loss_fn.gradient(p, y)
        known |= {"_*(loss|cost|criterion).*": SquaredError()}
    for names, value in known.items():  # a penalty's factor is that of the update, not of the output
        if re.fullmatch(names, p.name):
            return ("value", value)
    if p.name in titles and (layer.methods.how != "cost" or len(titles) > 1):
        return ("part", titles.index(p.name))
    if layer.methods.how == "cost" and not INPUT_NAME.match(p.name):
        return "result"
    if layer.methods.how in ("cost", "gradient"):
        return ("input", _free(layer, roles))
    if not douts or COTANGENT.search(p.name):
        return "dout"
    return "dout" if douts < len(titles) else ("input", _free(layer, roles))


def _without_dout(layer: Layer, used: Used) -> list[Any]:
    """Return what the argument of a derivative may be, or that of a backward(x) of forward(x), which mostly is one.

    Raise UserError for the derivative of a function that is not elementwise; for a backward, note why it may be none.
    """
    x, *rest = used.values
    out, moved = layer.parts(used)[0], np.array(x, dtype=float)
    moved.flat[0] += 0.5
    after = layer.parts(layer.run((moved, *rest)))[0]
    every = [("input", next(iter(layer.arguments))), "result", *(["dout"] if layer.methods.how == "layer" else [])]
    if np.shape(out) == np.shape(x) and np.array_equal(np.ravel(out)[1:], np.ravel(after)[1:]):
        return every
    if layer.methods.how == "slope":
        given, _ = attempt(getattr(used.object, layer.methods.backward), x)
        if np.size(out) == 1 or np.shape(given) == (*np.shape(x), np.shape(x)[-1]):  # a matrix of derivatives for each row
            return every
    says = "takes no dout, and each output depends on several inputs, so that it has no derivative of the shape of its input"
    layer.doubt = f"{layer.methods.backward} {says}; give it dout"
    if layer.methods.how == "slope":
        raise UserError(layer.doubt)
    return ["dout"]


def _free(layer: Layer, roles: dict[str, Any]) -> str:
    """Return the first argument of forward that no argument of backward is yet."""
    taken = [role[1] for role in roles.values() if isinstance(role, tuple) and role[0] == "input"]
    return next((name for name in layer.arguments if name not in taken), next(iter(layer.arguments)))
