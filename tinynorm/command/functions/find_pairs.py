"""Find the functions NAME_forward and NAME_backward, the losses and the classes of a file; and what else looks like them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..load.load_file import module_name
from ..load.stand_ins import StandIn
from ..run_code import NothingToCheck, UserError
from ..tensors.find_tensors import find_operations, own_tensors
from ..tensors.modules import find_modules
from .find_losses import find_losses
from .left_over import advice_on, left_over_in
from .of_classes import class_pairs, is_of_a_framework, of_deltas, of_layer, of_methods, of_operation
from .of_functions import named_pairs, of_numpy, pairs_by_arguments, with_closures, with_flags, with_slopes
from .of_trainers import with_what_trains
from .pair import Pair


def find_pairs(names: dict[str, Any], path: Path, only: str | None) -> tuple[list[Pair], list[str]]:
    """Return the pairs (or those called `only`), and the names that look like layers but belong to no pair."""
    functions = _functions_in(names)
    own = {name: value for name, value in functions.items() if getattr(value, "__module__", "") == module_name(path)}
    pairs = _of_functions(functions, own, path)
    deltas = [*of_deltas(own, functions, path)]
    classes = {n: value for n, value in own.items() if inspect.isclass(value) and n not in {pair.name for pair in deltas}}
    layers = list(class_pairs({name: cls for name, cls in classes.items() if not is_of_a_framework(cls)}, names, path))
    pairs += [*layers, *of_methods(classes, layers, path), *deltas]
    others = {name: cls for name, cls in classes.items() if name not in {pair.name for pair in layers}}
    pairs, missed = _with_operations(pairs, names, others, path)
    for pair in pairs:  # from softmax_loss_inputs, or softmax_inputs
        titles = (pair.name, pair.forward_name.removesuffix("_forward"), pair.name.removesuffix("_loss"))
        pair.inputs = next((names[f"{title}_inputs"] for title in titles if f"{title}_inputs" in names), None)
    pairs, lost = with_what_trains(pairs, layers, own, path)
    taken = {name for pair in pairs for name in (pair.forward_name, pair.backward_name, *getattr(pair.forward, "losses", ()))}
    left_over = [*left_over_in(own, taken), *missed]
    missed += [line for line in left_over if "are one method" in line]
    missed += [f"{name} (it takes steps along no gradient that is known)" for name in lost]
    left_over = list(dict.fromkeys([*left_over, *missed]))
    if not pairs:
        found = "no pairs of functions NAME_forward and NAME_backward found, and no NAME_loss that returns (loss, gradients)"
        raise (UserError if left_over else NothingToCheck)(f"{path}: {found}{advice_on(own, path, missed)}")
    chosen = [pair for pair in pairs if only in (None, pair.name, pair.forward_name, pair.backward_name)]
    if not chosen:
        raise NothingToCheck(f"{path}: there is no pair called {only!r}; there are {', '.join(pair.name for pair in pairs)}")
    return chosen, [] if only else left_over


def _functions_in(names: dict[str, Any]) -> dict[str, Callable]:
    """Return the functions and classes among the names of a file, without the methods that it gives names of their own."""
    methods = {id(method) for cls in names.values() if inspect.isclass(cls) for method in vars(cls).values()}
    found = {name: value for name, value in names.items() if callable(value) and not isinstance(value, StandIn)}
    return {name: value for name, value in found.items() if id(value) not in methods}


def _of_functions(functions: dict[str, Callable], own: dict[str, Callable], path: Path) -> list[Pair]:
    """Return the pairs of functions, and the losses."""
    pairs = [*named_pairs(functions, own, path), *with_flags(own, path), *with_closures(own, path)]
    paired = {name for pair in pairs for name in (pair.forward_name, pair.backward_name)}
    rest = {name: value for name, value in own.items() if name not in paired}
    losses = [Pair(loss.name, loss, loss.backward, path, loss.name, loss.name, loss=True) for loss in find_losses(rest)]
    alone = {name: value for name, value in rest.items() if name not in {loss.name for loss in losses}}
    by_arguments = [*pairs_by_arguments(alone, path)]
    alone = {name: f for name, f in alone.items() if name not in {pair.backward_name for pair in by_arguments}}
    return [*pairs, *by_arguments, *with_slopes(rest, path), *losses, *of_numpy(alone, path)]


def _with_operations(
    pairs: list[Pair], names: dict[str, Any], others: dict[str, type], path: Path
) -> tuple[list[Pair], list[str]]:
    """Return the pairs with the operations of the file's own autograds, and the classes that are built on these among `others`.

    Then what is left over of them, and why.
    """
    tensors, unlike = own_tensors(names)
    missed = [why for why in unlike if why.partition(" ")[0] in {*others, *(pair.name for pair in pairs)}]
    for own_tensor in tensors:
        operations, none_found = find_operations(names, module_name(path), own_tensor)
        made = {ast.unparse(n.func).split(".")[-1] for one in operations.values() for n in one.calls()}  # EWiseAdd()(a, b)
        pairs = [pair for pair in pairs if pair.forward_name not in operations and pair.name not in made]
        pairs += [of_operation(name, operation, path) for name, operation in operations.items()]
        pairs += [of_layer(*module, path) for module in find_modules(others, names, own_tensor)]
        missed += none_found
    return pairs, missed
