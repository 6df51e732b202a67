"""Find the functions NAME_forward and NAME_backward, and the losses, among the names of the user's file."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .find_losses import find_losses, returns_no_gradient, times_dout
from .load_file import module_name
from .run_code import UserError

FORWARD = re.compile(r"((?:.*_)?)forward((?:_.*)?)", re.DOTALL)  # conv_forward, conv_forward_naive
HALF = re.compile(r"(^|_)(forward|backward)(_|$)")  # names that may be one half of a pair


@dataclass
class Pair:
    """A forward and its backward, and the function that makes inputs for them (None where the file has none)."""

    name: str
    forward: Callable
    backward: Callable
    inputs: Any
    path: Path
    forward_name: str
    backward_name: str
    loss: bool = False  # one function that returns (loss, gradients); what it returns says which inputs have gradients


def find_pairs(names: dict[str, Any], path: Path, only: str | None) -> tuple[list[Pair], list[str]]:
    """Return the pairs (or those called `only`), and the names that look like layers but belong to no pair."""
    functions = {name: value for name, value in names.items() if callable(value)}
    own = {name: value for name, value in functions.items() if getattr(value, "__module__", "") == module_name(path)}
    pairs = list(_pairs(functions, names, path))
    paired = {name for pair in pairs for name in (pair.forward_name, pair.backward_name)}
    pairs += _losses({name: value for name, value in own.items() if name not in paired}, names, path)
    if not pairs:
        found = "no pairs of functions NAME_forward and NAME_backward found, and no NAME_loss that returns (loss, gradients)"
        raise UserError(f"{path}: {found}{_advice(own, path)}")
    chosen = [pair for pair in pairs if only in (None, pair.name, pair.forward_name, pair.backward_name)]
    if not chosen:
        raise UserError(f"{path}: there is no pair called {only!r}; there are {', '.join(pair.name for pair in pairs)}")
    return chosen, [] if only else _left_over(own, pairs)


def _pairs(functions: dict[str, Callable], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each backward, in the order of their forwards in the file.

    The forward of X_backward_Y is X_forward_Y; else X_forward (several backwards may share it), else X.
    """
    order = list(functions)
    partner = {name: name.replace("backward", "forward") for name in functions if "backward" in name}
    for backward in sorted(partner, key=lambda name: order.index(partner[name] if partner[name] in functions else name)):
        match = FORWARD.fullmatch(partner[backward])
        if match is None:
            continue
        prefix, suffix = match.groups()
        options = [partner[backward], f"{prefix}forward", prefix.rstrip("_")]
        forward = next((name for name in options if name in functions), None)
        if forward is not None and not inspect.isclass(functions[forward]):
            title = f"{prefix.rstrip('_')}{suffix}".strip("_") or "forward"
            inputs = names.get(f"{title}_inputs", names.get(f"{prefix}inputs"))
            yield Pair(title, functions[forward], functions[backward], inputs, path, forward, backward)


def _losses(functions: dict[str, Callable], names: dict[str, Any], path: Path) -> Iterator[Pair]:
    """Yield a pair for each loss. Its inputs come from softmax_loss_inputs or softmax_inputs, where the file has one."""
    for loss in find_losses(functions):
        inputs = names.get(f"{loss.name}_inputs", names.get(f"{loss.name.removesuffix('_loss')}_inputs"))
        inputs = None if inputs is None else loss.inputs(inputs)
        yield Pair(loss.name, loss, times_dout, inputs, path, loss.name, loss.name, loss=True)


def _left_over(own: dict[str, Callable], pairs: list[Pair]) -> list[str]:
    """Return what the file defines beside the pairs: single forwards and backwards, losses, and classes with both methods."""
    paired = {name for pair in pairs for name in (pair.forward_name, pair.backward_name)}
    found = []
    for name, value in own.items():
        if inspect.isclass(value):
            found += [f"class {name}"] if hasattr(value, "forward") and hasattr(value, "backward") else []
        elif name not in paired and HALF.search(name):
            found.append(name)
        elif name not in paired and name.endswith("_loss"):
            found.append(f"{name} (no gradient is seen in what it returns)" if returns_no_gradient(value) else name)
    return found


def _advice(own: dict[str, Callable], path: Path) -> str:
    """Say why a file has no pairs."""
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "forward")]
    if classes:
        some = "class has" if len(classes) == 1 else "classes have"
        return f". The {some} methods ({', '.join(classes)}); write a pair of functions around them to check those"
    halves = [name for name in own if HALF.search(name)]
    if halves:
        return f"; {', '.join(halves)} {'has' if len(halves) == 1 else 'have'} no counterpart"
    return '. What stands under `if __name__ == "__main__":` is not run' if b"__main__" in path.read_bytes() else ""
