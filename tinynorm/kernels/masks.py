"""Set numbers to 0 where a mask is False, by bit operations.

A product with the mask would give NaN for 0 * inf, and `np.where` branches for each number.
"""

from __future__ import annotations

import numpy as np

_BITS = {"e": np.int16, "f": np.int32, "d": np.int64}


def keep_bits(mask: np.ndarray, g: np.ndarray) -> np.ndarray | None:
    """`g` where `mask` is True, else 0; None if the arrays do not fit (the caller then uses `where`).

    The mask must be boolean, and g must be row-major floats of the same shape. In ``g & -mask``, -True = -1 has all bits set,
    so the result is g or 0.
    """
    bits = _BITS.get(g.dtype.char)
    if bits is None or mask.dtype != np.bool_ or mask.shape != g.shape or not g.flags.c_contiguous or not g.ndim:
        return None
    kept = np.negative(mask.view(np.int8), dtype=bits)
    kept &= g.view(bits)
    return kept.view(g.dtype)
