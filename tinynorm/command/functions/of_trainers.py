"""The pairs of what trains in one function, method or loop: where forward, backward and step stand together."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..layers.call_layer import Layer
from ..loops.in_classes import begins_anew, methods_that_train
from ..loops.make_functions import Apart
from ..loops.take_apart import all_in_one, reversed_steps
from ..read.match_names import has
from ..read.read_code import nodes_of
from ..run_code import Prints, UserError, running
from .about import about
from .composed import Composed, compose
from .module_arrays import pair_with_arrays
from .pair import Pair


def with_what_trains(pairs: list[Pair], layers: list[Pair], own: dict[str, Any], path: Path) -> tuple[list[Pair], list[str]]:
    """Return the pairs with those of what trains in one function, method or loop; and the names of what is not understood.

    Such a method takes the place of a class whose parameters it makes itself: what is drawn for them would be overwritten.
    """
    trained = {pair.backward_name for pair in pairs if pair.loss or isinstance(pair.forward, Composed)}
    found_as = [(pair, pair.forward) for pair in layers if isinstance(pair.forward, Layer)]
    anew = [pair for pair, x in found_as if x.methods.how == "gradient" or begins_anew(x.cls, x.methods.backward)]
    others = {pair.name for pair in pairs if pair not in anew}
    classes = [cls for name, cls in own.items() if inspect.isclass(cls) and name not in others]
    methods = {name: method for cls in classes for name, method in methods_that_train(cls)}
    trains = {name: apart and _trains(name, apart, path) for name, apart in all_in_one(own, methods, path, trained)}
    found = {name.partition(".")[0] for name in methods if trains.get(name)}
    pairs = [pair for pair in pairs if pair not in anew or pair.name not in found] + [pair for pair in trains.values() if pair]
    halves = {pair.backward_name for pair in pairs if has(pair.backward_name, "BACKWARD")}  # they are checked alone
    lost = [name for name, pair in trains.items() if not pair and name not in methods]
    return pairs, [n for n in lost if not (n in own and halves & {getattr(x, "id", "") for x in nodes_of(own[n])})]


def _trains(name: str, apart: Apart, path: Path) -> Pair | None:
    """Return the pair of what trains in one function or loop; None where no loss is found of which it has the gradients.

    Where no shapes of its parameters fit, they are those that it makes itself.
    """
    known, found = about(apart.forward), _with_its_loss(name, apart, path)
    for made in apart.made() if found is None else ():  # it runs the function's own lines
        known.arrays = {n: x for n, x in made.items() if n not in known.data}
        known.kinds |= {n: f"shaped {' '.join(map(str, made[n].shape))}" for n in known.data if n in made}
        found = _with_its_loss(name, apart, path)
        if found is not None:
            break
    return found


def _with_its_loss(name: str, apart: Apart, path: Path) -> Pair | None:
    """Return the pair with its loss: a common one, else the one that is computed there.

    One that goes up a common one has the wrong sign.
    """
    pair = Pair(name, *pair_with_arrays(apart.forward, apart.backward), path, f"the forward in {name}", name)
    composed = compose(pair.forward, pair.backward, name, {})
    if composed is None:
        return None
    composed = replace(composed, losses=composed.losses | apart.losses, penalties=apart.penalties)
    own = replace(composed, losses=apart.losses, of_file=True, penalties=() if apart.penalised else composed.penalties)
    up = replace(composed, user_backward=reversed_steps(composed.user_backward))
    for tried in [composed] * (not apart.penalised) + [own] * bool(apart.losses) + [up]:
        found = replace(pair, forward=tried, backward=tried.backward)
        if _can_be_called(found):
            kept = {tried.loss: tried.losses[tried.loss]}
            down = replace(composed, losses=kept, of_file=True, loss=tried.loss, targets=tried.targets, kinds=(tried.targets,))
            return replace(pair, forward=down, backward=down.backward) if tried is up else found
    return None


def _can_be_called(pair: Pair) -> bool:
    """Whether inputs are found with which both halves work: else it is no pair."""
    from .choose_call import choose_calls  # it takes pairs itself

    try:
        with running(pair.path, Prints()):
            return all(choose_calls(pair, 0)[0].rank)
    except UserError:
        return False
