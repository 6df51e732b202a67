"""Zeros where a mask is False, by bits: a product with the mask would make NaN of 0 * inf, and `np.where` branches."""

from __future__ import annotations

import numpy as np

_BITS = {"e": np.int16, "f": np.int32, "d": np.int64}


def keep_bits(mask: np.ndarray, g: np.ndarray) -> np.ndarray | None:
    """`g` where `mask`, else 0; None where the arrays do not suit (then `where` will do).

    Suited are a boolean mask and row-major floats of one shape: -1 has all bits set, so ``g & -mask`` is g or 0.
    """
    bits = _BITS.get(g.dtype.char)
    if bits is None or mask.dtype != np.bool_ or mask.shape != g.shape or not g.flags.c_contiguous or not g.ndim:
        return None
    kept = np.negative(mask.view(np.int8), dtype=bits)
    kept &= g.view(bits)
    return kept.view(g.dtype)
