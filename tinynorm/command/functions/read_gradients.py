"""Read what backward returns: which gradient belongs to which argument of forward."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..read.read_code import is_gradient_of, scaled_title, titles_of, unpacked


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
    if not keyed or not (found or isinstance(grads, dict)):
        return None if rest or not found or _declared_in_order(backward, list(found), names) else found
    missing = [name for name in names if name not in found]
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
        yield from _of_dict(grads)
    elif isinstance(grads, tuple | list):
        for word, gradient in zip(titles_of(backward, len(grads), scaled_title), grads, strict=True):
            if isinstance(gradient, dict):
                yield from _of_dict(gradient)
            elif isinstance(gradient, tuple | list):
                yield from (("", g) for g in gradient)
            else:
                yield word, gradient
    else:
        yield titles_of(backward, 1, scaled_title)[0], grads


def _of_dict(grads: dict) -> Iterator[tuple[str, Any]]:
    for key, gradient in grads.items():
        if isinstance(gradient, dict):
            yield from _of_dict(gradient)
        else:
            yield str(key), gradient


def _owner(word: str, names: list[str], keyed: bool) -> str:
    """Return the argument that a gradient's name belongs to. Where W and w are two arguments, the case tells."""
    for fold in (str, str.lower):
        for name in names:
            if is_gradient_of(word, name, fold) or (keyed and fold(word) == fold(name)):
                return name
    return ""
