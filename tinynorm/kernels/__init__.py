"""Faster inner loops for the formulas. A kernel computes the same as its formula; where no kernel fits, the formula runs."""

from .select import use

__all__ = ["use"]
