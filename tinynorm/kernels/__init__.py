"""Faster inner loops for the formulas. A kernel computes the same as its formula; where no kernel fits, the formula runs."""

from .buffers import empty_cache
from .select import use

__all__ = ["empty_cache", "use"]
