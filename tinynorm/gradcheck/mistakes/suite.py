"""What a mistake is, and how the files of this package collect theirs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Inputs = Callable[[int], tuple]  # from a seed


@dataclass(frozen=True)
class Layer:
    """A right forward and backward: ``out, cache = forward(*inputs)``, ``grads = backward(dout, cache)``."""

    name: str
    forward: Callable
    backward: Callable
    names: tuple[str, ...]  # of the inputs
    inputs: Inputs  # of a shape that can see every term

    def inputs_at(
        self, seed: int, scale: float = 1.0, offset: float = 0.0, dtype: str = "float64", kinks: bool = False
    ) -> list[np.ndarray]:
        """Other inputs, for which backward is as right: the first times `scale`, plus `offset`, a fifth of it 0 on `kinks`."""
        x, *others = self.inputs(seed)
        x = x * scale + offset
        if kinks:
            x = np.where(np.random.default_rng(seed).random(x.shape) < 0.2, 0.0, x)
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in (x, *others)]


@dataclass(frozen=True)
class Mistake:
    """A wrong backward pass beside the forward it belongs to."""

    name: str
    layer: str
    kind: str  # a key of KINDS or FAULTS
    wrong: tuple[str, ...]  # the inputs whose gradient is wrong
    why: str  # how people come to write it
    forward: Callable
    backward: Callable
    names: tuple[str, ...]
    inputs: Inputs

    @property
    def source(self) -> str:
        """The wrong backward's text."""
        return inspect.getsource(self.backward)


class Suite:
    """The mistakes about one layer."""

    def __init__(self, layer: Layer, prefix: str) -> None:
        self.layer, self.prefix = layer, prefix
        self.mistakes: list[Mistake] = []

    def mistake(self, kind: str, wrong: str = "", inputs: Inputs | None = None, forward: Callable | None = None) -> Callable:
        """Register a backward; its docstring says how people come to write it."""

        def register(backward: Callable) -> Callable:
            name = f"{self.prefix}_{backward.__name__}"
            why = inspect.cleandoc(backward.__doc__ or "").replace("\n", " ")
            right = self.layer
            found = Mistake(
                name,
                right.name,
                kind,
                tuple(wrong.split()),
                why,
                forward or right.forward,
                backward,
                right.names,
                inputs or right.inputs,
            )
            self.mistakes.append(found)
            return backward

        return register


def normal(seed: int, *shapes: tuple[int, ...]) -> list[Any]:
    """Standard normal arrays, a shape each."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]
