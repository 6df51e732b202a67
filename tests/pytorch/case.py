"""A case: a computation written once for every library with PyTorch's vocabulary, and the numbers it runs on.

`run` is the one path for both libraries: what PyTorch computed when the vectors were recorded, tinynorm computes in the test.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Draw:
    """How an input is drawn, and whether its gradient is compared."""

    numbers: Callable[[np.random.Generator], np.ndarray]
    differentiable: bool = True


def normal(*shape: int, mean: float = 0.0, std: float = 1.0) -> Draw:
    return Draw(lambda rng: (mean + std * rng.standard_normal(shape)).astype(np.float32))


def uniform(*shape: int, low: float = 0.5, high: float = 2.0) -> Draw:
    return Draw(lambda rng: rng.uniform(low, high, shape).astype(np.float32))


def probabilities(*shape: int) -> Draw:
    """Distributions along dim 1, or along the one dim there is."""

    def numbers(rng: np.random.Generator) -> np.ndarray:
        p = rng.uniform(0.1, 1.0, shape)
        return (p / p.sum(axis=1 if p.ndim > 1 else 0, keepdims=True)).astype(np.float32)

    return Draw(numbers)


def classes(C: int, *shape: int, ignored: int | None = None) -> Draw:
    """Class indices; with `ignored`, every third is that."""

    def numbers(rng: np.random.Generator) -> np.ndarray:
        c = np.asarray(rng.integers(0, C, shape))
        if ignored is not None:
            c.reshape(-1)[::3] = ignored
        return c

    return Draw(numbers, differentiable=False)


def values(*numbers: Any) -> Draw:
    """Exactly these; no gradient where they are integers or booleans."""
    array = np.array(numbers)
    floating = array.dtype.kind == "f"
    return Draw(lambda rng: array.astype(np.float32) if floating else array, floating)


def constant(draw: Draw) -> Draw:
    """The same numbers, as a tensor that needs no gradient."""
    return replace(draw, differentiable=False)


@dataclass(frozen=True)
class Case:
    """A computation `compute(lib, **inputs)` that returns a tensor, or a dict of tensors, numbers and at most one "module"."""

    name: str
    compute: Callable[..., Any]
    inputs: dict[str, Draw]

    def draw(self) -> dict[str, np.ndarray]:
        """The inputs, seeded by the case's name: a new case changes no other's numbers."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        return {name: draw.numbers(rng) for name, draw in self.inputs.items()}


class Cases(list[Case]):
    """A list of cases that is written down case by case."""

    def add(self, name: str, compute: Callable[..., Any], **inputs: Draw) -> None:
        self.append(Case(name, compute, inputs))


def shape_name(shape: tuple[int, ...]) -> str:
    """(2, 3) as "2x3", for a case's name."""
    return "x".join(map(str, shape))


def say(options: dict[str, Any]) -> str:
    """Options, for a case's name."""
    return "".join(f" {name} {value}" for name, value in options.items())


def run(
    lib: Any,
    case: Case,
    inputs: dict[str, np.ndarray],
    cotangent: Callable[[str, tuple[int, ...]], np.ndarray],
    dtype: str,
    device: str = "cpu",
) -> dict[str, np.ndarray]:
    """Every output by name, and the gradient of every input and parameter as "d" + its name.

    Each output y that can be differentiated is sent back with `cotangent(name, shape)` as dL/dy.
    """

    def tensor(array: np.ndarray) -> Any:
        return lib.tensor(array.astype(dtype) if array.dtype.kind == "f" else array, device=device)

    tensors = {name: tensor(array).requires_grad_(case.inputs[name].differentiable) for name, array in inputs.items()}
    outputs = case.compute(lib, **tensors)
    outputs = dict(outputs) if isinstance(outputs, dict) else {"y": outputs}
    module = outputs.pop("module", None)
    results = {name: as_numpy(y) for name, y in outputs.items()}
    for name, y in outputs.items():
        if getattr(y, "requires_grad", False):
            y.backward(tensor(cotangent(name, tuple(y.shape))), retain_graph=True)
    leaves = dict(tensors)
    if module is not None:
        leaves.update(module.named_parameters())
        results.update({name: as_numpy(buffer) for name, buffer in module.named_buffers()})
    results.update({"d" + name: as_numpy(t.grad) for name, t in leaves.items() if t.grad is not None})
    return results


def as_numpy(value: Any) -> np.ndarray:
    """A tensor of either library, or plain numbers, as an array."""
    return value.detach().cpu().numpy().copy() if hasattr(value, "detach") else np.asarray(value)


def relative_error(got: np.ndarray, expected: np.ndarray, least: float = 0.0) -> float:
    """The largest deviation, in units of the largest expected number, or of `least`; inf where NaN or inf stand elsewhere.

    >>> relative_error(np.array([4.0, 1.0]), np.array([4.0, 2.0]))
    0.25
    >>> relative_error(np.array([np.nan, 1.0]), np.array([4.0, 1.0])), relative_error(np.array([4.0]), np.array([np.nan]))
    (inf, inf)
    >>> relative_error(np.array([np.nan, np.inf]), np.array([np.nan, np.inf])), relative_error(np.zeros(2), np.zeros(2))
    (0.0, 0.0)
    """
    got, expected = np.asarray(got, np.longdouble), np.asarray(expected, np.longdouble)
    finite = np.isfinite(expected)
    if not np.array_equal(got[~finite], expected[~finite], equal_nan=True) or not np.isfinite(got[finite]).all():
        return float("inf")
    deviation = np.abs(got[finite] - expected[finite]).max(initial=0)
    return float(deviation / (np.abs(expected[finite]).max(initial=least) or 1))
