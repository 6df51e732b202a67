"""Read what backward returns: which gradient belongs to which argument of forward."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..read.match_names import has, is_slope
from ..read.read_code import is_gradient_of, scaled_title, titles_of, unpacked
from ..run_code import UserError
from .about import about
from .composed import Composed, handed_back
from .conventions import stacked
from .kinds import CONSTANT, PARAMETERS

if TYPE_CHECKING:
    from .call_pair import Call


OF_NO_INPUT = re.compile("^(e|errs?|errors?|resid.*|loss|cost)$")  # beside the gradients: `return grad, err`
OF_INPUT = re.compile("^(d|grad)_?(x|in|inp|input|inputs|img|image|images)$", re.IGNORECASE)


def gradients_of(call: Call, grads: Any) -> tuple:
    """Return one gradient for each differentiable input, or as many as backward returns; None for one that has none.

    `call.unclaimed` gets the names of the inputs that need none.
    """
    assert call.convention is not None
    names = [call.names[i] for i in call.floats]
    grads = by_fields(grads, names)
    grads = _without_others(call, grads)
    if any(packed.form not in ("dict", "object") for packed in call.keys.values()):
        grads = _of_lists(call, grads) or tuple(_flat(grads))
    found = by_name(grads, call.user_backward, names)
    if call.convention.slope and not isinstance(grads, tuple | list | dict):
        found = _in_parts(call, grads) or {_owner_of(call, grads): grads}
        call.unclaimed = {*names} - {*found}
    elif found:
        keyed = isinstance(grads, dict) or any(isinstance(g, dict) for g in grads)
        if [name for name in names if name in found] != list(found) and not keyed:
            call.told[
                f"the gradients are read by their names: {call.pair.backward_name} returns those of {', '.join(found)}"
            ] = None
        call.unclaimed = _of_no_matter(call, found)
    elif found is not None:
        got = f"a dict with the keys {', '.join(map(str, grads))}" if grads else "an empty dict"
        raise UserError(
            f"{call.pair.backward_name} returns {got}; expected "
            f"{', '.join(f'd{name}' for name in names)}, or a tuple of gradients in the order of forward's arguments"
        )
    return _in_order(call, grads) if found is None else tuple(found.get(name) for name in names)


def _without_others(call: Call, grads: Any) -> Any:
    """Return what backward returns of a loss, or of a network, without the output or the error beside the gradients."""
    assert call.convention is not None
    forward, titles = call.pair.forward, titles_of(call.user_backward, len(grads)) if type(grads) is tuple else []
    if not isinstance(forward, Composed) and not (call.convention.slope and titles and is_slope(titles[0])):
        return grads
    known = handed_back(forward.forward) if isinstance(forward, Composed) else set()
    others = [title for title in titles if (title in known or OF_NO_INPUT.match(title)) and not is_slope(title)]
    kept = tuple(g for title, g in zip(titles, grads, strict=True) if title not in others) if others else grads
    return kept[0] if others and len(kept) == 1 else kept


def _fields(x: Any) -> list[str]:
    """Return the names of the fields of a named tuple, a dataclass or an object of the user's; [] for anything else."""
    plain = isinstance(x, tuple | list | dict | str) or hasattr(x, "dtype") or callable(x) or not hasattr(x, "__dict__")
    named = [field.name for field in fields(x)] if is_dataclass(x) else [] if plain else [*vars(x)]
    return list(getattr(x, "_fields", named))


def by_fields(grads: Any, names: list[str]) -> Any:
    """Return the gradients of an object with fields, ``Grads(dx=dx, params={"W": dW})``: those with names in a dict."""
    titles = _fields(grads)
    if type(grads) is tuple:  # dX, grads
        return tuple({title: getattr(g, title) for title in _fields(g)} or g for g in grads)
    values = {title: getattr(grads, title) for title in titles}
    dicts = [value for value in values.values() if isinstance(value, dict)]
    named = {title: g for title, g in values.items() if any(is_gradient_of(title, name.split(".")[-1]) for name in names)}
    rest = [g for title, g in values.items() if title not in named and not isinstance(g, dict)]
    keyed = {key: g for part in (named, *dicts) for key, g in part.items()}
    return (*rest, *([keyed] if keyed else [])) if titles else grads


def _in_order(call: Call, grads: Any) -> tuple:
    """Return the gradients that no names tell: in the order of forward's arguments, with or without the constants."""
    assert call.convention is not None
    names = [call.names[i] for i in call.floats]
    grads = grads if isinstance(grads, list) and len(grads) in (len(names), len(call.inputs)) else stacked(grads)
    grads = tuple(grads) if isinstance(grads, tuple | list) else (grads,)
    odd = {type(g).__name__ for g in grads if not (hasattr(g, "dtype") or isinstance(g, float | int | complex | None))}
    if odd:
        title = call.pair.backward_name
        raise UserError(f"{title}: expected a tuple of arrays, one for each input, got {', '.join(sorted(odd))} in it")
    if len(grads) == len(call.defaults) > len(call.inputs) and {*names} <= {*call.defaults}:  # None for alpha=0.1 too
        return tuple(g for name, g in zip(call.defaults, grads, strict=True) if name in names)
    left_out = [name for name in names if call.constant(name)]
    learned = about(call.pair.forward).arrays  # what it reads from its file
    data = [name for name in names if call.kind_of(name) not in PARAMETERS and name not in learned]
    network = sum(kind.endswith("weight") for kind in call.kinds) > 1
    of_loss = call.convention.slope or isinstance(call.pair.forward, Composed) or bool(call.keys) or network
    if of_loss and len(grads) == len(names) - len(data):  # the gradient of a loss, or of a network, needs none for the data
        call.unclaimed, left_out = set(data), data
    if not left_out or len(grads) != len(names) - len(left_out):
        return grads
    given = {name: call.inputs[call.names.index(name)] for name in names if name not in left_out}
    owners = by_shape(grads, given) if call.convention.slope else None  # the gradient of a loss, in whatever order
    owned = dict(zip(owners or given, grads, strict=True))
    return tuple(owned.get(name) for name in names)


def _in_parts(call: Call, grads: Any) -> dict[str, Any] | None:
    """Return the gradients of all parameters, where they are one vector, ``np.concatenate((dw, db))``; else None."""
    arrays = {call.names[i]: call.inputs[i] for i in call.floats if call.kinds[i] in PARAMETERS}
    ends = np.cumsum([x.size for x in arrays.values()])
    if len(arrays) < 2 or np.shape(grads) != (ends[-1],):
        return None
    return {name: g.reshape(arrays[name].shape) for name, g in zip(arrays, np.split(grads, ends[:-1]), strict=True)}


def _of_lists(call: Call, grads: Any) -> dict[str, Any] | None:
    """Return the gradients by argument, where the names in backward's `return` say which list is of which argument."""
    titles = titles_of(call.user_backward, len(grads)) if isinstance(grads, tuple | list) else []
    entries = {key for packed in call.keys.values() for key in packed.names}
    alone = [call.names[i] for i in call.floats if call.names[i] not in entries]
    found: dict[str, Any] = {}
    for title, gradient in zip(titles, grads, strict=True) if titles else ():
        owner = next(
            (name for name in [*call.keys, *alone] if is_gradient_of(title, name)), alone[0] if len(alone) == 1 else ""
        )
        parts = call.keys[owner].names if owner in call.keys else (owner,)
        gradients = gradient if owner in call.keys else [gradient]
        if not owner or found.keys() & {*parts} or not isinstance(gradients, list) or len(gradients) != len(parts):
            return None
        found |= dict(zip(parts, gradients, strict=True))
    return found if all(found.keys() & {*packed.names} for packed in call.keys.values()) else None


def _owner_of(call: Call, gradient: Any) -> str:
    """Return the input that the only gradient is of: the parameter of its shape, else the first input of its shape."""
    names = [call.names[i] for i in call.floats]
    names = [name for name in names if not call.constant(name)] or names
    shapes = {name: np.shape(x) for name, x in zip(call.names, call.inputs, strict=True)}
    names.sort(key=lambda name: call.kind_of(name) not in PARAMETERS)
    return next((name for name in names if shapes[name] == np.shape(gradient)), names[0])


def _of_no_matter(call: Call, named: dict[str, Any]) -> set[str]:
    """Return the data of a network, or of a loss: what names the gradients of all its weights needs none for its data."""
    missing = {call.names[i] for i in call.floats if call.names[i] not in named}
    learned = about(call.pair.forward).arrays  # what it reads from its file
    weights = [name for name in named if call.kind_of(name).endswith("weight") or name in learned]
    of_loss = isinstance(call.pair.forward, Composed) or (call.convention is not None and call.convention.slope)
    network = len(weights) > 1 or (of_loss and (weights or "target" in call.kinds))
    needless = ("x", "hidden", *CONSTANT) if of_loss else ("x", *CONSTANT)
    given = about(call.pair.forward).data
    data = [name for name in missing if call.kind_of(name) in needless or name in given or (of_loss and name[:1] in "xX")]  # Xm
    return missing if network and len(data) == len(missing) else set()


def _flat(grads: Any) -> Iterator[Any]:
    """Yield the gradients in nested tuples and lists."""
    if isinstance(grads, tuple | list):
        yield from (leaf for part in grads for leaf in _flat(part))
    else:
        yield grads


def by_name(grads: Any, backward: Callable, names: list[str]) -> dict[str, Any] | None:
    """Return the gradients by the names of their arguments, as a dict's keys or the names in backward's `return` tell them.

    None where they do not tell them all: their order does then.
    """
    keyed = isinstance(grads, dict) or (isinstance(grads, tuple | list) and any(isinstance(g, dict) for g in grads))
    found: dict[str, Any] = {}
    rest = []
    for word, gradient in _entries(grads, backward):
        name = _owner(word, [name for name in names if name not in found], keyed)
        if name:
            found[name] = gradient
        else:
            rest.append((word, gradient))
    missing = [name for name in names if name not in found]
    if not keyed and found and missing == names[:1] and len(rest) == 1 and OF_INPUT.match(rest[0][0]):
        found[names[0]] = rest.pop()[1]  # of conv2d(img, K): dK, dX
    if not keyed or not (found or isinstance(grads, dict)):
        return None if rest or not found or _declared_in_order(backward, list(found), names) else found
    nameless = [gradient for word, gradient in rest if not word]
    for left in ([g for word, g in rest if word[:1] == "d"], [g for _, g in rest]):
        if len(left) == len(missing) and found:
            nameless = left  # as many are left over as arguments: dh_next is that of h0
            break
    return found | dict(zip(missing, nameless, strict=False))


def by_shape(grads: Sequence[Any], given: dict[str, Any]) -> list[str] | None:
    """Return the argument of each gradient of a loss: the first of its shape, else the first left over; None if too few."""
    free = list(given)
    owners = []
    for gradient in grads:
        alike = [name for name in free if np.shape(given[name]) == np.shape(gradient)]
        owners.append(alike[0] if alike else "")
        free = [name for name in free if name != owners[-1]]
    if owners.count("") > len(free):
        return None
    rest = iter(free)
    return [name or next(rest) for name in owners]


def _declared_in_order(backward: Callable, found: list[str], names: list[str]) -> bool:
    """Whether the gradients, returned in another order than that of forward's arguments, are promised or used in that order.

    Then they are swapped: the docstring names them in that order, or a caller in the file unpacks them so.
    """
    order = [name for name in names if name in found]
    if found == order:
        return False
    words = re.findall(r"\w+", backward.__doc__ or "")
    promised = [name for name in dict.fromkeys(_owner(word, names, False) for word in words) if name]
    used = [[name for word in words if (name := _owner(word, names, False))] for words in unpacked(backward)]
    parts = [part for part in used if part != [name for name in found if name in part]]
    return promised == order or any(part == [name for name in order if name in part] for part in parts)


def _entries(grads: Any, backward: Callable) -> Iterator[tuple[str, Any]]:
    """Yield (name, gradient): of nested dicts and tuples too."""
    if isinstance(grads, dict):
        for key, gradient in grads.items():
            yield from _entries(gradient, backward) if isinstance(gradient, dict) else [(str(key), gradient)]
    elif isinstance(grads, tuple | list):
        for word, gradient in zip(titles_of(backward, len(grads), scaled_title), grads, strict=True):
            if has(word, "LOSS") and not is_slope(word):  # beside the gradients
                continue
            if isinstance(gradient, dict):
                yield from _entries(gradient, backward)
            elif isinstance(gradient, tuple | list):
                yield from (("", g) for g in gradient)
            else:
                yield word, gradient
    else:
        yield titles_of(backward, 1, scaled_title)[0], grads


def _owner(word: str, names: list[str], keyed: bool) -> str:
    """Return the argument that a gradient's name belongs to. Where W and w are two arguments, the case tells."""
    for fold in (str, str.lower):
        for name in names:
            if is_gradient_of(word, name, fold) or (keyed and fold(word) == fold(name)):
                return name
    return _owner(word.removesuffix("_prev"), names, keyed) if word.endswith("_prev") else ""  # dA_prev of A
