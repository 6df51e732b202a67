"""The recording of a step as a list of array calls: `array` has the arrays that are watched, `tape` has the list,
`memory` the memory, and `surroundings` what else the step depends on.

`captured` makes a step of it that runs without its Python code.
"""

from .array import Departed, Recorded, Watched, plain, root, seen, state
from .memory import LARGE, Inputs, as_bytes, shared
from .surroundings import NUMBERS, Surroundings
from .tape import Tape, opaque, whole

__all__ = [
    "LARGE",
    "NUMBERS",
    "Departed",
    "Inputs",
    "Recorded",
    "Surroundings",
    "Tape",
    "Watched",
    "as_bytes",
    "opaque",
    "plain",
    "root",
    "seen",
    "shared",
    "state",
    "whole",
]
