"""Utilities for training: data loading."""

from . import checkpoint, data

__all__ = ["checkpoint", "data"]
