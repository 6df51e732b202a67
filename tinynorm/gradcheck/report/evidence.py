"""What a check has measured and what a diagnosis finds in it, as plain NumPy arrays in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Sample:
    """The numerical gradient of one input at the measured elements, which are all elements of a small input."""

    index: np.ndarray  # (k,) flat indices into the input
    value: np.ndarray  # (k,) the numerical derivative there
    error: np.ndarray  # (k,) an estimate of the error of `value`


@dataclass
class Evidence:
    """All that is known about a backward pass that is wrong."""

    names: list[str]  # of the inputs
    inputs: list[np.ndarray]  # in float64 if they are floating-point, else as they are
    output: np.ndarray  # y; the first output if there are several
    cotangent: np.ndarray  # dy, of the output's shape
    analytic: list[np.ndarray | None]  # what the backward pass returned for each input
    numeric: list[Sample | None]  # what was measured for each input; None if nothing was
    wrong: list[int]  # the inputs whose gradient is wrong
    layer: str | None = None  # the user's hint, e.g. "LayerNorm"
    outputs: list[np.ndarray] = field(default_factory=list)  # all of them
    cotangents: list[np.ndarray] = field(default_factory=list)  # of all outputs
    tangent: Callable | None = None  # (input, direction, other values of inputs) -> the derivatives of all outputs


@dataclass(frozen=True)
class Finding:
    """A mistake with a name."""

    kind: str  # a key of KINDS
    input: str  # the input whose gradient is wrong
    sentence: str  # what is wrong and what to do
    formula: str = ""  # the missing or wrong term, in the symbols of the derivation
    explained: float = 1.0  # the share of the error's norm that the mistake accounts for
    details: dict = field(default_factory=dict, compare=False)  # e.g. {"factor": 2.0}


@dataclass
class Recognised:
    """The layer whose formula gives the output of forward."""

    layer: str  # "Linear", "ReLU", "BatchNorm", "LayerNorm" ...
    roles: dict[str, int]  # symbol -> which input: {"x": 0, "gamma": 1, "beta": 2}
    symbols: dict[str, Any] = field(default_factory=dict)  # values of the formula: m, axes, eps, x_hat, rstd ...
