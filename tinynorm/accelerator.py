"""The GPU by the name that PyTorch has for any accelerator."""

from __future__ import annotations

from .backend import device
from .cuda import device_count, is_available, synchronize

__all__ = ["current_accelerator", "device_count", "is_available", "synchronize"]


def current_accelerator(check_available: bool = False) -> device | None:
    """``device("cuda")`` if it works, else None.

    >>> device = current_accelerator() or "cpu"
    """
    return device("cuda") if is_available() else None
