"""What a check has measured, as the diagnosis sees it: plain NumPy arrays in float64."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Sample:
    """The numerical gradient of one input, at the elements where it was measured (all of them, where the input is small)."""

    index: np.ndarray  # (k,) flat indices into the input
    value: np.ndarray  # (k,) the numerical derivative there
    error: np.ndarray  # (k,) the error that value itself carries


@dataclass
class Evidence:
    """One backward pass that is wrong, and all that is known of it."""

    names: list[str]  # of the inputs
    inputs: list[np.ndarray]  # floating-point ones in float64, others as they are
    output: np.ndarray  # y, or the first output where there are several
    cotangent: np.ndarray  # dy, of the output's shape
    analytic: list[np.ndarray | None]  # what the backward pass returned, one per input; None where it returned None
    numeric: list[Sample | None]  # what was measured, one per input; None where nothing was
    wrong: list[int]  # the inputs whose gradient is wrong
    layer: str | None = None  # the user's hint, e.g. "LayerNorm"


@dataclass(frozen=True)
class Finding:
    """A mistake with a name."""

    kind: str  # a key of KINDS
    input: str  # whose gradient it shows in
    sentence: str  # what is wrong, and what to do, for a person
    formula: str = ""  # the missing or wrong term, in the derivation's symbols
    explained: float = 1.0  # the share of the error (its norm) that this accounts for
    details: dict = field(default_factory=dict, compare=False)  # e.g. {"factor": 2.0}


@dataclass
class Recognised:
    """The layer that a forward turned out to be: its output is that layer's formula of the inputs."""

    layer: str  # "Linear", "ReLU", "BatchNorm", "LayerNorm" ...
    roles: dict[str, int]  # symbol -> which input: {"x": 0, "gamma": 1, "beta": 2}
    symbols: dict[str, Any] = field(default_factory=dict)  # what was found on the way: m, axes, eps, x_hat, rstd ...
