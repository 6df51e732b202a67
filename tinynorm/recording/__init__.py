"""The recording of a step as a list of array calls: `array` has the arrays that are watched, `tape` has the list,
`memory` the memory.

`captured` makes a step of it that runs without its Python code.
"""

from .array import Departed, Recorded, Watched, plain, root, seen, state
from .memory import shared
from .tape import Tape, opaque, whole

__all__ = ["Departed", "Recorded", "Tape", "Watched", "opaque", "plain", "root", "seen", "shared", "state", "whole"]
