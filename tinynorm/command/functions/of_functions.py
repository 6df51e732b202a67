"""Which functions of a file are pairs: by their names, their arguments or their code."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..read import match_names
from ..read.by_use import words_compared
from ..read.match_names import MARKS, NO_MATTER, has, partners, says_slope, words_of
from ..read.read_code import closure_returned, makers_of, parameters, plain_title, returned
from .bias_entry import with_entry
from .by_its_use import used_forward
from .composed import handed_back, takes_targets
from .conventions import is_cotangent
from .filled import returning_its_cache, returning_its_gradients
from .find_losses import makes_its_loss
from .kinds import NAMED, kind_of
from .module_arrays import pair_with_arrays
from .pair import Pair, with_loss_behind
from .usual_operations import usual_operations

SLOPE = re.compile("grad|deriv|slope|prime")  # the name of the second of (value, slope)
# Words in the names of functions that use gradients, or measure them, or make what is learned.
STEPS = re.compile("descent|ascent|step|update|train|fit|clip|check|numeric|approx|init|build|load", re.IGNORECASE)


def named_pairs(functions: dict[str, Callable], own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each backward or derivative, in the order of their forwards in the file."""
    for title, forward, backward in partners([name for name, value in functions.items() if not inspect.isclass(value)]):
        of_numpy = "backward" not in backward and backward not in own  # numpy.gradient is no backward
        if not of_numpy and not makes_its_loss(functions[backward]) and not _takes_data_too(functions, forward, backward):
            both = pair_with_arrays(functions[forward], functions[backward])
            both = returning_its_cache(both[0], with_entry(returning_its_gradients(both[1])))
            yield with_loss_behind(Pair(title, *both, path, forward, backward), functions)
    paired = {name for _, *both in partners(list(functions)) for name in both}
    for title, forward, backward in match_names.partners_by_code({name: f for name, f in own.items() if name not in paired}):
        both = returning_its_cache(own[forward], returning_its_gradients(own[backward]))
        yield Pair(title, *both, path, forward, backward)


def _takes_data_too(functions: dict[str, Callable], forward: str, backward: str) -> bool:
    """Whether a gradient that is called as that of a loss takes the data of what the loss is given: mse_grad(X, y, y_hat).

    Or it takes what another loss does: softmax_grad(X, y, W) is that of softmax_loss(X, y, W), and not of softmax(Z).
    """
    taken = {p.name for p in parameters(functions[forward])}
    needed = [p.name for p in parameters(functions[backward]) if p.default is p.empty]
    data = [name for name in needed if name not in taken and kind_of(name) == "x" and not is_cotangent(name, [])]
    alike = [n for n in functions if has(n, "LOSS") and {p.name for p in parameters(functions[n])} == {*needed} != taken]
    return bool(says_slope(backward) and (alike or (data and len(needed) > len(taken) > 1)))


def pairs_by_arguments(own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair where the name of a gradient does not say of what it is, and its arguments do.

    It is of the only loss that takes the same, or with whose name its own begins; or of the function that hands back what it
    takes, as y_hat, or whose result the file hands to it.
    """
    functions = {name: f for name, f in own.items() if inspect.isfunction(f) and not name.endswith("_inputs")}
    needed = {name: {p.name for p in parameters(f) if p.default is p.empty} for name, f in functions.items()}
    kinds = {name: sorted(kind_of(n) for n in needed[name]) for name in needed}
    kinds = {name: found if all(found) else [] for name, found in kinds.items()}
    titles = set[str]()
    for name in [n for n in needed if (has(n, "SLOPE") or has(n, "BACKWARD")) and not STEPS.search(n)]:
        others = [n for n in needed if not (says_slope(n) or has(n, "BACKWARD") or STEPS.search(n))]
        same = [n for n in others if needed[name] <= needed[n] or kinds[name] == kinds[n] != []]
        costs = [n for n in same if has(n, "LOSS") or NAMED & {*words_of(n)}]
        losses = [n for n in same if name.startswith(n)] or [n for n in costs if _says_no_more(name, n)]
        losses = losses or [n for n in same if "target" in kinds[n] and _says_no_more(name, n)]
        makers = [n for n in makers_of(own[name]) if n in others]
        makers += [n for n in others if handed_back(own[n]) & needed[name] - needed[n]]
        makers = makers or [n for n in others if len(needed[n]) > 1 and _is_all_but_a_target(needed[n], needed[name])][:1]
        makers = [n for n in makers if not STEPS.search(n) and takes_targets(own[n], own[name])]
        used = None if losses else used_forward(own[name])
        if used is not None and takes_targets(used, own[name]):
            pair = Pair(name, *pair_with_arrays(used, own[name]), path, f"the forward of {name}", name)
            yield with_loss_behind(pair, own)
            continue
        for forward in losses[: len(losses) == 1] or makers[: not losses]:
            title = name if forward in titles else forward  # a loss may have a gradient for each parameter
            titles.add(title)
            pair = Pair(title, *pair_with_arrays(own[forward], own[name]), path, forward, name)
            yield with_loss_behind(pair, own)


def of_numpy(alone: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each backward of an operation of NumPy's, of which the file has no forward: matmul_backward."""
    for name, operation in usual_operations(alone):
        forward = f"NumPy's {operation.word}"
        yield Pair(name, operation, operation.backward, path, forward, name, inputs=operation.inputs)


def _is_all_but_a_target(taken: set[str], by_gradient: set[str]) -> bool:
    """Whether a function takes what a gradient does but for its targets: predict(X, w, b), of compute_gradients(X, y, w, b)."""
    rest = by_gradient - taken
    return taken < by_gradient and len(rest) == 1 and all(kind_of(name) == "target" for name in rest)


def _says_no_more(name: str, loss: str) -> bool:
    """Whether a name says only that it is the gradient of a loss: compute_gradients; logistic_gradient, of logisticcost."""
    rest = [word for word in words_of(name) if not (MARKS.get(word) or word in NO_MATTER.split())]
    return has(name, "SLOPE") and all(word in loss.lower() for word in rest)


def with_flags(functions: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that is its own derivative: ``sigmoid(x, derivative=False)``."""
    for name, function in functions.items():
        slope = match_names.derivative_by_flag(function)
        if slope:
            yield Pair(name, function, slope, path, name, name)


def with_closures(own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that returns (out, backward), where backward is a function made in it."""
    for name, function in own.items():
        values = returned(function) if inspect.isfunction(function) and not words_compared(function) else []  # no table
        made = [closure_returned(value, function) for value in values]
        if made and all(made):
            yield Pair(name, function, _call_closure, path, name, f"{name}'s {made[0]}")


def _call_closure(dout: Any, cache: Callable) -> Any:
    if parameters(cache):
        return cache(dout)
    grads = cache()  # of a loss
    return tuple(dout * g for g in grads) if isinstance(grads, tuple) else dout * grads


def with_slopes(own: dict[str, Callable], path: Path) -> Iterator[Pair]:
    """Yield a pair for each function that returns (value, slope): ``def relu(x): ... return out, grad``."""
    for name, function in own.items():
        values = returned(function) if inspect.isfunction(function) and len(parameters(function)) == 1 else []
        seconds = [value.elts[1] for value in values if isinstance(value, ast.Tuple) and len(value.elts) == 2]
        if values and len(seconds) == len(values) and all(SLOPE.match(plain_title(second)) for second in seconds):
            yield Pair(name, function, lambda dout, slope: dout * slope, path, name, name)
