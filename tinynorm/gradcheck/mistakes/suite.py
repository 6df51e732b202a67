"""A right layer, a mistake, and the suite in which each file collects the mistakes about its layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Inputs = Callable[[int], tuple]  # from a seed
EPS = 1e-5  # ε of all normalisation layers, the default of PyTorch and of this library


@dataclass(frozen=True)
class Layer:
    """A right forward and backward: ``out, cache = forward(*inputs)``, ``grads = backward(dout, cache)``."""

    name: str
    forward: Callable
    backward: Callable
    names: tuple[str, ...]  # of the inputs
    inputs: Inputs  # of shapes in which every mistake changes the numbers

    def inputs_at(
        self, seed: int, scale: float = 1.0, offset: float = 0.0, dtype: str = "float64", kinks: bool = False
    ) -> list[np.ndarray]:
        """Inputs with the first one times `scale`, plus `offset`; with `kinks` a fifth of its elements is 0."""
        x, *others = self.inputs(seed)
        x = x * scale + offset
        if kinks:
            x = np.where(np.random.default_rng(seed).random(x.shape) < 0.2, 0.0, x)
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in (x, *others)]


@dataclass(frozen=True)
class Mistake:
    """A wrong backward pass with the forward that it belongs to."""

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
        """The text of the wrong backward."""
        return inspect.getsource(self.backward)


class Suite:
    """The mistakes about one layer."""

    def __init__(self, layer: Layer, prefix: str) -> None:
        self.layer, self.prefix = layer, prefix
        self.mistakes: list[Mistake] = []

    def mistake(self, kind: str, wrong: str = "", inputs: Inputs | None = None, forward: Callable | None = None) -> Callable:
        """Register a wrong backward, named by the function; its docstring says how people come to write it."""

        def register(backward: Callable) -> Callable:
            name, why = f"{self.prefix}_{backward.__name__}", inspect.cleandoc(backward.__doc__ or "").replace("\n", " ")
            layer = self.layer
            about = (name, layer.name, kind, tuple(wrong.split()), why)
            code = (forward or layer.forward, backward, layer.names, inputs or layer.inputs)
            self.mistakes.append(Mistake(*about, *code))
            return backward

        return register


def normal_inputs(*shapes: tuple[int, ...], scale: float = 1.0, offset: float = 0.0) -> Inputs:
    """Standard normal arrays of these shapes; the first one times `scale`, plus `offset`."""

    def inputs(seed: int) -> tuple:
        rng = np.random.default_rng(seed)
        x, *others = (rng.standard_normal(shape) for shape in shapes)
        return scale * x + offset, *others

    return inputs


def affine(dy: np.ndarray, x_hat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dγ and dβ of a normalisation layer for (rows, features), as they are right."""
    return (dy * x_hat).sum(axis=0), dy.sum(axis=0)
