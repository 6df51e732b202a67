"""A forward and its backward, as they are found in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..layers.call_layer import Layer
from .composed import compose


@dataclass
class Pair:
    """A forward and its backward, and the function that makes inputs for them (None where the file has none)."""

    name: str
    forward: Callable
    backward: Callable
    path: Path
    forward_name: str
    backward_name: str
    inputs: Any = None
    loss: bool = False  # one function that returns (loss, gradients); what it returns says which inputs have gradients
    ran: set[int] = field(default_factory=set)  # the lines of backward that have run

    def anew(self) -> Pair:
        """Return the pair with nothing found out yet."""
        layer = self.forward.blank if isinstance(self.forward, Layer) else None
        return replace(self, forward=layer, backward=layer.backward) if layer else self


def with_loss_behind(pair: Pair, functions: dict[str, Callable]) -> Pair:
    """Return the pair; with a loss behind forward, where backward goes back from one."""
    composed = compose(pair.forward, pair.backward, pair.backward_name, functions)
    return pair if composed is None else replace(pair, forward=composed, backward=composed.backward)


def backward_of(pair: Pair) -> Callable:
    """Return the function of the file that makes the gradients."""
    forward: Any = pair.forward
    if isinstance(forward, Layer):
        return getattr(forward.cls, forward.methods.backward, pair.backward)
    return getattr(forward, "user_backward", forward if pair.loss else pair.backward)
