"""What a file defines beside its pairs: functions that are one half of a pair by their names or their code, and losses."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..layers.look_alikes import in_one_method
from ..read.read_code import code_of
from ..read.structure import keeps_a_cache, unpacks_a_cache
from .find_losses import meant_as_a_loss, returns_no_gradient

# Names that may be one half of a pair.
HALF = re.compile(r"(^|_)(forward|backward|fwd|bwd|backprop)(_|$)|(Forward|Backward|_derivative|_prime|Derivative|Prime)$")


def left_over(own: dict[str, Callable], paired: set[str]) -> list[str]:
    """Return the functions of a file that look like one half of a pair, or like a loss, and are in no pair, with the reason."""
    classes = {name: value for name, value in own.items() if inspect.isclass(value)}
    found = list(in_one_method(classes, {name.partition(".")[0] for name in paired if "." in name}))
    helpers = {name for function in own.values() for name in _called(function)}
    checked = {name for pair in paired for name in _called(own.get(pair))}  # with the pairs that call them
    for name, value in own.items():
        if name in classes or name in paired:
            continue
        if HALF.search(name) and name not in checked:
            found.append(f"{name} (no counterpart is found)")
        elif meant_as_a_loss(name, value):
            why = "no gradient is seen in what it returns" if returns_no_gradient(value) else "unfinished: it returns nothing"
            found.append(f"{name} ({why})")
        elif name not in helpers and (keeps_a_cache(value) or unpacks_a_cache(value)):
            found.append(f"{name} (by its code one half of a pair, and by its name of none)")
    return found


def _called(function: Any) -> Iterator[str]:
    nodes = ast.walk(code_of(function) or ast.Pass()) if inspect.isfunction(function) else ()
    yield from (node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))


def advice_on(own: dict[str, Callable], path: Path) -> str:
    """Say why a file has no pairs."""
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "forward")]
    if classes:
        return f", and no class with both methods ({', '.join(classes)}: no backward is found)"
    halves = [name for name in own if HALF.search(name)]
    if halves:
        return f"; {', '.join(halves)} {'has' if len(halves) == 1 else 'have'} no counterpart"
    return '. What stands under `if __name__ == "__main__":` is not run' if b"__main__" in path.read_bytes() else ""
