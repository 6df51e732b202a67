"""Find which gradient is whose: what a layer's backward returns, and what it leaves in the object."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...gradcheck.problem.problem import differentiable
from ..functions.read_gradients import by_fields
from ..read.read_code import titles_of
from ..run_code import attempt
from .attributes import arrays_in, as_array, at, gradient_at, is_called_gradient, names_gradient
from .find_layers import NEXT_WEIGHTS, arguments_of, attributes_in, that_returns

if TYPE_CHECKING:
    from .call_layer import Layer, Used

# Where backward leaves the gradient of its input if it returns nothing.
INPUT_GRADIENTS = "dinputs dinput dx dX d_inputs d_input grad_input input_grad grad_inputs inputs_grad dA dA_prev dLdx"


def read_gradients(layer: Layer, returned: Any, used: Used) -> dict[str, Any]:
    """Return the gradients by the names of the inputs; a parameter that backward changes itself may have none."""
    inputs = [name for name, x in zip(layer.names, used.values, strict=True) if name in layer.arguments and differentiable(x)]
    shapes = {name: np.shape(at(used.object, ways[0])) for name, ways in layer.parameters.items()}
    given = dict(zip(layer.names, used.values, strict=True))
    returned = _joined(by_fields(returned, layer.names), {np.shape(given[name]) for name in inputs})
    found = {} if returned is None or returned is ... else _returned(returned, inputs, layer, shapes, given)
    found = found or _left(inputs, layer, used)
    for name, ways in layer.parameters.items():
        own = gradient_at(used.object, ways)
        own = None if layer.methods.how == "slope" and not np.any(own) else own  # a derivative leaves what the constructor made
        own = None if own is not None and name in layer.updated and np.shape(own) != shapes[name] else own  # its step is right
        if name in found and own is not None and np.shape(own) == shapes[name] != np.shape(found[name]):
            del found[name]  # what is returned in its place is the gradient of a state that is not drawn
        g = found.get(name, own)
        if g is None and name not in layer.updated and list(shapes.values()).count(shapes[name]) == 1:
            g = only_gradient_of(shapes[name], layer, used)
        if name in found or g is not None:
            found[name] = g if name in found else np.array(g)
    return found


def _joined(returned: Any, shapes: set[tuple[int, ...]]) -> Any:
    """Return what backward returns; as one array where it is a list of numbers or of rows."""
    if isinstance(returned, tuple):
        return tuple(_joined(part, shapes) for part in returned)
    whole = as_array(returned)
    return whole if whole is not None and whole.shape in shapes else returned


def only_gradient_of(shape: tuple[int, ...], layer: Layer, used: Used, of_input: bool = False) -> np.ndarray | None:
    """Return the array of a shape that is called a gradient, where there is only one: self.derivatives, or self.dbaises.

    That of an input may have any name, if it is all that backward sets, and forward neither reads nor sets it.
    """
    made = {f".{name}" for name in attributes_in(getattr(layer.cls, layer.methods.backward))}
    forward = getattr(layer.cls, layer.methods.forward)
    known = {f".{name}" for name in attributes_in(forward, ast.Load) | attributes_in(forward)}
    every = [(ways[0], a) for ways, a in arrays_in(used.object)]
    found = [(way, a) for way, a in every if a.shape == shape]
    if not any(is_called_gradient(way) for way, _ in found):  # grad_w0 (4,) of b (1, 4)
        flat = [(n,) for n in shape if len(shape) > 1 and n == np.prod(shape)]
        found += [(way, a) for way, a in every if a.shape in flat]
    named = [a for way, a in found if is_called_gradient(way) or (way[-1] in made and way[-1][1] == "d")]
    arrays = named or [a for way, a in found if of_input and way[-1] in made - known]
    return np.array(arrays[0]) if len(arrays) == 1 else None


def _left(inputs: list[str], layer: Layer, used: Used) -> dict[str, Any]:
    """Return the gradients of the inputs that a backward which returns nothing left in attributes."""
    found, kept, given = {}, vars(used.object), dict(zip(layer.names, used.values, strict=True))
    for name in inputs:
        first = name == inputs[0]
        titles = [title for title in kept if names_gradient(title, name)]
        stem = re.sub("_in(put)?$", "", name)
        titles += [title for title in (f"d{stem}_prev",) if stem != name and title in kept]  # of h_input
        titles += [title for title in INPUT_GRADIENTS.split() if first and title in kept]
        arrays = [np.array(kept[title]) for title in titles if getattr(kept[title], "dtype", np.dtype(int)).kind == "f"]
        whose = first and layer.methods.how != "cost"  # a network's data has none
        g = arrays[0] if arrays else only_gradient_of(np.shape(given[name]), layer, used, True) if whose else None
        if g is not None:
            found[name] = g
    return found


def _returned(returned: Any, inputs: list[str], layer: Layer, shapes: dict[str, tuple], given: dict) -> dict[str, Any]:
    """Return what backward returns by the names of the inputs: a dict has keys, others a name or an order."""
    names, beside = [*inputs, *layer.parameters], layer.methods.how == "loss and gradients"  # the loss stands before them
    grads = list(_parts(returned, layer))
    grads = [g for g in grads if g is not None] if layer.loss and layer.targets else grads
    keyed = {key: g for one in grads if isinstance(one, dict) for key, g in one.items()}
    if keyed or isinstance(returned, dict):
        alone = [g for g in grads if not isinstance(g, dict)]
        others = _returned(alone, inputs, layer, shapes, given) if alone else {}
        return others | _in_dict(keyed, names[len(inputs) :] if alone else names, inputs[: layer.methods.how != "cost"])
    if len(grads) not in layer.titles:
        layer.titles[len(grads)] = titles_of(that_returns(layer.cls, layer.methods.backward), len(grads) + beside)[beside:]
    titles = layer.titles[len(grads)]
    if grads and all(isinstance(g, list) for g in grads):
        several = {f"{title}[{i}]": g for title, parts in zip(titles, grads, strict=True) for i, g in enumerate(parts)}
        return _in_dict(several, list(layer.parameters), []) or _of_their_shapes(grads, shapes)  # nabla_w[0] of weights[0]
    owners: list[str] = []
    fewer = layer.targets if len(grads) < len(inputs) else []  # dL_dy of loss(y, p) is that of p
    for title in titles:
        named = (name for name in names if title and name not in fewer and names_gradient(title, name.split(".")[-1]))
        owners.append(next((name for name in named if name not in owners), "") or _in_part(title, names, owners))
    every = [name for name, x in layer.arguments.items() if differentiable(x)]
    order = [*layer.parameters, *inputs] if beside else every if len(grads) == len(every) > len(inputs) else names
    if len(grads) < len(inputs):  # loss(y, p), whose backward returns dp
        order = sorted(order, key=lambda name: name in layer.targets)
    if len(grads) == len(layer.arguments) > len(every):  # None for a mask
        order = list(layer.arguments)
    first = layer.arguments.get(order[0]) if order else None
    if len(grads) == 1 and first is not None and np.shape(grads[0]) != np.shape(first):  # that of theta, and not of X
        order = [name for name, shape in shapes.items() if shape == np.shape(grads[0])] or order
    if layer.methods.how in ("gradient", "cost"):  # gradient(X, y) -> dw, db; or those of some, as dw1, dw2
        own = iter(shapes.items())
        some = [next((name for name, shape in own if shape == np.shape(g)), "") for g in grads]
        order = some if all(some) else order
    if hands_on_delta(layer):
        grads = [g if name else _through_weights(g, inputs, given) for name, g in zip(owners, grads, strict=True)]
        order = [name for g in grads for name in inputs if g is not None and np.shape(g) == np.shape(given[name])]
    rest = iter([name for name in order if name not in owners])
    owners = [name or next(rest, "") for name in owners]
    # A copy: that a layer hands on the memory of dout, as Flatten does, is no mistake in a class.
    return {name: g.copy() if isinstance(g, np.ndarray) else g for name, g in zip(owners, grads, strict=True) if name}


def _through_weights(delta: Any, inputs: list[str], given: dict[str, Any]) -> Any:
    """Return the gradient of an input that delta is with the layer's own weights, as their shapes allow; None for none."""
    for name, own in ((name, own) for own, w in given.items() if np.ndim(w) == 2 for name in inputs if own != name):
        w, x = given[own], given[name]
        products = (attempt(np.matmul, *pair)[0] for pair in ((delta, w.T), (w.T, delta), (delta, w), (w, delta)))
        found = next((g for g in products if np.shape(g) == np.shape(x) != ()), None)
        if found is not None:
            return found
    return None


def _of_their_shapes(grads: list[list], shapes: dict[str, tuple]) -> dict[str, Any]:
    """Return the gradients in lists by the names of the parameters: each list is that of one of theirs with such shapes."""
    found: dict[str, Any] = {}
    stores = {name.split("[")[0]: [own for own in shapes if own.split("[")[0] == name.split("[")[0]] for name in shapes}
    for parts in grads:
        alike = [names for names in stores.values() if [shapes[name] for name in names] == list(map(np.shape, parts))]
        found |= dict(zip(alike[0], parts, strict=True)) if len(alike) == 1 else {}
    return found


def _in_part(title: str, names: list[str], taken: list[str]) -> str:
    """Return the parameter of a part of a network whose gradient is called so: gWin is that of tensorInput.W."""
    found = []
    for name in names:
        *path, own = name.split(".")
        match = re.fullmatch(rf"(?:d|g|grad)_?{re.escape(own)}_?([a-z]{{2,}})", title, re.IGNORECASE) if path else None
        found += [name] if match and match[1].lower() in "".join(path).lower() and name not in taken else []
    return found[0] if len(found) == 1 else ""


def hands_on_delta(layer: Layer) -> bool:
    """Whether backward takes the weights of the layer behind, and so leaves out its own: it returns delta."""
    return any(NEXT_WEIGHTS.search(p.name) for p in arguments_of(layer.cls, layer.methods.backward))


def _parts(returned: Any, layer: Layer) -> Iterator[Any]:
    """Yield the gradients that backward returns; also those of an argument that is a list, one for each of its arrays."""
    counts = [len(packed.names) for packed in layer.packed.values()]
    whole = isinstance(returned, np.ndarray) and returned.shape[:1] in [(n,) for n in counts]
    one_for_all = isinstance(returned, np.ndarray) and not whole and len(counts) == 1 and not layer.parameters
    parts = list(returned) if isinstance(returned, tuple | list) or whole else [returned] * (counts[0] if one_for_all else 1)
    mixed = any(isinstance(g, np.ndarray) for g in parts)  # dx, [dW, db]
    for g in parts:
        if isinstance(g, tuple | list) and (len(g) in counts or (mixed and as_array(g) is None)):
            yield from g
        elif not isinstance(g, dict) or g:
            yield g


def _in_dict(grads: dict, names: list[str], inputs: list[str]) -> dict[str, Any]:
    """Return the gradients of a dict: that of W1 has the key W1 or dW1; the only one left over is that of the input."""
    found, taken = {}, set()
    for name in names:
        short = name.split(".")[-1]
        keys = [key for key in grads if isinstance(key, str) and (key in (name, short) or names_gradient(key, short))]
        if keys:
            found[name] = grads[keys[0]]
            taken.add(keys[0])
    rest = [g for key, g in grads.items() if key not in taken and g is not None]
    return found | dict(zip([name for name in inputs if name not in found], rest if len(rest) == 1 else [], strict=False))
