"""The recording of a step as a list of array calls: `array` has the arrays that are watched, `tape` has the list.

`captured` makes a step of it that runs without its Python code.
"""

from .array import Recorded, plain, root, seen, state
from .tape import Departed, Tape, opaque, whole

__all__ = ["Departed", "Recorded", "Tape", "opaque", "plain", "root", "seen", "state", "whole"]
