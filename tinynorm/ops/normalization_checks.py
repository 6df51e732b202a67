"""Checks of the settings and tensors of the normalisation layers."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from .. import backend
from ..tensor import Tensor


def check_eps(op: str, eps: float) -> None:
    """Raise ValueError if `eps` is not a finite number >= 0."""
    if not isinstance(eps, Real) or not 0 <= eps < math.inf:
        raise ValueError(f"{op}: expected eps to be a finite number >= 0, got {eps!r}")


def check_momentum(op: str, momentum: float) -> None:
    """Raise ValueError if `momentum` is not a number from 0 to 1."""
    if not isinstance(momentum, Real) or not 0 <= momentum <= 1:
        raise ValueError(f"{op}: expected momentum from 0 to 1, got {momentum!r}")


def check_groups(op: str, num_groups: int, C: int) -> None:
    """Raise ValueError if `num_groups` does not divide the number of channels C."""
    if not isinstance(num_groups, int) or num_groups < 1 or C % num_groups:
        raise ValueError(f"{op}: expected num_groups to divide the channels C={C}, got num_groups={num_groups!r}")


def check_tensor(op: str, x: Any, name: str = "x") -> None:
    """Raise TypeError if x is not a Tensor."""
    if not isinstance(x, Tensor):
        got = type(x).__name__
        raise TypeError(f"{op}: expected {name} to be a Tensor, got {got}; use tinynorm.from_numpy or tinynorm.tensor")


def check_input(op: str, x: Any, min_ndim: int, expected: str) -> None:
    """Raise an error if x is not a Tensor (TypeError), not floating-point, or has too few dimensions (RuntimeError)."""
    check_tensor(op, x)
    if not backend.is_floating(x.data):
        raise RuntimeError(f"{op}: expected a floating-point x, got {x.dtype}; use .float() first")
    if x.ndim < min_ndim:
        raise RuntimeError(f"{op}: expected x {expected}, got shape {tuple(x.shape)}")


def check_affine(op: str, x: Tensor, shape: tuple[int, ...], symbol: str, **tensors: Tensor | None) -> None:
    """Raise RuntimeError if the shape, dtype or device of weight, bias or a running statistic does not fit x."""
    arrays = [x.data]
    for name, t in tensors.items():
        if t is None:
            continue
        check_tensor(op, t, name)
        arrays.append(t.data)
        if t.data.shape != shape:
            raise RuntimeError(f"{op}: expected {name} {symbol} = {shape} for x {tuple(x.shape)}, got {tuple(t.shape)}")
        if t.data.dtype != x.data.dtype and not (backend.is_half(x.data) and t.dtype == backend.float32):
            raise RuntimeError(f"{op}: expected {name} of dtype {x.dtype}, as of x, got {t.dtype}; convert one with .to(dtype)")
    backend.check_same_device(op, arrays)


def check_both(op: str, running_mean: Any, running_var: Any) -> None:
    """Raise ValueError if only one of the two running statistics is given."""
    if (running_mean is None) != (running_var is None):
        raise ValueError(f"{op}: expected running_mean and running_var both or neither, got one of them")
