"""What looks like one half of a pair, and is in none."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ..layers.one_method import in_one_method
from ..read import match_names
from ..read.match_names import has
from ..read.read_code import nodes_of, parameters, returned
from .find_losses import meant_as_a_loss
from .kinds import kind_of
from .of_functions import STEPS

# Names that may be one half of a pair.
HALF = re.compile(r"(^|_)(forward|backward|fwd|bwd|backprop)(_|$)|(Forward|Backward|_derivative|_prime|Derivative|Prime)$")
BY_CODE = (match_names.keeps_a_cache, match_names.unpacks_a_cache)
FRAMEWORKS = ("torch", "tensorflow", "jax")  # which find the gradients themselves


def left_over_in(own: dict[str, Callable], paired: set[str]) -> Iterator[str]:
    """Yield the functions of a file that look like one half of a pair, or like a loss, and are in no pair, with the reason."""
    classes = {name: value for name, value in own.items() if inspect.isclass(value)}
    yield from in_one_method(classes, paired)
    calls = {name: [node.func for node in nodes_of(f) if isinstance(node, ast.Call)] for name, f in own.items()}
    called = {name: {getattr(function, "id", "") for function in found} for name, found in calls.items()}
    checked = {*paired}
    while more := {helper for name in checked for helper in called.get(name, ())} - checked:  # with the pairs that call them
        checked |= more
    for name, value in own.items():
        forwards = {n for n in called[name] & paired if has(n, "FORWARD")}  # of a forward without a cache
        if name in classes or name in paired or (forwards and has(name, "FORWARD") and not has(name, "BACKWARD")):
            continue
        if (HALF.search(name) or _is_a_gradient_of_a_loss(name, value)) and name not in checked:
            yield f"{name} (no counterpart is found)"
        elif meant_as_a_loss(name, value) and name not in checked:
            returns = any(isinstance(node, ast.Return) and node.value for node in nodes_of(value))
            why = "no gradient is seen in what it returns" if returns else "unfinished: it returns nothing"
            yield f"{name} ({why})"
        elif any(test(value) for test in BY_CODE) and not any(name in helpers for helpers in called.values()):
            yield f"{name} (by its code one half of a pair, and by its name of none)"


def _is_a_gradient_of_a_loss(name: str, function: Callable) -> bool:
    """Whether a function is the gradient of a loss, by its name, and takes targets: the loss is not there, or not told."""
    targets = [p.name for p in parameters(function) if kind_of(p.name) == "target"]
    return bool(targets and has(name, "SLOPE") and returned(function)) and not STEPS.search(name)


def advice_on(own: dict[str, Callable], path: Path, missed: list[str]) -> str:
    """Say why a file has no pairs."""
    if missed:
        return f"; not looked at: {', '.join(missed)}"
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "forward")]
    framework = re.search(rf"^\s*(?:import|from) ({'|'.join(FRAMEWORKS)})\b", path.read_text("utf-8", "ignore"), re.MULTILINE)
    if framework:
        return f"; it is written with {framework[1]}, which finds the gradients itself"
    if classes:
        return f", and no class with both methods ({', '.join(classes)}: no backward is found)"
    halves = [name for name in own if HALF.search(name)]
    if halves:
        return f"; {', '.join(halves)} {'has' if len(halves) == 1 else 'have'} no counterpart"
    return '. What stands under `if __name__ == "__main__":` is not run' if b"__main__" in path.read_bytes() else ""
